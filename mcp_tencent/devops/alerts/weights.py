"""Weights that learn from feedback and outcomes, within bounds (pure).

Learning is a fold over all lessons, oldest first, from the policy's weights: the same lessons always give the
same weights, each version can be explained by its lesson, and forgetting a lesson is leaving it out. A lesson
that an alert mattered more than its score said moves weight towards the factors that were high, one that it
mattered less moves weight away from them. After each step the weights are brought back between the bounds and
to a sum of 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mcp_tencent.devops.alerts.scoring import Factors, factor_in_words
from mcp_tencent.devops.incidents import AttemptOutcome
from mcp_tencent.devops.policy.model import Learning, Weights

FACTORS = ("impact", "severity", "importance", "urgency")
_HALVINGS = 60
_DIGITS = 6
_TOLD = 0.0005
"""Smaller changes are not told."""


class LessonKind(StrEnum):
    """Where a lesson comes from."""

    IMPORTANT = "important"
    UNIMPORTANT = "unimportant"
    FALSE_ALARM = "false_alarm"
    PASSED_BY_ITSELF = "passed_by_itself"
    NEEDED_A_PERSON = "needed_a_person"


_DIRECTIONS = {
    LessonKind.IMPORTANT: 1.0,
    LessonKind.UNIMPORTANT: -1.0,
    LessonKind.FALSE_ALARM: -1.0,
    LessonKind.PASSED_BY_ITSELF: -0.25,
    LessonKind.NEEDED_A_PERSON: 0.25,
}
"""What a person says counts four times what follows from an outcome."""
_WORDS = {
    LessonKind.IMPORTANT: "有人说这条重要",
    LessonKind.UNIMPORTANT: "有人说这条不重要",
    LessonKind.FALSE_ALARM: "有人说这条是误报",
    LessonKind.PASSED_BY_ITSELF: "没有处理就自己恢复了",
    LessonKind.NEEDED_A_PERSON: "自动处理没有解决，转给了人",
}
_OUTCOMES = {
    AttemptOutcome.ALREADY_RECOVERED: LessonKind.PASSED_BY_ITSELF,
    AttemptOutcome.OUT_OF_BUDGET: LessonKind.NEEDED_A_PERSON,
    AttemptOutcome.RESTORE_FAILED: LessonKind.NEEDED_A_PERSON,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one alert taught."""

    id: str
    kind: LessonKind
    at: datetime
    factors: Factors
    """As they were when it was scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightVersion:
    """The weights after some lessons."""

    version: str
    """`w0` without a lesson, then the count and a name of the lessons."""
    weights: Weights
    lesson: Lesson | None
    """The last one; None of the policy's own weights."""
    explanation: str
    """What changed and why, in Chinese."""


def lesson_kind_of(outcome: AttemptOutcome) -> LessonKind | None:
    """Return what an attempt's outcome teaches; None: nothing about how much the alert mattered."""
    return _OUTCOMES.get(outcome)


def learn(default: Weights, lessons: Sequence[Lesson], learning: Learning) -> tuple[WeightVersion, ...]:
    """Return every version of the weights, the policy's own first and the one in force last.

    Args:
        default: the policy's weights; none is ever left by more than the bound.
        lessons: in any order.
        learning: step and bound.
    """
    versions = [WeightVersion(version="w0", weights=default, lesson=None, explanation="策略里的默认权重")]
    name = hashlib.sha256()
    for lesson in sorted(lessons, key=lambda one: (one.at, one.id)):
        before = versions[-1].weights
        after = _step(before, default, lesson, learning)
        name.update(f"{lesson.id}\x1f{lesson.kind}\x1e".encode())
        versions.append(
            WeightVersion(
                version=f"w{len(versions)}-{name.hexdigest()[:8]}",
                weights=after,
                lesson=lesson,
                explanation=_explained(before, after, lesson),
            )
        )
    return tuple(versions)


def _step(before: Weights, default: Weights, lesson: Lesson, learning: Learning) -> Weights:
    values = [getattr(lesson.factors, factor) / 100 for factor in FACTORS]
    mean = sum(values) / len(values)
    move = learning.step * _DIRECTIONS[lesson.kind]
    wanted = [
        getattr(before, factor) + move * (value - mean) for factor, value in zip(FACTORS, values, strict=True)
    ]
    centre = [getattr(default, factor) for factor in FACTORS]
    return Weights(**dict(zip(FACTORS, _within(wanted, centre, learning.bound), strict=True)))


def _within(wanted: Sequence[float], centre: Sequence[float], bound: float) -> list[float]:
    """Return the values nearest to `wanted` that lie within the bound around `centre` and add up to 1.

    They are min(max(wanted + shift, low), high) with the one shift for which the sum is right; it is found by
    halving, since the sum never falls as the shift grows.
    """
    lows = [max(0.0, value - bound) for value in centre]
    highs = [min(1.0, value + bound) for value in centre]

    def shifted(shift: float) -> list[float]:
        return [
            min(max(value + shift, low), high) for value, low, high in zip(wanted, lows, highs, strict=True)
        ]

    least, most = -1.0, 1.0
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        least, most = (middle, most) if sum(shifted(middle)) < 1.0 else (least, middle)
    rounded = [round(value, _DIGITS) for value in shifted(most)]
    # What rounding left over goes to the weight that is farthest from its bounds.
    rest = 1.0 - sum(rounded)
    room = [min(high - value, value - low) for value, low, high in zip(rounded, lows, highs, strict=True)]
    widest = room.index(max(room))
    rounded[widest] = round(rounded[widest] + rest, _DIGITS)
    return rounded


def _explained(before: Weights, after: Weights, lesson: Lesson) -> str:
    changes = []
    for factor in FACTORS:
        old, new = getattr(before, factor), getattr(after, factor)
        if abs(new - old) >= _TOLD:
            changes.append(f"{factor_in_words(factor)}从{old * 100:.1f}%变为{new * 100:.1f}%")
    return f"{_WORDS[lesson.kind]}：{'，'.join(changes) if changes else '权重没有变化'}"
