"""A sentence cut into pieces, each taken for one thing: the cut that explains most of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

from assistant.planner.addresses import addresses_in
from assistant.planner.heard import Sentence, sentence_of
from assistant.planner.inventory import Thing
from assistant.planner.lexicon import Lexicon
from assistant.planner.misheard import as_heard
from assistant.planner.names import Certainty, NameIndex
from assistant.planner.numbers import NUMBER, is_vague, number_of
from assistant.planner.times import Duration, Stretch, times_in

_NUMBERED = re.compile(
    rf"(?P<ordinal>第)?(?P<percent>百分之)?(?P<number>{NUMBER})(?P<sign>%|％|个百分点)?"
    r"(?P<unit>成(?![了功为员本绩交品果就几])|个|条|行|台|份|次|版|号|分(?!钟)|节点|副本|名|位|起|天|种|类|强)?"
)
_VAGUE = re.compile(r"[一二两三四五六七八九]{2}(?=[个台条份])|十几|几十|好几|若干|[几些]个?")
_FROM_THE_END = re.compile(rf"倒数第({NUMBER})[条个起]?")
_FIRST_ONE = re.compile(r"(?:头一|打头的?一?|排头的?一?|最前面那?)[条个起]|头条")
_LAST_ONE = re.compile(r"(?:最后|末尾|最末|最下面)那?一?[条个](?!日志)")
_QUOTED = re.compile(r"[“\"「『‘]([^”\"」』’]{1,200})[”\"」』’]")
_SQL = re.compile(r"select\s[^，。；\u4e00-\u9fff]+", re.IGNORECASE)
_IN_LATIN = re.compile(r"[A-Za-z_]-?$")
_COMPARED = re.compile(
    r"(?:[A-Za-z_$][\w.$]*\s*(?:>=|<=|==|>|<)|(?:\$1\.\w+|count|cnt)\s*(?:大于等于|小于等于|不小于|大于|超过|高于|小于|低于|少于))"
    rf"\s*{NUMBER}",
    re.IGNORECASE,
)
_WORD = re.compile(
    r"[A-Za-z0-9_]*[A-Za-z][A-Za-z0-9_]*(?:[-./:][A-Za-z0-9_]+)*(?:\*)?|\d{1,3}(?:\.\d{1,3}){3}|/[A-Za-z0-9_/-]+"
)
_POD_NAME = re.compile(
    r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
    r"-(?:[a-z0-9]{5,10}-[a-z0-9]{4,5}|\d{1,3}|(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{4,10})"
)
BREAKS = "，。；！？"
"""Marks between clauses."""
ACTS = frozenset({"restart", "scale", "roll_back", "isolate", "release_isolation", "delete", "resize"})
"""Whoever says one of these wants something done."""
_MEASURES = ("个", "次", "条", "份", "台", "位")
_UNTIED = ("forbidding", "correction")
_MARKS = "，。；！？、：:,.;!?…~"

Meaning: TypeAlias = "Thing | tuple[Thing, ...] | Duration | Stretch | int | float | str | None"


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One piece of a sentence.

    Args:
        start: Its first character.
        end: After its last.
        text: What was said.
        keys: What it may be taken for: concepts of the lexicon, and `@kind` for names and values.
        value: What it names or says.
        certainty: How well a name was heard.
        unit: The measure word after a number; `ordinal`, `percent`, `vague` for such numbers.
    """

    start: int
    end: int
    text: str
    keys: frozenset[str]
    value: Meaning = None
    certainty: Certainty = Certainty.EXACT
    unit: str = ""

    @property
    def things(self) -> tuple[Thing, ...]:
        """What it names; several when they share the name."""
        return self.value if isinstance(self.value, tuple) else ()


