"""Presto's SQL as CLS takes it, checked and rewritten for DuckDB by sqlglot.

One SELECT is let through, from `log` and its own sub-selects only. The database beneath can reach no file and
no network anyway; what is refused here is refused early and with its position.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from mcp_tencent.local_cloud.logs.errors import SqlSyntaxError
from mcp_tencent.local_cloud.logs.indexing import TIMESTAMP
from mcp_tencent.local_cloud.logs.time_series import Series, parse_step, strftime_format

_DEFAULT_ROWS = 100
_MOST_ROWS = 1_000_000
_MOST_NODES = 5_000
_UTC8 = "INTERVAL 8 HOUR"
_FORBIDDEN = (
    exp.DDL, exp.DML, exp.Command, exp.Pragma, exp.Copy, exp.Attach, exp.Detach, exp.Set, exp.Into,
    exp.Parameter, exp.Placeholder, exp.SessionParameter, exp.ReadCSV, exp.ReadParquet, exp.Lock,
)  # fmt: skip
_NAMES = """
codepoint entropy every geometric_mean hamming_distance hash is_finite is_infinite json_array_length
millisecond to_base
"""
_UNKNOWN_TO_SQLGLOT = frozenset(_NAMES.split()) | {"time_series", "histogram"}
"""Functions that sqlglot has no class for: DuckDB's of the same name, and those rewritten here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """An analysis in DuckDB's dialect."""

    sql: str
    columns: frozenset[str] | None
    """Lower-case names of columns that it mentions; None when it asks for all (`*`)."""
    series: Series | None


def to_duckdb(sql: str, offset: int, now_ms: int) -> Translated:
    """Check and rewrite the analysis half, which begins at `offset` of its statement.

    Raises:
        SqlSyntaxError: with the position in the statement.
    """
    try:
        return _Translation(sql, offset, now_ms).translated()
    except RecursionError as error:
        raise SqlSyntaxError("the analysis is nested too deep", offset) from error


class _Translation:
    def __init__(self, sql: str, offset: int, now_ms: int) -> None:
        self._sql = sql
        self._offset = offset
        self._now_ms = now_ms
        self._series: Series | None = None

    def translated(self) -> Translated:
        select = self._parsed()
        self._check(select)
        columns = _mentioned(select)
        self._find_series(select)
        self._complete(select)
        rewritten = select.transform(self._rewritten)
        return Translated(
            sql=rewritten.sql(dialect="duckdb", identify=True), columns=columns, series=self._series
        )

    def _refused(self, message: str, node: exp.Expr | None = None) -> SqlSyntaxError:
        start = 0
        if node is not None:
            starts = [found.meta["start"] for found in node.walk() if "start" in found.meta]
            if starts:
                start = min(starts)
            elif found := re.search(re.escape(node.name or "\0"), self._sql, re.IGNORECASE):
                start = found.start()
        return SqlSyntaxError(message, self._offset + start)

    def _parsed(self) -> exp.Select:
        try:
            parsed = [each for each in sqlglot.parse(self._sql, read="presto") if each is not None]
        except ParseError as error:
            first = error.errors[0] if error.errors else {}
            end = _offset_of(self._sql, first.get("line"), first.get("col"))
            position = max(end + 1 - len(first.get("highlight") or "x"), 0)
            raise SqlSyntaxError(first.get("description") or "no SELECT", self._offset + position) from error
        except SqlglotError as error:
            raise self._refused("a text or an identifier is not closed") from error
        if not parsed:
            raise self._refused("a SELECT is missing after |")
        if len(parsed) > 1:
            raise self._refused("only one statement is allowed", parsed[1])
        statement = parsed[0]
        if not isinstance(statement, exp.Select):
            raise self._refused("only a SELECT is allowed")
        return statement

    def _check(self, select: exp.Select) -> None:
        names = {"log"} | {cte.alias.lower() for cte in select.find_all(exp.CTE)}
        for count, node in enumerate(select.walk()):
            if count > _MOST_NODES:
                raise self._refused("the analysis is too long")
            if isinstance(node, _FORBIDDEN):
                raise self._refused("only a SELECT is allowed", node)
            if isinstance(node, exp.With) and node.args.get("recursive"):
                raise self._refused("recursive queries are not supported", node)
            if isinstance(node, exp.Table):
                plain = isinstance(node.this, exp.Identifier) and not node.db and not node.catalog
                if not plain or node.name.lower() not in names:
                    raise self._refused(
                        f"there is no table '{node.sql('presto')}': an analysis reads from log", node
                    )
            if isinstance(node, exp.Anonymous) and node.name.lower() not in _UNKNOWN_TO_SQLGLOT | {
                "time_series",
                "histogram",
            }:
                raise self._refused(f"function '{node.name}' is not supported", node)

    def _complete(self, select: exp.Select) -> None:
        """Add what is implied: the table, Presto's names of unnamed columns, and the limit of rows."""
        for index, projection in enumerate(select.expressions):
            if not isinstance(projection, exp.Alias | exp.Column | exp.Star):
                projection.replace(exp.alias_(projection.copy(), f"_col{index}"))
        for each in list(select.find_all(exp.Select)):
            if not each.args.get("from_") and not each.args.get("from"):
                each.from_("log", copy=False)
        limit = select.args.get("limit")
        if limit is None:
            select.limit(_DEFAULT_ROWS, copy=False)
            return
        number = limit.expression if isinstance(limit, exp.Limit) else limit.args.get("count")
        if not isinstance(number, exp.Literal) or not number.name.isdigit() or int(number.name) > _MOST_ROWS:
            raise self._refused(f"LIMIT needs a number up to {_MOST_ROWS}", limit)

    def _find_series(self, select: exp.Select) -> None:
        """Note which result column is a time_series: its missing times are filled in later."""
        for index, projection in enumerate(select.expressions):
            call = projection.unalias()
            if _is_call(call, "time_series"):
                self._series = self._series_of(call, index)

    def _series_of(self, call: exp.Expr, index: int) -> Series:
        arguments = _arguments(call)
        if len(arguments) != 4 or not all(isinstance(each, exp.Literal) for each in arguments[1:]):
            raise self._refused("time_series needs (time, 'step', 'format', 'padding')", call)
        step, form, padding = (each.name for each in arguments[1:])
        step_ms = parse_step(step)
        pattern = strftime_format(form)
        if step_ms is None or pattern is None:
            raise self._refused(f"time_series knows no step '{step}' or no format '{form}'", call)
        if padding.lower() not in ("0", "null"):
            raise self._refused("the padding of time_series is '0' or 'null' here", call)
        return Series(column=index, step_ms=step_ms, format=pattern, padding=0 if padding == "0" else None)

    def _rewritten(self, node: exp.Expr) -> exp.Expr:
        match node:
            case exp.UnixToTime():
                return self._from_unixtime(node)
            case exp.Cast() | exp.TryCast() if node.to.is_type("timestamp") and _is_milliseconds(node.this):
                return _timestamp_of(node.this)
            case exp.CurrentTimestamp():
                return sqlglot.parse_one(f"epoch_ms({self._now_ms})", read="duckdb")
            case exp.CurrentDate():
                return sqlglot.parse_one(f"CAST(epoch_ms({self._now_ms}) AS DATE)", read="duckdb")
        if _is_call(node, "histogram"):
            arguments = _arguments(node)
            if len(arguments) != 2:
                raise self._refused("histogram needs (time, interval)", node)
            return _bucket(arguments[1].sql("duckdb"), arguments[0].transform(self._rewritten))
        if _is_call(node, "time_series"):
            series = self._series_of(node, 0)
            step = f"INTERVAL '{series.step_ms // 1000} seconds'"
            bucket = _bucket(step, _arguments(node)[0].transform(self._rewritten))
            return exp.Anonymous(this="strftime", expressions=[bucket, exp.Literal.string(series.format)])
        return node

    def _from_unixtime(self, node: exp.UnixToTime) -> exp.Expr:
        seconds = node.this.transform(self._rewritten).sql("duckdb")
        zone = node.args.get("zone")
        if zone is not None:
            return sqlglot.parse_one(
                f"timezone({zone.sql('duckdb')}, to_timestamp({seconds}))", read="duckdb"
            )
        return sqlglot.parse_one(f"epoch_ms(CAST(({seconds}) * 1000 AS BIGINT))", read="duckdb")


