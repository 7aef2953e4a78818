"""Topics with a million log lines each, searchable; lines are made when first asked for."""

# ruff: noqa: S608 - SQL is written here; what people write reaches it as literals or checked trees only
from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from mcp_tencent.local_cloud.logs.answers import (
    Analysis,
    Context,
    FoundLogs,
    HistogramBar,
    Order,
    SearchQuestion,
    StoredLog,
    Window,
)
from mcp_tencent.local_cloud.logs.errors import (
    IndexNotEnabled,
    LogNotFound,
    TopicExists,
    TopicNotFound,
)
from mcp_tencent.local_cloud.logs.indexing import TopicIndex
from mcp_tencent.local_cloud.logs.lines import LogLine, LogSource
from mcp_tencent.local_cloud.logs.places import (
    MINUTE_MS,
    Place,
    cursor_after,
    package_id,
    parse_cursor,
    parse_package_id,
)
from mcp_tencent.local_cloud.logs.query.nodes import Node, QuerySyntax
from mcp_tencent.local_cloud.logs.query.parsing import parse
from mcp_tencent.local_cloud.logs.query.predicate import Columns, PredicateWriter
from mcp_tencent.local_cloud.logs.statement import split_statement
from mcp_tencent.local_cloud.logs.tables_duckdb import PLACE, LogTables
from mcp_tencent.local_cloud.logs.topics import HOUR_MS, Topic, to_milliseconds
from mcp_tencent.local_cloud.simulation import Clock

_UTC8_MS = 8 * HOUR_MS
_LONGEST_WAVE_HOURS = 48
_CONTEXT_REACH_MS = 6 * HOUR_MS
_MOST_BARS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """Lines of one topic, to be read in order."""

    topic: Topic
    topic_position: int
    condition: Callable[[], str]
    """Written anew for each query, as making lines may bring new columns."""
    window: Window
    order: Order
    limit: int
    after: Place | None


