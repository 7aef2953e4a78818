"""Which workloads wrote unusually much or little, when, and what: series against their usual hours. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from mcp_tencent.analytics.baseline import (
    Direction,
    Episode,
    History,
    Knowledge,
    Sensitivity,
    buckets,
    episodes,
)
from mcp_tencent.analytics.counting import Gathered
from mcp_tencent.periods import Period

_WEIGHTS = {"FATAL": 3.0, "ERROR": 2.0, "WARN": 1.5, "WARNING": 1.5}
"""By how much the level of the lines makes an episode weigh more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelEpisode:
    """An unusual stretch of the lines of one level."""

    level: str
    episode: Episode


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """An unusual stretch of one workload: what its levels did at the same time."""

    workload: str
    episodes: tuple[LevelEpisode, ...]
    """The weightiest first."""

    @property
    def start(self) -> datetime:
        """When the first of them began."""
        return min(one.episode.start for one in self.episodes)

    @property
    def end(self) -> datetime:
        """When the last of them ended."""
        return max(one.episode.end for one in self.episodes)

    @property
    def weight(self) -> float:
        """How much it stands out."""
        return _weight(self.episodes[0])


def bucket_for(period: Period) -> timedelta:
    """Return how finely a period is looked at: an hour is what most things take to be noticed."""
    return timedelta(minutes=10) if period.length <= timedelta(hours=3) else timedelta(hours=1)


def whole_buckets(period: Period, bucket: timedelta) -> Period:
    """Return the period, begun earlier so that it ends as before and holds whole buckets."""
    count = -(-period.length // bucket)
    return Period(start=period.end - count * bucket, end=period.end)


def find_anomalies(
    gathered: Gathered,
    period: Period,
    *,
    bucket: timedelta,
    zone: tzinfo,
    sensitivity: Sensitivity | None = None,
) -> list[Anomaly]:
    """Return the anomalies of a period, the weightiest first.

    Args:
        gathered: Counts of the period and of the days before.
        period: What is judged; of whole buckets.
        bucket: Their length.
        zone: Tells weekends.
        sensitivity: What counts as unusual.
    """
    found: dict[str, list[LevelEpisode]] = {}
    hours = buckets(period.start, period.end, bucket)
    knowledge = Knowledge(gathered.covered, zone)
    for name, series in gathered.counts.items():
        history = History(counts=series, knowledge=knowledge)
        observed = {at: series.get(at, 0) for at in hours}
        for episode in episodes(observed, history, bucket=bucket, sensitivity=sensitivity):
            found.setdefault(name.workload, []).append(LevelEpisode(level=name.level, episode=episode))
    anomalies = [
        Anomaly(workload=workload, episodes=tuple(sorted(group, key=_weight, reverse=True)))
        for workload, singles in found.items()
        for group in _simultaneous(singles)
    ]
    return sorted(anomalies, key=lambda anomaly: (-anomaly.weight, anomaly.start, anomaly.workload))


def _simultaneous(singles: Sequence[LevelEpisode]) -> list[list[LevelEpisode]]:
    """Put together what overlaps or adjoins in time."""
    groups: list[list[LevelEpisode]] = []
    for single in sorted(singles, key=lambda one: one.episode.start):
        last = groups[-1] if groups else None
        if last is not None and single.episode.start <= max(one.episode.end for one in last):
            last.append(single)
        else:
            groups.append([single])
    return groups


def _weight(one: LevelEpisode) -> float:
    fewer = one.episode.direction is Direction.DOWN
    return one.episode.score * (1.0 if fewer else _WEIGHTS.get(one.level, 1.0))
