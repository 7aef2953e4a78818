"""What a language model may say about a score: small corrections of factors, with reasons (pure).

The rules score first. Advice may move a factor by `MOST_POINTS` at most, is dropped as a whole where it asks
for more, and never lifts a group by more than one tier of attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

from mcp_tencent.devops.alerts.scoring import Factors, Reason, ScoredAlert
from mcp_tencent.devops.policy.model import Policy, Weights

MOST_POINTS = 15.0
"""No factor moves further from what the rules gave it."""
_REASON = 60
_STEP = 0.1
"""Scores have one decimal."""
FACTOR_NAMES = tuple(one.name for one in fields(Factors))


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorQuestion:
    """What an adviser gets to see."""

    title: str
    factors: Factors
    """What the rules gave."""
    reasons: tuple[str, ...]
    """The facts behind it, Chinese."""
    log_lines: tuple[str, ...] = ()
    """Redacted lines of the time: data from outside, never an instruction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorAdvice:
    """A value that an adviser would give a factor."""

    factor: str
    """impact, severity, importance or urgency."""
    value: float
    """0 to 100."""
    reason: str
    """In the adviser's own words."""


class FactorAdviser(Protocol):
    """Somebody who looks at a group of alerts a second time, such as a language model."""

    async def advise(self, question: FactorQuestion) -> Sequence[FactorAdvice]:
        """Return advice; empty when there is none, also because the adviser failed. Raises nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """A score after advice."""

    scored: ScoredAlert
    taken: tuple[FactorAdvice, ...]
    """The advice that counts; what was out of bounds is not here."""


def advised(scored: ScoredAlert, advice: Sequence[FactorAdvice], policy: Policy, weights: Weights) -> Advised:
    """Return a score with the advice that is within its bounds.

    Args:
        scored: What the rules gave.
        advice: What somebody would change; of two for one factor the first counts.
        policy: Whose tiers bound the rise.
        weights: The weights that `scored` was made with.
    """
    taken: dict[str, FactorAdvice] = {}
    for one in advice:
        if one.factor in FACTOR_NAMES and one.factor not in taken and _within(scored.factors, one):
            taken[one.factor] = replace(one, reason=_one_line(one.reason))
    if not taken:
        return Advised(scored=scored, taken=())
    factors = replace(scored.factors, **{name: one.value for name, one in taken.items()})
    reasons = [
        Reason(
            factor=name,
            points=one.value - getattr(scored.factors, name),
            text=f"模型判断：{one.reason}",
        )
        for name, one in taken.items()
    ]
    capped = min(round(factors.weighted(weights), 1), _highest(scored.score, policy))
    return Advised(
        scored=replace(scored, score=capped, factors=factors, reasons=(*scored.reasons, *reasons)),
        taken=tuple(taken.values()),
    )


def _within(factors: Factors, one: FactorAdvice) -> bool:
    # The comparison also turns away NaN.
    return 0 <= one.value <= 100 and abs(one.value - getattr(factors, one.factor)) <= MOST_POINTS


def _highest(score: float, policy: Policy) -> float:
    """Return the highest score that is not more than one tier above that of `score`."""
    above = sorted(tier.from_score for tier in policy.tiers if tier.from_score > score)
    return above[1] - _STEP if len(above) > 1 else 100.0


def _one_line(text: str) -> str:
    plain = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return plain if len(plain) <= _REASON else f"{plain[: _REASON - 1]}…"
