"""Which of many things somebody means: by id, exact name, alias, spelling, and at last by sound (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from mcp_tencent.errors import Ambiguous, CloudError, NotFound
from mcp_tencent.naming.sound import folded, syllables

T = TypeVar("T")

CLEAR = 0.85
"""Likeness (0 to 1) from which something can be meant: one letter in a four-syllable name, none in two."""
MARGIN = 0.05
"""By how much the best must be ahead of anything else to be taken."""
NEAR = 0.5
"""Likeness from which something is offered as a candidate."""
MOST_CANDIDATES = 5
SPELLING = 3
"""The last of the levels of exact names: equal but for width, case, spaces, hyphens and noun."""
LONGEST_NAME = 200  # characters; nobody says longer ones
_SAME_SOUND, _MIXED_UP_SOUND, _ALIKE = 1.0, 0.97, 0.95
_GENERIC = tuple(
    folded(noun)
    for noun in (
        "服务",
        "任务",
        "应用",
        "平台",
        "系统",
        "集群",
        "节点池",
        "日志",
        "日志集",
        "主题",
        "告警",
        "大盘",
    )
)
"""Words that half of all names end with: that they are alike says nothing."""
_LOOSE = re.compile(r"[\s\-_.·'\"“”‘’「」]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(Generic[T]):
    """A thing and everything it answers to.

    Args:
        thing: What is named.
        ids: Identifiers and full names such as namespace/name.
        name: Its exact name.
        aliases: What people call it.
        place: Tells it from others of the same name, Chinese, e.g. “trade，生产集群”.
        nouns: What a thing of this kind is called, which people may add to a name: 集群, 节点池.
    """

    thing: T
    ids: tuple[str, ...]
    name: str
    aliases: tuple[str, ...] = ()
    place: str = ""
    nouns: tuple[str, ...] = ()

    @property
    def spoken(self) -> str:
        """How it is best called."""
        return self.aliases[0] if self.aliases else self.name

    @property
    def label(self) -> str:
        """How it is told from all others; can be said back."""
        return f"{self.spoken}（{self.place}）" if self.place else self.spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Match(Generic[T]):
    """What was meant, and how surely.

    Args:
        thing: What is meant.
        alias: How to call it when speaking of it.
        by_sound: It only sounds like what was said; to be mentioned in the answer.
    """

    thing: T
    alias: str
    by_sound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness(Generic[T]):
    """How much a thing's best name sounds like what was said, 0 to 1."""

    named: Named[T]
    heard_as: str
    score: float


class Directory(Generic[T]):
    """Things of one kind, found by any of their names.

    Args:
        entries: The things.
        missing: Why some are not here, when a part of the cloud did not answer.
    """

    def __init__(self, entries: Iterable[Named[T]], missing: CloudError | None = None) -> None:
        self.entries = tuple(entries)
        self.missing = missing
        self._levels: tuple[dict[str, list[Named[T]]], ...] = (
            _by(self.entries, lambda named: named.ids),
            _by(self.entries, lambda named: (named.name, named.label)),
            _by(self.entries, lambda named: named.aliases),
        )

    def at_level(self, level: int, said: str) -> Sequence[Named[T]]:
        """Return what answers to exactly this by id (0), name (1), alias (2), or but for spelling (3)."""
        if level == SPELLING:
            return self._spelled.get(_loose(said), ())
        return self._levels[level].get(said.strip(), ())

    def alike(self, said: str) -> list[Likeness[T]]:
        """Return what sounds like it, best first, each thing once."""
        sound = "".join(folded(said[:LONGEST_NAME]))
        if not sound:
            return []
        best: dict[int, Likeness[T]] = {}
        close = process.extract(
            sound, self._sounds, scorer=Levenshtein.normalized_similarity, score_cutoff=NEAR, limit=50
        )
        candidates = {index for _, _, index in close} | self._containing(said)
        for index in candidates:
            named, name = self._heard[index]
            score = likeness(said, name)
            known = best.get(id(named))
            if known is None or score > known.score:
                best[id(named)] = Likeness(named=named, heard_as=name, score=score)
        return sorted(best.values(), key=lambda found: (-found.score, found.named.label))

    @cached_property
    def _spelled(self) -> dict[str, list[Named[T]]]:
        return _by(self.entries, _spellings)

    @cached_property
    def _heard(self) -> list[tuple[Named[T], str]]:
        return [
            (named, name)
            for named in self.entries
            for name in dict.fromkeys(
                [named.name, *named.aliases, *_without_nouns((named.name, *named.aliases), named.nouns)]
            )
        ]

    @cached_property
    def _sounds(self) -> list[str]:
        return ["".join(folded(name)) for _, name in self._heard]

    @cached_property
    def _parted(self) -> list[str]:
        return [_parts(folded(name)) for _, name in self._heard]

    def _containing(self, said: str) -> set[int]:
        spoken = folded(said)
        if len(spoken) < 2:
            return set()
        sound = _parts(spoken)
        return {
            index
            for index, parts in enumerate(self._parted)
            if sound in parts or (parts.count(" ") > 2 and parts in sound)
        }


