"""A sentence as a query that runs: the cloud's own model first, our rules where it does not answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from mcp_tencent.basic.query_writing import statement_in, write_query
from mcp_tencent.errors import CloudError, InvalidQuery, NotFound
from mcp_tencent.ports import LogSearch, LogService

MODEL_PATIENCE_S = 8.0
_TRIED_ON = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedQuery:
    """A query that was run once."""

    query: str
    sql: str
    written_by: str
    """service or rules."""
    matches: int
    """Lines in the last hour."""
    understood: tuple[str, ...] = ()
    not_understood: str = ""


async def query_from_text(logs: LogService, topic_id: str, text: str, *, now: datetime) -> TriedQuery:
    """Write a query for a topic and try it on the last hour.

    Raises:
        CloudError: The topic cannot be asked at all.
    """
    index = await logs.index(topic_id)
    if (statement := await _from_service(logs, topic_id, text)) is not None:
        try:
            return await _tried(logs, topic_id, TriedQuery(
                query=statement[0], sql=statement[1], written_by="service", matches=0
            ), now)  # fmt: skip
        except InvalidQuery:
            pass  # the model named a field that is not there, or compared text: the rules know the index
    written = write_query(text, index.fields)
    drafted = TriedQuery(
        query=written.query,
        sql=written.sql,
        written_by="rules",
        matches=0,
        understood=written.understood,
        not_understood=written.not_understood,
    )
    return await _tried(logs, topic_id, drafted, now)


async def _from_service(logs: LogSearch, topic_id: str, text: str) -> tuple[str, str] | None:
    try:
        async with asyncio.timeout(MODEL_PATIENCE_S):
            return statement_in(await logs.text_to_query(topic_id, text))
    except NotFound:
        raise
    except (CloudError, TimeoutError):
        return None  # not offered in this region, out of quota, too slow: the rules answer


async def _tried(logs: LogSearch, topic_id: str, drafted: TriedQuery, now: datetime) -> TriedQuery:
    start = now - _TRIED_ON
    histogram = await logs.histogram(topic_id, drafted.query, start, now)
    if drafted.sql:
        await logs.analyze(topic_id, drafted.query, drafted.sql, start, now)
    return TriedQuery(
        query=drafted.query,
        sql=drafted.sql,
        written_by=drafted.written_by,
        matches=histogram.total,
        understood=drafted.understood,
        not_understood=drafted.not_understood,
    )
