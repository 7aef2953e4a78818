"""SearchLog, its histogram and its context: the actions that read logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mcp_tencent.local_cloud.logs.answers import Order, SearchQuestion, Window
from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax
from mcp_tencent.local_cloud.logs.statement import split_statement
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.tencent.calls import Action, Call, text_of
from mcp_tencent.local_cloud.tencent.cls.log_answers import (
    analysis_answer,
    log_context_info,
    log_info,
    logs_answer,
)
from mcp_tencent.local_cloud.tencent.cls.log_errors import service_errors
from mcp_tencent.local_cloud.tencent.cls.search_context import SearchContexts
from mcp_tencent.local_cloud.tencent.cls.state import CHINA, ClsState, Topic
from mcp_tencent.local_cloud.tencent.errors import ActionError, ApiError, invalid_parameter, invalid_value
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject

MAX_LIMIT = 1000
MAX_QUERY_BYTES = 12 * 1024
MAX_TOPICS = 50
MAX_NEIGHBOURS = 100
MAX_BARS = 200
_MAX_OFFSET = 1_000_000
"""Offset has no documented end; beyond this it can only be a mistake that costs minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The parts of a search that both its halves need."""

    statement: str
    syntax: QuerySyntax
    window: Window
    topics: tuple[Topic, ...]


class SearchActions:
    """Answers searches from the log store."""

    def __init__(self, state: ClsState, logs: LogStore) -> None:
        self._state = state
        self._logs = logs
        self._contexts = SearchContexts(state.clock)

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "SearchLog": self.search_log,
            "DescribeLogHistogram": self.describe_log_histogram,
            "DescribeLogContext": self.describe_log_context,
        }

    def search_log(self, call: Call) -> JsonObject:
        """Find logs, or run an analysis over those found."""
        statement, syntax = read_statement(call)
        asked = _Asked(
            statement=statement, syntax=syntax, window=read_window(call), topics=self._topics(call)
        )
        halves = split_statement(statement)
        if halves.sql is not None:
            with service_errors():
                analysis = self._logs.analyze(_ids(asked), statement, syntax, asked.window)
            new_form = call.flag("UseNewAnalysis")
            answer = analysis_answer(analysis, new_form=new_form)
            return {**answer, "SamplingRate": call.parameters.get("SamplingRate", 1), "Topics": None}
        order, limit = read_order(call), read_limit(call)
        if call.has("Topics"):
            return self._search_topics(call, asked, order, limit)
        topic = asked.topics[0]
        offset, context = call.integer("Offset"), call.text("Context")
        if offset and context:
            raise invalid_parameter("`Offset` and `Context` cannot be used together.")
        if offset > _MAX_OFFSET:
            raise invalid_value("Offset", offset, f"0 to {_MAX_OFFSET}")
        found, after, over = self._page(topic, asked, order, limit, context=context, offset=offset)
        return {**logs_answer(found, after, list_over=over), "SamplingRate": 0, "Topics": None}

    def _page(
        self, topic: Topic, asked: _Asked, order: Order, limit: int, *, context: str = "", offset: int = 0
    ) -> tuple[list[JsonObject], str, bool]:
        """Return a page of one topic's logs, the context of the next page, and whether there is none."""
        key = self._contexts.key(topic.topic_id, asked.statement, asked.syntax, asked.window, order)
        cursor, delivered = self._contexts.resume(context, key, limit) if context else (None, 0)
        with service_errors():
            while offset:
                skipped = self._logs.search(_question(topic, asked, order, min(offset, MAX_LIMIT), cursor))
                cursor, offset = skipped.next_cursor, offset - max(1, len(skipped.logs))
                if skipped.list_over:
                    return [], self._contexts.issue(key, cursor, delivered), True
            found = self._logs.search(_question(topic, asked, order, limit, cursor))
        after = self._contexts.issue(key, found.next_cursor, delivered + len(found.logs))
        return [log_info(log, topic.name) for log in found.logs], after, found.list_over

    def _search_topics(self, call: Call, asked: _Asked, order: Order, limit: int) -> JsonObject:
        """Search several topics, each with its own context; a topic that fails does not fail the others."""
        contexts = {text_of(e, "TopicId"): text_of(e, "Context") for e in call.objects("Topics")}
        results: list[JsonObject] = []
        infos: list[Json] = []
        errors: list[Json] = []
        all_over = True
        for topic in asked.topics:
            context = contexts[topic.topic_id]
            try:
                found, after, over = self._page(topic, asked, order, limit, context=context)
            except ApiError as error:
                errors.append(
                    {"TopicId": topic.topic_id, "ErrorMsg": error.message, "ErrorCodeStr": error.code}
                )
                continue
            results += found
            all_over = all_over and over
            period = topic.settings.get("Period", 30)
            infos.append({"TopicId": topic.topic_id, "Period": period, "Context": after})
        results.sort(key=_time, reverse=order is Order.NEWEST_FIRST)
        answer = logs_answer(results, "", list_over=all_over)
        return {**answer, "SamplingRate": 0, "Topics": {"Errors": errors, "Infos": infos}}

    def describe_log_histogram(self, call: Call) -> JsonObject:
        """Count the matching logs by intervals."""
        statement = _checked_query("Query", call.text("Query"))
        syntax = _syntax("SyntaxRule", call.integer("SyntaxRule", 0))
        window = read_window(call)
        topic = self._state.region(call.region).topic(call.text("TopicId"))
        span = window.to_ms - window.from_ms
        interval = call.integer("Interval", _default_interval(span))
        if interval <= 0 or span / interval > MAX_BARS:
            raise invalid_value("Interval", interval, f"at least (To - From) / {MAX_BARS} milliseconds")
        query = split_statement(statement).query
        with service_errors():
            bars = self._logs.histogram((topic.topic_id,), query, syntax, window, interval)
        return {
            "Interval": interval,
            "TotalCount": sum(bar.count for bar in bars),
            "HistogramInfos": [{"Count": bar.count, "BTime": bar.start_ms} for bar in bars],
        }

    def describe_log_context(self, call: Call) -> JsonObject:
        """Show what the same stream wrote around a log."""
        topic = self._state.region(call.region).topic(call.text("TopicId"))
        _require_local_time("BTime", call.text("BTime"))
        before, after = call.integer("PrevLogs", 10), call.integer("NextLogs", 10)
        for name, value in (("PrevLogs", before), ("NextLogs", after)):
            if not 0 <= value <= MAX_NEIGHBOURS:
                raise invalid_value(name, value, f"0 to {MAX_NEIGHBOURS}")
        if call.text("Query") not in {"", "*"}:
            message = "Filtering a context by `Query` is not imitated here."
            raise ActionError("UnsupportedOperation", message)
        with service_errors():
            found = self._logs.context(
                topic.topic_id, call.text("PkgId"), call.integer("PkgLogId"), before=before, after=after
            )
        start, end = call.integer("From", 0), call.integer("To", 2**63)
        if start >= end:
            raise invalid_parameter("`From` must be before `To`.")
        logs = [log for log in found.logs if start <= log.line.timestamp_ms < end]
        return {
            "LogContextInfos": [log_context_info(log) for log in logs],
            "PrevOver": found.previous_over,
            "NextOver": found.next_over,
        }

    def _topics(self, call: Call) -> tuple[Topic, ...]:
        if call.has("TopicId") == call.has("Topics"):
            raise invalid_parameter("Exactly one of `TopicId` and `Topics` must be given.")
        place = self._state.region(call.region)
        if call.has("TopicId"):
            return (place.topic(call.text("TopicId")),)
        ids = list(dict.fromkeys(text_of(entry, "TopicId") for entry in call.objects("Topics")))
        if not 1 <= len(ids) <= MAX_TOPICS:
            raise invalid_parameter(f"`Topics` must name 1 to {MAX_TOPICS} topics, got {len(ids)}.")
        return tuple(place.topic(topic_id) for topic_id in ids)


