"""Tools that say what many log lines mean together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from mcp_tencent.analytics.answers import (
    KeywordLine,
    KeywordsAnswer,
    LevelLine,
    PatternLine,
    PatternsAnswer,
    SummaryAnswer,
    TrendAnswer,
    WorkloadLine,
)
from mcp_tencent.analytics.baseline import Direction, change_ratio, trend
from mcp_tencent.analytics.counting import Counts, Dimensions, counted
from mcp_tencent.analytics.desk import AnalyticsDesk
from mcp_tencent.analytics.evidence import series_query
from mcp_tencent.analytics.keywords_jieba import Document, keywords
from mcp_tencent.analytics.patterns_drain3 import Pattern, PatternMiner, readable
from mcp_tencent.analytics.sampling import Sample, sampled
from mcp_tencent.basic.log_reading import check_search, level_of, of_each, searched_topics
from mcp_tencent.basic.log_tools import Query, TopicOrAll
from mcp_tencent.basic.paging import cut, page_of
from mcp_tencent.basic.parameters import PeriodText
from mcp_tencent.errors import InvalidPeriod
from mcp_tencent.models.logs import Histogram, LogLine
from mcp_tencent.naming.located import LocatedTopic
from mcp_tencent.period_words import spoken_count, spoken_instant, spoken_length, spoken_period
from mcp_tencent.periods import Period
from mcp_tencent.serving.declare import ToolSet

LONGEST_READ = timedelta(days=31)
LONGEST_TREND = timedelta(days=92)
_DAY = timedelta(days=1)
_DEADLINE_S = 90.0
_ERRORS = ("ERROR", "FATAL", "CRITICAL")
_SUMMARY_PATTERNS = 5
_KEYWORDS = 20
_EXAMPLE = 160
_WORKLOADS = ("workload", "__TAG__.pod_label_app", "service", "app")


def log_analytics_tools(desk: AnalyticsDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="cls")
    _declare_summary(tools, desk)
    _declare_trend(tools, desk)
    _declare_patterns(tools, desk)
    _declare_keywords(tools, desk)
    return tools


def checked_period(desk: AnalyticsDesk, text: str, longest: timedelta) -> Period:
    """Return a period that is not too long for what is asked.

    Raises:
        InvalidPeriod: It cannot be understood, or is longer than `longest`.
    """
    period = desk.period(text)
    if period.length > longest:
        raise InvalidPeriod(
            f"the period {text!r} is {period.length.days} days long; {longest.days} are the most here"
        )
    return period


def _declare_summary(tools: ToolSet, desk: AnalyticsDesk) -> None:
    @tools.read("日志总结", cache_s=20.0, deadline_s=_DEADLINE_S)
    async def summarize_logs(topic: TopicOrAll = None, period: PeriodText = "24h") -> SummaryAnswer:
        """Summarise a period's logs: lines and errors, whose, compared with before, what the errors say.

        For “今天日志怎么样”, “总结一下昨天的日志”. For reading lines use search_logs; for what is unusual use
        detect_anomalies. A month at most.

        Example: summarize_logs(topic="业务日志", period="yesterday").
        """
        stretch = checked_period(desk, period, LONGEST_READ)
        topics = await searched_topics(desk.naming, topic)
        answers, skipped = await of_each(topics, lambda one: _survey(desk, one, stretch))
        whole = _merged([survey for _, survey in answers])
        when = spoken_period(period, stretch, desk.zone)
        return SummaryAnswer(
            summary=_preface(topics) + _summary_words(when, whole),
            topics=[one.topic.name for one, _ in answers][:20],
            total=whole.total,
            errors=whole.errors,
            total_before=whole.total_before,
            errors_before=whole.errors_before,
            levels=[LevelLine(level=level, count=count) for level, count in whole.levels.most_common(8)],
            workloads=_workload_lines(whole),
            error_patterns=whole.patterns,
            estimated=whole.estimated,
            skipped=skipped,
        )


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
        stretch = checked_period(desk, period, LONGEST_TREND)
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

        answers, skipped = await of_each(topics, ask)
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
        stretch = checked_period(desk, period, LONGEST_READ)
        topics = await searched_topics(desk.naming, topic)
        answers, skipped = await of_each(
            topics, lambda one: sampled(desk.search(one), one.topic.topic_id, query, stretch)
        )
        samples = [sample for _, sample in answers]
        lines = await asyncio.to_thread(pattern_lines, samples)
        page = page_of(lines[:limit], lambda line: line, most=limit)
        total, taken = sum(one.total for one in samples), sum(one.taken for one in samples)
        when = spoken_period(period, stretch, desk.zone)
        return PatternsAnswer(
            summary=_preface(topics) + _patterns_words(when, page.items, total, taken),
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
        stretch = checked_period(desk, period, LONGEST_READ)
        topics = await searched_topics(desk.naming, topic)
        answers, skipped = await of_each(
            topics, lambda one: sampled(desk.search(one), one.topic.topic_id, query, stretch)
        )
        samples = [sample for _, sample in answers]
        found = await asyncio.to_thread(keywords, _documents(samples), _KEYWORDS)
        names = "、".join(one.word for one in found[:5])
        when = spoken_period(period, stretch, desk.zone)
        return KeywordsAnswer(
            summary=_preface(topics)
            + (f"{when}的关键词是{names}。" if found else f"{when}没有可以分析的日志。"),
            total=sum(one.total for one in samples),
            looked_at=sum(one.taken for one in samples),
            keywords=[
                KeywordLine(word=cut(one.word, 60), score=round(one.score, 2), count=round(one.count))
                for one in found
            ],
            skipped=skipped,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Survey:
    """What was counted in one topic, or in several."""

    levels: Counter[str]
    lines_by: Counter[str]
    errors_by: Counter[str]
    total_before: int
    errors_before: int
    patterns: list[PatternLine]
    estimated: bool

    @property
    def total(self) -> int:
        """How many lines there are."""
        return self.levels.total()

    @property
    def errors(self) -> int:
        """How many of them are errors."""
        return sum(self.levels[level] for level in _ERRORS)


async def _survey(desk: AnalyticsDesk, topic: LocatedTopic, period: Period) -> _Survey:
    search, topic_id = desk.search(topic), topic.topic.topic_id
    dimensions = Dimensions.of(await desk.clouds.logs(topic.place).index(topic_id))
    earlier = Period(start=period.start - period.length, end=period.start)
    counts = await counted(search, topic_id, "*", period, bucket=period.length, dimensions=dimensions)
    before = await counted(search, topic_id, "*", earlier, bucket=period.length, dimensions=dimensions)
    levels, lines_by, errors_by = _tallied(counts)
    levels_before, _, _ = _tallied(before)
    patterns: list[PatternLine] = []
    estimated = False
    if any(levels[level] for level in _ERRORS):
        query = " OR ".join(series_query(dimensions, "", level) for level in _ERRORS if levels[level])
        sample = await sampled(search, topic_id, query, period)
        patterns = (await asyncio.to_thread(pattern_lines, [sample]))[:_SUMMARY_PATTERNS]
        estimated = not sample.complete
    return _Survey(
        levels=levels,
        lines_by=lines_by,
        errors_by=errors_by,
        total_before=levels_before.total(),
        errors_before=sum(levels_before[level] for level in _ERRORS),
        patterns=patterns,
        estimated=estimated,
    )


def _tallied(counts: Counts) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Return lines by level, lines by workload, errors by workload."""
    levels: Counter[str] = Counter()
    lines_by: Counter[str] = Counter()
    errors_by: Counter[str] = Counter()
    for name, series in counts.items():
        lines = sum(series.values())
        levels[name.level] += lines
        if name.workload:
            lines_by[name.workload] += lines
            errors_by[name.workload] += lines if name.level in _ERRORS else 0
    return levels, lines_by, errors_by


