"""The tool that sums up a period's logs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from mcp_tencent.analytics.answers import LevelLine, PatternLine, SummaryAnswer, WorkloadLine
from mcp_tencent.analytics.counting import Counts, Dimensions, counted
from mcp_tencent.analytics.desk import AnalyticsDesk
from mcp_tencent.analytics.evidence import series_query
from mcp_tencent.analytics.pattern_lines import pattern_lines
from mcp_tencent.analytics.patterns_drain3 import readable
from mcp_tencent.analytics.sampling import sampled
from mcp_tencent.analytics.wording import compared, preface
from mcp_tencent.basic.log_reading import of_each, searched_topics
from mcp_tencent.basic.log_tools import TopicOrAll
from mcp_tencent.basic.paging import cut
from mcp_tencent.basic.parameters import PeriodText
from mcp_tencent.naming.located import LocatedTopic
from mcp_tencent.period_words import spoken_count, spoken_period
from mcp_tencent.periods import Period
from mcp_tencent.serving.declare import ToolSet

_LONGEST = timedelta(days=31)
_DEADLINE_S = 90.0
_TOPICS_S = 75.0
"""A topic that takes longer is left out, and named: what the others say is told."""
_ERRORS = ("ERROR", "FATAL", "CRITICAL")
_SUMMARY_PATTERNS = 5


def summary_tools(desk: AnalyticsDesk) -> ToolSet:
    """Declare the tool."""
    tools = ToolSet(outside="cls")
    _declare_summary(tools, desk)
    return tools


def _declare_summary(tools: ToolSet, desk: AnalyticsDesk) -> None:
    @tools.read("日志总结", cache_s=20.0, deadline_s=_DEADLINE_S)
    async def summarize_logs(topic: TopicOrAll = None, period: PeriodText = "24h") -> SummaryAnswer:
        """Summarise a period's logs: lines and errors, whose, compared with before, what the errors say.

        For “今天日志怎么样”, “总结一下昨天的日志”. For reading lines use search_logs; for what is unusual use
        detect_anomalies. A month at most.

        Example: summarize_logs(topic="业务日志", period="yesterday").
        """
        stretch = desk.short_period(period, _LONGEST)
        topics = await searched_topics(desk.naming, topic)
        answers, skipped = await of_each(topics, lambda one: _survey(desk, one, stretch), within_s=_TOPICS_S)
        whole = _merged([survey for _, survey in answers])
        when = spoken_period(period, stretch, desk.zone)
        return SummaryAnswer(
            summary=preface(topics) + _summary_words(when, whole),
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
    words += f"其中错误{spoken_count(whole.errors)}条{compared(whole.errors, whole.errors_before)}"
    name, errors = whole.errors_by.most_common(1)[0] if whole.errors_by else ("", 0)
    if errors:
        words += f"，最多的是{name}，{spoken_count(errors)}条"
    if whole.patterns:
        words += f"，主要是：{cut(readable(whole.patterns[0].template), 60)}"
    return f"{words}。"
