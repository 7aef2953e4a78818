"""Period strings of the tools become instants, or a precise refusal."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.errors import InvalidPeriod, PeriodTooLong
from mcp_tencent.periods import LONGEST, Period, parse_period

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 5, 0, tzinfo=SHANGHAI)

ZONES = st.sampled_from(
    [UTC, SHANGHAI, ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns"), timezone(timedelta(hours=-12))]
)
NOWS = st.datetimes(
    min_value=datetime(2001, 1, 1),
    max_value=datetime(2090, 1, 1),
    timezones=ZONES,
)


def parsed(text: str) -> Period:
    return parse_period(text, now=NOW, zone=SHANGHAI)


@pytest.mark.parametrize(
    ("text", "length"),
    [("15m", 15), ("1h", 60), (" 24H ", 1440), ("7d", 10080), ("2w", 20160), ("90 m", 90), ("60s", 1)],
)
def test_a_count_with_a_unit_goes_back_from_now(text, length):
    assert parsed(text) == Period(start=NOW - timedelta(minutes=length), end=NOW)


def test_yesterday_is_the_whole_day_before_in_the_zone_of_the_people():
    assert parsed("yesterday") == Period(
        start=datetime(2026, 11, 19, tzinfo=SHANGHAI), end=datetime(2026, 11, 20, tzinfo=SHANGHAI)
    )


def test_today_ends_now():
    assert parsed("Today") == Period(start=datetime(2026, 11, 20, tzinfo=SHANGHAI), end=NOW)


def test_the_day_is_that_of_the_zone_and_not_of_now():
    late_in_utc = datetime(2026, 11, 19, 21, 0, tzinfo=UTC)
    assert parse_period("today", now=late_in_utc, zone=SHANGHAI).start == datetime(
        2026, 11, 20, tzinfo=SHANGHAI
    )


def test_a_date_is_that_whole_day_and_the_present_date_ends_now():
    assert parsed("2026-11-18").length == timedelta(days=1)
    assert parsed("2026-11-20") == parsed("today")


def test_a_day_on_which_the_clocks_change_is_not_24_hours_long():
    berlin = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 4, 1, tzinfo=berlin)
    assert parse_period("2026-03-29", now=now, zone=berlin).length == timedelta(hours=23)


def test_one_hour_back_is_one_hour_across_a_change_of_clocks():
    berlin = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 3, 29, 3, 30, tzinfo=berlin)
    assert parse_period("1h", now=now, zone=berlin).length == timedelta(hours=1)


def test_start_and_end_are_instants_of_their_own_offsets():
    period = parsed("2026-11-19T22:00:00Z/2026-11-20T04:30:00.500+08:00".replace("22", "15"))
    assert period.start == datetime(2026, 11, 19, 15, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 19, 20, 30, 0, 500_000, tzinfo=UTC)


def test_an_end_in_the_future_is_cut_to_now():
    assert parsed("2026-11-20T04:00:00+08:00/2026-11-20T23:00:00+08:00").end == NOW


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("0h", "longer than 0"),
        ("-1h", "cannot understand"),
        ("1.5h", "cannot understand"),
        ("h", "cannot understand"),
        ("1y", "cannot understand"),
        ("soon", "cannot understand"),
        ("2026-02-30", "cannot understand"),
        ("9999-12-31", "cannot understand"),
        ("2026-11-21", "not in the past"),
        ("999999999d", "beyond the calendar"),
        ("367d", "366 are the most"),
        ("a/b/c", "3 parts"),
        ("2026-11-19/2026-11-20", "with seconds and offset"),
        ("2026-11-19T00:00:00/2026-11-20T00:00:00", "with seconds and offset"),
        ("2026-11-19T00:00+08:00/2026-11-20T00:00+08:00", "with seconds and offset"),
        ("2026-13-19T00:00:00Z/2026-11-20T00:00:00Z", "does not exist"),
        ("2026-11-19T10:00:00Z/2026-11-19T10:00:00Z", "at or before its start"),
        ("2026-11-19T10:00:00Z/2026-11-19T09:00:00Z", "at or before its start"),
        ("2024-01-01T00:00:00Z/2026-01-01T00:00:00Z", "366 are the most"),
        ("0001-01-01T00:00:00+14:00/2026-01-01T00:00:00Z", "beyond the calendar"),
        ("2027-01-01T00:00:00Z/2027-01-02T00:00:00Z", "not in the past"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(text, reason):
    with pytest.raises(InvalidPeriod, match=reason):
        parsed(text)


def test_today_at_midnight_is_refused_because_it_is_empty():
    midnight = datetime(2026, 11, 20, tzinfo=SHANGHAI)
    with pytest.raises(InvalidPeriod, match="not in the past"):
        parse_period("today", now=midnight, zone=SHANGHAI)


def test_a_naive_now_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="timezone-aware"):
        parse_period("1h", now=datetime(2026, 11, 20), zone=SHANGHAI)


@given(count=st.integers(1, 8784), now=NOWS, zone=ZONES)
def test_every_count_of_hours_up_to_a_year_has_exactly_that_length(count, now, zone):
    period = parse_period(f"{count}h", now=now, zone=zone)
    assert period.length == timedelta(hours=count)
    assert period.end == now


@given(now=NOWS, zone=ZONES, back=st.integers(1, 300))
def test_every_past_date_is_about_a_day_and_days_follow_each_other_without_a_gap(now, zone, back):
    day = now.astimezone(zone).date() - timedelta(days=back)
    period = parse_period(day.isoformat(), now=now, zone=zone)
    following = parse_period((day - timedelta(days=1)).isoformat(), now=now, zone=zone)
    assert timedelta(hours=22) <= period.length <= timedelta(hours=26)
    assert following.end == period.start


@given(
    first=st.datetimes(
        timezones=st.just(UTC), min_value=datetime(2026, 1, 1), max_value=datetime(2026, 11, 19)
    ),
    length=st.timedeltas(min_value=timedelta(seconds=1), max_value=LONGEST),
)
def test_written_instants_come_back_unchanged(first, length):
    end = min(first + length, NOW)
    assert parsed(f"{first.isoformat(timespec='microseconds')}/{end.isoformat(timespec='microseconds')}") == (
        Period(start=first, end=end)
    )


@given(st.text(max_size=40) | st.from_regex(r"[0-9TZ:+/\- dhm]{0,30}", fullmatch=True), NOWS, ZONES)
def test_any_text_gives_a_sensible_period_or_a_refusal(text, now, zone):
    try:
        period = parse_period(text, now=now, zone=zone)
    except InvalidPeriod:
        return
    else:
        assert timedelta(0) < period.length <= LONGEST
        assert period.end <= now


def test_any_date_object_written_out_is_understood():
    assert parsed(date(2026, 1, 1).isoformat()).start == datetime(2026, 1, 1, tzinfo=SHANGHAI)


def test_a_period_that_is_too_long_is_said_to_be_too_long_and_not_misunderstood():
    with pytest.raises(PeriodTooLong) as refused:
        parse_period("400d", now=NOW, zone=SHANGHAI)
    assert refused.value.spoken == "时间范围太长了，请说短一些"
