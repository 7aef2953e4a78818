from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tencent.local_cloud.conditions import Condition, Timeline
from mcp_tencent.local_cloud.logs.answers import Order, SearchQuestion, StoredLog, Window
from mcp_tencent.local_cloud.logs.errors import (
    CursorInvalid,
    IndexNotEnabled,
    LogNotFound,
    QuerySyntaxError,
    TopicExists,
    TopicNotFound,
)
from mcp_tencent.local_cloud.logs.indexing import TopicIndex
from mcp_tencent.local_cloud.logs.lines import LogLine, LogOrigin
from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.logs.topics import to_datetime, to_milliseconds
from mcp_tencent.local_cloud.simulation import ManualClock
from tests.mcp_tencent.local_cloud.logs.order_day import INDEX, PODS, START, made_source, made_timeline

CQL = QuerySyntax.CQL
Windows = Callable[[float, float], Window]
ORIGIN = LogOrigin(source="10.0.0.1", filename="/a.log", hostname="h", tags=(("pod_name", "up-1"),))


def question(query: str, window: Window, **others: object) -> SearchQuestion:
    return SearchQuestion(topic_ids=("shop",), query=query, window=window, **others)  # type: ignore[arg-type]


def all_pages(
    store: LogStore, query: str, window: Window, order: Order, limit: int, topics: tuple[str, ...] = ("shop",)
) -> Iterator[StoredLog]:
    cursor = None
    while True:
        page = store.search(
            SearchQuestion(
                topic_ids=topics, query=query, window=window, order=order, limit=limit, cursor=cursor
            )
        )
        assert len(page.logs) <= limit
        yield from page.logs
        cursor = page.next_cursor
        if page.list_over:
            return


def test_a_search_finds_what_the_source_wrote(store: LogStore, timeline: Timeline, window: Windows) -> None:
    found = list(all_pages(store, "level:ERROR", window(1, 3), Order.OLDEST_FIRST, 1000))
    written = [
        line
        for line in made_source(timeline).lines(START + timedelta(hours=1), START + timedelta(hours=3))
        if ("level", "ERROR") in line.fields
    ]
    assert [(log.line.timestamp_ms, log.line.text, log.line.origin) for log in found] == [
        (line.timestamp_ms, line.text, line.origin) for line in written
    ]
    assert dict(found[0].line.fields) == dict(written[0].fields)


@pytest.mark.parametrize("order", list(Order))
def test_pages_join_to_the_whole(store: LogStore, window: Windows, order: Order) -> None:
    whole = list(all_pages(store, "*", window(2, 2.5), order, 1000))
    assert list(all_pages(store, "*", window(2, 2.5), order, 37)) == whole
    stamps = [log.line.timestamp_ms for log in whole]
    assert stamps == sorted(stamps, reverse=order is Order.NEWEST_FIRST)
    places = {(log.package_id, log.package_log_id) for log in whole}
    assert len(places) == len(whole)


def test_pages_over_two_topics_lose_and_repeat_nothing(
    store: LogStore, timeline: Timeline, window: Windows
) -> None:
    store.add_topic("twin", INDEX)
    store.add_source("twin", made_source(timeline), since=START)
    for order in Order:
        whole = list(all_pages(store, "*", window(2, 2.2), order, 1000, ("shop", "twin")))
        pages = list(all_pages(store, "*", window(2, 2.2), order, 7, ("shop", "twin")))
        assert pages == whole
        assert len({(log.topic_id, log.package_id, log.package_log_id) for log in whole}) == len(whole)
    assert len(whole) == 2 * store.count(("shop",), "*", CQL, window(2, 2.2))


def test_a_window_includes_its_start_and_not_its_end(store: LogStore, window: Windows) -> None:
    log = store.search(question("*", window(1, 2), limit=1)).logs[0]
    stamp = log.line.timestamp_ms
    assert store.count(("shop",), "*", CQL, Window(from_ms=stamp, to_ms=stamp + 1)) >= 1
    assert store.count(("shop",), "*", CQL, Window(from_ms=stamp, to_ms=stamp)) == 0
    assert log not in store.search(question("*", Window(from_ms=stamp - 10, to_ms=stamp))).logs


