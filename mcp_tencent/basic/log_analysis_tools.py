"""Tools that count over logs by SQL, and that turn a sentence into a query."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, Field

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.log_answers import ColumnLine, QueryAnswer, TableAnswer
from mcp_tencent.basic.log_reading import check_search
from mcp_tencent.basic.log_tools import LINE_CHARACTERS, READ_DEADLINE_S, Query, TopicName
from mcp_tencent.basic.paging import Cursor, cut, page_of
from mcp_tencent.basic.parameters import PeriodText
from mcp_tencent.basic.query_service import query_from_text
from mcp_tencent.errors import InvalidQuery
from mcp_tencent.models.logs import AnalysisTable, Cell
from mcp_tencent.naming.located import LocatedTopic
from mcp_tencent.period_words import spoken_count, spoken_period
from mcp_tencent.serving.declare import ToolSet

_SELECT = re.compile(r"(?:select|with)\b", re.IGNORECASE)


class _Row(BaseModel):
    """A row of a table, to measure it."""

    cells: list[Cell]


def log_analysis_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="cls")
    _declare_analysis(tools, desk)
    return tools


def _declare_analysis(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("分析日志", deadline_s=READ_DEADLINE_S)
    async def analyze_logs(
        topic: TopicName,
        sql: Annotated[
            str,
            Field(
                description="One select over the lines that match `query`; no FROM needed. Fields must be "
                "analysable (describe_index); __TIMESTAMP__ is the time in ms. 100 rows without LIMIT.",
                min_length=1,
                max_length=10_000,
            ),
        ],
        query: Query = "*",
        period: PeriodText = "1h",
        cursor: Cursor = None,
    ) -> TableAnswer:
        """Run a select over the log lines that match a query: counts, groups, percentiles, rankings.

        For “各个服务的错误数”, “最慢的接口”. Not for reading lines: that is search_logs. Nothing but a select
        is accepted.

        Example: analyze_logs(topic="业务日志", query="level:ERROR",
        sql="select workload, count(*) as n group by workload order by n desc limit 10", period="24h").
        """
        check_search(query)
        statement = _one_select(sql)
        stretch = desk.period(period)
        found = await desk.naming.topic(topic)
        try:
            table = await desk.logs(found.place).analyze(
                found.topic.topic_id, query, statement, stretch.start, stretch.end
            )
        except InvalidQuery as error:
            raise _placed(error, query, sql) from error
        return _table(table, found, cursor, spoken_period(period, stretch, desk.zone))

    @tools.read("把话变成查询", deadline_s=READ_DEADLINE_S)
    async def text_to_query(
        text: Annotated[
            str, Field(description="What is wanted, in Chinese or English.", min_length=1, max_length=500)
        ],
        topic: TopicName,
    ) -> QueryAnswer:
        """Turn a sentence into a query for one topic (and SQL, when numbers are wanted); count its matches.

        For “写一个查 503 的语句”, and before search_logs or analyze_logs when all you have is a sentence. The
        cloud's own model is asked first; rules of ours answer where it does not, or where what it wrote does
        not run. It returns no lines.

        Example: text_to_query(text="订单服务里状态码503或者包含“库存不足”的错误", topic="业务日志").
        """
        found = await desk.naming.topic(topic)
        written = await query_from_text(desk.logs(found.place), found.topic.topic_id, text, now=desk.now())
        statement = f"{written.query} | {written.sql}" if written.sql else written.query
        words = f"查询语句：{statement}。最近1小时有{spoken_count(written.matches)}条符合。"
        if written.not_understood:
            words += f"“{cut(written.not_understood, 30)}”没有写进去。"
        return QueryAnswer(
            summary=found.preface + words,
            topic=found.topic.name,
            query=written.query,
            sql=written.sql,
            written_by=written.written_by,
            understood=list(written.understood),
            not_understood=written.not_understood,
            matches_last_hour=written.matches,
        )


def _one_select(sql: str) -> str:
    """Return the statement without a semicolon at its end; the service checks the rest.

    Raises:
        InvalidQuery: It does not begin as a select does.
    """
    statement = sql.strip().rstrip(";").rstrip()
    if not _SELECT.match(statement):
        word = re.match(r"\S*", statement)
        raise InvalidQuery(
            f"sql must be one select, it begins with {cut(word[0] if word else '', 30)!r}: nothing was done",
            position=len(sql) - len(sql.lstrip()),
        )
    return statement


def _placed(error: InvalidQuery, query: str, sql: str) -> InvalidQuery:
    """Say where in which parameter an analysis is wrong: the service counts through `query | sql`."""
    if error.position is None:
        return error
    search = query.strip() or "*"
    begin = len(search) + len(" | ")
    name, text, position = (
        ("sql", sql, error.position - begin + len(sql) - len(sql.lstrip()))
        if error.position >= begin
        else ("query", query, error.position + len(query) - len(query.lstrip()))
    )
    near = text[max(0, position) : position + 20]
    return InvalidQuery(
        f"{name} is wrong at character {position}, near {near!r}: {error.detail}",
        position=position,
        code=error.code,
        request_id=error.request_id,
    )


def _table(table: AnalysisTable, found: LocatedTopic, cursor: str | None, when: str) -> TableAnswer:
    columns = [ColumnLine(name=column.name, type=column.type) for column in table.columns]
    page = page_of(table.rows, lambda row: _Row(cells=[_cell(cell) for cell in row]), cursor=cursor)
    rows = [row.cells for row in page.items]
    return TableAnswer(
        summary=found.preface + _table_words(table, when),
        topic=found.topic.name,
        columns=columns,
        rows=rows,
        left_out=page.left_out,
        cursor=page.cursor,
    )


def _table_words(table: AnalysisTable, when: str) -> str:
    """Say what a table says: a single number as it is, else its first row."""
    if not table.rows:
        return f"{when}没有符合条件的数据。"
    first = "，".join(
        f"{column.name}是{spoken_count(cell) if isinstance(cell, int) else cut(str(cell), 40)}"
        for column, cell in zip(table.columns[:3], table.rows[0], strict=False)
    )
    if len(table.rows) == 1:
        return f"{when}，{first}。"
    return f"{when}共{len(table.rows)}行结果，第一行{first}。"


def _cell(cell: Cell) -> Cell:
    return cut(cell, LINE_CHARACTERS) if isinstance(cell, str) else cell
