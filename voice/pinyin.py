"""How alike two pieces of Chinese sound, 0 to 1 (pure). Tones are left out: small models hear none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pypinyin import Style, lazy_pinyin

_CONFUSED_INITIALS = ({"z", "zh"}, {"c", "ch"}, {"s", "sh"}, {"n", "l"}, {"f", "h"})
_CONFUSED_FINALS = ({"an", "ang"}, {"en", "eng"}, {"in", "ing"}, {"uan", "uang"}, {"ian", "iang"})
_CONFUSED_COST = 0.25
"""Half of the country does not tell these apart."""
_PART_COST = 0.5
"""Initial or final is another one."""
_MISSING_COST = 1.0


@dataclass(frozen=True, slots=True)
class Syllable:
    """One syllable without its tone: an initial, which may be empty, and a final."""

    initial: str
    final: str


@dataclass(frozen=True, slots=True)
class Found:
    """Where in a text something is that sounds like what was looked for.

    Args:
        start: First character.
        end: Behind the last character.
        likeness: 0 to 1.
    """

    start: int
    end: int
    likeness: float


@lru_cache(maxsize=4096)
def syllables(text: str) -> tuple[Syllable, ...]:
    """Return the sounds of a text, one for each character that is no space.

    Args:
        text: Chinese; anything else sounds like itself.
    """
    written = "".join(text.split()).lower()
    initials = lazy_pinyin(written, style=Style.INITIALS, strict=False, errors=_each)
    finals = lazy_pinyin(written, style=Style.FINALS, strict=False, errors=_each)
    return tuple(
        Syllable("" if initial == final else initial, final)
        for initial, final in zip(initials, finals, strict=True)
    )


def toned_parts(text: str) -> tuple[str, ...]:
    """Return initials and toned finals of a text in order, as they are written: y and w are initials.

    Args:
        text: Chinese.
    """
    initials = lazy_pinyin(text, style=Style.INITIALS, strict=False)
    finals = lazy_pinyin(text, style=Style.FINALS_TONE, strict=False)
    return tuple(part for both in zip(initials, finals, strict=True) for part in both if part)


def likeness(one: str, other: str) -> float:
    """Return how alike two texts sound, 0 to 1: 1 when they cannot be told apart."""
    first, second = syllables(one), syllables(other)
    longest = max(len(first), len(second))
    return 1.0 - _distance(first, second) / longest if longest else 1.0


def find(wanted: str, text: str) -> Found:
    """Return the stretch of a text that sounds most like what is wanted; the first of the best.

    Args:
        wanted: What is looked for.
        text: Where; its positions count without spaces.
    """
    return max(find_each(wanted, text), key=lambda one: one.likeness, default=Found(0, 0, 0.0))


def find_each(wanted: str, text: str) -> list[Found]:
    """Return the stretches that sound most like what is wanted: as long as it, and a syllable less or more.

    Args:
        wanted: What is looked for.
        text: Where; its positions count without spaces.
    """
    target, sounds = syllables(wanted), syllables(text)
    found = []
    for length in (len(target), len(target) - 1, len(target) + 1):
        best = Found(0, 0, 0.0)
        for start in range(len(sounds) - length + 1) if length > 0 else ():
            part = sounds[start : start + length]
            alike = 1.0 - _distance(target, part) / max(len(target), length)
            if alike > best.likeness:
                best = Found(start, start + length, alike)
        if best.likeness > 0:
            found.append(best)
    return found


def _each(run: str) -> Any:  # noqa: ANN401 - pypinyin takes a list here, its annotations do not know
    return list(run)


def _distance(one: Sequence[Syllable], other: Sequence[Syllable]) -> float:
    row = [index * _MISSING_COST for index in range(len(other) + 1)]
    for syllable in one:
        diagonal, row[0] = row[0], row[0] + _MISSING_COST
        for index, against in enumerate(other, start=1):
            replaced = diagonal + difference(syllable, against)
            cost = min(replaced, row[index] + _MISSING_COST, row[index - 1] + _MISSING_COST)
            diagonal, row[index] = row[index], cost
    return row[-1]


@lru_cache(maxsize=16_384)
def difference(one: Syllable, other: Syllable) -> float:
    """Return how much two syllables differ: 0 the same, 0.25 mixed up by accents, 1 nothing in common."""
    return _part(one.initial, other.initial, _CONFUSED_INITIALS) + _part(
        one.final, other.final, _CONFUSED_FINALS
    )


def _part(one: str, other: str, confused: Sequence[set[str]]) -> float:
    if one == other:
        return 0.0
    return _CONFUSED_COST if any({one, other} == pair for pair in confused) else _PART_COST