@settings(max_examples=30, deadline=None)
@given(
    low=st.integers(0, 6 * 3600),
    seconds=st.integers(1, 2 * 3600),
    interval_s=st.sampled_from([1, 7, 60, 300, 3600, 86400]),
    query=st.sampled_from(["*", "error", "level:ERROR AND NOT status:>=200", "超时", "nothing"]),
)
def test_a_histogram_adds_up_to_the_count(low: int, seconds: int, interval_s: int, query: str) -> None:
    window = Window(
        from_ms=to_milliseconds(START + timedelta(seconds=low)),
        to_ms=to_milliseconds(START + timedelta(seconds=low + seconds)),
    )
    bars = SHARED.histogram(("shop",), query, CQL, window, interval_s * 1000)
    found = list(all_pages(SHARED, query, window, Order.OLDEST_FIRST, 1000))
    assert sum(bar.count for bar in bars) == len(found) == SHARED.count(("shop",), query, CQL, window)
    assert [bar.start_ms for bar in bars] == list(range(bars[0].start_ms, window.to_ms, interval_s * 1000))
    assert bars[0].start_ms <= window.from_ms
    for bar in bars[:50]:
        inside = [log for log in found if 0 <= log.line.timestamp_ms - bar.start_ms < interval_s * 1000]
        assert len(inside) == bar.count


def _shared() -> LogStore:
    store = LogStore(clock=ManualClock(START + timedelta(hours=7, seconds=5)))
    store.add_topic("shop", INDEX)
    store.add_source("shop", made_source(made_timeline()), since=START)
    return store


SHARED = _shared()


def test_the_running_minute_grows_and_keeps_what_was_seen(
    store: LogStore, clock: ManualClock, window: Windows
) -> None:
    seen: list[StoredLog] = []
    for step in (0, 3, 9, 0.4, 45, 130):
        clock.advance(timedelta(seconds=step))
        found = list(all_pages(store, "*", window(6.3, 9), Order.OLDEST_FIRST, 1000))
        assert found[: len(seen)] == seen
        assert all(log.line.timestamp_ms < to_milliseconds(clock.now()) for log in found)
        seen = found
    fresh = _shared_at(clock.now())
    assert list(all_pages(fresh, "*", window(6.3, 9), Order.OLDEST_FIRST, 1000)) == seen


def _shared_at(now: datetime) -> LogStore:
    store = LogStore(clock=ManualClock(now))
    store.add_topic("shop", INDEX)
    store.add_source("shop", made_source(made_timeline()), since=START)
    return store


def test_a_later_fault_shows_only_later(
    store: LogStore, clock: ManualClock, timeline: Timeline, window: Windows
) -> None:
    before = store.count(("shop",), "level:ERROR", CQL, window(0, 24))
    timeline.record(clock.now(), Condition(pods=PODS, error_ratio=1.0))
    assert store.count(("shop",), "level:ERROR", CQL, window(0, 24)) == before
    clock.advance(timedelta(minutes=10))
    assert store.count(("shop",), "level:ERROR", CQL, window(0, 24)) > before + 50


def test_only_the_hours_that_are_needed_are_made(clock: ManualClock, window: Windows) -> None:
    asked: list[tuple[datetime, datetime]] = []

    class Recording:
        def lines(self, start: datetime, end: datetime) -> Iterator[LogLine]:
            asked.append((start, end))
            return made_source(made_timeline()).lines(start, end)

    store = LogStore(clock=clock)
    store.add_topic("shop", INDEX)
    store.add_source("shop", Recording(), since=START)
    store.search(question("*", window(0, 24), limit=10))
    assert len(asked) == 1, "the newest hour answers"
    store.search(question("*", window(0, 24), limit=10))
    assert len(asked) == 1, "and is kept"
    store.count(("shop",), "*", CQL, window(0, 24))
    assert len(asked) == 7


