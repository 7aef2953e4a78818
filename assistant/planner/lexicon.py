"""The words and tools of the language data, read once, and where words stand in a sentence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from itertools import product
from math import prod

import yaml

from assistant.planner.errors import LanguageDataWrong
from assistant.planner.heard import Sentence
from mcp_tencent.naming.sound import folded, syllables

LIGHT, MODAL, CONTENT = "light", "modal", "content"
"""The sections of words that need no explanation, and of those that may be heard by sound."""
_MOST_SYLLABLES = 6
"""Longer words are found as they are written only."""
_UNHEARD = frozenset({"symptom", "foreign", "unwanted", "stopped", "detail"})
"""Talk around a request, which too much else sounds like."""
_MOST_WAYS = 120
"""A pattern of more ways is looked for as an expression: to keep every way as a word would take too long."""


@dataclass(frozen=True, slots=True)
class Word:
    """A place in the sentence where a word of the lexicon stands.

    Args:
        start: Its first character.
        end: After its last character.
        concepts: Everything that it may mean.
        exact: It is written so; else it only sounds so.
        written: How the lexicon writes it.
        one_wrong: It sounds the same and differs in one character only: 看砍, 改称.
    """

    start: int
    end: int
    concepts: frozenset[str]
    exact: bool
    written: str = ""
    one_wrong: bool = False


@dataclass(frozen=True, slots=True)
class _Sounding:
    """A word that is known by its sound; one syllable at least must be heard as it is: 辞职 is no 池子."""

    written: str
    plain: tuple[str, ...]
    concepts: frozenset[str]
    manner: bool
    """It says how something is meant (哪个 is no 那个, 出了 no 除了): heard with care."""


@dataclass(frozen=True, slots=True)
class Tool:
    """How one tool is asked for, as tools.yaml says."""

    name: str
    risk: str
    when: tuple[tuple[str, ...], ...]
    also: frozenset[str]
    take: Mapping[str, str]
    choices: Mapping[str, Mapping[str, str]]
    need: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words and tools."""

    words: Mapping[str, frozenset[str]]
    light: frozenset[str]
    tools: Mapping[str, Tool]
    _by_sound: Mapping[tuple[str, ...], _Sounding] = field(repr=False)
    _patterns: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = field(repr=False, default=())
    _longest: int = 0

    def find(self, sentence: Sentence) -> list[Word]:
        """Return every place where a word stands, overlaps included."""
        text = sentence.text.lower()
        found = []
        for start in range(len(text)):
            for end in range(start + 1, min(len(text), start + self._longest) + 1):
                concepts = self.words.get(text[start:end])
                if concepts is not None and _whole_word(text, start, end):
                    found.append(Word(start, end, concepts, exact=True))
        for pattern, concepts in self._patterns:
            found += [Word(*match.span(), concepts, exact=True) for match in pattern.finditer(text)]
        return [*found, *self._sounding(sentence, {(word.start, word.end) for word in found})]

    def _sounding(self, sentence: Sentence, known: set[tuple[int, int]]) -> list[Word]:
        heard = sentence.syllables
        found = []
        for first in range(len(heard)):
            for size in range(2, min(_MOST_SYLLABLES, len(heard) - first) + 1):
                piece = heard[first : first + size]
                place = (piece[0].start, piece[-1].end)
                word = self._by_sound.get(tuple(one.sound for one in piece))
                if word is None or place in known or not sentence.text[place[0] : place[1]].isalpha():
                    continue
                if any(one.plain == sound for one, sound in zip(piece, word.plain, strict=False)):
                    heard_as = sentence.text[place[0] : place[1]]
                    one_wrong = sum(a != b for a, b in zip(heard_as, word.written, strict=False)) == 1
                    one_wrong &= tuple(one.plain for one in piece) == word.plain and not word.manner
                    found.append(
                        Word(*place, word.concepts, exact=False, written=word.written, one_wrong=one_wrong)
                    )
        return found


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """Read the language data that is shipped.

    Raises:
        LanguageDataWrong: It contradicts itself.
    """
    sections: dict[str, dict[str, str]] = _yaml("lexicon.yaml")
    concepts: defaultdict[str, set[str]] = defaultdict(set)
    light: set[str] = set()
    manner: set[str] = set()
    patterns: list[tuple[re.Pattern[str], frozenset[str]]] = []
    for section, entries in sections.items():
        for concept, line in entries.items():
            if section == LIGHT:
                light.add(concept)
            elif section != CONTENT:
                manner.add(concept)
            for written in str(line).split():
                if _ways(written) > _MOST_WAYS:
                    patterns.append((_pattern(written), frozenset({concept})))
                    continue
                for word in _ways_through(written):
                    concepts[word.replace("_", " ").lower()].add(concept)
                    if "_" in word:
                        concepts[word.lower()].add(concept)
    words = {word: frozenset(meant) for word, meant in concepts.items()}
    by_sound: dict[tuple[str, ...], _Sounding] = {}
    unheard = (manner | _UNHEARD) - frozenset(sections[MODAL]) - {"correction"}
    careful = manner | {"not"}
    for word, meant in words.items():
        # Light words of two syllables sound like too much else; each Chinese character is a syllable.
        spoken = sum(not character.isascii() for character in word)
        if not 0 < spoken <= _MOST_SYLLABLES or meant & unheard:
            continue
        sound = folded(word)
        if 2 <= len(sound) <= _MOST_SYLLABLES:
            first = by_sound.get(sound)
            known = first.concepts if first else frozenset[str]()
            by_sound[sound] = (
                _Sounding(first.written, first.plain, known | meant, first.manner or bool(meant & careful))
                if first
                else _Sounding(word, syllables(word), meant, bool(meant & careful))
            )
    tools = {name: _tool(name, section) for name, section in _yaml("tools.yaml").items()}
    return Lexicon(
        words,
        frozenset(light),
        tools,
        by_sound,
        tuple(patterns),
        max(map(len, words)),
    )


