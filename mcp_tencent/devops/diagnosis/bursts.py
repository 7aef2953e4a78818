"""Finds the stretches in which a workload wrote far more errors than usual (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mcp_tencent.devops.diagnosis.evidence import LogBucket, LogHistory

FEWEST_LINES = 4
"""Fewer bad lines than this within a bucket are never a burst."""
LOWEST_SHARE = 0.02
TIMES_USUAL = 4.0
CALM_BUCKETS = 2
"""So many calm buckets end a burst; a single one is chance."""
USUAL_QUANTILE = 0.2
"""The share of bad lines that a fifth of the buckets stay below is the usual one, even in a long trouble."""


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
    shares = sorted(bad_of(b) / b.lines for b in buckets if b.lines)
    usual = shares[int(len(shares) * USUAL_QUANTILE)] if shares else 0.0
    counts = sorted(bad_of(b) for b in buckets)
    usual_count = counts[int(len(counts) * USUAL_QUANTILE)] if counts else 0

    def loud(bucket: LogBucket) -> bool:
        bad = bad_of(bucket)
        share = bad / bucket.lines if bucket.lines else 0.0
        return (
            bad >= FEWEST_LINES
            and bad >= TIMES_USUAL * usual_count
            and share >= max(LOWEST_SHARE, TIMES_USUAL * usual)
        )

    found: list[Burst] = []
    flags = [loud(bucket) for bucket in buckets]
    index = 0
    while index < len(buckets):
        if not flags[index]:
            index += 1
            continue
        last = _last_of_burst(flags, index)
        found.append(_burst(history, buckets, bad_of, index, last))
        index = last + 1
    return Bursts(usual_share=usual, found=tuple(found))


def _last_of_burst(flags: Sequence[bool], first: int) -> int:
    last = first
    for index in range(first, len(flags)):
        if flags[index]:
            last = index
        elif index - last >= CALM_BUCKETS:
            break
    return last


def _burst(
    history: LogHistory,
    buckets: Sequence[LogBucket],
    bad_of: Callable[[LogBucket], int],
    first: int,
    last: int,
) -> Burst:
    within = buckets[first : last + 1]
    return Burst(
        start=buckets[first].start,
        end=buckets[last].start + history.interval,
        # The running bucket may hold seconds only, so that a calm one does not end a burst.
        ongoing=last >= len(buckets) - CALM_BUCKETS,
        known_start=first > 0,
        lines=sum(b.lines for b in within),
        bad=sum(bad_of(b) for b in within),
    )
