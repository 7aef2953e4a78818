"""The seasonal baseline: usual hours, robust distance, episodes and trends."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.analytics.anomalies import find_anomalies
from mcp_tencent.analytics.baseline import (
    DAYS_BACK,
    Direction,
    History,
    Knowledge,
    Sensitivity,
    buckets,
    change_ratio,
    deviation,
    episodes,
    trend,
)
from mcp_tencent.analytics.counting import Counts, Gathered, SeriesName
from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.periods import Period

ZONE = ZoneInfo("Asia/Shanghai")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FRIDAY = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
"""Ten o'clock in Beijing."""


def history(counts: dict[datetime, int], covered: set[datetime] | None = None) -> History:
    knowledge = Knowledge(frozenset(counts if covered is None else covered), ZONE)
    return History(counts=counts, knowledge=knowledge)


def days_before(at: datetime, counts: list[int]) -> dict[datetime, int]:
    return {at - (number + 1) * DAY: count for number, count in enumerate(counts)}


def test_workdays_are_compared_with_workdays() -> None:
    counts = {FRIDAY - day * DAY: 500 if (FRIDAY - day * DAY).weekday() < 5 else 90 for day in range(1, 15)}
    assert history(counts).samples(FRIDAY) == [500] * 10
    assert history(counts).samples(FRIDAY + DAY) == [90] * 4


def test_with_too_few_days_of_a_kind_all_days_are_taken() -> None:
    counts = {FRIDAY - day * DAY: day for day in range(1, 6)}
    assert sorted(history(counts).samples(FRIDAY + DAY)) == [1, 2, 3, 4, 5]


def test_a_covered_hour_without_lines_counts_as_none() -> None:
    covered = {FRIDAY - day * DAY for day in range(1, 15)}
    assert history({}, covered).samples(FRIDAY) == [0] * 10


def test_too_little_history_says_nothing() -> None:
    assert deviation(10_000, [1, 1]) is None


def test_one_earlier_incident_does_not_move_the_usual() -> None:
    calm = [100, 104, 97, 99, 101, 103, 98, 100, 102, 96]
    shaken = [9_000, *calm[1:]]
    before, after = deviation(300, calm), deviation(300, shaken)
    assert before is not None
    assert after is not None
    assert abs(before.expected - after.expected) <= 1
    assert after.is_anomaly(Sensitivity())


@pytest.mark.parametrize(
    ("observed", "samples", "unusual"),
    [
        (3, [0] * 10, False),
        (15, [0] * 10, True),
        (560, [4] * 10, True),
        (0, [120] * 10, True),
        (0, [5] * 10, False),
        (1_060_000, [1_000_000] * 10, False),
        (120, [100] * 10, False),
        (400, [100, 900, 250, 40, 600, 300, 120, 700, 90, 500], False),
    ],
)
def test_what_is_unusual_is_far_large_and_a_multiple(
    observed: int, samples: list[int], unusual: bool
) -> None:
    compared = deviation(observed, samples)
    assert compared is not None
    assert compared.is_anomaly(Sensitivity()) is unusual


def test_neighbouring_hours_are_one_episode() -> None:
    hours = [FRIDAY + number * HOUR for number in range(4)]
    counts = {at - day * DAY: 10 for at in hours for day in range(1, 15)}
    observed = dict(zip(hours, [10, 200, 300, 11], strict=True))
    (one,) = episodes(observed, history(counts), bucket=HOUR)
    assert (one.start, one.end) == (hours[1], hours[3])
    assert (one.observed, one.expected, one.direction) == (500, 20.0, Direction.UP)


def test_too_many_and_too_few_are_two_episodes() -> None:
    hours = [FRIDAY, FRIDAY + HOUR]
    counts = {at - day * DAY: 100 for at in hours for day in range(1, 15)}
    found = episodes({hours[0]: 900, hours[1]: 0}, history(counts), bucket=HOUR)
    assert [one.direction for one in found] == [Direction.UP, Direction.DOWN]


def test_a_quiet_day_raises_at_most_one_false_alarm() -> None:
    """Poisson lives of 40 series with the generators' own season, judged on 60 days of 3 seeds."""
    alarms = [_alarms_of_day(counts, day) for seed in range(3) for counts, day in _quiet_days(seed, 20)]
    assert len(alarms) == 60
    assert max(alarms) <= 1
    assert sum(alarms) <= 3


def test_in_the_same_life_a_planted_burst_is_found_every_day() -> None:
    for counts, day in _quiet_days(7, 5):
        name = SeriesName(workload="w3", level="WARN")
        counts[name][day + 9 * HOUR] = counts[name].get(day + 9 * HOUR, 0) + 150
        assert _alarms_of_day(counts, day) >= 1


def _alarms_of_day(counts: Counts, day: datetime) -> int:
    past = frozenset(at for series in counts.values() for at in series if at < day)
    gathered = Gathered(counts=counts, covered=past)
    return len(find_anomalies(gathered, Period(start=day, end=day + DAY), bucket=HOUR, zone=ZONE))


def _quiet_days(seed: int, days: int) -> list[tuple[Counts, datetime]]:
    rng, season = random.Random(seed), Season()
    start = FRIDAY - (days + DAYS_BACK) * DAY
    hours = buckets(start, FRIDAY, HOUR)
    factors = {at: season.factor(at) for at in hours}
    counts: Counts = {}
    for number in range(10):
        for level, per_minute in (("INFO", 20.0), ("DEBUG", 3.0), ("WARN", 0.2), ("ERROR", 0.01)):
            rate = per_minute * 60 * rng.uniform(0.3, 3.0)
            name = SeriesName(workload=f"w{number}", level=level)
            counts[name] = {at: _poisson(rng, rate * factors[at]) for at in hours}
    return [(counts, FRIDAY - (days - index) * DAY) for index in range(days)]


def _poisson(rng: random.Random, mean: float) -> int:
    if mean > 200:
        return max(0, round(rng.gauss(mean, mean**0.5)))
    count, left = 0, rng.expovariate(1.0)
    while left < mean:
        count += 1
        left += rng.expovariate(1.0)
    return count


def test_a_rising_series_rises_and_noise_is_steady() -> None:
    assert trend([float(number) for number in range(24)]).direction is Direction.UP
    assert trend([float(-number) for number in range(24)]).direction is Direction.DOWN
    rng = random.Random(1)
    assert trend([100 + rng.gauss(0, 5) for _ in range(24)]).direction is Direction.STEADY
    assert trend([7.0] * 24).direction is Direction.STEADY
    assert trend([1.0, 9.0]).direction is Direction.STEADY


def test_one_peak_is_no_trend() -> None:
    assert trend([10.0] * 12 + [900.0] + [10.0] * 12).direction is Direction.STEADY


def test_change_against_nothing_is_no_ratio() -> None:
    assert change_ratio(5, 0) is None
    assert change_ratio(5, 4) == 0.25


@given(st.integers(0, 10**7), st.lists(st.integers(0, 10**7), min_size=3, max_size=14))
def test_a_count_is_unusual_in_one_direction_only(observed: int, samples: list[int]) -> None:
    compared = deviation(observed, samples)
    assert compared is not None
    if compared.is_anomaly(Sensitivity()):
        assert (compared.score > 0) == (observed > compared.expected)


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=30))
def test_a_trend_turned_round_goes_the_other_way(values: list[float]) -> None:
    turned = {Direction.UP: Direction.DOWN, Direction.DOWN: Direction.UP, Direction.STEADY: Direction.STEADY}
    assert trend(values[::-1]).direction is turned[trend(values).direction]