def _merged(surveys: Sequence[_Survey]) -> _Survey:
    levels: Counter[str] = Counter()
    lines_by: Counter[str] = Counter()
    errors_by: Counter[str] = Counter()
    for one in surveys:
        levels.update(one.levels)
        lines_by.update(one.lines_by)
        errors_by.update(one.errors_by)
    patterns = sorted((line for one in surveys for line in one.patterns), key=lambda line: -line.count)
    return _Survey(
        levels=levels,
        lines_by=lines_by,
        errors_by=errors_by,
        total_before=sum(one.total_before for one in surveys),
        errors_before=sum(one.errors_before for one in surveys),
        patterns=patterns[:_SUMMARY_PATTERNS],
        estimated=any(one.estimated for one in surveys),
    )


def _workload_lines(whole: _Survey) -> list[WorkloadLine]:
    names = sorted(whole.lines_by, key=lambda name: (-whole.errors_by[name], -whole.lines_by[name], name))
    return [
        WorkloadLine(workload=name, count=whole.lines_by[name], errors=whole.errors_by[name])
        for name in names[:8]
    ]


def _summary_words(when: str, whole: _Survey) -> str:
    if not whole.total:
        return f"{when}没有日志。"
    words = f"{when}共{spoken_count(whole.total)}条日志，"
    if not whole.errors:
        return f"{words}没有错误。"
    words += f"其中错误{spoken_count(whole.errors)}条{_compared(whole.errors, whole.errors_before)}"
    name, errors = whole.errors_by.most_common(1)[0] if whole.errors_by else ("", 0)
    if errors:
        words += f"，最多的是{name}，{spoken_count(errors)}条"
    if whole.patterns:
        words += f"，主要是：{cut(readable(whole.patterns[0].template), 60)}"
    return f"{words}。"