def _parts(pattern: str) -> list[list[str]]:
    return [part.strip("()").split("|") for part in re.findall(r"\([^()]*\)|[^()]+", pattern)]


def _ways(pattern: str) -> int:
    return prod(map(len, _parts(pattern)))


def _ways_through(pattern: str) -> Iterator[str]:
    """Yield every word that a pattern such as (别|不用)(再|)报 stands for."""
    return (word for word in map("".join, product(*_parts(pattern))) if word)


def _pattern(written: str) -> re.Pattern[str]:
    """Return a pattern of many ways as an expression; each part takes the longest that fits."""
    choices = (sorted(part, key=len, reverse=True) for part in _parts(written))
    return re.compile("".join(f"(?:{'|'.join(map(re.escape, choice))})" for choice in choices))


def _yaml(name: str) -> dict[str, dict]:  # type: ignore[type-arg]
    text = files("assistant.planner").joinpath(name).read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(text, Loader=loader)  # noqa: S506 - both loaders are safe ones
    if not isinstance(content, dict):
        raise LanguageDataWrong(f"{name} holds no sections")
    return content


def _tool(name: str, section: dict[str, object]) -> Tool:
    take: dict[str, str] = {}
    choices: dict[str, dict[str, str]] = {}
    spec = section.get("take", {})
    if not isinstance(spec, dict):
        raise LanguageDataWrong(f"tools.yaml: {name}.take is not a mapping")
    for parameter, source in spec.items():
        if isinstance(source, dict):
            take[parameter] = "choice"
            choices[parameter] = dict(source["choice"])
        else:
            take[parameter] = str(source)
    when = section.get("when", [])
    also = section.get("also", [])
    need = section.get("need", [])
    if not isinstance(when, list) or not isinstance(also, list) or not isinstance(need, list):
        raise LanguageDataWrong(f"tools.yaml: when, also and need of {name} are lists")
    return Tool(
        name=name,
        risk=str(section["risk"]),
        when=tuple(tuple(str(line).split()) for line in when),
        also=frozenset(str(concept) for concept in also),
        take=take,
        choices=choices,
        need=tuple(str(one) for one in need),
    )


def _whole_word(text: str, start: int, end: int) -> bool:
    """Return whether Latin letters and digits at the borders belong to no longer word."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (_latin(text[start]) and before and _latin(before)) and not (
        _latin(text[end - 1]) and after and _latin(after)
    )


def _latin(character: str) -> bool:
    return re.fullmatch(r"[a-z0-9_-]", character) is not None
