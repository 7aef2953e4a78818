from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.push.pacing import Pace, RateLimit, block, blocked_for, take_turn
from mcp_tencent.push.retry import GiveUp, RetryPolicy, TryAgain, after_failure
from tests.mcp_tencent.push.virtual_time import START

POLICY = RetryPolicy()


def test_delays_double_until_the_longest() -> None:
    plain = RetryPolicy(jitter=0.0)
    delays = []
    for attempts in range(1, 12):
        follows = after_failure(plain, key="k", attempts=attempts, age=timedelta())
        assert isinstance(follows, TryAgain)
        delays.append(follows.after_s)
    assert delays == [30, 60, 120, 240, 480, 960, 1920, 3840, 7200, 7200, 7200]


@given(st.text(), st.integers(min_value=1, max_value=23))
def test_jitter_stays_within_its_share_and_is_the_same_on_replay(key: str, attempts: int) -> None:
    first = after_failure(POLICY, key=key, attempts=attempts, age=timedelta())
    assert first == after_failure(POLICY, key=key, attempts=attempts, age=timedelta())
    assert isinstance(first, TryAgain)
    base = min(30 * 2 ** (attempts - 1), 7200)
    assert base * 0.8 <= first.after_s <= base * 1.2


def test_different_deliveries_do_not_come_back_at_the_same_moment() -> None:
    delays = {str(after_failure(POLICY, key=f"k{n}", attempts=5, age=timedelta())) for n in range(50)}
    assert len(delays) == 50


def test_it_is_given_up_after_the_last_attempt_and_after_the_longest_age() -> None:
    tired = after_failure(POLICY, key="k", attempts=24, age=timedelta())
    old = after_failure(POLICY, key="k", attempts=1, age=timedelta(hours=24))
    assert tired == GiveUp(reason="试了 24 次都没有发出去")
    assert old == GiveUp(reason="超过 24 小时仍没有发出去")


@pytest.mark.parametrize(
    "wrong", [{"first_delay_s": 0}, {"factor": 0.5}, {"jitter": 1.0}, {"max_attempts": 0}]
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="want"):
        RetryPolicy(**wrong)  # type: ignore[arg-type]


@given(
    st.lists(st.floats(min_value=0, max_value=90), min_size=1, max_size=80),
    st.integers(min_value=1, max_value=20),
)
def test_no_window_ever_holds_more_turns_than_the_limit(gaps: list[float], messages: int) -> None:
    limit = RateLimit(messages=messages, per_s=60.0)
    pace, now, turns = Pace(), START, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        pace, turn = take_turn(pace, limit, now)
        assert turn >= now
        turns.append(turn)
    assert turns == sorted(turns), "nobody overtakes"
    for earlier, later in zip(turns, turns[messages:], strict=False):
        assert later - earlier >= timedelta(seconds=60)


def test_up_to_the_limit_nobody_waits() -> None:
    pace, limit = Pace(), RateLimit(messages=3, per_s=60.0)
    turns = []
    for _ in range(4):
        pace, turn = take_turn(pace, limit, START)
        turns.append((turn - START).total_seconds())
    assert turns == [0, 0, 0, 60]


def test_a_block_moves_all_turns_behind_it_and_is_never_shortened() -> None:
    pace = block(Pace(), START, 600)
    pace = block(pace, START, 10)
    assert blocked_for(pace, START + timedelta(seconds=1)) == 599
    pace, turn = take_turn(pace, RateLimit(messages=3, per_s=60.0), START)
    assert (turn - START).total_seconds() == 600
    assert blocked_for(pace, START + timedelta(seconds=601)) == 0