def _compared(now: int, before: int) -> str:
    change = change_ratio(now, before)
    if change is None:
        return "，之前没有" if now else ""
    if abs(change) < 0.1:
        return "，和之前差不多"
    if change >= 2:
        return f"，是之前的{now / before:.0f}倍"
    return f"，比之前{'多' if change > 0 else '少'}{abs(change):.0%}"


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
        words += "，" + (_compared(total, total_before).lstrip("，").replace("之前", than))
    if going.direction is not Direction.STEADY:
        words += f"，并且还在{'变多' if going.direction is Direction.UP else '变少'}"
    if peak is not None and now[peak]:
        at = spoken_instant(peak, desk.now(), desk.zone)
        words += f"，{at}起{spoken_length(interval)}内最多，有{spoken_count(now[peak])}条"
    return TrendAnswer(
        summary=f"{_preface(topics)}{words}。",
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


def pattern_lines(samples: Sequence[Sample]) -> list[PatternLine]:
    """Return the patterns of samples, most frequent first, each with its usual level and workload."""
    miner = PatternMiner()
    origins: dict[int, Counter[tuple[str, str]]] = {}
    examples: dict[str, int] = {}
    total = 0.0
    for sample in samples:
        for part in sample.slices:
            for line in part.lines:
                number = miner.add(line.text, part.weight)
                origins.setdefault(number, Counter())[level_of(line), _workload_of(line)] += 1
                examples.setdefault(line.text.strip()[:1000], number)
                total += part.weight
    return [_pattern_line(one, origins.get(examples.get(one.example, -1)), total) for one in miner.patterns()]


def _pattern_line(pattern: Pattern, origins: Counter[tuple[str, str]] | None, total: float) -> PatternLine:
    level, workload = origins.most_common(1)[0][0] if origins else ("", "")
    return PatternLine(
        template=cut(pattern.template, 200),
        count=max(1, round(pattern.count)),
        share=round(pattern.count / total, 4) if total else 0.0,
        level=level,
        workload=workload,
        example=cut(pattern.example, _EXAMPLE),
    )


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
                texts.setdefault(_workload_of(line), []).append(line.text)
            documents += [Document(texts=each, weight=part.weight) for each in texts.values()]
    return documents


def _workload_of(line: LogLine) -> str:
    return next((line.fields[name] for name in _WORKLOADS if line.fields.get(name)), "")


def _preface(topics: Sequence[LocatedTopic]) -> str:
    return topics[0].preface if len(topics) == 1 else ""
