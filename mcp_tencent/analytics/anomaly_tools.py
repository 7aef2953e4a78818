"""The tool that finds what is unusual for its hour."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from mcp_tencent.analytics.anomalies import Anomaly, bucket_for, find_anomalies, whole_buckets
from mcp_tencent.analytics.answers import AnomaliesAnswer, AnomalyLine
from mcp_tencent.analytics.baseline import Direction
from mcp_tencent.analytics.counting import Dimensions, Gathered, with_history
from mcp_tencent.analytics.desk import AnalyticsDesk
from mcp_tencent.analytics.evidence import Evidence, evidence_of, series_query
from mcp_tencent.analytics.patterns_drain3 import readable
from mcp_tencent.basic.log_reading import of_each, searched_topics
from mcp_tencent.basic.paging import cut, page_of
from mcp_tencent.basic.parameters import PeriodText
from mcp_tencent.errors import Ambiguous, CloudError, NotFound
from mcp_tencent.naming.located import LocatedTopic
from mcp_tencent.period_words import spoken_count, spoken_instant, spoken_length, spoken_period
from mcp_tencent.periods import Period
from mcp_tencent.serving.declare import ToolSet
from mcp_tencent.side_by_side import side_by_side

LONGEST = timedelta(days=7)
_DAY = timedelta(days=1)
_EXPLAINED = 3
"""So many anomalies are looked into, line by line."""
_DEADLINE_S = 240.0
_EVIDENCE_S = 30.0
_TOPICS_S = 200.0
"""A topic that takes longer is left out, and named: what the others say is told."""
_LEVEL_WORDS = {
    "ERROR": "错误",
    "WARN": "警告",
    "WARNING": "警告",
    "FATAL": "致命错误",
    "INFO": "普通",
    "DEBUG": "调试",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """What a target means."""

    topics: Sequence[LocatedTopic]
    workload: str
    """Only this one; empty: all."""
    label: str
    """How to speak of it; empty: of everything."""
    preface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What was found in one topic."""

    anomalies: list[Anomaly]
    dimensions: Dimensions
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """An anomaly, and where it is."""

    topic: LocatedTopic
    anomaly: Anomaly
    dimensions: Dimensions


