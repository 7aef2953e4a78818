"""Reading more lines than one search gives: each once, in order, none left out."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tencent.cloud.tencentcloud.instants import from_milliseconds, to_milliseconds
from mcp_tencent.cloud.tencentcloud.log_walk import LogWalk
from mcp_tencent.models.logs import LogLine, SortOrder

END = 40


def line(at: int, number: int, *, packaged: bool) -> LogLine:
    return LogLine(
        at=from_milliseconds(at),
        topic_id="t",
        text="same" if number % 3 else "other",
        fields={},
        source="",
        filename="",
        hostname="",
        pkg_id="p" if packaged else "",
        pkg_log_id=str(number) if packaged else "",
    )


def read_all(stored: list[LogLine], order: SortOrder, *, most: int, page: int) -> tuple[list[LogLine], int]:
    """Read as the adapter does, from a store whose searches end after `most` lines."""
    walk, found, searches = LogWalk(0, END, order), [], 0
    ascending = order is SortOrder.OLDEST_FIRST
    in_order = stored if ascending else stored[::-1]
    while True:
        searches += 1
        assert searches < 500, "the walk does not get on"
        matching = [x for x in in_order if walk.start_ms <= to_milliseconds(x.at) < walk.end_ms]
        for first in range(0, min(len(matching), most), page):
            found += walk.take(matching[first : min(first + page, most)])
        if len(matching) <= most:
            return found, searches
        if not walk.search_anew():
            start, end = walk.edge()
            found += walk.take([x for x in in_order if start <= to_milliseconds(x.at) < end])
            if not walk.pass_edge():
                return found, searches


@settings(max_examples=300)
@given(
    times=st.lists(st.integers(0, END - 1) | st.sampled_from([7, 8]), max_size=60),
    order=st.sampled_from(SortOrder),
    most=st.integers(1, 20),
    page=st.integers(1, 20),
    packaged=st.booleans(),
)
def test_every_line_is_read_exactly_once_and_in_order(times, order, most, page, packaged):
    stored = [line(at, number, packaged=packaged) for number, at in enumerate(sorted(times))]
    found, _ = read_all(stored, order, most=most, page=page)
    expected = stored if order is SortOrder.OLDEST_FIRST else stored[::-1]
    assert found == expected


def test_lines_spread_out_need_about_one_search_per_full_one():
    stored = [line(at, at, packaged=True) for at in range(END)]
    found, searches = read_all(stored, SortOrder.OLDEST_FIRST, most=10, page=10)
    assert found == stored
    assert searches <= 5


def test_a_walk_that_read_nothing_has_nowhere_to_go_on_from():
    walk = LogWalk(0, END, SortOrder.OLDEST_FIRST)
    assert not walk.search_anew()
    with pytest.raises(ValueError, match="nothing was read"):
        walk.edge()
    with pytest.raises(ValueError, match="nothing was read"):
        walk.pass_edge()


@given(st.datetimes().map(lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000)))
def test_milliseconds_go_there_and_back_exactly(naive):
    instant = naive.replace(tzinfo=from_milliseconds(0).tzinfo)
    assert from_milliseconds(to_milliseconds(instant)) == instant
    assert to_milliseconds(instant + timedelta(microseconds=999)) == to_milliseconds(instant)