def _anything(_: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Scope(Generic[T]):
    """Where to look for a name: directories of one rank, or those of their things that are meant at all.

    Args:
        directories: Such as one for each cluster.
        keep: Tells whether a thing counts, e.g. whether it is in the namespace that was named.
    """

    directories: Sequence[Directory[T]]
    keep: Callable[[T], bool] = _anything

    def exact(self, said: str) -> list[Named[T]]:
        """Return what answers to exactly this: by id, else name, alias, or but for spelling and noun."""
        for level in range(SPELLING + 1):
            found = [
                named
                for directory in self.directories
                for named in directory.at_level(level, said)
                if self.keep(named.thing)
            ]
            if found:
                return found
        return []

    def alike(self, said: str) -> list[Likeness[T]]:
        """Return what sounds like it, best first, each thing once."""
        found = [
            alike for one in self.directories for alike in one.alike(said) if self.keep(alike.named.thing)
        ]
        return sorted(found, key=lambda alike: (-alike.score, alike.named.label))

    @property
    def missing(self) -> CloudError | None:
        """Why something may not be here, when a part of the cloud did not answer."""
        return next((one.missing for one in self.directories if one.missing is not None), None)


def likeness(said: str, name: str) -> float:
    """Return how much two names sound alike, 0 to 1; a part of two syllables or more is like its whole."""
    if syllables(said) == syllables(name):
        return _SAME_SOUND
    one, other = folded(said), folded(name)
    if one == other:
        return _MIXED_UP_SOUND
    score = min(_ALIKE, _letters_alike(*_distinctive(one, other)))
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 2 and shorter not in _GENERIC and _parts(shorter) in _parts(longer):
        score = max(score, CLEAR + 0.1 * len(shorter) / len(longer))
    return score


def _distinctive(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what two names are told apart by: without the generic word that both end with."""
    for tail in _GENERIC:
        size = len(tail)
        if one[-size:] == other[-size:] == tail and min(len(one), len(other)) > size:
            return one[:-size], other[:-size]
    return one, other


def _letters_alike(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    return float(Levenshtein.normalized_similarity("".join(one), "".join(other)))


def choose(said: str, scopes: Sequence[Scope[T]], *, kind: str, certain: bool, among: str = "") -> Match[T]:
    """Return the one thing that is meant.

    Args:
        said: Id, name or alias, as it was said.
        scopes: Where to look, one after the other: a name in an earlier one wins over later ones.
        kind: What a thing of this kind is called, Chinese, e.g. 集群.
        certain: Take no sound-alike: for everything that acts.
        among: Where was looked, English, for the error.

    Raises:
        Ambiguous: When several answer to the name, or none does and some sound like it.
        NotFound: When nothing comes near.
        CloudError: When nothing was found, but a part of the cloud did not answer.
    """
    for scope in scopes:
        found = scope.exact(said)
        if len(found) == 1:
            return Match(thing=found[0].thing, alias=found[0].spoken)
        if found:
            raise _several(said, found, among)
    for scope in scopes:
        if scope.missing is not None:
            raise scope.missing
    near: list[Likeness[T]] = []
    for scope in scopes:
        alike = scope.alike(said)
        if not certain and (clear := clear_best(alike)) is not None:
            return Match(thing=clear.named.thing, alias=clear.named.spoken, by_sound=True)
        near += alike
    raise _none(said, sorted(near, key=lambda found: -found.score), kind, among)


def clear_best(alike: Sequence[Likeness[T]]) -> Likeness[T] | None:
    """Return the best of what sounds alike (best first) when it is good, and well ahead of the others."""
    if not alike or alike[0].score < CLEAR:
        return None
    return alike[0] if len(alike) == 1 or alike[0].score - alike[1].score >= MARGIN else None


def _several(said: str, found: Sequence[Named[T]], among: str) -> Ambiguous:
    return Ambiguous(
        f"{len(found)} things answer to {shown(said)!r}{among}", candidates=_labels(found)[:MOST_CANDIDATES]
    )


def _none(said: str, near: Sequence[Likeness[T]], kind: str, among: str) -> Ambiguous | NotFound:
    detail = f"nothing is called {shown(said)!r}{among}"
    candidates = _labels([found.named for found in near[:MOST_CANDIDATES] if found.score >= NEAR])
    if candidates:
        return Ambiguous(f"{detail}; the nearest by sound are offered", candidates=candidates)
    return NotFound(detail, wanted=f"叫“{shown(said)}”的{kind}")


def shown(said: str) -> str:
    """Return what was said, short enough for an error."""
    return said.strip()[:40]


def _labels(found: Sequence[Named[T]]) -> list[str]:
    """Return how to tell the things apart: by name where that does, else by name and place."""
    names = [named.spoken for named in found]
    return [named.spoken if names.count(named.spoken) == 1 else named.label for named in found]


def _by(entries: Iterable[Named[T]], keys: Callable[[Named[T]], Iterable[str]]) -> dict[str, list[Named[T]]]:
    index: defaultdict[str, list[Named[T]]] = defaultdict(list)
    for named in entries:
        for key in dict.fromkeys(keys(named)):
            index[key].append(named)
    return dict(index)


def _spellings(named: Named[T]) -> list[str]:
    names = (named.name, named.label, *named.aliases)
    spelled = [_loose(name) for name in (*named.ids, *names)]
    added = [_loose(name + noun) for name in names for noun in named.nouns if not name.endswith(noun)]
    shorter = [_loose(name) for name in _without_nouns(names, named.nouns)]
    return [key for key in (*spelled, *added, *shorter) if key]


def _without_nouns(names: Sequence[str], nouns: Sequence[str]) -> list[str]:
    return [
        name.removesuffix(noun)
        for name in names
        for noun in nouns
        if name.endswith(noun) and len(name) - len(noun) >= 2
    ]


def _loose(text: str) -> str:
    """Return a name without what recognizers and people spell differently: width, case, spaces, hyphens."""
    return _LOOSE.sub("", unicodedata.normalize("NFKC", text[:LONGEST_NAME]).casefold())


def _parts(spoken: Sequence[str]) -> str:
    return f" {' '.join(spoken)} "