@dataclass(frozen=True)
class Reading:
    """A sentence, or a part of it, in pieces."""

    sentence: Sentence
    pieces: tuple[Piece, ...]
    light: frozenset[str] = field(repr=False)

    @cached_property
    def keys(self) -> dict[str, list[Piece]]:
        """The pieces by what they may be taken for."""
        found: dict[str, list[Piece]] = {}
        for piece in self.pieces:
            for key in piece.keys:
                found.setdefault(key, []).append(piece)
        return found

    def has(self, *keys: str) -> bool:
        """Return whether any of these is said."""
        return any(key in self.keys for key in keys)

    def all(self, *keys: str) -> list[Piece]:
        """Return the pieces that may be taken for any of these, in the order of the sentence."""
        return [piece for piece in self.pieces if not piece.keys.isdisjoint(keys)]

    def first(self, *keys: str) -> Piece | None:
        """Return the first piece that may be taken for any of these."""
        return next(iter(self.all(*keys)), None)

    def is_light(self, piece: Piece) -> bool:
        """Return whether a piece needs no explanation."""
        one = piece.value == 1 and piece.unit in _MEASURES
        return one or "@mark" in piece.keys or not piece.keys.isdisjoint(self.light)

    def part(self, pieces: Iterable[Piece]) -> Reading:
        """Return these pieces alone."""
        return Reading(self.sentence, tuple(pieces), self.light)

    @property
    def text(self) -> str:
        """The words of these pieces."""
        return "".join(piece.text for piece in self.pieces)

    def before(self, piece: Piece) -> Piece | None:
        """Return the piece before another one, spaces left out."""
        position = self.pieces.index(piece)
        return next((one for one in reversed(self.pieces[:position]) if one.text != " "), None)

    def after(self, piece: Piece) -> Piece | None:
        """Return the piece after another one, spaces left out."""
        position = self.pieces.index(piece) + 1
        return next((one for one in self.pieces[position:] if one.text != " "), None)


def read(say: str, *, lexicon: Lexicon, names: NameIndex, now: datetime) -> Reading:
    """Cut a sentence into the pieces that explain most of it.

    Args:
        say: The sentence.
        lexicon: The words.
        names: What can be named.
        now: For times.
    """
    sentence = sentence_of(say)
    candidates = [*_typed(sentence, now), *_named(sentence, names), *_words(sentence, lexicon)]
    return Reading(sentence, tuple(_made_sure(_best_cut(sentence.text, candidates))), lexicon.light)


_NOUNS_OF = {
    "workload": {"workload", "service"},
    "cluster": {"cluster"},
    "namespace": {"namespace"},
    "node_pool": {"node_pool"},
    "topic": {"log", "topic"},
    "alarm": {"alarm", "alarm_policy"},
    "dashboard": {"dashboard"},
}