def test_forgotten_hours_come_back_the_same(clock: ManualClock, window: Windows) -> None:
    small = LogStore(clock=clock, max_generated_lines=2_000)
    small.add_topic("shop", INDEX)
    small.add_source("shop", made_source(made_timeline()), since=START)
    first = list(all_pages(small, "ERROR", window(0, 7), Order.OLDEST_FIRST, 50))
    assert list(all_pages(small, "ERROR", window(0, 7), Order.OLDEST_FIRST, 50)) == first
    assert list(all_pages(_shared_at(clock.now()), "ERROR", window(0, 7), Order.OLDEST_FIRST, 1000)) == first
    assert small.generated_lines <= 4_000


def test_a_log_has_its_neighbours_of_the_same_stream(store: LogStore, window: Windows) -> None:
    logs = list(all_pages(store, '__TAG__.pod_name:"order-b"', window(1, 3), Order.OLDEST_FIRST, 1000))
    for middle in (5, len(logs) // 2):
        log = logs[middle]
        context = store.context("shop", log.package_id, log.package_log_id, before=4, after=6)
        assert list(context.logs) == logs[middle - 4 : middle + 7]
        assert not context.previous_over
        assert not context.next_over


def test_context_ends_where_the_stream_does(store: LogStore, clock: ManualClock, window: Windows) -> None:
    first = store.search(question("*", window(0, 1), order=Order.OLDEST_FIRST, limit=1)).logs[0]
    context = store.context("shop", first.package_id, first.package_log_id, before=3, after=2)
    assert context.previous_over
    assert context.logs[0] == first
    assert len(context.logs) == 3
    assert not context.next_over
    last = store.search(question("*", window(6, 24), limit=1)).logs[0]
    context = store.context("shop", last.package_id, last.package_log_id, before=0, after=5)
    assert context.logs == (last,)
    assert context.next_over
    assert not context.previous_over


@pytest.mark.parametrize(
    "package", ["", "zz", "00000000", "FFFFFFFFFFFFFFFF-0", "0123456789ABCDEF-FFFFFFFFFFFF"]
)
def test_an_unknown_log_has_no_context(store: LogStore, package: str) -> None:
    with pytest.raises(LogNotFound):
        store.context("shop", package, 0, before=1, after=1)


def test_an_unknown_position_has_no_context(store: LogStore, window: Windows) -> None:
    log = store.search(question("*", window(1, 2), limit=1)).logs[0]
    for position in (-1, 10_000, 2**40):
        with pytest.raises(LogNotFound):
            store.context("shop", log.package_id, position, before=1, after=1)


def test_uploads_are_found_with_their_place_and_outlive_forgetting(
    clock: ManualClock, window: Windows
) -> None:
    store = LogStore(clock=clock, max_generated_lines=1)
    store.add_topic("shop", INDEX)
    store.add_source("shop", made_source(made_timeline()), since=START)
    stamp = to_milliseconds(START + timedelta(hours=2, minutes=7))
    lines = [
        LogLine(
            stamp + n,
            f"uploaded {n} \x00\n中文 it's",
            (("level", "NOTICE"), ("new key", str(n)), ("Level", "x")),
            ORIGIN,
        )
        for n in range(5)
    ]
    package = store.append("shop", lines)
    for _ in range(2):
        found = store.search(question("uploaded", window(0, 24), order=Order.OLDEST_FIRST)).logs
        assert [log.line.text for log in found] == [line.text for line in lines]
        assert [dict(log.line.fields) for log in found] == [dict(line.fields) for line in lines]
        assert [(log.package_id, log.package_log_id) for log in found] == [(package, n) for n in range(5)]
    context = store.context("shop", package, 2, before=10, after=1)
    assert [log.package_log_id for log in context.logs] == [0, 1, 2, 3]
    assert store.count(("shop",), "uploaded", CQL, Window(from_ms=stamp + 1, to_ms=stamp + 4)) == 3
    assert store.append("shop", lines) != package


@given(text=st.text(min_size=1), value=st.text())
@settings(max_examples=50, deadline=None)
def test_any_unicode_text_is_given_back_as_it_came(text: str, value: str) -> None:
    store = LogStore(clock=ManualClock(START))
    store.add_topic("t", TopicIndex())
    store.append("t", [LogLine(1, text, (("k", value),), LogOrigin(filename="/a"))])
    log = store.search(SearchQuestion(topic_ids=("t",), query="*", window=Window(from_ms=0, to_ms=10))).logs[
        0
    ]
    assert (log.line.text, log.line.fields) == (text, (("k", value),))


def test_uploads_from_all_ages_are_found_without_looking_at_each_hour_between() -> None:
    store = LogStore(clock=ManualClock(START))
    store.add_topic("t", TopicIndex())
    stamps = (0, 10**9, 10**12, 10**15)
    store.append("t", [LogLine(stamp, "x", (), ORIGIN) for stamp in stamps])
    ever = Window(from_ms=0, to_ms=2**60)
    for order, expected in ((Order.OLDEST_FIRST, stamps), (Order.NEWEST_FIRST, stamps[::-1])):
        found = [log.line.timestamp_ms for log in all_pages(store, "x", ever, order, 1, ("t",))]
        assert found == list(expected)


def test_half_characters_are_replaced() -> None:
    store = LogStore(clock=ManualClock(START))
    store.add_topic("t", TopicIndex())
    store.append("t", [LogLine(1, "a\ud800b", (), ORIGIN)])
    logs = store.search(SearchQuestion(topic_ids=("t",), query="*", window=Window(from_ms=0, to_ms=10))).logs
    assert [log.line.text for log in logs] == ["a?b"]


def test_an_index_can_be_taken_and_given(store: LogStore, window: Windows) -> None:
    store.set_index("shop", None)
    with pytest.raises(IndexNotEnabled):
        store.search(question("*", window(0, 1)))
    store.set_index("shop", TopicIndex())
    assert store.count(("shop",), "ERROR", CQL, window(0, 1)) > 0
    with pytest.raises(QuerySyntaxError):
        store.count(("shop",), "level:ERROR", CQL, window(0, 1))


def test_topics_come_and_go(store: LogStore, window: Windows) -> None:
    with pytest.raises(TopicExists):
        store.add_topic("shop")
    store.count(("shop",), "*", CQL, window(0, 1))
    store.remove_topic("shop")
    with pytest.raises(TopicNotFound):
        store.search(question("*", window(0, 1)))
    store.add_topic("shop", INDEX)
    assert store.count(("shop",), "*", CQL, window(0, 1)) == 0


@pytest.mark.parametrize("cursor", ["x", "e30=", "WzEsMl0=", "WzEsMiwzLDQsInUiXQ==", "é", "[1,2,3,4,5]"])
def test_a_foreign_cursor_is_refused(store: LogStore, window: Windows, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        store.search(question("*", window(0, 1), cursor=cursor))


def test_a_wrong_query_is_refused_before_anything_is_made(clock: ManualClock, window: Windows) -> None:
    class Untouchable:
        def lines(self, start: datetime, end: datetime) -> Iterator[LogLine]:
            raise AssertionError

    store = LogStore(clock=clock)
    store.add_topic("shop", INDEX)
    store.add_source("shop", Untouchable(), since=START)
    for query in ("(", "nokey:1", "level:>2"):
        with pytest.raises(QuerySyntaxError):
            store.search(question(query, window(0, 9)))


def test_milliseconds_are_exact_both_ways() -> None:
    for milliseconds in (0, 1, 1795132800007, 1795132800999):
        assert to_milliseconds(to_datetime(milliseconds)) == milliseconds
    assert to_milliseconds(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=1999)) % 1000 == 1
