"""Log lines in DuckDB: a table per hour of a topic, one table of origins, and bulk loading without files.

A table of lines has the columns ts (ms), origin, src, minute, seq (the place of the line: see `Place`), text,
extra (all field values, for the full-text index) and one VARCHAR column per key, named by `column_of`.
"""

# ruff: noqa: S608 - SQL is written here; what people write reaches it as literals or checked trees only
from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mcp_tencent.local_cloud.logs.errors import (
    AnalysisFailed,
    AnalysisRejected,
    AnalysisTooExpensive,
    QuerySyntaxError,
)
from mcp_tencent.local_cloud.logs.indexing import FILENAME, HOSTNAME, SOURCE, TAG_PREFIX
from mcp_tencent.local_cloud.logs.lines import LogLine, LogOrigin
from mcp_tencent.local_cloud.logs.query.segments import FIELD_BREAK

if TYPE_CHECKING:
    import duckdb

_COLUMNS = ("ts", "origin", "src", "minute", "seq", "text", "extra")
_ROWS_PER_INSERT = 50_000
PLACE = "ts, src, minute, seq"
"""The columns by which lines are ordered; no two lines of a topic agree in all."""


@dataclass(slots=True)
class Batch:
    """Lines on their way into a table."""

    lines: list[LogLine] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    minutes: list[int] = field(default_factory=list)
    sequence: list[int] = field(default_factory=list)

    def add(self, line: LogLine, source: int, minute: int, sequence: int) -> None:
        """Append one line with its place."""
        self.lines.append(line)
        self.sources.append(source)
        self.minutes.append(minute)
        self.sequence.append(sequence)


@dataclass(slots=True)
class LineTable:
    """One table of lines."""

    name: str
    rows: int = 0
    columns: dict[str, None] = field(default_factory=dict)
    """Its key columns: an ordered set."""