def _made_sure(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces, surer for what stands beside them.

    A shortened name beside the noun of its kind is as good as the whole one; 不 before an act forbids it,
    被 before it tells of it.
    """
    sure = list(pieces)
    for position, (piece, after) in enumerate(itertools.pairwise(pieces)):
        if after.text in ("那个", "这个", "的", "那") and position + 2 < len(pieces):
            after = pieces[position + 2]
        kinds = {thing.kind for thing in piece.things}
        nouns = set().union(*(_NOUNS_OF.get(kind, set()) for kind in kinds))
        if piece.certainty is Certainty.SHORTENED and len(piece.things) == 1 and after.keys & nouns:
            sure[position] = replace(piece, certainty=Certainty.SAME_SOUND)
        if piece.text == "不" and after.keys & ACTS:
            sure[position] = replace(piece, keys=frozenset({"forbidding"}))
        if piece.text == "被" and after.keys & (ACTS | {"disabled", "enabled"}):
            sure[position] = replace(piece, keys=frozenset({"asking_act"}))
    return sure


def _typed(sentence: Sentence, now: datetime) -> Iterator[tuple[Piece, float]]:
    text = sentence.text
    for start, end, address in addresses_in(text):
        yield Piece(start, end, text[start:end], frozenset({"@email"}), address), 3.0
    # One syllable is one character: places stay the same.
    heard = as_heard(sentence)
    yield from _timed(heard, text, now)
    yield from _numbered(heard, text)
    yield from _written(text)


def _timed(heard: str, text: str, now: datetime) -> Iterator[tuple[Piece, float]]:
    for timed in times_in(heard, now):
        keys = {"@period"}
        if isinstance(timed.value, Duration):
            keys = {
                "@duration",
                {"past": "@past", "future": "future", "every": "every_length", "plain": "@plain"}[
                    timed.value.lead
                ],
            }
            keys |= {"@hours"} if timed.value.minutes < 1440 else set()
        elif timed.value.clocks:
            keys |= {"@clocks"}
        yield Piece(timed.start, timed.end, text[timed.start : timed.end], frozenset(keys), timed.value), 1.25


def _numbered(heard: str, text: str) -> Iterator[tuple[Piece, float]]:
    for match in _NUMBERED.finditer(heard):
        if _IN_LATIN.search(text[: match.start()]) and match[0][0].isascii():
            continue  # a part of a word: WB2026
        if piece := _number(match, below_zero=text[: match.start()].endswith("负")):
            yield piece, 1.05
    for match in _VAGUE.finditer(text):
        if is_vague(match[0] + text[match.end() : match.end() + 1]):
            yield Piece(match.start(), match.end(), match[0], frozenset({"@number"}), None, unit="vague"), 1.3
    for match in _FROM_THE_END.finditer(text):
        place = number_of(match[1])
        if isinstance(place, int):
            keys = frozenset({"@number", "@ordinal"})
            yield Piece(match.start(), match.end(), match[0], keys, -place, unit="ordinal"), 1.3
    for match in _FIRST_ONE.finditer(text):
        keys = frozenset({"@number", "@ordinal"})
        yield Piece(match.start(), match.end(), match[0], keys, 1, unit="ordinal"), 1.3
    for match in _LAST_ONE.finditer(text):
        yield Piece(match.start(), match.end(), match[0], frozenset({"@last_one", "@ordinal"})), 1.3


def _written(text: str) -> Iterator[tuple[Piece, float]]:
    for match in _QUOTED.finditer(text):
        yield Piece(match.start(), match.end(), match[0], frozenset({"@quoted"}), match[1]), 3.0
    for match in _SQL.finditer(text):
        yield Piece(match.start(), match.end(), match[0], frozenset({"@quoted_sql"}), match[0].strip()), 3.0
    for match in _COMPARED.finditer(text):
        yield Piece(match.start(), match.end(), match[0], frozenset({"@compared"}), match[0]), 2.0
    for match in _WORD.finditer(text):
        yield (
            Piece(match.start(), match.end(), match[0], _kinds_of_word(match[0]), match[0]),
            0.55 if _kinds_of_word(match[0]) == {"@word"} else 1.3,
        )
    for position, character in enumerate(text):
        if character in _MARKS or character == " ":
            yield Piece(position, position + 1, character, frozenset({"@mark"})), 0.2


def _number(match: re.Match[str], *, below_zero: bool) -> Piece | None:
    said = match["number"]
    value = number_of(said)
    vague = below_zero or is_vague(said + (match["unit"] or ""))
    if value is None and not vague:
        return None
    unit = match["unit"] or ""
    if unit == "成" and isinstance(value, int) and 1 <= value <= 10:
        unit, value = "percent", 10 * value
    elif match["percent"] or match["sign"]:
        unit = "percent"
    elif match["ordinal"]:
        unit = "版" if unit == "版" else "ordinal"
    elif vague:
        unit, value = "vague", None
    keys = {"@number", "@ordinal"} if unit == "ordinal" else {"@number"}
    if unit in ("行", "条"):
        keys.add("@lines")
    if unit == "分":
        keys.add("score")
    if unit in ("种", "类"):
        keys.add("pattern")
    end = match.end()
    # 六副本: the noun stays a word of its own.
    if unit in ("节点", "副本", "天"):
        end -= len(unit)
    return Piece(match.start(), end, match[0][: end - match.start()], frozenset(keys), value, unit=unit)


def _kinds_of_word(word: str) -> frozenset[str]:
    lowered = word.lower()
    keys = {"@word"}
    if re.fullmatch(r"(?:inc|incident)[-_]?[\w-]*\d[\w-]*", lowered):
        keys.add("@incident")
    elif re.fullmatch(r"(?:alert|alt|alr|al|grp|group|ag|a)[-_]?[\w-]*\d[\w-]*", lowered):
        keys.add("@alert")
    elif re.fullmatch(r"(?:cp|ckpt|checkpoint|chk|snap)[-_]?[\w-]*\d[\w-]*", lowered):
        keys.add("@checkpoint")
    elif _POD_NAME.fullmatch(lowered) and "-" in lowered:
        keys.add("@pod")
    if re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}|(?:node|ins|worker|vm)[-_][\w-]+", lowered):
        keys.add("@node")
    return frozenset(keys)


def _named(sentence: Sentence, names: NameIndex) -> Iterator[tuple[Piece, float]]:
    weights = {
        Certainty.EXACT: 1.35,
        Certainty.SAME_SOUND: 1.1,
        Certainty.SHORTENED: 0.95,
        Certainty.MISHEARD: 0.75,
    }
    for named in names.find(sentence):
        keys = frozenset(f"@{thing.kind}" for thing in named.things)
        piece = Piece(
            named.start,
            named.end,
            sentence.text[named.start : named.end],
            keys,
            named.things,
            named.certainty,
        )
        yield piece, weights[named.certainty]


def _words(sentence: Sentence, lexicon: Lexicon) -> Iterator[tuple[Piece, float]]:
    for word in lexicon.find(sentence):
        light = word.concepts <= lexicon.light
        weight = (0.9 if light else 1.0) if word.exact else 0.82 if word.one_wrong else 0.7
        if sentence.text[word.start] in "没未不" and not light and word.concepts.isdisjoint(_UNTIED):
            # 没 + 送达的 must not win over 没送达 + 的.
            weight *= 1.15
        # What is looked for is looked for as it is written, however it was heard.
        value = word.written or None if "log_word" in word.concepts else None
        text = sentence.text[word.start : word.end]
        yield Piece(word.start, word.end, text, word.concepts, value), weight


def _best_cut(text: str, candidates: Iterable[tuple[Piece, float]]) -> list[Piece]:
    """Return the pieces that explain most: longer ones count for more than several short ones."""
    ending: dict[int, list[tuple[Piece, float]]] = {}
    for piece, weight in _merged(candidates):
        ending.setdefault(piece.end, []).append((piece, weight * (piece.end - piece.start) ** 1.25))
    best: list[tuple[float, int, Piece | None]] = [(0.0, 0, None)]
    for end in range(1, len(text) + 1):
        choice: tuple[float, int, Piece | None] = (best[end - 1][0], end - 1, None)
        for piece, worth in ending.get(end, ()):
            if best[piece.start][0] + worth > choice[0]:
                choice = (best[piece.start][0] + worth, piece.start, piece)
        best.append(choice)
    pieces: list[Piece] = []
    end = len(text)
    while end:
        _, start, chosen = best[end]
        if chosen is None and pieces and "@text" in pieces[-1].keys and pieces[-1].start == end:
            last = pieces.pop()
            chosen = Piece(
                start, last.end, text[start : last.end], frozenset({"@text"}), text[start : last.end]
            )
        pieces.append(chosen or Piece(start, end, text[start:end], frozenset({"@text"}), text[start:end]))
        end = start
    return pieces[::-1]


def _merged(candidates: Iterable[tuple[Piece, float]]) -> list[tuple[Piece, float]]:
    """Return one candidate for each place: words that are names or values as well keep both meanings."""
    places: dict[tuple[int, int], tuple[Piece, float]] = {}
    for piece, weight in candidates:
        place = (piece.start, piece.end)
        known = places.get(place)
        if known is None:
            places[place] = (piece, weight)
            continue
        first, second = sorted((known, (piece, weight)), key=lambda pair: -pair[1])
        keys = first[0].keys
        if first[0].value is None and second[0].value is None:
            keys |= second[0].keys
        else:
            # A Latin word that the lexicon or the inventory knows is no unknown word any more.
            keys = (keys | second[0].keys) - {"@word"}
        value = next(
            (one.value for one in (first[0], second[0]) if one.value is not None and "@word" not in one.keys),
            None,
        )
        merged = Piece(
            piece.start,
            piece.end,
            piece.text,
            keys,
            value,
            first[0].certainty,
            first[0].unit or second[0].unit,
        )
        places[place] = (merged, first[1])
    return list(places.values())
