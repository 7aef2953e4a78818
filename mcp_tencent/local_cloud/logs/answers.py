"""What is asked of the log store, and what it answers."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from mcp_tencent.local_cloud.logs.lines import LogLine
from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax


class Order(enum.Enum):
    """Order of found logs by time."""

    OLDEST_FIRST = "asc"
    NEWEST_FIRST = "desc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time, [from_ms, to_ms) in milliseconds since the epoch."""

    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLog:
    """A line together with its place in the store."""

    topic_id: str
    package_id: str
    """`PkgId`: names one minute of one source, or one upload; the same in every run."""
    package_log_id: int
    """`PkgLogId`: position within the package, from 0."""
    line: LogLine


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuestion:
    """What to look for; the query is the search half alone, without `| select …`."""

    topic_ids: tuple[str, ...]
    query: str
    window: Window
    syntax: QuerySyntax = QuerySyntax.CQL
    order: Order = Order.NEWEST_FIRST
    limit: int = 100
    cursor: str | None = None
    """`next_cursor` of the page before; None for the first page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLogs:
    """One page of logs."""

    logs: tuple[StoredLog, ...]
    next_cursor: str
    """Where the next page begins: opaque text, the `Context` of CLS. Never empty."""
    list_over: bool
    """True when nothing is left after this page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramBar:
    """How many logs match within [start_ms, start_ms + interval)."""

    start_ms: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The neighbours of a log in its stream (same topic, machine and file), oldest first, itself included."""

    logs: tuple[StoredLog, ...]
    previous_over: bool
    """True when nothing comes before the first."""
    next_over: bool
    """True when nothing comes after the last."""


Cell = str | int | float | bool | None
"""A value of an analysis: times are formatted as Presto prints them, lists and maps are JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of an analysis."""

    name: str
    type: str
    """As CLS names it: varchar, bigint, double, boolean, timestamp, date, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The rows of an analysis."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