class LogTables:
    """The embedded database. It can reach no file and no network."""

    def __init__(self, *, memory_limit_mb: int, timeout_seconds: float, threads: int = 2) -> None:
        self._timeout_seconds = timeout_seconds
        self._configuration: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": f"{memory_limit_mb}MB",
        }
        self._numbers = itertools.count()
        self._origin_numbers: dict[LogOrigin, int] = {}
        self.origins: list[LogOrigin] = []
        """By number, as in the column `origin`."""
        self.columns: dict[str, str] = {}
        """Key to column of the tables of lines."""
        self.tags: dict[str, str] = {}
        """`__TAG__.<name>` to column of the table of origins."""

    @functools.cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """The database, opened when the first line comes: many clouds are never asked for logs."""
        import duckdb

        connection = duckdb.connect(":memory:", config=self._configuration)
        for setting in (
            "integer_division = true",  # as Presto divides
            "default_null_order = 'nulls_last'",
            "temp_directory = ''",
            "enable_external_access = false",
            "pandas_analyze_sample = 0",  # columns of objects are texts: their type is not guessed
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        connection.execute(
            "CREATE TABLE origins (origin INTEGER, "
            f'"{SOURCE}" VARCHAR, "{FILENAME}" VARCHAR, "{HOSTNAME}" VARCHAR)'
        )
        return connection

    def close(self) -> None:
        """Give the memory back; nothing can be asked afterwards."""
        if "_connection" in self.__dict__:
            self._connection.close()

    def create(self, batch: Batch) -> LineTable:
        """Create a table of lines and load a batch into it, which may be empty."""
        keys = dict.fromkeys(key for line in batch.lines for key, _ in line.fields)
        columns = dict.fromkeys(self._column(key) for key in keys)
        table = LineTable(name=f"lines_{next(self._numbers)}", columns=columns)
        self._connection.execute(
            f"CREATE TABLE {table.name} (ts BIGINT, origin INTEGER, src INTEGER, minute INTEGER, "
            f"seq INTEGER, text VARCHAR, extra VARCHAR{''.join(f', {name} VARCHAR' for name in columns)})"
        )
        self.insert(table, batch)
        return table

    def drop(self, table: LineTable) -> None:
        """Drop a table and free its memory."""
        self._connection.execute(f"DROP TABLE {table.name}")

    def insert(self, table: LineTable, batch: Batch) -> None:
        """Load a batch."""
        for start in range(0, len(batch.lines), _ROWS_PER_INSERT):
            part = slice(start, start + _ROWS_PER_INSERT)
            lines = batch.lines[part]
            names, values = self._key_columns(table, lines)
            # Few origins write many lines, and to compare origins costs more than to compare identities.
            origins = {id(line.origin): line.origin for line in lines}
            origin_numbers = {key: self._origin(origin) for key, origin in origins.items()}
            numbers = (
                [line.timestamp_ms for line in lines],
                [origin_numbers[id(line.origin)] for line in lines],
                batch.sources[part],
                batch.minutes[part],
                batch.sequence[part],
            )
            texts = (
                [line.text for line in lines],
                [FIELD_BREAK.join([value for _, value in line.fields]) for line in lines],
                *values,
            )
            columns = [np.array(column, np.int64) for column in numbers]
            columns += [np.array(column, np.object_) for column in texts]
            self._load(table, dict(zip((*_COLUMNS, *names), columns, strict=True)))
            table.rows += len(lines)

    def _key_columns(
        self, table: LineTable, lines: Sequence[LogLine]
    ) -> tuple[list[str], list[list[str | None]]]:
        """Return the key columns of `table` and what they hold for `lines`; new keys get a column."""
        values: dict[str, list[str | None]] = {}
        for row, line in enumerate(lines):
            for key, value in line.fields:
                column = values.get(key)
                if column is None:
                    column = values[key] = [None] * len(lines)
                column[row] = value
        names = []
        for key in values:
            name = self._column(key)
            names.append(name)
            if name not in table.columns:
                self._connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {name} VARCHAR")
                table.columns[name] = None
        return names, list(values.values())

    def _column(self, key: str) -> str:
        return self.columns.setdefault(key, f"k{len(self.columns)}")

    def _load(self, table: LineTable, columns: dict[str, NDArray[Any]]) -> None:
        """Hand columns over as arrays: the fastest way that needs no file."""
        self._connection.register("batch", columns)
        names = ", ".join(columns)
        self._connection.execute(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM batch")
        self._connection.unregister("batch")

    def _origin(self, origin: LogOrigin) -> int:
        number = self._origin_numbers.get(origin)
        if number is not None:
            return number
        number = self._origin_numbers[origin] = len(self.origins)
        self.origins.append(origin)
        row: dict[str, str | int] = {
            "origin": number,
            f'"{SOURCE}"': origin.source,
            f'"{FILENAME}"': origin.filename,
            f'"{HOSTNAME}"': origin.hostname,
        }
        for name, value in origin.tags:
            row[self._tag_column(TAG_PREFIX + name)] = value
        marks = ", ".join("?" for _ in row)
        self._connection.execute(
            f"INSERT INTO origins ({', '.join(row)}) VALUES ({marks})", list(row.values())
        )
        return number

    def _tag_column(self, key: str) -> str:
        if key not in self.tags:
            self.tags[key] = f"t{len(self.tags)}"
            self._connection.execute(f"ALTER TABLE origins ADD COLUMN {self.tags[key]} VARCHAR")
        return self.tags[key]

    def union(self, tables: Iterable[LineTable], columns: Mapping[str, str] | None = None) -> str:
        """Return a sub-select over all `tables`; key columns that a table lacks are NULL there."""
        wanted = list((self.columns if columns is None else columns).values())
        selects = []
        for table in tables:
            keys = [name if name in table.columns else f"NULL::VARCHAR AS {name}" for name in wanted]
            selects.append(f"SELECT {', '.join((*_COLUMNS, *keys))} FROM {table.name}")
        return "(" + " UNION ALL ".join(selects) + ")"

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Run a SELECT of our own and return its rows.

        Raises:
            QuerySyntaxError: its condition is too complex.
            AnalysisTooExpensive: it took too much memory or time.
        """
        import duckdb

        try:
            return self._run(sql)[1]
        except duckdb.InvalidInputException as error:
            raise QuerySyntaxError("the search is too complex", 0) from error

    def table(self, sql: str) -> tuple[list[tuple[str, str]], list[tuple[object, ...]]]:
        """Run somebody's SELECT: columns as (name, DuckDB's type), and rows.

        Raises:
            AnalysisRejected: it cannot be resolved.
            AnalysisFailed: it failed on the data.
            AnalysisTooExpensive: it took too much memory or time.
        """
        import duckdb

        try:
            return self._run(sql)
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
            raise AnalysisRejected(str(error).splitlines()[0].partition(": ")[2]) from error
        except duckdb.Error as error:
            raise AnalysisFailed(str(error).splitlines()[0]) from error

    def _run(self, sql: str) -> tuple[list[tuple[str, str]], list[tuple[object, ...]]]:
        import duckdb

        # DuckDB has no time limit of its own; the timer is the only thread, and it only interrupts.
        timer = threading.Timer(self._timeout_seconds, self._connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            cursor = self._connection.execute(sql)
            columns = [(str(column[0]), str(column[1])) for column in cursor.description or ()]
            return columns, cursor.fetchall()
        except (duckdb.OutOfMemoryException, duckdb.InterruptException) as error:
            raise AnalysisTooExpensive("this takes too much memory or time: ask for less") from error
        finally:
            timer.cancel()
