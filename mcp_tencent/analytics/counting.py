"""Counts of log lines by bucket, workload and level, made where the lines lie (SQL), not here."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mcp_tencent.analytics.baseline import DAYS_BACK
from mcp_tencent.errors import InvalidRequest
from mcp_tencent.models.logs import AnalysisTable, Cell, TopicIndex
from mcp_tencent.periods import Period
from mcp_tencent.ports import LogSearch
from mcp_tencent.side_by_side import side_by_side

_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)
_AT_ONCE = 4
MOST_ROWS = 10_000
_COMFORTABLE_ROWS = 7_500
"""Other days may be richer by a third before one has to be asked in halves."""
WORKLOAD_FIELDS = (
    "workload", "service", "service_name", "app", "__TAG__.pod_label_app", "__TAG__.container_name",
)  # fmt: skip
LEVEL_FIELDS = ("level", "loglevel", "log_level", "severity", "__LEVEL__")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesName:
    """What a series counts: the lines of a level of a workload, where the topic knows these."""

    workload: str
    level: str


Counts = dict[SeriesName, dict[datetime, int]]
"""By series, by the beginning of the bucket; buckets without lines are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """The fields of a topic by which its lines are told apart; empty where it has none."""

    workload: str
    level: str

    @classmethod
    def of(cls, index: TopicIndex) -> Dimensions:
        """Choose among the fields that SQL may use."""
        usable = {field.name for field in index.fields if field.analysable and '"' not in field.name}
        return cls(
            workload=next((name for name in WORKLOAD_FIELDS if name in usable), ""),
            level=next((name for name in LEVEL_FIELDS if name in usable), ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Counts of a period and of the days before it."""

    counts: Counts
    covered: frozenset[datetime]
    """Buckets before the period of which there is knowledge: the topic had lines about then."""


async def counted(
    search: LogSearch,
    topic_id: str,
    query: str,
    period: Period,
    *,
    bucket: timedelta,
    dimensions: Dimensions,
) -> Counts:
    """Count the lines of a period by bucket and series; buckets begin at the period's start.

    An answer has so many rows at most; a period with more is counted in halves.

    Raises:
        CloudError: As LogSearch raises it.
        InvalidRequest: There are too many series to count.
    """
    origin = _milliseconds(period.start)
    groups = [name for name in (dimensions.workload, dimensions.level) if name]
    columns = "".join(f', "{name}"' for name in groups)
    sql = (
        f"select cast(floor((__TIMESTAMP__ - {origin}) / {bucket // _MILLISECOND}.0) as bigint) as bucket"
        f"{columns}, count(*) as lines group by bucket{columns} limit {MOST_ROWS}"
    )
    table = await search.analyze(topic_id, query, sql, period.start, period.end)
    if len(table.rows) < MOST_ROWS:
        return _read(table, period.start, bucket, dimensions)
    halves = _pieces(period, bucket, 2)
    if len(halves) < 2:
        raise InvalidRequest(
            f"the topic has over {MOST_ROWS} series of {dimensions.workload or 'lines'}: name one as target"
        )
    return _merged(
        [
            await counted(search, topic_id, query, half, bucket=bucket, dimensions=dimensions)
            for half in halves
        ]
    )


async def with_history(
    search: LogSearch,
    topic_id: str,
    query: str,
    period: Period,
    *,
    bucket: timedelta,
    dimensions: Dimensions,
    days: int = DAYS_BACK,
) -> Gathered:
    """Count a period and the same stretch of the days before it, a day at a time.

    Args:
        search: Where the lines lie.
        topic_id: In which topic.
        query: Which lines.
        period: Longer than a day: the days before it are counted whole. A multiple of `bucket` long, and
            `bucket` divides a day.
        bucket: Length of a bucket.
        dimensions: What tells series apart.
        days: How far back.

    Raises:
        CloudError: As LogSearch raises it.
    """
    stretch = min(period.length, _DAY)
    before = [
        Period(start=period.start - back * _DAY, end=period.start - back * _DAY + stretch)
        for back in range(1, days + 1)
    ]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(part: Period) -> Counts:
        async with turns:
            return await counted(search, topic_id, query, part, bucket=bucket, dimensions=dimensions)

    judged = await side_by_side(one(part) for part in _by_days(period))
    # The days before are about as rich: asked at once in pieces that fit into an answer.
    rows = max((sum(len(series) for series in counts.values()) for counts in judged), default=0)
    share = -(-rows // _COMFORTABLE_ROWS) or 1

    async def whole(day: Period) -> Counts:
        return _merged(await side_by_side(one(piece) for piece in _pieces(day, bucket, share)))

    history = await side_by_side(whole(day) for day in before)
    return Gathered(counts=_merged([*judged, *history]), covered=_covered(before, history, bucket))


def _merged(parts: Iterable[Counts]) -> Counts:
    merged: Counts = {}
    for counts in parts:
        for name, series in counts.items():
            merged.setdefault(name, {}).update(series)
    return merged


def _pieces(period: Period, bucket: timedelta, count: int) -> list[Period]:
    """Cut a period into about `count` pieces of whole buckets, one bucket each at least."""
    whole = math.ceil(period.length / bucket)
    step = max(1, math.ceil(whole / count)) * bucket
    parts: list[Period] = []
    start = period.start
    while start < period.end:
        end = min(start + step, period.end)
        parts.append(Period(start=start, end=end))
        start = end
    return parts


def _by_days(period: Period) -> list[Period]:
    return _pieces(period, _DAY, -(-period.length // _DAY))


def _covered(parts: Sequence[Period], answers: Sequence[Counts], bucket: timedelta) -> frozenset[datetime]:
    """Return the buckets of parts that have lines at all; before its first line a topic tells nothing."""
    lines = [at for counts in answers for series in counts.values() for at in series]
    if not lines:
        return frozenset()
    first = min(lines)
    return frozenset(
        at
        for part, counts in zip(parts, answers, strict=True)
        if counts
        for index in range(-(-part.length // bucket))
        if (at := part.start + index * bucket) >= first
    )


def _read(table: AnalysisTable, start: datetime, bucket: timedelta, dimensions: Dimensions) -> Counts:
    counts: Counts = {}
    # One object an instant, for all series: there may be hundreds of thousands of counts.
    instants: dict[int, datetime] = {}
    for row in table.rows:
        number, *groups, lines = row
        values = iter(groups)
        workload = _text(next(values)) if dimensions.workload else ""
        level = _text(next(values)) if dimensions.level else ""
        name = SeriesName(workload=workload, level=level.upper())
        series = counts.setdefault(name, {})
        index = int(number or 0)
        at = instants.setdefault(index, start + index * bucket)
        series[at] = series.get(at, 0) + int(lines or 0)
    return counts


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