def _mentioned(select: exp.Select) -> frozenset[str] | None:
    if any(not isinstance(star.parent, exp.Count) for star in select.find_all(exp.Star)):
        return None
    return frozenset(column.name.lower() for column in select.find_all(exp.Column))


def _is_call(node: exp.Expr, name: str) -> bool:
    return (
        isinstance(node, exp.Func)
        and (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower() == name
    )


def _arguments(call: exp.Expr) -> list[exp.Expr]:
    if isinstance(call, exp.Anonymous):
        return list(call.expressions)
    return list(call.iter_expressions())


def _is_milliseconds(node: exp.Expr) -> bool:
    """Tell whether `node` counts milliseconds: `__TIMESTAMP__`, or sums with it."""
    plain = node.unnest()
    if isinstance(plain, exp.Column):
        return plain.name.upper() == TIMESTAMP
    if isinstance(plain, exp.Binary):
        return any(_is_milliseconds(side) for side in (plain.left, plain.right))
    return isinstance(plain, exp.Cast) and plain.to.is_type("bigint") and _is_milliseconds(plain.this)


def _timestamp_of(node: exp.Expr) -> exp.Expr:
    if not _is_milliseconds(node):
        return node
    return exp.Anonymous(this="epoch_ms", expressions=[exp.cast(node.copy(), "BIGINT")])


def _bucket(step: str, time: exp.Expr) -> exp.Expr:
    stamp = _timestamp_of(time).sql("duckdb")
    return sqlglot.parse_one(f"time_bucket({step}, {stamp} + {_UTC8})", read="duckdb")


def _offset_of(text: str, line: object, column: object) -> int:
    if not isinstance(line, int) or not isinstance(column, int):
        return 0
    lines = text.splitlines(keepends=True)
    return min(sum(len(each) for each in lines[: line - 1]) + max(column - 1, 0), len(text))
