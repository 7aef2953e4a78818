"""Logs: where they lie, how they are indexed, what was found in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Logset:
    """A folder of topics."""

    logset_id: str
    name: str
    topics: int
    created_at: datetime | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Where log lines of one kind lie."""

    topic_id: str
    name: str
    logset_id: str
    retention_days: int
    """3640 means for ever."""
    indexed: bool
    collecting: bool
    partitions: int
    created_at: datetime | None
    tags: Mapping[str, str]


class FieldType(StrEnum):
    """How an indexed field is compared."""

    TEXT = "text"
    LONG = "long"
    DOUBLE = "double"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexField:
    """A field that can be searched by key:value."""

    name: str
    type: FieldType
    tokenizer: str
    """The characters that part words; empty: matched as a whole."""
    analysable: bool
    """Whether SQL may use it."""
    chinese: bool
    """Whether Chinese text is parted into words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicIndex:
    """How a topic is indexed."""

    topic_id: str
    enabled: bool
    full_text: bool
    full_text_tokenizer: str
    case_sensitive: bool
    fields: tuple[IndexField, ...]


class SortOrder(StrEnum):
    """Which line comes first."""

    NEWEST_FIRST = "desc"
    OLDEST_FIRST = "asc"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A log line that was found."""

    at: datetime
    topic_id: str
    text: str
    """The message: the field message, log, content or __CONTENT__, else all fields as JSON."""
    fields: Mapping[str, str]
    source: str
    filename: str
    hostname: str
    pkg_id: str
    pkg_log_id: str
    """With `pkg_id` and `at` it names the line for its context; "0" is a valid value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Found lines, in the order asked for."""

    lines: tuple[LogLine, ...]
    complete: bool
    """False when more lines match."""
    cursor: str
    """Continues this search; empty when complete. The service forgets it after an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContext:
    """The lines around one line, oldest first, itself among them."""

    lines: tuple[LogLine, ...]
    begins: bool
    """True when there is nothing before the first line."""
    ends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramBucket:
    """How many lines matched within [start, start + interval)."""

    start: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Matches over time, oldest bucket first, empty buckets included."""

    interval: timedelta
    total: int
    buckets: tuple[HistogramBucket, ...]


Cell = str | int | float | bool | None
"""A value of an analysis table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisColumn:
    """A column of an analysis table."""

    name: str
    type: str
    """As the service says it: varchar, bigint, double, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisTable:
    """What `… | select …` gave."""

    columns: tuple[AnalysisColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    """One cell per column, in the columns' order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A dashboard of charts over topics."""

    dashboard_id: str
    name: str
    data_json: str
    """The service's own chart layout; empty when it has none."""
    topic_ids: tuple[str, ...]
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledSql:
    """An analysis that runs by itself and writes into another topic."""

    task_id: str
    name: str
    sql: str
    source_topic_id: str
    target_topic_id: str
    every: timedelta
    enabled: bool
    status: str
    """running, stopped or failed."""
