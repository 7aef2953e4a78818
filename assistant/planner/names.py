"""Where a sentence names something: exactly, by the same sound, or with one syllable misheard.

Every name is kept under its syllables, and under its syllables with one left open. So a sentence is searched
by look-ups, whose number does not grow with the inventory; only what is found is compared by likeness.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from rapidfuzz.distance import Levenshtein

from assistant.planner.heard import Sentence
from assistant.planner.inventory import Inventory, Thing
from mcp_tencent.naming.matching import likeness
from mcp_tencent.naming.sound import folded, syllables

_LIKE = 0.5
"""Likeness of two syllables from which one may be misheard for the other."""
_MOST_SYLLABLES = 14
_NOUNS = (
    "服务",
    "系统",
    "平台",
    "集群",
    "节点池",
    "命名空间",
    "空间",
    "日志集",
    "日志主题",
    "主题",
    "告警",
    "报警",
    "大盘",
    "看板",
    "仪表盘",
    "应用",
)
"""What people leave out at the end of a name."""
_OPEN = "*"
_WORD_GOES_ON = re.compile(r"[a-z0-9](?:[-_./][a-z0-9]|[a-z0-9_])", re.IGNORECASE)


class Certainty(IntEnum):
    """How well a name was heard. Only the first two are good enough to act on."""

    EXACT = 4
    SAME_SOUND = 3
    SHORTENED = 2
    MISHEARD = 1


@dataclass(frozen=True, slots=True)
class Named:
    """A place in the sentence where things are named; several when they share the name."""

    start: int
    end: int
    things: tuple[Thing, ...]
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class _Key:
    thing: Thing
    plain: tuple[str, ...]
    shortened: bool


class NameIndex:
    """All names of an inventory, ready to be looked for in sentences.

    Args:
        inventory: What there is.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.things = inventory.things
        self._whole: defaultdict[tuple[str, ...], list[_Key]] = defaultdict(list)
        self._opened: defaultdict[tuple[str, ...], list[_Key]] = defaultdict(list)
        self._longest = 0
        for thing in inventory.things:
            for name, shortened in _names_of(thing):
                self._add(thing, name, shortened=shortened)

    def _add(self, thing: Thing, name: str, *, shortened: bool) -> None:
        plain = syllables(name)
        sound = folded(name)
        if not sound or len(sound) > _MOST_SYLLABLES or (shortened and len(sound) < 2):
            return
        key = _Key(thing, plain, shortened)
        self._whole[sound].append(key)
        self._longest = max(self._longest, len(sound))
        if len(sound) >= 3 and not shortened:
            for position in range(len(sound)):
                self._opened[(*sound[:position], _OPEN, *sound[position + 1 :])].append(key)

    def find(self, sentence: Sentence) -> list[Named]:
        """Return every place where something is named, overlaps included."""
        found = []
        heard = sentence.syllables
        for first in range(len(heard)):
            for last in range(first, min(len(heard), first + self._longest)):
                piece = heard[first : last + 1]
                if _inside_a_word(sentence.text, piece[0].start, piece[-1].end):
                    continue
                if named := self._named(
                    sentence.text[piece[0].start : piece[-1].end],
                    tuple(s.plain for s in piece),
                    tuple(s.sound for s in piece),
                ):
                    found.append(Named(piece[0].start, piece[-1].end, *named))
        return found

    def _named(
        self, text: str, plain: tuple[str, ...], sound: tuple[str, ...]
    ) -> tuple[tuple[Thing, ...], Certainty] | None:
        keys = self._whole.get(sound)
        if keys:
            certainty = max(_certainty(key, text, plain) for key in keys)
            # An id of one letter or syllable is too little to be heard by sound.
            if len(sound) > 1 or certainty is Certainty.EXACT:
                best = [key.thing for key in keys if _certainty(key, text, plain) == certainty]
                return tuple(dict.fromkeys(best)), certainty
        if len(sound) < 3:
            return None
        near: dict[Thing, float] = {}
        for position in range(len(sound)):
            for key in self._opened.get((*sound[:position], _OPEN, *sound[position + 1 :]), ()):
                like = Levenshtein.normalized_similarity(
                    sound[position], folded(key.plain[position])[0] if folded(key.plain[position]) else ""
                )
                if like >= _LIKE:
                    near[key.thing] = max(like, near.get(key.thing, 0.0))
        if not near:
            return None
        most = max(near.values())
        return tuple(thing for thing, like in near.items() if like == most), Certainty.MISHEARD

    def nearest(self, said: str, kinds: Iterable[str], most: int = 3) -> list[Thing]:
        """Return the things whose names sound most like what was said, best first."""
        wanted = set(kinds)
        scored = [
            (max(likeness(said, name) for name in (thing.id, *thing.names)), thing)
            for thing in self.things
            if thing.kind in wanted
        ]
        scored.sort(key=lambda pair: (-pair[0], pair[1].id))
        return [thing for score, thing in scored[:most] if score >= _LIKE]


def _certainty(key: _Key, text: str, plain: tuple[str, ...]) -> Certainty:
    if key.shortened:
        return Certainty.SHORTENED
    if key.plain != plain:
        return Certainty.SAME_SOUND
    spelled = _spelled(text)
    return (
        Certainty.EXACT
        if any(spelled == _spelled(name) for name in (key.thing.id, *key.thing.names))
        else Certainty.SAME_SOUND
    )


def _inside_a_word(text: str, start: int, end: int) -> bool:
    """Return whether a longer Latin word goes on at a border: web is not named in web-config."""
    return bool(_WORD_GOES_ON.match(text[end - 1 : end + 2])) or bool(
        _WORD_GOES_ON.match(text[max(0, start - 2) : start + 1][::-1])
    )


def _spelled(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _names_of(thing: Thing) -> list[tuple[str, bool]]:
    whole = [thing.id, *thing.names]
    shorter = [
        name.removesuffix(noun)
        for name in whole
        for noun in _NOUNS
        if name.endswith(noun) and len(name) > len(noun) + 1
    ]
    return [(name, False) for name in dict.fromkeys(whole)] + [
        (name, True) for name in dict.fromkeys(shorter) if name not in whole
    ]
