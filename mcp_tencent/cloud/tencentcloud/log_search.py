"""CLS: looking into log lines."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from tencentcloud.cls.v20201016 import models

from mcp_tencent.cloud.answers import reading
from mcp_tencent.cloud.tencentcloud.caller import TencentCaller, request_of
from mcp_tencent.cloud.tencentcloud.instants import from_milliseconds, to_beijing_text, to_milliseconds
from mcp_tencent.cloud.tencentcloud.log_lines import Cursor, context_line_of, line_of, read_cursor, table_of
from mcp_tencent.cloud.tencentcloud.log_walk import LogWalk
from mcp_tencent.errors import CloudError, InvalidPeriod, InvalidQuery, InvalidRequest, UnexpectedAnswer
from mcp_tencent.models.logs import (
    AnalysisTable,
    Histogram,
    HistogramBucket,
    LogContext,
    LogLine,
    LogPage,
    SortOrder,
)

CQL = 1
"""QuerySyntax and SyntaxRule: CLS Query Language rather than Lucene."""
LARGEST_PAGE = 1000
MOST_BY_CONTEXT = 10_000
CONTEXT_LIFE_SECONDS = 3000.0
"""The service forgets a context after 3600 s; a slow reader searches anew before that."""
LONGEST_QUERY_BYTES = 12 * 1024
MOST_BUCKETS = 200
MOST_AROUND = 100
SEARCHES_AT_ONCE = 10
"""Per topic; the service allows 15 of all its users together."""

_FENCED = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_BUCKET_SECONDS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 604800, 2592000)
_WANTED_BUCKETS = 60


class TencentLogSearch:
    """Implements `LogSearch` on the SDK."""

    def __init__(self, caller: TencentCaller) -> None:
        self._caller = caller
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(SEARCHES_AT_ONCE)
        )

    async def search(
        self,
        topic_id: str,
        query: str,
        start: datetime,
        end: datetime,
        *,
        limit: int = 100,
        order: SortOrder = SortOrder.NEWEST_FIRST,
        cursor: str = "",
    ) -> LogPage:
        """See `LogSearch.search`."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise InvalidRequest(f"limit must be 1 to {LARGEST_PAGE}, got {limit}")
        start_ms, end_ms = _window(start, end)
        asked = Cursor(
            topic_id=topic_id,
            query=_checked_query(query),
            start_ms=start_ms,
            end_ms=end_ms,
            order=order,
            limit=limit,
            read=0,
            context="",
        )
        if cursor:
            asked = read_cursor(cursor)
            if asked.topic_id != topic_id:
                raise InvalidRequest("the cursor belongs to a search of another topic")
        return await self._page(asked)

    async def all_lines(
        self,
        topic_id: str,
        query: str,
        start: datetime,
        end: datetime,
        *,
        order: SortOrder = SortOrder.OLDEST_FIRST,
    ) -> AsyncIterator[LogLine]:
        """See `LogSearch.all_lines`."""
        checked = _checked_query(query)
        walk = LogWalk(*_window(start, end), order)
        left = True
        while left:
            async for page in self._one_search(topic_id, checked, walk, order):
                for line in walk.take(page.lines):
                    yield line
                left = not page.complete
            if left and not walk.search_anew():
                async for lines in self._one_millisecond(topic_id, checked, walk.edge(), order):
                    for line in walk.take(lines):
                        yield line
                left = walk.pass_edge()

    async def _one_search(
        self, topic_id: str, query: str, walk: LogWalk, order: SortOrder
    ) -> AsyncIterator[LogPage]:
        """Yield the pages of one search while the service lets it be continued."""
        began = self._caller.calling.timing.monotonic()
        cursor: str | None = Cursor(
            topic_id=topic_id,
            query=query,
            start_ms=walk.start_ms,
            end_ms=walk.end_ms,
            order=order,
            limit=LARGEST_PAGE,
            read=0,
            context="",
        ).written()
        first = True
        while cursor and self._caller.calling.timing.monotonic() - began < CONTEXT_LIFE_SECONDS:
            try:
                page = await self._page(read_cursor(cursor))
            except CloudError as error:
                if first or error.code != "FailedOperation.InvalidContext":
                    raise
                return
            if not page.lines and not page.complete:
                raise UnexpectedAnswer("a search is said to have more lines, and gives none")
            yield page
            cursor, first = page.cursor, False

    async def _one_millisecond(
        self, topic_id: str, query: str, window: tuple[int, int], order: SortOrder
    ) -> AsyncIterator[list[LogLine]]:
        """Yield pages by offset, which has no end but costs the service more the farther it goes."""
        offset = 0
        while True:
            answer = await self._ask(
                topic_id,
                request_of(
                    models.SearchLogRequest,
                    TopicId=topic_id,
                    QueryString=query,
                    QuerySyntax=CQL,
                    From=window[0],
                    To=window[1],
                    Sort=str(order),
                    Limit=LARGEST_PAGE,
                    Offset=offset,
                    UseNewAnalysis=True,
                ),
            )
            lines = _lines(answer)
            yield lines
            offset += len(lines)
            if answer.ListOver or not lines:
                return

    async def _page(self, asked: Cursor) -> LogPage:
        answer = await self._ask(
            asked.topic_id,
            request_of(
                models.SearchLogRequest,
                TopicId=asked.topic_id,
                QueryString=asked.query,
                QuerySyntax=CQL,
                From=asked.start_ms,
                To=asked.end_ms,
                Sort=str(asked.order),
                Limit=asked.limit,
                Context=asked.context or None,
                UseNewAnalysis=True,
            ),
        )
        lines = tuple(_lines(answer))
        complete = bool(answer.ListOver)
        read = asked.read + len(lines)
        following = ""
        if not complete and answer.Context and read + asked.limit <= MOST_BY_CONTEXT:
            following = Cursor(
                topic_id=asked.topic_id,
                query=asked.query,
                start_ms=asked.start_ms,
                end_ms=asked.end_ms,
                order=asked.order,
                limit=asked.limit,
                read=read,
                context=answer.Context,
            ).written()
        return LogPage(lines=lines, complete=complete, cursor=following)

    async def _ask(self, topic_id: str, request: models.SearchLogRequest) -> Any:  # noqa: ANN401
        async with self._turns[topic_id]:
            answer = await self._caller.read(self._caller.cls.SearchLog, request)
        if answer.Analysis:
            raise InvalidQuery("the query holds an analysis (`| select`): ask for it as an analysis")
        return answer

    async def histogram(
        self, topic_id: str, query: str, start: datetime, end: datetime, *, interval: timedelta | None = None
    ) -> Histogram:
        """See `LogSearch.histogram`."""
        start_ms, end_ms = _window(start, end)
        step_ms = _step(start_ms, end_ms) if interval is None else interval // timedelta(milliseconds=1)
        if step_ms < 1 or (end_ms - start_ms) / step_ms > MOST_BUCKETS:
            raise InvalidRequest(
                f"an interval of {interval} gives over {MOST_BUCKETS} buckets: use a longer one"
            )
        request = request_of(
            models.DescribeLogHistogramRequest,
            TopicId=topic_id,
            Query=_checked_query(query),
            SyntaxRule=CQL,
            From=start_ms,
            To=end_ms,
            Interval=step_ms,
        )
        async with self._turns[topic_id]:
            answer = await self._caller.read(self._caller.cls.DescribeLogHistogram, request)
        with reading("DescribeLogHistogram"):
            buckets = sorted((info.BTime, info.Count) for info in answer.HistogramInfos or ())
            return Histogram(
                interval=timedelta(milliseconds=answer.Interval or step_ms),
                total=answer.TotalCount or 0,
                buckets=tuple(HistogramBucket(start=from_milliseconds(at), count=n) for at, n in buckets),
            )

    async def context(
        self, topic_id: str, pkg_id: str, pkg_log_id: str, at: datetime, *, before: int = 10, after: int = 10
    ) -> LogContext:
        """See `LogSearch.context`."""
        if not (0 <= before <= MOST_AROUND and 0 <= after <= MOST_AROUND):
            raise InvalidRequest(f"before and after must be 0 to {MOST_AROUND}, got {before} and {after}")
        if not pkg_id or not pkg_log_id.isdecimal():
            raise InvalidRequest("a line is named by the pkg_id and pkg_log_id that a search gave")
        request = request_of(
            models.DescribeLogContextRequest,
            TopicId=topic_id,
            BTime=to_beijing_text(at),
            PkgId=pkg_id,
            PkgLogId=int(pkg_log_id),
            PrevLogs=before,
            NextLogs=after,
        )
        answer = await self._caller.read(self._caller.cls.DescribeLogContext, request)
        with reading("DescribeLogContext"):
            lines = tuple(context_line_of(info, topic_id) for info in answer.LogContextInfos or ())
        return LogContext(lines=lines, begins=bool(answer.PrevOver), ends=bool(answer.NextOver))

    async def analyze(
        self, topic_id: str, query: str, sql: str, start: datetime, end: datetime
    ) -> AnalysisTable:
        """See `LogSearch.analyze`."""
        start_ms, end_ms = _window(start, end)
        request = request_of(
            models.SearchLogRequest,
            TopicId=topic_id,
            QueryString=_checked_query(f"{query.strip() or '*'} | {sql.strip()}"),
            QuerySyntax=CQL,
            From=start_ms,
            To=end_ms,
            UseNewAnalysis=True,
        )
        async with self._turns[topic_id]:
            answer = await self._caller.read(self._caller.cls.SearchLog, request)
        if not answer.Analysis:
            raise InvalidQuery("the statement is no analysis: it must begin with select")
        with reading("SearchLog"):
            return table_of(answer)

    async def text_to_query(self, topic_id: str, text: str) -> str:
        """See `LogSearch.text_to_query`."""
        request = request_of(
            models.ChatCompletionsRequest,
            Model="text2sql",
            Messages=[request_of(models.Message, Role="user", Content=text)],
            Stream=False,
            Metadata=[
                request_of(models.MetadataItem, Key="topic_id", Value=topic_id),
                request_of(models.MetadataItem, Key="topic_region", Value=self._caller.place.region),
            ],
        )
        answer = await self._caller.read(self._caller.cls.ChatCompletions, request)
        with reading("ChatCompletions"):
            for choice in answer.Choices or ():
                if choice.Message and choice.Message.Content:
                    return _statement_in(str(choice.Message.Content))
        raise UnexpectedAnswer("the service's model gave no query", request_id=answer.RequestId)


def _lines(answer: Any) -> list[LogLine]:  # noqa: ANN401 - SearchLogResponse of the untyped SDK
    with reading("SearchLog"):
        return [line_of(info) for info in answer.Results or ()]


def _statement_in(answer: str) -> str:
    """Return the statement out of an answer in prose; the model fences it as code."""
    fenced = _FENCED.search(answer)
    return (fenced[1] if fenced else answer).strip()


def _window(start: datetime, end: datetime) -> tuple[int, int]:
    start_ms, end_ms = to_milliseconds(start), to_milliseconds(end)
    if start_ms >= end_ms:
        raise InvalidPeriod(f"the period from {start.isoformat()} to {end.isoformat()} is empty")
    return start_ms, end_ms


def _checked_query(query: str) -> str:
    size = len(query.encode())
    if size > LONGEST_QUERY_BYTES:
        raise InvalidQuery(f"the query has {size} bytes; {LONGEST_QUERY_BYTES} are the most")
    return query.strip() or "*"


def _step(start_ms: int, end_ms: int) -> int:
    length = (end_ms - start_ms) / 1000
    seconds = next((s for s in _BUCKET_SECONDS if length / s <= _WANTED_BUCKETS), _BUCKET_SECONDS[-1])
    return seconds * 1000
