"""The analysis half of a statement: Presto's SQL, checked, rewritten for DuckDB and run.

Functions and time zones follow Tencent Cloud's pages on CLS SQL: `histogram` and `time_series` count time in
UTC+8, all else in UTC; a statement without LIMIT returns 100 rows; the table is implied.
"""

# ruff: noqa: S608 - SQL is written here; what people write reaches it as literals or checked trees only
from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from mcp_tencent.local_cloud.logs.answers import Analysis, Cell, Column, Window
from mcp_tencent.local_cloud.logs.errors import AnalysisRejected, SqlSyntaxError
from mcp_tencent.local_cloud.logs.indexing import (
    CONTENT,
    FILENAME,
    HOSTNAME,
    SOURCE,
    TIMESTAMP,
    TopicIndex,
    ValueType,
)
from mcp_tencent.local_cloud.logs.presto_sqlglot import to_duckdb
from mcp_tencent.local_cloud.logs.query.predicate import Columns
from mcp_tencent.local_cloud.logs.tables_duckdb import LogTables
from mcp_tencent.local_cloud.logs.time_series import Series

_SQL_TYPES = {ValueType.TEXT: "VARCHAR", ValueType.LONG: "BIGINT", ValueType.DOUBLE: "DOUBLE"}
_BUILT_IN = {
    TIMESTAMP: ("BIGINT", "ts"),
    CONTENT: ("VARCHAR", "text"),
    SOURCE: ("VARCHAR", f'"{SOURCE}"'),
    FILENAME: ("VARCHAR", f'"{FILENAME}"'),
    HOSTNAME: ("VARCHAR", f'"{HOSTNAME}"'),
}
_RESULT_TYPES = {
    "HUGEINT": "bigint",
    "UBIGINT": "bigint",
    "UHUGEINT": "bigint",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "FLOAT": "double",
}
_MISSING_NAME = re.compile(r'(?:column|function|name) (?:with name )?"?([\w.]+)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledAnalysis:
    """An analysis that was understood and is harmless."""

    sql: str
    """In DuckDB's dialect; reads from `log`."""
    offset: int
    """Where the analysis begins in the statement."""
    written: str
    """As it was asked."""
    series: Series | None
    """Set when missing times are to be filled in."""
    declared: tuple[tuple[str, str], ...]
    """Columns of `log` as (name, type)."""

    def source(self, lines: str, condition: str, index: TopicIndex, columns: Columns) -> str:
        """Return a sub-select that shows one topic's lines as `log` declares them."""
        shown = [f"{_place(name, kind, index, columns)} AS {_quoted(name)}" for name, kind in self.declared]
        origin_wanted = any(
            name not in (TIMESTAMP, CONTENT) and name not in columns.fields for name, _ in self.declared
        )
        joined = f"{lines} AS line JOIN origins USING (origin)" if origin_wanted else lines
        return f"SELECT {', '.join(shown)} FROM {joined} WHERE {condition}"

    def run(self, tables: LogTables, sources: Sequence[str], window: Window) -> Analysis:
        """Run it over the union of `sources`.

        Raises:
            SqlSyntaxError: an unknown column or function, or types that do not fit.
            AnalysisFailed, AnalysisTooExpensive: see LogTables.table.
        """
        nothing = ", ".join(f"NULL::{kind} AS {_quoted(name)}" for name, kind in self.declared)
        log = " UNION ALL ".join(sources) if sources else f"SELECT {nothing} WHERE false"
        try:
            columns, rows = tables.table(_with_table("log", log, self.sql))
        except AnalysisRejected as error:
            raise self._explained(str(error)) from error
        named = tuple(Column(name=name, type=_type_name(kind)) for name, kind in columns)
        cells = [tuple(_cell(value) for value in row) for row in rows]
        if self.series is not None:
            cells = self.series.filled(cells, len(named), window)
        return Analysis(columns=named, rows=tuple(cells))

    def _explained(self, message: str) -> SqlSyntaxError:
        """Point at the name that the database could not resolve."""
        match = _MISSING_NAME.search(message)
        if match is None:
            return SqlSyntaxError(message, self.offset)
        found = re.search(rf"(?<!\w){re.escape(match[1])}(?!\w)", self.written, re.IGNORECASE)
        return SqlSyntaxError(message, self.offset + (found.start() if found else 0))


def compile_analysis(sql: str, offset: int, indexes: Sequence[TopicIndex], now_ms: int) -> CompiledAnalysis:
    """Check the analysis half and rewrite it for DuckDB.

    Raises:
        SqlSyntaxError: it is no SELECT, reads from elsewhere, or uses an unknown function.
    """
    translated = to_duckdb(sql, offset, now_ms)
    declared = {name: kind for name, (kind, _) in _BUILT_IN.items()}
    for index in indexes:
        for name, key in index.keys.items():
            if key.analysis and name.lower() not in {known.lower() for known in declared}:
                declared[name] = _SQL_TYPES[key.type]
    wanted = translated.columns
    return CompiledAnalysis(
        sql=translated.sql,
        offset=offset,
        written=sql,
        series=translated.series,
        declared=tuple(
            (name, kind)
            for name, kind in declared.items()
            if wanted is None or name.lower() in wanted or name == TIMESTAMP
        ),
    )


def _with_table(name: str, select: str, sql: str) -> str:
    """Put a common table before `sql`, which may have some of its own."""
    own = sql.removeprefix("WITH ")
    return f"WITH {name} AS ({select}){' ' if own == sql else ', '}{own}"


def _place(name: str, kind: str, index: TopicIndex, columns: Columns) -> str:
    """Return where a column's values are found: in the lines, among the origins, or nowhere."""
    if name in _BUILT_IN:
        return _BUILT_IN[name][1]
    column = columns.fields.get(name) or columns.tags.get(name)
    if column is None or name not in index.keys:
        return f"NULL::{kind}"
    return column if kind == "VARCHAR" else f"TRY_CAST({column} AS {kind})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _type_name(kind: str) -> str:
    if kind.startswith("DECIMAL"):
        return "double"
    if kind.endswith("[]") or kind.startswith(("STRUCT", "MAP")):
        return "varchar"
    return _RESULT_TYPES.get(kind, kind.lower())


def _cell(value: object) -> Cell:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return float(value)
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
        case date() | time() | timedelta():
            return str(value)
        case list() | tuple() | dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)
