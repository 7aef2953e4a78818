"""What was understood, against the names that are to be expected: sound decides, not spelling (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from voice.heard import Alternative
from voice.pinyin import find, syllables

_SURE = 0.93
"""From here on a stretch is taken to be the name: usual confusions only."""
_BONUS = 2.0
"""What a name in a reading is worth, in the recogniser's log likelihood: it settles near ties only."""
_SHORTEST_NAME = 2


def with_names(text: str, names: Sequence[str]) -> str:
    """Write every stretch that sounds like an expected name as that name, the longest names first.

    Args:
        text: What was understood, without spaces.
        names: As people say them.
    """
    for name in sorted(names, key=len, reverse=True):
        if len(name) < _SHORTEST_NAME or name in text:
            continue
        found = find(name, text)
        if found.likeness >= _SURE and found.end - found.start == len(syllables(name)):
            text = text[: found.start] + name + text[found.end :]
    return text


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