def read_statement(call: Call) -> tuple[str, QuerySyntax]:
    """Return a search's statement and syntax; the deprecated `Query` is Lucene unless told otherwise."""
    if call.has("QueryString") or not call.has("Query"):
        statement = _checked_query("QueryString", call.text("QueryString"))
        return statement, _syntax("QuerySyntax", call.integer("QuerySyntax", 1))
    statement = _checked_query("Query", call.text("Query"))
    return statement, _syntax("SyntaxRule", call.integer("SyntaxRule", 0))


def read_window(call: Call) -> Window:
    """Return [From, To), in milliseconds.

    Raises:
        RequestError: the window is empty or lies before 1970.
    """
    start, end = call.integer("From"), call.integer("To")
    if not 0 <= start < end < 2**53:
        raise invalid_parameter("`From` must be before `To`; both are UNIX times in milliseconds.")
    return Window(from_ms=start, to_ms=end)


def read_limit(call: Call) -> int:
    """Return how many logs a page holds.

    Raises:
        RequestError: it is not within 1 to 1000.
    """
    limit = call.integer("Limit", 100)
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid_value("Limit", limit, f"1 to {MAX_LIMIT}")
    return limit


def read_order(call: Call) -> Order:
    """Return the order by time, newest first by default.

    Raises:
        RequestError: it is neither asc nor desc.
    """
    sort = call.text("Sort") or "desc"
    try:
        return Order(sort)
    except ValueError as error:
        raise invalid_value("Sort", sort, "asc or desc") from error


def _checked_query(name: str, query: str) -> str:
    if len(query.encode()) > MAX_QUERY_BYTES:
        raise invalid_parameter(f"`{name}` may have at most {MAX_QUERY_BYTES} bytes.")
    return query


def _syntax(name: str, number: int) -> QuerySyntax:
    match number:
        case 0:
            return QuerySyntax.LUCENE
        case 1:
            return QuerySyntax.CQL
        case _:
            raise invalid_value(name, number, "0 (Lucene) or 1 (CQL)")


def _question(topic: Topic, asked: _Asked, order: Order, limit: int, cursor: str | None) -> SearchQuestion:
    return SearchQuestion(
        topic_ids=(topic.topic_id,),
        query=asked.statement,
        window=asked.window,
        syntax=asked.syntax,
        order=order,
        limit=limit,
        cursor=cursor,
    )


def _ids(asked: _Asked) -> tuple[str, ...]:
    return tuple(topic.topic_id for topic in asked.topics)


def _time(log: JsonObject) -> int:
    time = log["Time"]
    return time if isinstance(time, int) else 0


def _default_interval(span_ms: int) -> int:
    """Return the interval that cuts the window into about sixty bars, on a round number of seconds."""
    return max(1000, -(-span_ms // 60_000) * 1000)


def _require_local_time(name: str, text: str) -> None:
    try:
        datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=CHINA)
    except ValueError as error:
        raise invalid_value(name, text, "a UTC+8 time such as 2026-11-20 08:00:00.000") from error
