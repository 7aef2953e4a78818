"""What was understood, against the names that are to be expected: sound decides, not spelling (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from heapq import nsmallest

from voice.heard import Alternative
from voice.pinyin import find, find_each, syllables

_SURE = 0.93
"""From here on a stretch is taken to be the name: usual confusions only."""
_POSSIBLE = 0.7
"""From here on the sound is worth a second look."""
_BONUS = 2.0
"""What a name in a reading is worth, in the recogniser's log likelihood: it settles near ties only."""
_SHORTEST_NAME = 2
_SHORTEST_POSSIBLE_NAME = 3
_MOST_POSSIBLE = 4
_CONFUSION_COST = 0.25
_MOST_LOOKED_AT = 40
"""Names of a large inventory that share most of their syllables would take long."""
_NEVER_A_NAME = ("确认", "取消", "重启", "回滚", "删", "停", "隔离", "扩", "缩", "关", "不")
"""Where one of these was heard, no name is put: what is to be done is never guessed."""


def with_names(text: str, names: Sequence[str]) -> str:
    """Write every stretch that sounds like an expected name as that name, the most alike first.

    Args:
        text: What was understood, without spaces.
        names: As people say them.
    """
    alike = [(find(name, text).likeness, len(name), name) for name in _near(text, names, _SURE)]
    for likeness, length, name in sorted(alike, reverse=True):
        if likeness < _SURE or length < _SHORTEST_NAME or name in text:
            continue
        # What was put before may have changed the place.
        found = find(name, text)
        if text[found.start : found.end] in names:
            continue
        if found.likeness >= _SURE and found.end - found.start == len(syllables(name)):
            text = text[: found.start] + name + text[found.end :]
    return text


def possible(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return what may have been said instead, the likeliest first: a name where something like it stands.

    Args:
        text: What was understood, without spaces, sure names already in it.
        names: As people say them.
    """
    found: list[tuple[float, str]] = []
    for name in _near(text, names, _POSSIBLE):
        if len(name) < _SHORTEST_POSSIBLE_NAME or name in text:
            continue
        for place in find_each(name, text):
            heard = text[place.start : place.end]
            if place.likeness >= _POSSIBLE and _may_be_a_name(heard, name, text, names):
                found.append((place.likeness, text[: place.start] + name + text[place.end :]))
    return tuple(text for _, text in sorted(found, reverse=True)[:_MOST_POSSIBLE])


def _may_be_a_name(heard: str, name: str, text: str, names: Sequence[str]) -> bool:
    if any(word in heard and word not in name for word in _NEVER_A_NAME):
        return False
    return not any(heard in other and other in text for other in names)


def ranked(readings: Sequence[tuple[str, float]], names: Sequence[str]) -> tuple[Alternative, ...]:
    """Return readings with expected names in them, the likeliest first; confidences add up to 1.

    Args:
        readings: Text without spaces, and its log likelihood.
        names: As people say them.
    """
    scores: dict[str, float] = {}
    for text, score in readings:
        named = with_names(text, names)
        bonus = _BONUS * sum(len(name) > 1 and name in named for name in names)
        scores[named] = max(scores.get(named, -math.inf), score + bonus)
    if not scores:
        return ()
    best = max(scores.values())
    weights = {text: math.exp(score - best) for text, score in scores.items()}
    total = sum(weights.values())
    order = sorted(weights, key=lambda text: -weights[text])
    return tuple(Alternative(text=text, confidence=weights[text] / total) for text in order)


def _near(text: str, names: Sequence[str], likeness: float) -> list[str]:
    """Return the names that may be so alike to some stretch, by the syllables that are there; at most 40."""
    heard = set(syllables(text))
    near: list[tuple[float, str]] = []
    for name in names:
        sounds = syllables(name)
        missing = sum(sound not in heard for sound in sounds)
        # What a missing syllable costs at least; for a mere possibility half of them must be there.
        if sounds and missing <= min((1 - likeness) * len(sounds) / _CONFUSION_COST, len(sounds) / 2):
            near.append((missing / len(sounds), name))
    return [name for _, name in nsmallest(_MOST_LOOKED_AT, near)]
