"""A provider's limit on messages, kept by taking turns instead of dropping (pure).

Every message reserves its turn: the first instant at which the provider will surely take it. Turns are given
in order, so nobody overtakes and nobody is forgotten, and they are recorded, so a restart does not forget how
much of the last minute is already used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """At most `messages` in any window of `per_s` seconds."""

    messages: int
    per_s: float

    def __post_init__(self) -> None:
        if self.messages < 1 or self.per_s <= 0:
            raise ValueError("want messages >= 1 and per_s > 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What is known about one limited target: turns given, in order, and until when it takes nothing."""

    turns: tuple[datetime, ...] = ()
    blocked_until: datetime | None = None


def take_turn(pace: Pace, limit: RateLimit, now: datetime) -> tuple[Pace, datetime]:
    """Return the pace with one more turn, and when that turn is (now or later)."""
    window = timedelta(seconds=limit.per_s)
    kept = tuple(turn for turn in pace.turns if turn > now - window)
    turn = max(now, pace.blocked_until or now)
    if kept:
        turn = max(turn, kept[-1])
    if len(kept) >= limit.messages:
        turn = max(turn, kept[-limit.messages] + window)
    return replace(pace, turns=(*kept, turn)), turn


def block(pace: Pace, now: datetime, blocked_for_s: float) -> Pace:
    """Return the pace after the provider said that it takes nothing for a while."""
    # never shorter than before
    until = now + timedelta(seconds=blocked_for_s)
    return replace(pace, blocked_until=max(until, pace.blocked_until or until))


def blocked_for(pace: Pace, now: datetime) -> float:
    """Return for how many more seconds the provider takes nothing; 0 when it takes messages."""
    if pace.blocked_until is None:
        return 0.0
    return max(0.0, (pace.blocked_until - now).total_seconds())
