"""Tools that look into logs: search, histogram, context."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.lengths import parse_length
from mcp_tencent.basic.log_answers import (
    ContextAnswer,
    ContextEntry,
    HistogramAnswer,
    LogEntry,
    LogsAnswer,
)
from mcp_tencent.basic.log_reading import (
    Asked,
    bookmark_after,
    check_search,
    level_of,
    of_each,
    origin_of,
    read_bookmark,
    search_topics,
    searched_topics,
)
from mcp_tencent.basic.paging import LIST_BYTES, cut, page_of
from mcp_tencent.basic.parameters import PeriodText
from mcp_tencent.errors import InvalidPeriod
from mcp_tencent.models.logs import (
    Histogram,
    HistogramBucket,
    LogContext,
    LogLine,
    SortOrder,
)
from mcp_tencent.naming.located import LocatedTopic
from mcp_tencent.period_words import spoken_count, spoken_instant, spoken_length, spoken_period
from mcp_tencent.serving.declare import ToolSet

LINE_CHARACTERS = 300
_FULL_BYTES = 200_000
READ_DEADLINE_S = 40.0
_SECOND = timedelta(seconds=1)

TopicOrAll = Annotated[
    str | None,
    Field(
        description="Id, name or alias of a log topic, e.g. 业务日志. Left out: the default one, else all.",
        min_length=1,
        max_length=200,
    ),
]
TopicName = Annotated[
    str,
    Field(description="Id, name or alias of a log topic, e.g. 业务日志.", min_length=1, max_length=200),
]
Query = Annotated[
    str,
    Field(
        description='Search in CQL: `level:ERROR AND "库存不足"`, `status:>=500`, `NOT path:"/healthz"`; `*` '
        "for every line. AND, OR and NOT are written out; fields must be indexed (describe_index).",
        max_length=12_000,
    ),
]
Full = Annotated[
    bool, Field(description="Give whole lines, and all that was asked for, even where it takes over 4 kB.")
]


def log_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="cls")
    _declare_search(tools, desk)
    _declare_histogram(tools, desk)
    _declare_context(tools, desk)
    return tools


def _declare_search(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("搜索日志", deadline_s=READ_DEADLINE_S)
    async def search_logs(
        topic: TopicOrAll = None,
        query: Query = "*",
        period: PeriodText = "1h",
        limit: Annotated[int, Field(description="Lines of a page at most.", ge=1, le=200)] = 20,
        sort: Annotated[
            Literal["asc", "desc"], Field(description="asc: oldest first; desc: newest first.")
        ] = "desc",
        full: Full = False,
        cursor: Annotated[
            str | None, Field(description="`cursor` of the answer before.", max_length=100_000)
        ] = None,
    ) -> LogsAnswer:
        """Find log lines of a period, in one topic or in all of them, and count how many match.

        For “最近一小时的错误日志”, “查有没有库存不足”. For counts by field use analyze_logs, over time
        log_histogram, for what many lines have in common top_patterns. If you have a sentence and no query
        yet, use text_to_query first. Long lines are cut; log_context shows what stands around a line.

        Example: search_logs(topic="业务日志", query="level:ERROR AND 库存不足", period="1h").
        """
        check_search(query)
        asked = Asked(
            query=query,
            period=desk.period(period),
            order=SortOrder(sort),
            limit=limit,
            bookmark=read_bookmark(cursor) if cursor else None,
        )
        topics = await searched_topics(desk.naming, topic)
        found, skipped = await search_topics(desk, topics, asked)
        total = await _total(desk, topics, asked)
        characters, room = (10_000, _FULL_BYTES) if full else (LINE_CHARACTERS, LIST_BYTES)
        page = page_of(
            found, lambda pair: _entry(desk, *pair, characters), budget_bytes=room, most=len(found) or 1
        )
        shown = [line for _, line in found[: len(page.items)]]
        mark = bookmark_after(shown, asked) if shown else None
        left = max(0, total - mark.shown, page.left_out) if mark else 0
        when = spoken_period(period, asked.period, desk.zone)
        return LogsAnswer(
            summary=_preface(topics) + _found_words(desk, when, total, shown, sort),
            total=total,
            lines=page.items,
            skipped=skipped,
            left_out=left,
            cursor=mark.written() if mark and left else None,
        )


def _declare_histogram(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("日志数量走势", deadline_s=READ_DEADLINE_S)
    async def log_histogram(
        topic: TopicOrAll = None,
        query: Query = "*",
        period: PeriodText = "1h",
        interval: Annotated[
            str | None,
            Field(
                description='Length of a bucket, e.g. "1m" or "1h"; chosen when left out; at most 200.',
                max_length=20,
            ),
        ] = None,
    ) -> HistogramAnswer:
        """Count the lines that match a query, in equal steps of time, and tell when they were most.

        For “错误是什么时候多起来的”. It counts only; log_trend compares with the days before, and
        detect_anomalies says whether a count is unusual.

        Example: log_histogram(query="level:ERROR", period="24h", interval="1h").
        """
        check_search(query)
        stretch = desk.period(period)
        step = None if interval is None else parse_length("interval", interval)
        topics = await searched_topics(desk.naming, topic)

        async def ask(one: LocatedTopic) -> Histogram:
            return await desk.logs(one.place).histogram(
                one.topic.topic_id, query, stretch.start, stretch.end, interval=step
            )

        answers, skipped = await of_each(topics, ask)
        whole = _summed([histogram for _, histogram in answers])
        peak = max(whole.buckets, key=lambda bucket: bucket.count, default=None)
        when = spoken_period(period, stretch, desk.zone)
        words = f"{when}共{spoken_count(whole.total)}条日志符合。"
        if peak is not None and peak.count:
            at = spoken_instant(peak.start, desk.now(), desk.zone)
            length = spoken_length(whole.interval)
            most = f"{at}起{length}内最多，有{spoken_count(peak.count)}条"
            words = f"{when}共{spoken_count(whole.total)}条，{most}。"
        return HistogramAnswer(
            summary=_preface(topics) + words,
            total=whole.total,
            start=desk.told(whole.buckets[0].start if whole.buckets else stretch.start) or "",
            interval_seconds=whole.interval.total_seconds(),
            counts=[bucket.count for bucket in whole.buckets],
            peak_at=desk.told(peak.start) if peak and peak.count else None,
            peak=peak.count if peak else 0,
            skipped=skipped,
        )


def _declare_context(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("日志上下文", deadline_s=READ_DEADLINE_S)
    async def log_context(
        topic: TopicName,
        pkg_id: Annotated[str, Field(description="Of a line that search_logs found.", max_length=200)],
        pkg_log_id: Annotated[str, Field(description='Likewise; "0" is a valid one.', pattern=r"^\d{1,20}$")],
        time: Annotated[str, Field(description="Likewise: its `time`, ISO 8601 with offset.", max_length=40)],
        before: Annotated[int, Field(description="Lines before it.", ge=0, le=100)] = 10,
        after: Annotated[int, Field(description="Lines after it.", ge=0, le=100)] = 10,
        full: Full = False,
    ) -> ContextAnswer:
        """Show what the same program wrote right before and after one log line.

        For “前后还有什么”, after search_logs has given the line's `time`, `pkg_id` and `pkg_log_id`.

        Example: log_context(topic="业务日志", pkg_id="5F3A-1C", pkg_log_id="0",
        time="2026-11-20T13:04:05.123+08:00").
        """
        at = _instant(time)
        found = await desk.naming.topic(topic)
        context = await desk.logs(found.place).context(
            found.topic.topic_id, pkg_id, pkg_log_id, at, before=before, after=after
        )
        lines = _around(context, pkg_id, pkg_log_id, at, full=full)
        index = next((number for number, line in enumerate(lines) if _is(line, pkg_id, pkg_log_id, at)), 0)
        return ContextAnswer(
            summary=f"{found.preface}这条日志之前{index}条、之后{max(0, len(lines) - index - 1)}条。",
            topic=found.topic.name,
            lines=[
                ContextEntry(
                    time=_milliseconds(desk, line.at),
                    text=cut(line.text, 10_000 if full else LINE_CHARACTERS),
                    here=_is(line, pkg_id, pkg_log_id, at),
                )
                for line in lines
            ],
            begins=context.begins,
            ends=context.ends,
            left_out=len(context.lines) - len(lines),
        )


async def _total(desk: BasicDesk, topics: Sequence[LocatedTopic], asked: Asked) -> int:
    """Return how many lines match in the whole period, over all topics that can be searched so."""
    mark = asked.bookmark
    start, end = (mark.start, mark.end) if mark else (asked.period.start, asked.period.end)

    async def ask(one: LocatedTopic) -> int:
        histogram = await desk.logs(one.place).histogram(one.topic.topic_id, asked.query, start, end)
        return histogram.total

    counts, _ = await of_each(topics, ask)
    return sum(count for _, count in counts)


def _entry(desk: BasicDesk, topic: LocatedTopic, line: LogLine, characters: int) -> LogEntry:
    return LogEntry(
        time=_milliseconds(desk, line.at),
        topic=topic.topic.name,
        level=level_of(line),
        origin=origin_of(line),
        text=cut(line.text, characters),
        pkg_id=line.pkg_id,
        pkg_log_id=line.pkg_log_id,
    )


def _found_words(desk: BasicDesk, when: str, total: int, shown: Sequence[LogLine], sort: str) -> str:
    if not shown:
        return (
            f"{when}没有找到符合条件的日志。"
            if not total
            else f"{when}共{spoken_count(total)}条，没有更多了。"
        )
    first = spoken_instant(shown[0].at, desk.now(), desk.zone)
    end = "最新" if sort == "desc" else "最早"
    more = f"，先看{len(shown)}条" if total > len(shown) else ""
    origin = origin_of(shown[0])
    whose = f"，来自{origin}" if origin else ""
    return f"{when}找到{spoken_count(total)}条日志{more}，{end}一条在{first}{whose}。"


def _preface(topics: Sequence[LocatedTopic]) -> str:
    return topics[0].preface if len(topics) == 1 else ""


def _summed(histograms: Sequence[Histogram]) -> Histogram:
    """Add up histograms of one period, whose buckets are the same."""
    counts: dict[datetime, int] = {}
    for histogram in histograms:
        for bucket in histogram.buckets:
            counts[bucket.start] = counts.get(bucket.start, 0) + bucket.count
    return Histogram(
        interval=histograms[0].interval,
        total=sum(histogram.total for histogram in histograms),
        buckets=tuple(HistogramBucket(start=at, count=counts[at]) for at in sorted(counts)),
    )


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as exc:
        raise InvalidPeriod(
            f"the time {text!r} is not ISO 8601, such as 2026-11-20T13:04:05.123+08:00"
        ) from exc
    if at.tzinfo is None:
        raise InvalidPeriod(f"the time {text!r} has no offset, such as +08:00 at its end")
    return at


def _is(line: LogLine, pkg_id: str, pkg_log_id: str, at: datetime) -> bool:
    return line.pkg_id == pkg_id and line.pkg_log_id == pkg_log_id and abs(line.at - at) < _SECOND


def _around(
    context: LogContext, pkg_id: str, pkg_log_id: str, at: datetime, *, full: bool
) -> Sequence[LogLine]:
    """Return the lines nearest to the one asked for, as many as have room."""
    lines = list(context.lines)
    if full:
        return lines
    weights = [len(cut(line.text, LINE_CHARACTERS).encode()) + 80 for line in lines]
    centre = next((number for number, line in enumerate(lines) if _is(line, pkg_id, pkg_log_id, at)), 0)
    low = high = centre
    room = LIST_BYTES - (weights[centre] if lines else 0)
    while lines:
        grown = [n for n in (low - 1, high + 1) if 0 <= n < len(lines) and weights[n] <= room]
        if not grown:
            break
        nearest = min(grown, key=lambda number: abs(number - centre))
        room -= weights[nearest]
        low, high = min(low, nearest), max(high, nearest)
    return lines[low : high + 1]


def _milliseconds(desk: BasicDesk, at: datetime) -> str:
    return at.astimezone(desk.zone).isoformat(timespec="milliseconds")
