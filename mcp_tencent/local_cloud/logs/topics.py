"""One topic: its index, its sources, and its lines by hour, made when a question touches the hour."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.logs.indexing import TopicIndex
from mcp_tencent.local_cloud.logs.lines import LogLine, LogSource
from mcp_tencent.local_cloud.logs.places import MINUTE_MS, package_id
from mcp_tencent.local_cloud.logs.tables_duckdb import Batch, LineTable, LogTables

HOUR_MS = 60 * MINUTE_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(milliseconds: int) -> datetime:
    """Return the instant as a datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_milliseconds(instant: datetime) -> int:
    """Return whole milliseconds since the epoch, rounded down."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Feed:
    """A source that writes into the topic."""

    number: int
    source: LogSource
    since_ms: int


@dataclass(slots=True, kw_only=True)
class Hour:
    """The generated lines of one hour of a topic."""

    table: LineTable
    made_until_ms: dict[int, int] = field(default_factory=dict)
    """By number of the source: lines before this instant are in the table."""
    last_used: int = 0


class Topic:
    """A topic and its lines. Lines of sources live in tables by hour and can be made again; uploads stay."""

    def __init__(
        self, topic_id: str, index: TopicIndex | None, tables: LogTables, uses: itertools.count[int]
    ) -> None:
        self.topic_id = topic_id
        self.index = index
        self.hours: dict[int, Hour] = {}
        """By hours since the epoch."""
        self._tables = tables
        self._uses = uses
        self._feeds: list[_Feed] = []
        self._uploads: LineTable | None = None
        self._upload_hours: set[int] = set()
        self._numbers = itertools.count()

    def add_source(self, source: LogSource, since: datetime) -> None:
        """Let `source` write from `since` on."""
        self._feeds.append(_Feed(number=next(self._numbers), source=source, since_ms=to_milliseconds(since)))

    def append(self, lines: Iterable[LogLine], now_ms: int) -> str:
        """Store uploaded lines as one package and return its id."""
        number, minute = next(self._numbers), now_ms // MINUTE_MS
        batch = Batch()
        for sequence, line in enumerate(lines):
            batch.add(_storable(line), number, minute, sequence)
        if batch.lines:
            if self._uploads is None:
                self._uploads = self._tables.create(batch)
            else:
                self._tables.insert(self._uploads, batch)
            self._upload_hours.update(line.timestamp_ms // HOUR_MS for line in batch.lines)
        return package_id(self.topic_id, number, minute)

    def hours_within(self, from_ms: int, to_ms: int, now_ms: int) -> list[int]:
        """Return the hours of [from_ms, to_ms) in which there can be lines, oldest first."""
        if from_ms >= to_ms:
            return []
        first, last = from_ms // HOUR_MS, (to_ms - 1) // HOUR_MS
        found = {hour for hour in self._upload_hours if first <= hour <= last}
        low = max(min((feed.since_ms for feed in self._feeds), default=now_ms), from_ms)
        high = min(now_ms, to_ms)
        if low < high:
            found.update(range(low // HOUR_MS, (high - 1) // HOUR_MS + 1))
        return sorted(found)

    def tables_of(self, hours: Iterable[int], now_ms: int) -> list[LineTable]:
        """Return the tables with the lines of `hours` up to now; lines never asked for before are made.

        The table of uploads covers all time, so a question limits its time itself.
        """
        tables = [self._uploads] if self._uploads else []
        for number in hours:
            hour = self.hours.get(number)
            batch, made = Batch(), dict[int, int]()
            for feed in self._feeds:
                start = max(number * HOUR_MS, feed.since_ms)
                end = min((number + 1) * HOUR_MS, now_ms)
                if hour is not None:
                    start = max(start, hour.made_until_ms.get(feed.number, start))
                if start < end:
                    _collect(batch, feed, start, end)
                    made[feed.number] = end
            if hour is None and made:
                hour = self.hours[number] = Hour(table=self._tables.create(batch))
            elif hour is not None:
                self._tables.insert(hour.table, batch)
            if hour is not None:
                hour.made_until_ms.update(made)
                hour.last_used = next(self._uses)
                tables.append(hour.table)
        return tables

    def forget(self, number: int) -> int:
        """Drop the lines of an hour (they can be made again) and return how many these were."""
        hour = self.hours.pop(number)
        self._tables.drop(hour.table)
        return hour.table.rows

    def drop(self) -> None:
        """Drop everything."""
        for number in list(self.hours):
            self.forget(number)
        if self._uploads:
            self._tables.drop(self._uploads)


def _collect(batch: Batch, feed: _Feed, start_ms: int, end_ms: int) -> None:
    """Add the lines of [start_ms, end_ms), counted within each minute from the minute's beginning."""
    minute, sequence = -1, 0
    for line in feed.source.lines(to_datetime(start_ms // MINUTE_MS * MINUTE_MS), to_datetime(end_ms)):
        stamp = line.timestamp_ms
        if stamp // MINUTE_MS != minute:
            minute, sequence = stamp // MINUTE_MS, 0
        if stamp >= start_ms:
            batch.add(line, feed.number, minute, sequence)
        sequence += 1


def _storable(line: LogLine) -> LogLine:
    """Replace what is no Unicode text, as a lenient decoder does."""
    fields = tuple((_encodable(key), _encodable(value)) for key, value in line.fields)
    return replace(line, text=_encodable(line.text), fields=fields)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
