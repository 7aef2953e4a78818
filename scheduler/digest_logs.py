"""What the logs and meters of a day say, against the days before: asked of the tools, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import TypeVar

from mcp_tencent.analytics.answers import AnomaliesAnswer, AnomalyLine, SummaryAnswer
from mcp_tencent.basic.workload_answers import UsageAnswer, UsageLine
from mcp_tencent.client import CloudTools
from mcp_tencent.errors import CloudError
from scheduler.digest_facts import AnomalyFacts, CapacityFacts, ClusterFacts, Gap, LogFacts, PatternFacts

DAYS_BEFORE = 7
"""The usual is taken from a whole week, so that it holds working days and days off alike."""
_MOST_PATTERNS = 5
_MOST_ANOMALIES = 5
_MOST_CLUSTERS = 50
_AT_ONCE = 4
_FULL_PERCENT = 85.0
"""What was used to this much at some time of the day told of is told."""
_LIMIT_PERCENT = 95.0
_NEAR_PERCENT = 60.0
"""What is used less is not foretold: a slope of a week says little about the far future."""
_FORETOLD_DAYS = 14
_LEAST_POINTS = 6
_RESOURCES = {"cpu": "CPU", "memory": "内存", "disk": "磁盘"}
_DAY = timedelta(days=1)
_ERRORS = "level:ERROR OR level:FATAL"

Answer = TypeVar("Answer")


async def gather_log_facts(
    tools: CloudTools,
    *,
    on: date,
    zone: tzinfo,
    clusters: Sequence[ClusterFacts] = (),
    alerted: Collection[str] = (),
) -> LogFacts:
    """Return what the logs of the day before `on` say against the week before it; no CloudError gets out.

    One summary, one search for anomalies, two counts of the week before, and one reading of the meters for
    each readable cluster: their number does not grow with the logs. What cannot be read stands in `unread`.

    Args:
        tools: The typed client.
        on: The morning of the digest.
        zone: Whose days are meant.
        clusters: Whose meters are read, the first 50.
        alerted: Workloads that an alert tells of already: what nobody was alerted of comes first.
    """
    told, before = on - _DAY, on - (1 + DAYS_BEFORE) * _DAY
    gaps: list[Gap] = []
    week = _period(before, told, zone)
    # One after the other: each is many requests, and has its deadline.
    day = await _tried("昨天的日志", lambda: tools.summarize_logs(_period(told, on, zone)), gaps)
    unusual = await _tried("日志异常", lambda: tools.detect_anomalies(_period(told, on, zone)), gaps)
    lines = await _tried("前几天的日志", lambda: tools.log_trend(week), gaps)
    errors = await _tried("前几天的日志", lambda: tools.log_trend(week, query=_ERRORS), gaps)
    capacity = await _capacity(tools, clusters, on, zone, gaps)
    for answer in (day, unusual):
        gaps += [Gap(what=one, why="") for one in (answer.skipped if answer else ())]
    counts = None if lines is None or errors is None else (lines.total, errors.total)
    return _log_facts(day, counts, unusual, capacity, gaps, alerted)


def _log_facts(
    day: SummaryAnswer | None,
    week: tuple[int, int] | None,
    unusual: AnomaliesAnswer | None,
    capacity: Sequence[CapacityFacts],
    gaps: Sequence[Gap],
    alerted: Collection[str],
) -> LogFacts:
    # A young house has logs of fewer days: the usual is taken from those that there are.
    known = unusual.days_compared if unusual else DAYS_BEFORE
    lines, errors = week or (0, 0)
    days = min(DAYS_BEFORE, known) if lines else 0
    found = sorted(unusual.anomalies if unusual else [], key=lambda one: one.workload in alerted)
    return LogFacts(
        lines=day.total if day else 0,
        errors=day.errors if day else 0,
        days_before=days,
        lines_usual=lines / days if days else 0.0,
        errors_usual=errors / days if days else 0.0,
        patterns=tuple(
            PatternFacts(template=one.template, count=one.count, workload=one.workload)
            for one in (day.error_patterns if day else [])[:_MOST_PATTERNS]
        ),
        anomalies=tuple(_anomaly(one) for one in found[:_MOST_ANOMALIES]),
        anomalies_found=len(found) + (unusual.left_out if unusual else 0),
        capacity=tuple(capacity),
        unread=tuple({one.what: one for one in sorted(gaps, key=lambda gap: (gap.what, gap.why))}.values()),
    )


def _anomaly(one: AnomalyLine) -> AnomalyFacts:
    return AnomalyFacts(
        workload=one.workload or one.topic,
        level=one.level,
        up=one.direction == "up",
        observed=one.observed,
        expected=one.expected,
        began_at=one.start,
        new=one.new,
        patterns=tuple(one.patterns),
    )


async def _capacity(
    tools: CloudTools, clusters: Sequence[ClusterFacts], on: date, zone: tzinfo, gaps: list[Gap]
) -> list[CapacityFacts]:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def of(cluster: ClusterFacts) -> list[CapacityFacts]:
        async def ask() -> UsageAnswer:
            arguments = {"target": cluster.cluster_id, "period": _period(on - 7 * _DAY, on, zone)}
            return await tools.call("resource_usage", arguments, UsageAnswer)

        async with turns:
            answer = await _tried(f"{cluster.name}的用量", ask, gaps)
        lines = answer.metrics if answer else []
        found = (capacity_of(cluster.name, line, on=on, zone=zone) for line in lines)
        return [one for one in found if one is not None]

    readable = [one for one in clusters if one.readable][:_MOST_CLUSTERS]
    every = [one for each in await asyncio.gather(*map(of, readable)) for one in each]
    return sorted(every, key=lambda one: -one.percent)


def capacity_of(name: str, line: UsageLine, *, on: date, zone: tzinfo) -> CapacityFacts | None:
    """Return a warning where a week's use says that something runs full, else None (pure).

    Args:
        name: What the cluster is called.
        line: A week of use, ending at midnight of `on`.
        on: The morning of the digest.
        zone: Whose midnight.
    """
    if line.unit != "percent" or line.metric not in _RESOURCES or not line.points:
        return None
    yesterday = [one.value for one in line.points if _local_day(one.at, zone) == on - _DAY]
    highest = line.highest if _local_day(line.highest_at, zone) == on - _DAY else max(yesterday, default=0.0)
    days = _days_left([(datetime.fromisoformat(one.at), one.value) for one in line.points])
    if highest < _FULL_PERCENT and (days is None or highest < _NEAR_PERCENT):
        return None
    return CapacityFacts(
        target=name, resource=_RESOURCES[line.metric], percent=round(highest, 1), days_left=days
    )


def _days_left(points: Sequence[tuple[datetime, float]]) -> int | None:
    """Return in how many days a line of least squares through the points reaches the limit.

    None when that is further off than two weeks, or when use does not grow steadily: most steps between
    neighbouring points must go up, else a single peak would foretell the end of the world.
    """
    if len(points) < _LEAST_POINTS:
        return None
    ups = sum(later[1] > earlier[1] for earlier, later in pairwise(points))
    start = points[0][0]
    at = [(when - start) / _DAY for when, _ in points]
    mean_at, mean = sum(at) / len(at), sum(value for _, value in points) / len(points)
    spread = sum((x - mean_at) ** 2 for x in at)
    slope = sum((x - mean_at) * (value - mean) for x, (_, value) in zip(at, points, strict=True)) / spread
    if slope <= 0 or ups * 3 < 2 * (len(points) - 1):
        return None
    days = (_LIMIT_PERCENT - (mean + slope * (at[-1] - mean_at))) / slope
    return max(1, round(days)) if days <= _FORETOLD_DAYS else None


async def _tried(what: str, ask: Callable[[], Awaitable[Answer]], gaps: list[Gap]) -> Answer | None:
    try:
        return await ask()
    except CloudError as error:
        gaps.append(Gap(what=what, why=error.spoken.rstrip("。")))
        return None


def _period(start: date, end: date, zone: tzinfo) -> str:
    """Return [midnight of start, midnight of end) as the tools take it."""
    first, last = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (start, end))
    return f"{first.isoformat()}/{last.isoformat()}"


def _local_day(instant: str, zone: tzinfo) -> date:
    return datetime.fromisoformat(instant).astimezone(zone).date()
