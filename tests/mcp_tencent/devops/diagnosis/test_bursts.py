"""Bursts of bad lines: found when they stand out from chance, and only then."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.diagnosis.bursts import error_bursts
from mcp_tencent.devops.diagnosis.evidence import LogBucket, LogHistory

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
WIDTH = timedelta(minutes=2)


def history(errors: list[int], lines: int = 60) -> LogHistory:
    return LogHistory(
        interval=WIDTH,
        buckets=tuple(
            LogBucket(start=BEGIN + index * WIDTH, lines=lines, errors=bad, warnings=0)
            for index, bad in enumerate(errors)
        ),
    )


def test_a_step_up_is_one_burst_that_goes_on() -> None:
    found = error_bursts(history([0] * 60 + [20] * 30))

    assert found.current is not None
    assert found.current.start == BEGIN + 60 * WIDTH
    assert found.current.known_start
    assert found.current.share == 20 / 60


def test_a_burst_that_has_passed_is_not_current() -> None:
    found = error_bursts(history([0] * 60 + [20] * 10 + [0] * 60))

    assert found.current is None
    assert [(burst.start, burst.end) for burst in found.found] == [(BEGIN + 60 * WIDTH, BEGIN + 70 * WIDTH)]


def test_a_burst_from_before_the_history_has_no_known_start() -> None:
    found = error_bursts(history([20] * 60 + [0] * 60))

    assert not found.found[0].known_start


def test_a_trouble_for_more_than_half_of_the_time_is_still_seen() -> None:
    found = error_bursts(history([0] * 60 + [20] * 80))

    assert found.current is not None
    assert found.usual_share == 0.0


def test_flaps_are_told_apart() -> None:
    found = error_bursts(history(([0] * 8 + [15, 15]) * 6))

    assert len(found.found) == 6


def test_one_calm_bucket_within_does_not_part_a_burst() -> None:
    found = error_bursts(history([0] * 60 + [20] * 5 + [0] + [20] * 5 + [0] * 30))

    assert len(found.found) == 1


def test_an_empty_history_has_no_burst() -> None:
    assert error_bursts(history([])).found == ()


def test_chance_makes_no_bursts_in_a_quiet_day() -> None:
    draw = random.Random(7)
    quiet = [sum(draw.random() < 0.005 for _ in range(60)) for _ in range(720)]

    assert error_bursts(history(quiet)).found == ()


@given(st.lists(st.integers(0, 60), max_size=200))
def test_bursts_are_in_order_and_apart_and_lie_within_the_history(errors: list[int]) -> None:
    found = error_bursts(history(errors)).found

    assert all(burst.start < burst.end for burst in found)
    assert all(one.end < other.start for one, other in pairwise(found))
    assert all(burst.start >= BEGIN and burst.end <= BEGIN + len(errors) * WIDTH for burst in found)
