from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.local_cloud.scenario.moments import format_duration, parse_duration, parse_moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 21, 5, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("start", START),
        ("now", START),
        ("-5h20m", START - timedelta(hours=5, minutes=20)),
        ("-7d", START - timedelta(days=7)),
        ("+10m", START + timedelta(minutes=10)),
        ("yesterday 14:05", datetime(2026, 11, 20, 14, 5, tzinfo=SHANGHAI)),
        ("today 00:30:15", datetime(2026, 11, 21, 0, 30, 15, tzinfo=SHANGHAI)),
        ("-3d 09:30", datetime(2026, 11, 18, 9, 30, tzinfo=SHANGHAI)),
        ("2026-11-20T08:00:00+08:00", datetime(2026, 11, 20, 0, 0, tzinfo=UTC)),
    ],
)
def test_each_form_of_a_moment_resolves_from_the_start(text, expected):
    assert parse_moment(text).resolve(START, SHANGHAI) == expected


def test_yesterday_is_that_of_the_scenarios_zone_not_of_utc():
    just_past_midnight = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    assert parse_moment("yesterday 23:00").resolve(just_past_midnight, SHANGHAI) == datetime(
        2026, 11, 20, 23, 0, tzinfo=SHANGHAI
    )


@pytest.mark.parametrize(
    "text", ["", "5", "tomorrow 10:00", "yesterday 25:00", "-5x", "-", "2026-11-20T08:00:00", 5, None]
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_moment(text)


@given(st.integers(min_value=0, max_value=30_000_000))
def test_a_duration_is_read_back_as_it_was_written(seconds):
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


@given(st.text(max_size=30))
def test_no_text_makes_reading_moments_fail_otherwise(text):
    try:
        moment = parse_moment(text)
    except ValueError:
        return
    assert moment.resolve(START, SHANGHAI).tzinfo is not None
