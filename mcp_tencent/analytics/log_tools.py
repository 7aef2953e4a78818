"""Tools that say what many log lines mean together: trend, patterns, keywords."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from mcp_tencent.analytics.answers import (
    KeywordLine,
    KeywordsAnswer,
    PatternLine,
    PatternsAnswer,
    TrendAnswer,
)
from mcp_tencent.analytics.baseline import Direction, change_ratio, trend
from mcp_tencent.analytics.desk import AnalyticsDesk
from mcp_tencent.analytics.keywords_jieba import Document, keywords
from mcp_tencent.analytics.pattern_lines import pattern_lines, workload_of
from mcp_tencent.analytics.patterns_drain3 import readable
from mcp_tencent.analytics.sampling import Sample, sampled
from mcp_tencent.analytics.wording import compared, preface
from mcp_tencent.basic.log_reading import check_search, of_each, searched_topics
from mcp_tencent.basic.log_tools import Query, TopicOrAll
from mcp_tencent.basic.paging import cut, page_of
from mcp_tencent.basic.parameters import PeriodText
from mcp_tencent.models.logs import Histogram
from mcp_tencent.naming.located import LocatedTopic
from mcp_tencent.period_words import spoken_count, spoken_instant, spoken_length, spoken_period
from mcp_tencent.periods import Period
from mcp_tencent.serving.declare import ToolSet

LONGEST_READ = timedelta(days=31)
LONGEST_TREND = timedelta(days=92)
_DAY = timedelta(days=1)
_DEADLINE_S = 90.0
_TOPICS_S = 75.0
"""A topic that takes longer is left out, and named: what the others say is told."""
_KEYWORDS = 20


def log_analytics_tools(desk: AnalyticsDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="cls")
    _declare_trend(tools, desk)
    _declare_patterns(tools, desk)
    _declare_keywords(tools, desk)
    return tools


def _declare_trend(tools: ToolSet, desk: AnalyticsDesk) -> None:
    @tools.read("日志趋势", cache_s=20.0, deadline_s=_DEADLINE_S)
    async def log_trend(
        topic: TopicOrAll = None, query: Query = "*", period: PeriodText = "24h"
    ) -> TrendAnswer:
        """Tell whether matching lines become more or fewer, against the same hours of the day before.

        For “错误是不是变多了”, “流量比昨天怎么样”. A period of more than a day is compared with as many days
        before. Counts alone give log_histogram; what is unusual finds detect_anomalies. 92 days at most.

        Example: log_trend(query="level:ERROR", period="24h").
        """
        check_search(query)
        stretch = desk.short_period(period, LONGEST_TREND)
        days = max(1, -(-stretch.length // _DAY))
        earlier = Period(start=stretch.start - days * _DAY, end=stretch.end - days * _DAY)
        topics = await searched_topics(desk.naming, topic)

        async def ask(one: LocatedTopic) -> tuple[Histogram, Histogram]:
            search = desk.search(one)
            now = await search.histogram(one.topic.topic_id, query, stretch.start, stretch.end)
            before = await search.histogram(
                one.topic.topic_id, query, earlier.start, earlier.end, interval=now.interval
            )
            return now, before

        answers, skipped = await of_each(topics, ask, within_s=_TOPICS_S)
        return _trend_answer(
            desk, topics, answers, skipped, when=spoken_period(period, stretch, desk.zone), days=days
        )


def _declare_patterns(tools: ToolSet, desk: AnalyticsDesk) -> None:
    @tools.read("高频日志模式", cache_s=20.0, deadline_s=_DEADLINE_S)
    async def top_patterns(
        topic: TopicOrAll = None,
        period: PeriodText = "24h",
        limit: Annotated[int, Field(description="How many patterns.", ge=1, le=50)] = 10,
        query: Query = "*",
    ) -> PatternsAnswer:
        """List the kinds of lines that come most often; lines that differ only in numbers or ids are one.

        For “日志里最多的是什么”, “主要报哪些错” (query="level:ERROR"). Of very many lines a sample spread
        over the period is looked at, and the counts are estimates. A month at most.

        Example: top_patterns(query="level:ERROR", period="24h", limit=5).
        """
        check_search(query)
        stretch = desk.short_period(period, LONGEST_READ)
        topics = await searched_topics(desk.naming, topic)
        answers, skipped = await of_each(
            topics,
            lambda one: sampled(desk.search(one), one.topic.topic_id, query, stretch),
            within_s=_TOPICS_S,
        )
        samples = [sample for _, sample in answers]
        lines = await asyncio.to_thread(pattern_lines, samples)
        page = page_of(lines[:limit], lambda line: line, most=limit)
        total, taken = sum(one.total for one in samples), sum(one.taken for one in samples)
        when = spoken_period(period, stretch, desk.zone)
        return PatternsAnswer(
            summary=preface(topics) + _patterns_words(when, page.items, total, taken),
            total=total,
            looked_at=taken,
            patterns=page.items,
            left_out=len(lines) - len(page.items),
            skipped=skipped,
        )


def _declare_keywords(tools: ToolSet, desk: AnalyticsDesk) -> None:
    @tools.read("日志关键词", cache_s=20.0, deadline_s=_DEADLINE_S)
    async def extract_keywords(
        topic: TopicOrAll = None, period: PeriodText = "24h", query: Query = "*"
    ) -> KeywordsAnswer:
        """Extract the words that tell most about a period's logs (TF-IDF; Chinese and English).

        For “最近日志里都在说什么”. Words that stand in every line do not count. top_patterns gives
        whole messages instead. A month at most.

        Example: extract_keywords(query="level:ERROR OR level:WARN", period="24h").
        """
        check_search(query)
        stretch = desk.short_period(period, LONGEST_READ)
        topics = await searched_topics(desk.naming, topic)
        answers, skipped = await of_each(
            topics,
            lambda one: sampled(desk.search(one), one.topic.topic_id, query, stretch),
            within_s=_TOPICS_S,
        )
        samples = [sample for _, sample in answers]
        found = await asyncio.to_thread(keywords, _documents(samples), _KEYWORDS)
        names = "、".join(one.word for one in found[:5])
        when = spoken_period(period, stretch, desk.zone)
        return KeywordsAnswer(
            summary=preface(topics)
            + (f"{when}的关键词是{names}。" if found else f"{when}没有可以分析的日志。"),
            total=sum(one.total for one in samples),
            looked_at=sum(one.taken for one in samples),
            keywords=[
                KeywordLine(word=cut(one.word, 60), score=round(one.score, 2), count=round(one.count))
                for one in found
            ],
            skipped=skipped,
        )


def _trend_answer(
    desk: AnalyticsDesk,
    topics: Sequence[LocatedTopic],
    answers: Sequence[tuple[LocatedTopic, tuple[Histogram, Histogram]]],
    skipped: list[str],
    *,
    when: str,
    days: int,
) -> TrendAnswer:
    now = _series([pair[0] for _, pair in answers])
    before = _series([pair[1] for _, pair in answers])
    interval = answers[0][1][0].interval
    total, total_before = sum(now.values()), sum(before.values())
    # A bucket of the day before is usual for its hour: what is left beside it is the trend.
    differences = [float(count - before.get(at - days * _DAY, 0)) for at, count in sorted(now.items())]
    going = trend(differences if total_before else [float(count) for _, count in sorted(now.items())])
    peak = max(now, key=lambda at: now[at], default=None)
    ratio = change_ratio(total, total_before)
    words = f"{when}共{spoken_count(total)}条"
    if total_before:
        than = "前一天同一时段" if days == 1 else f"前{days}天"
        words += "，" + (compared(total, total_before).lstrip("，").replace("之前", than))
    if going.direction is not Direction.STEADY:
        words += f"，并且还在{'变多' if going.direction is Direction.UP else '变少'}"
    if peak is not None and now[peak]:
        at = spoken_instant(peak, desk.now(), desk.zone)
        words += f"，{at}起{spoken_length(interval)}内最多，有{spoken_count(now[peak])}条"
    return TrendAnswer(
        summary=f"{preface(topics)}{words}。",
        total=total,
        total_before=total_before or None,
        change_ratio=None if ratio is None else round(ratio, 3),
        direction=going.direction.value,
        start=desk.told(min(now)) if now else "",
        interval_seconds=interval.total_seconds(),
        counts=[count for _, count in sorted(now.items())],
        peak_at=desk.told(peak) if peak is not None and now[peak] else None,
        peak=now[peak] if peak is not None else 0,
        skipped=skipped,
    )


def _series(histograms: Sequence[Histogram]) -> dict[datetime, int]:
    counts: dict[datetime, int] = {}
    for histogram in histograms:
        for bucket in histogram.buckets:
            counts[bucket.start] = counts.get(bucket.start, 0) + bucket.count
    return counts


def _patterns_words(when: str, lines: Sequence[PatternLine], total: int, taken: int) -> str:
    if not lines:
        return f"{when}没有日志。"
    about = "约" if taken < total else ""
    first = "；".join(
        f"{cut(readable(line.template), 40)}，{about}{spoken_count(line.count)}条" for line in lines[:3]
    )
    looked = f"，抽看了{spoken_count(taken)}条" if taken < total else ""
    return f"{when}共{spoken_count(total)}条日志{looked}，最多的是：{first}。"


def _documents(samples: Sequence[Sample]) -> list[Document]:
    """Return a document for each slice of time and workload."""
    documents: list[Document] = []
    for sample in samples:
        for part in sample.slices:
            texts: dict[str, list[str]] = {}
            for line in part.lines:
                texts.setdefault(workload_of(line), []).append(line.text)
            documents += [Document(texts=each, weight=part.weight) for each in texts.values()]
    return documents
