"""Finds the stretches in which a workload wrote far more errors than usual (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from mcp_tencent.devops.diagnosis.evidence import LogBucket, LogHistory

LOWEST_SHARE = 0.02
"""A smaller share of bad lines is nobody's trouble."""
TIMES_USUAL = 4.0
DEVIATIONS = 4.0
"""A bucket stands out by so many standard deviations of counting (Poisson)."""
FEWEST_TO_GO_ON = 2
"""So few bad lines go on with a burst that others began."""
CALM_BUCKETS = 3
"""So many calm buckets end a burst; one or two are chance."""
USUAL_BUCKETS = 0.4
"""The calmest so many of all buckets say what is usual, even when a trouble takes up more than half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """A stretch of unusually many bad lines."""

    start: datetime
    end: datetime
    ongoing: bool
    """Whether it reaches to the end of the history."""
    known_start: bool
    """False when it began before the history does."""
    lines: int
    bad: int

    @property
    def share(self) -> float:
        """Bad lines of all lines, 0 to 1."""
        return self.bad / self.lines if self.lines else 0.0

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Bursts:
    """What a history shows."""

    usual_share: float
    """Bad lines of all lines when nothing is the matter, 0 to 1."""
    found: tuple[Burst, ...]
    """Oldest first."""

    @property
    def current(self) -> Burst | None:
        """The burst that still goes on, if any."""
        return self.found[-1] if self.found and self.found[-1].ongoing else None


def error_bursts(history: LogHistory) -> Bursts:
    """Return the bursts of errors."""
    return _bursts(history, lambda bucket: bucket.errors)


def warning_bursts(history: LogHistory) -> Bursts:
    """Return the bursts of warnings."""
    return _bursts(history, lambda bucket: bucket.warnings)


def _bursts(history: LogHistory, bad_of: Callable[[LogBucket], int]) -> Bursts:
    buckets = history.buckets
    usual = _usual_share(buckets, bad_of)

    def raised(bucket: LogBucket) -> bool:
        share = bad_of(bucket) / bucket.lines if bucket.lines else 0.0
        return bad_of(bucket) >= FEWEST_TO_GO_ON and share >= max(LOWEST_SHARE, TIMES_USUAL * usual)

    def loud(bucket: LogBucket) -> bool:
        expected = usual * bucket.lines
        return raised(bucket) and bad_of(bucket) > expected + DEVIATIONS * sqrt(expected + 1)

    found: list[Burst] = []
    up = [raised(bucket) for bucket in buckets]
    first = 0
    while first < len(buckets):
        last = _last_of_stretch(up, first)
        if last is None:
            first += 1
            continue
        if any(loud(bucket) for bucket in buckets[first : last + 1]):
            found.append(_burst(history, bad_of, first, last))
        first = last + 1
    return Bursts(usual_share=usual, found=tuple(found))


def _usual_share(buckets: Sequence[LogBucket], bad_of: Callable[[LogBucket], int]) -> float:
    written = sorted((b for b in buckets if b.lines), key=lambda b: bad_of(b) / b.lines)
    calm = written[: max(1, int(len(written) * USUAL_BUCKETS))]
    lines = sum(bucket.lines for bucket in calm)
    return sum(bad_of(bucket) for bucket in calm) / lines if lines else 0.0


def _last_of_stretch(up: Sequence[bool], first: int) -> int | None:
    """Return the last raised bucket of the stretch that begins at `first`; None when none does."""
    if not up[first]:
        return None
    last = first
    for index in range(first, len(up)):
        if up[index]:
            last = index
        elif index - last >= CALM_BUCKETS:
            break
    return last


def _burst(history: LogHistory, bad_of: Callable[[LogBucket], int], first: int, last: int) -> Burst:
    buckets = history.buckets
    within = buckets[first : last + 1]
    return Burst(
        start=buckets[first].start,
        end=buckets[last].start + history.interval,
        ongoing=last >= len(buckets) - CALM_BUCKETS,
        known_start=first > 0,
        lines=sum(b.lines for b in within),
        bad=sum(bad_of(b) for b in within),
    )
