"""What is usual at this hour of such a day, how far a count is from it, and where a series is going. Pure.

Counts of log lines are compared on the scale 2·sqrt(x + 3/8) (F. J. Anscombe 1948), on which a Poisson count
has a standard deviation of about 1 whatever its mean; so rare and frequent lines share one threshold. What is
usual is the median of the same time of day on earlier days of the same kind, and the spread is their median
absolute deviation, never less than 1: neither is moved by an earlier incident.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import combinations
from statistics import median

DAYS_BACK = 14
_DAY = timedelta(days=1)
_FEWEST_SAMPLES = 3
_FEWEST_OF_KIND = 4
"""With fewer days of the same kind, all days are taken."""
_MAD_TO_SIGMA = 1.4826
"""Of a normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """What counts as an anomaly. A count must fail all three to be one."""

    score: float = 5.0
    """Standard deviations from the usual."""
    lines: float = 10.0
    """Lines from the usual, so that three instead of none do not wake anybody."""
    ratio: float = 1.5
    """Times the usual, or the usual times itself: in very long series small differences are certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A count and what would have been usual."""

    observed: int
    expected: float
    """The median of the days before."""
    score: float
    """Robust standard deviations from it; negative when there were fewer."""
    samples: int
    """Days that were compared with."""

    def is_anomaly(self, sensitivity: Sensitivity) -> bool:
        """Tell whether it is unusual enough."""
        few, many = sorted((float(self.observed), self.expected))
        return (
            abs(self.score) >= sensitivity.score
            and many - few >= sensitivity.lines
            and many >= few * sensitivity.ratio
        )


class Direction(StrEnum):
    """To which side something is unusual, or moves."""

    UP = "up"
    DOWN = "down"
    STEADY = "steady"


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An unusual stretch of one series: [start, end)."""

    start: datetime
    end: datetime
    direction: Direction
    observed: int
    expected: float
    score: float
    """Of the bucket farthest from the usual; always positive."""


class Knowledge:
    """Of which buckets of the past there is knowledge, shared by all series of a topic.

    Args:
        covered: Those buckets: where a series has none of these, its count was 0.
        zone: Tells which days are weekends.
    """

    def __init__(self, covered: frozenset[datetime], zone: tzinfo) -> None:
        self._covered = covered
        self._zone = zone
        self._alike: dict[datetime, Sequence[datetime]] = {}

    def alike(self, at: datetime) -> Sequence[datetime]:
        """Return the same time of earlier days, of the same kind of day if there are enough."""
        known = self._alike.get(at)
        if known is None:
            known = self._alike[at] = self._chosen(at)
        return known

    def _chosen(self, at: datetime) -> Sequence[datetime]:
        earlier = [at - days * _DAY for days in range(1, 2 * DAYS_BACK + 1)]
        known = [instant for instant in earlier if instant in self._covered][:DAYS_BACK]
        kind = self._weekend(at)
        alike = [instant for instant in known if self._weekend(instant) == kind]
        return alike if len(alike) >= _FEWEST_OF_KIND else known

    def _weekend(self, instant: datetime) -> bool:
        return instant.astimezone(self._zone).weekday() >= 5


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Counts of one series before the period, by bucket."""

    counts: Mapping[datetime, int]
    knowledge: Knowledge

    def samples(self, at: datetime) -> list[int]:
        """Return the counts at the same time of earlier days, of the same kind of day if there are enough."""
        return [self.counts.get(instant, 0) for instant in self.knowledge.alike(at)]


def deviation(observed: int, samples: Sequence[int]) -> Deviation | None:
    """Compare a count with those of the days before; None when they are too few to say anything."""
    if len(samples) < _FEWEST_SAMPLES:
        return None
    scaled = [_stable(count) for count in samples]
    usual = median(scaled)
    spread = _MAD_TO_SIGMA * median(abs(value - usual) for value in scaled)
    return Deviation(
        observed=observed,
        expected=float(median(samples)),
        score=(_stable(observed) - usual) / max(spread, 1.0),
        samples=len(samples),
    )


def episodes(
    observed: Mapping[datetime, int],
    history: History,
    *,
    bucket: timedelta,
    sensitivity: Sensitivity | None = None,
) -> list[Episode]:
    """Return the unusual stretches of a series, oldest first; neighbouring buckets are one.

    Args:
        observed: Counts by the beginning of their buckets, zeros included.
        history: The series before.
        bucket: Length of a bucket.
        sensitivity: What counts as unusual.
    """
    limits = sensitivity or Sensitivity()
    found: list[Episode] = []
    for at in sorted(observed):
        compared = deviation(observed[at], history.samples(at))
        if compared is None or not compared.is_anomaly(limits):
            continue
        direction = Direction.UP if compared.score > 0 else Direction.DOWN
        last = found[-1] if found else None
        if last is not None and last.end == at and last.direction is direction:
            found[-1] = Episode(
                start=last.start,
                end=at + bucket,
                direction=direction,
                observed=last.observed + compared.observed,
                expected=last.expected + compared.expected,
                score=max(last.score, abs(compared.score)),
            )
        else:
            found.append(
                Episode(
                    start=at,
                    end=at + bucket,
                    direction=direction,
                    observed=compared.observed,
                    expected=compared.expected,
                    score=abs(compared.score),
                )
            )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Where a series is going."""

    direction: Direction
    slope: float
    """Change per bucket: the median of the slopes between all pairs (H. Theil, P. K. Sen)."""
    significance: float
    """|Z| of the Mann-Kendall test; 2.58 is reached by chance once in a hundred times."""


def trend(values: Sequence[float], *, significance: float = 2.58, least_change: float = 0.2) -> Trend:
    """Tell whether a series rises or falls as a whole.

    Args:
        values: Evenly spaced, oldest first; at most some hundred, all pairs are compared.
        significance: |Z| from which on it is no chance.
        least_change: Share of the series' median by which it must change from end to end to be worth saying.
    """
    size = len(values)
    if size < 4:
        return Trend(direction=Direction.STEADY, slope=0.0, significance=0.0)
    pairs = list(combinations(enumerate(values), 2))
    slope = median((late - early) / (j - i) for (i, early), (j, late) in pairs)
    balance = sum((late > early) - (late < early) for (_, early), (_, late) in pairs)
    variance = (size * (size - 1) * (2 * size + 5) - _tie_correction(values)) / 18
    z = 0.0 if variance <= 0 or balance == 0 else (abs(balance) - 1) / math.sqrt(variance)
    typical = max(median(abs(value) for value in values), 1.0)
    moves = z >= significance and abs(slope) * (size - 1) >= least_change * typical
    direction = Direction.STEADY if not moves else Direction.UP if slope > 0 else Direction.DOWN
    return Trend(direction=direction, slope=slope, significance=z)


def buckets(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """Return the beginnings of the buckets that fill [start, end)."""
    count = math.ceil((end - start) / step)
    return [start + index * step for index in range(count)]


def change_ratio(now: float, before: float) -> float | None:
    """Return by which share `now` is more (negative: less) than `before`; None when there was nothing."""
    return None if before <= 0 else (now - before) / before


def _stable(count: float) -> float:
    return 2 * math.sqrt(count + 0.375)


def _tie_correction(values: Iterable[float]) -> float:
    times: dict[float, int] = {}
    for value in values:
        times[value] = times.get(value, 0) + 1
    return float(sum(t * (t - 1) * (2 * t + 5) for t in times.values() if t > 1))
