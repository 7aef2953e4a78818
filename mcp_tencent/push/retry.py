"""When a delivery that failed is tried again, and when it is given up (pure)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential back-off with jitter: 30 s, 1 min, 2 min … at most 2 h apart, for a day."""

    first_delay_s: float = 30.0
    factor: float = 2.0
    longest_delay_s: float = 7200.0
    jitter: float = 0.2
    """Share by which a delay may be shorter or longer, so that deliveries do not come back all at once."""
    max_attempts: int = 24
    max_age: timedelta = timedelta(hours=24)

    def __post_init__(self) -> None:
        if self.first_delay_s <= 0 or self.longest_delay_s < self.first_delay_s or self.factor < 1:
            raise ValueError("want 0 < first_delay_s <= longest_delay_s and factor >= 1")
        if not 0 <= self.jitter < 1 or self.max_attempts < 1:
            raise ValueError("want 0 <= jitter < 1 and max_attempts >= 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgain:
    """Another attempt, after this long."""

    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """No further attempt: the delivery is a dead letter."""

    reason: str
    """Short Chinese, for the list of deliveries."""


def after_failure(policy: RetryPolicy, *, key: str, attempts: int, age: timedelta) -> TryAgain | GiveUp:
    """Decide what follows the failed attempt number `attempts` (from 1) of a delivery `age` old.

    The jitter comes from the key and the attempt, not from chance: a workflow that is replayed after a crash
    decides the same.
    """
    if attempts >= policy.max_attempts:
        return GiveUp(reason=f"试了 {attempts} 次都没有发出去")
    delay_s = min(policy.first_delay_s * policy.factor ** (attempts - 1), policy.longest_delay_s)
    delay_s *= 1 + policy.jitter * _swing(f"{key}/{attempts}")
    if age + timedelta(seconds=delay_s) > policy.max_age:
        hours = policy.max_age.total_seconds() / 3600
        return GiveUp(reason=f"超过 {hours:g} 小时仍没有发出去")
    return TryAgain(after_s=delay_s)


def _swing(text: str) -> float:
    """Return a number in [-1, 1) that looks random and depends on the text only."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return number / 2**63 - 1