class LogStore:
    """Topics and their logs. Not thread-safe: one event loop asks, one question at a time."""

    def __init__(
        self,
        *,
        clock: Clock,
        max_generated_lines: int = 1_500_000,
        memory_limit_mb: int = 1_500,
        timeout_seconds: float = 20.0,
    ) -> None:
        """Beyond `max_generated_lines`, the hours unused for longest are forgotten (and made again)."""
        self._clock = clock
        self._max_generated_lines = max_generated_lines
        self._tables = LogTables(memory_limit_mb=memory_limit_mb, timeout_seconds=timeout_seconds)
        self._topics: dict[str, Topic] = {}
        self._uses = itertools.count()

    def close(self) -> None:
        """Give the memory back; nothing can be asked afterwards."""
        self._tables.close()

    def add_topic(self, topic_id: str, index: TopicIndex | None = None) -> None:
        """Add an empty topic; without an index nothing in it can be searched. Raises TopicExists."""
        if topic_id in self._topics:
            raise TopicExists(f"topic {topic_id} exists already")
        self._topics[topic_id] = Topic(topic_id, index, self._tables, self._uses)

    def set_index(self, topic_id: str, index: TopicIndex | None) -> None:
        """Replace the index; it applies to all logs of the topic, old ones too. Raises TopicNotFound."""
        self._topic(topic_id).index = index

    def remove_topic(self, topic_id: str) -> None:
        """Drop the topic and its logs. Raises TopicNotFound."""
        self._topic(topic_id).drop()
        del self._topics[topic_id]

    def add_source(self, topic_id: str, source: LogSource, *, since: datetime) -> None:
        """Let `source` write into the topic from `since` on. Raises TopicNotFound."""
        self._topic(topic_id).add_source(source, since)

    def append(self, topic_id: str, lines: Iterable[LogLine]) -> str:
        """Store uploaded lines as one package and return its id. Raises TopicNotFound."""
        return self._topic(topic_id).append(lines, self._now_ms())

    def search(self, question: SearchQuestion) -> FoundLogs:
        """Return one page of logs. Raises TopicNotFound, IndexNotEnabled, QuerySyntaxError, CursorInvalid."""
        after = parse_cursor(question.cursor) if question.cursor else None
        found: list[tuple[Place, StoredLog]] = []
        asked = self._asked(question.topic_ids, parse(question.query, question.syntax))
        for position, (topic, condition) in enumerate(asked):
            scan = _Scan(
                topic=topic,
                topic_position=position,
                condition=condition,
                window=question.window,
                order=question.order,
                limit=question.limit + 1,
                after=after,
            )
            found.extend(self._read(scan))
        found.sort(key=lambda each: each[0], reverse=question.order is Order.NEWEST_FIRST)
        page = found[: question.limit]
        edge = question.window.to_ms if question.order is Order.NEWEST_FIRST else question.window.from_ms
        last = page[-1][0] if page else after or Place(max(edge, 0), 0, 0, 0, 0)
        return FoundLogs(
            logs=tuple(log for _, log in page),
            next_cursor=cursor_after(last),
            list_over=len(found) <= question.limit,
        )

    def count(self, topic_ids: tuple[str, ...], query: str, syntax: QuerySyntax, window: Window) -> int:
        """Return how many logs match. Raises TopicNotFound, IndexNotEnabled, QuerySyntaxError."""
        return sum(bar.count for bar in self.histogram(topic_ids, query, syntax, window, HOUR_MS))

    def histogram(
        self, topic_ids: tuple[str, ...], query: str, syntax: QuerySyntax, window: Window, interval_ms: int
    ) -> tuple[HistogramBar, ...]:
        """Return a bar for each interval that meets the window, empty ones too.

        Bars start on multiples of the interval in UTC+8; the first and the last count the window's part only.

        Raises:
            TopicNotFound, IndexNotEnabled, QuerySyntaxError: as in a search.
            ValueError: the interval is not positive, or there would be more than 100,000 bars.
        """
        if interval_ms <= 0 or (window.to_ms - window.from_ms) // max(interval_ms, 1) > _MOST_BARS:
            raise ValueError(f"an interval of {interval_ms} ms does not fit the window")
        counts: dict[int, int] = {}
        bar = f"(ts + {_UTC8_MS}) // {interval_ms}"
        for topic, condition in self._asked(topic_ids, parse(query, syntax)):
            for lines, part in self._waves(topic, window, Order.OLDEST_FIRST, first=_LONGEST_WAVE_HOURS):
                for number, count in self._tables.rows(
                    f"SELECT {bar}, count(*) FROM {lines} WHERE {_within(part)} AND {condition()} GROUP BY 1"
                ):
                    counts[_int(number)] = counts.get(_int(number), 0) + _int(count)
        if window.from_ms >= window.to_ms:
            return ()
        first, last = (window.from_ms + _UTC8_MS) // interval_ms, (window.to_ms - 1 + _UTC8_MS) // interval_ms
        return tuple(
            HistogramBar(start_ms=number * interval_ms - _UTC8_MS, count=counts.get(number, 0))
            for number in range(first, last + 1)
        )

    def context(
        self, topic_id: str, package: str, package_log_id: int, *, before: int, after: int
    ) -> Context:
        """Return the neighbours of a log in its stream, at most six hours away.

        Raises:
            TopicNotFound: no such topic.
            LogNotFound: no such log.
        """
        topic = self._topic(topic_id)
        place, origin = self._locate(topic, package, package_log_id)
        centre = place.timestamp_ms
        window = Window(from_ms=centre - _CONTEXT_REACH_MS, to_ms=centre + _CONTEXT_REACH_MS)

        def neighbours(order: Order, limit: int, start: Place) -> list[StoredLog]:
            scan = _Scan(
                topic=topic,
                topic_position=0,
                condition=lambda: f"origin = {origin}",
                window=window,
                order=order,
                limit=limit,
                after=start,
            )
            return [log for _, log in self._read(scan)]

        just_before = Place(centre, 0, place.source, place.minute, place.sequence - 1)
        onward = neighbours(Order.OLDEST_FIRST, after + 2, just_before)
        backward = neighbours(Order.NEWEST_FIRST, before + 1, place)
        return Context(
            logs=(*reversed(backward[:before]), *onward[: after + 1]),
            previous_over=len(backward) <= before,
            next_over=len(onward) <= after + 1,
        )

    def analyze(
        self, topic_ids: tuple[str, ...], statement: str, syntax: QuerySyntax, window: Window
    ) -> Analysis:
        """Run `query | select …`; without an analysis half, all logs that match are counted.

        Raises:
            TopicNotFound, IndexNotEnabled: as in a search.
            StatementError: one of the halves cannot be understood.
            AnalysisFailed: it failed on the data.
            AnalysisTooExpensive: it took too much memory or time.
        """
        # The SQL parser is large, and many a cloud is never asked for an analysis.
        from mcp_tencent.local_cloud.logs.analysis import compile_analysis

        halves = split_statement(statement, syntax)
        asked = self._asked(topic_ids, parse(halves.query, syntax))
        sql = "select count(*) as total" if halves.sql is None else halves.sql
        now = self._now_ms()
        analysis = compile_analysis(sql, halves.sql_offset, [_index_of(topic) for topic, _ in asked], now)
        try:
            tables = [
                topic.tables_of(topic.hours_within(window.from_ms, window.to_ms, now), now)
                for topic, _ in asked
            ]
            sources = [
                analysis.source(
                    self._tables.union(found),
                    f"{_within(window)} AND {condition()}",
                    _index_of(topic),
                    self._columns(),
                )
                for (topic, condition), found in zip(asked, tables, strict=True)
                if found
            ]
            return analysis.run(self._tables, sources, window)
        finally:
            self._make_room()

    @property
    def generated_lines(self) -> int:
        """How many generated lines are kept at present."""
        return sum(hour.table.rows for topic in self._topics.values() for hour in topic.hours.values())

    def _now_ms(self) -> int:
        return to_milliseconds(self._clock.now())

    def _topic(self, topic_id: str) -> Topic:
        try:
            return self._topics[topic_id]
        except KeyError:
            raise TopicNotFound(f"there is no topic {topic_id}") from None

    def _asked(self, topic_ids: Sequence[str], query: Node) -> list[tuple[Topic, Callable[[], str]]]:
        """Return each topic with what writes the query's condition for it; a wrong query is refused here."""
        asked: list[tuple[Topic, Callable[[], str]]] = []
        for topic in [self._topic(topic_id) for topic_id in topic_ids]:
            condition = functools.partial(self._condition, _index_of(topic), query)
            condition()
            asked.append((topic, condition))
        return asked

    def _condition(self, index: TopicIndex, query: Node) -> str:
        return PredicateWriter(index, self._columns()).write(query)

    def _columns(self) -> Columns:
        return Columns(fields=self._tables.columns, tags=self._tables.tags)

    def _locate(self, topic: Topic, package: str, package_log_id: int) -> tuple[Place, int]:
        source, minute = parse_package_id(topic.topic_id, package)
        now = self._now_ms()
        tables = topic.tables_of([minute * MINUTE_MS // HOUR_MS], now)
        if tables and 0 <= package_log_id < 2**31:
            rows = self._tables.rows(
                f"SELECT ts, origin FROM {self._tables.union(tables, {})} "
                f"WHERE src = {source} AND minute = {minute} AND seq = {package_log_id}"
            )
            if rows:
                return Place(_int(rows[0][0]), 0, source, minute, package_log_id), _int(rows[0][1])
        raise LogNotFound(f"package {package} has no log {package_log_id}")

    def _read(self, scan: _Scan) -> list[tuple[Place, StoredLog]]:
        """Read from the near end, more hours each time, until the limit is reached."""
        found: list[tuple[Place, StoredLog]] = []
        direction = "DESC" if scan.order is Order.NEWEST_FIRST else "ASC"
        order = ", ".join(f"{column} {direction}" for column in PLACE.split(", "))
        window, beyond = _window_after(scan)
        for lines, part in self._waves(scan.topic, window, scan.order, first=1):
            keys = tuple(self._tables.columns.items())
            columns = ", ".join((PLACE, "origin", "text", *(column for _, column in keys)))
            rows = self._tables.rows(
                f"SELECT {columns} FROM {lines} WHERE {_within(part)} AND {beyond} AND {scan.condition()} "
                f"ORDER BY {order} LIMIT {scan.limit - len(found)}"
            )
            found.extend(self._stored(row, [key for key, _ in keys], scan) for row in rows)
            if len(found) >= scan.limit:
                break
        self._make_room()
        return found

    def _stored(self, row: tuple[object, ...], keys: Sequence[str], scan: _Scan) -> tuple[Place, StoredLog]:
        stamp, source, minute, sequence, origin = map(_int, row[:5])
        fields = tuple(
            (key, str(value)) for key, value in zip(keys, row[6:], strict=True) if value is not None
        )
        line = LogLine(stamp, str(row[5]), fields, self._tables.origins[origin])
        topic_id = scan.topic.topic_id
        stored = StoredLog(
            topic_id=topic_id,
            package_id=package_id(topic_id, source, minute),
            package_log_id=sequence,
            line=line,
        )
        return Place(stamp, scan.topic_position, source, minute, sequence), stored

    def _waves(
        self, topic: Topic, window: Window, order: Order, *, first: int
    ) -> Iterator[tuple[str, Window]]:
        """Yield sub-selects over the lines of more and more hours, each with its part of the window.

        Most questions are answered by the nearest hours, so the others need not be made; asking for many
        hours at once lets the database use all cores.
        """
        now = self._now_ms()
        hours = topic.hours_within(window.from_ms, window.to_ms, now)
        if order is Order.NEWEST_FIRST:
            hours.reverse()
        size = first
        while hours:
            wave, hours = hours[:size], hours[size:]
            part = Window(
                from_ms=max(window.from_ms, min(wave) * HOUR_MS),
                to_ms=min(window.to_ms, (max(wave) + 1) * HOUR_MS),
            )
            if tables := topic.tables_of(wave, now):
                yield self._tables.union(tables), part
            self._make_room()
            size = min(size * 2, _LONGEST_WAVE_HOURS)

    def _make_room(self) -> None:
        """Forget the hours that were not used for longest while there are too many lines."""
        hours = [
            (hour.last_used, topic, number)
            for topic in self._topics.values()
            for number, hour in topic.hours.items()
        ]
        lines = self.generated_lines
        hours.sort(key=lambda each: each[0], reverse=True)
        while lines > self._max_generated_lines and len(hours) > 1:
            _, topic, number = hours.pop()
            lines -= topic.forget(number)


def _window_after(scan: _Scan) -> tuple[Window, str]:
    """Return the window left after the cursor, and the condition for lines of its very millisecond."""
    window, after = scan.window, scan.after
    if after is None:
        return window, "true"
    newest_first = scan.order is Order.NEWEST_FIRST
    if newest_first:
        window = Window(from_ms=window.from_ms, to_ms=min(window.to_ms, after.timestamp_ms + 1))
    else:
        window = Window(from_ms=max(window.from_ms, after.timestamp_ms), to_ms=window.to_ms)
    if scan.topic_position == after.topic:
        compare = "<" if newest_first else ">"
        same = f"(src, minute, seq) {compare} ({after.source}, {after.minute}, {after.sequence})"
    else:
        same = "true" if (scan.topic_position < after.topic) is newest_first else "false"
    return window, f"(ts <> {after.timestamp_ms} OR {same})"


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"the database returned {value!r} for a whole number")
    return value


def _within(window: Window) -> str:
    return f"ts >= {window.from_ms} AND ts < {window.to_ms}"


def _index_of(topic: Topic) -> TopicIndex:
    if topic.index is None:
        raise IndexNotEnabled(f"topic {topic.topic_id} has no index")
    return topic.index