def anomaly_tools(desk: AnalyticsDesk) -> ToolSet:
    """Declare the tool."""
    tools = ToolSet(outside="cls")

    @tools.read("发现异常", cache_s=30.0, deadline_s=_DEADLINE_S)
    async def detect_anomalies(
        target: Annotated[
            str | None,
            Field(
                description="Id, name or alias of a log topic, workload or cluster. Left out: everything.",
                min_length=1,
                max_length=200,
            ),
        ] = None,
        period: PeriodText = "24h",
    ) -> AnomaliesAnswer:
        """Find which workloads logged unusually much or little for the hour, and what they say.

        For “有没有什么异常”, “订单服务昨天正常吗”. Each hour (ten minutes in periods up to 3h) is compared
        with the same time of the past 14 days, workdays with workdays. It knows counts only: for a single
        sick workload use diagnose, for raised alarms list_alerts. 7 days at most.

        Example: detect_anomalies(target="订单服务", period="24h").
        """
        asked = desk.short_period(period, LONGEST)
        bucket = bucket_for(asked)
        stretch = whole_buckets(asked, bucket)
        scope = await _scope(desk, target)
        answers, skipped = await of_each(
            scope.topics, lambda one: _judged(desk, one, scope.workload, stretch, bucket), within_s=_TOPICS_S
        )
        found = [
            _Placed(topic=topic, anomaly=anomaly, dimensions=judged.dimensions)
            for topic, judged in answers
            for anomaly in judged.anomalies
        ]
        found.sort(key=lambda one: -one.anomaly.weight)
        explained = await side_by_side(_explained(desk, one) for one in found[:_EXPLAINED])
        evidence = [*explained, *[None] * (len(found) - len(explained))]
        page = page_of(list(zip(found, evidence, strict=True)), lambda pair: _line(desk, *pair))
        days = max((judged.days for _, judged in answers), default=0)
        when = spoken_period(period, asked, desk.zone)
        return AnomaliesAnswer(
            summary=scope.preface + _words(desk, when, scope.label, page.items, len(found), days),
            anomalies=page.items,
            left_out=page.left_out,
            days_compared=days,
            bucket_minutes=int(bucket.total_seconds() // 60),
            skipped=skipped,
        )

    return tools


async def _scope(desk: AnalyticsDesk, target: str | None) -> _Scope:
    """Find out what a target is: a topic, a workload, or a cluster, the surest first."""
    if target is None:
        return _Scope(topics=await searched_topics(desk.naming, None), workload="", label="", preface="")
    try:
        topic = await desk.naming.topic(target, certain=True)
        return _Scope(topics=[topic], workload="", label=topic.alias, preface="")
    except (NotFound, Ambiguous):
        pass
    try:
        cluster = await desk.naming.cluster(target, certain=True)
    except (NotFound, Ambiguous):
        pass
    else:
        written = await desk.clouds.cluster_service(cluster.place).topics(cluster.cluster_id)
        ids = {written.workload_topic_id, written.event_topic_id} - {None}
        topics = [one for one in await searched_topics(desk.naming, None) if one.topic.topic_id in ids]
        if not topics:
            raise NotFound(f"the cluster {cluster.name!r} writes to no log topic")
        return _Scope(topics=topics, workload="", label=cluster.name, preface="")
    located = await desk.naming.workload(target)
    topics = [one for one in await searched_topics(desk.naming, None) if one.place == located.cluster.place]
    return _Scope(
        topics=topics,
        workload=located.workload.ref.name,
        label=located.alias,
        preface=located.preface,
    )


async def _judged(
    desk: AnalyticsDesk, topic: LocatedTopic, workload: str, period: Period, bucket: timedelta
) -> _Judged:
    search, topic_id = desk.search(topic), topic.topic.topic_id
    dimensions = Dimensions.of(await desk.clouds.logs(topic.place).index(topic_id))
    if workload and not dimensions.workload:
        return _Judged(anomalies=[], dimensions=dimensions, days=0)
    query = series_query(dimensions, workload, "")
    gathered = await with_history(search, topic_id, query, period, bucket=bucket, dimensions=dimensions)
    anomalies = find_anomalies(gathered, period, bucket=bucket, zone=desk.zone)
    return _Judged(anomalies=anomalies, dimensions=dimensions, days=_days(gathered, period))


def _days(gathered: Gathered, period: Period) -> int:
    return len({(period.start - at - timedelta(microseconds=1)) // _DAY for at in gathered.covered})


async def _explained(desk: AnalyticsDesk, found: _Placed) -> Evidence | None:
    """Say what an anomaly's lines say; when the cloud fails, or dawdles, the anomaly itself is still told."""
    try:
        async with asyncio.timeout(_EVIDENCE_S):
            return await evidence_of(
                desk.search(found.topic), found.topic.topic.topic_id, found.anomaly, found.dimensions
            )
    except (CloudError, TimeoutError):
        return None


def _line(desk: AnalyticsDesk, found: _Placed, evidence: Evidence | None) -> AnomalyLine:
    first, *others = found.anomaly.episodes
    return AnomalyLine(
        topic=found.topic.topic.name,
        workload=found.anomaly.workload,
        level=first.level,
        direction=first.episode.direction.value,
        start=desk.told(first.episode.start),
        end=desk.told(first.episode.end),
        observed=first.episode.observed,
        expected=round(first.episode.expected, 1),
        score=round(first.episode.score, 1),
        also=[f"{one.level} {one.episode.direction.value}" for one in others][:4],
        patterns=[cut(one.template, 160) for one in evidence.patterns] if evidence else [],
        new=evidence.new if evidence else False,
    )


def _words(
    desk: AnalyticsDesk, when: str, label: str, lines: Sequence[AnomalyLine], count: int, days: int
) -> str:
    if not days:
        return f"{label or '这里'}还没有过去几天的日志，没法判断{when}是不是异常。"
    if not count:
        return f"{when}{label}没有发现异常，和过去{days}天同一时段差不多。"
    return f"{when}{label}发现{count}处异常，最明显的是{_told(desk, lines[0])}。"


def _told(desk: AnalyticsDesk, line: AnomalyLine) -> str:
    start, end = datetime.fromisoformat(line.start), datetime.fromisoformat(line.end)
    at = spoken_instant(start, desk.now(), desk.zone)
    level = _LEVEL_WORDS.get(line.level, line.level)
    more = line.direction == Direction.UP.value
    words = (
        f"{line.workload or line.topic}从{at}起{spoken_length(end - start)}里{level}日志"
        f"{'多到' if more else '少到'}{spoken_count(line.observed)}条，平时{spoken_count(line.expected)}条"
    )
    if line.patterns:
        said = "；".join(cut(readable(pattern), 50) for pattern in line.patterns[:2])
        words += f"，{'新出现了' if line.new else '主要是'}：{said}"
    return words
