"""Rate limit, circuit breaker and deadline."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent import errors as cloud
from mcp_tencent.gateway.breaker import FAILURES_TO_OPEN, FIRST_REST, LONGEST_REST, Breaker, CircuitState
from mcp_tencent.gateway.call import Result, ToolCall
from mcp_tencent.gateway.deadline import deadline
from mcp_tencent.gateway.errors import CircuitOpen, DeadlineExceeded, RateLimited
from mcp_tencent.gateway.rate_limit import Bucket, RateLimit
from tests.mcp_tencent.gateway.calls import (
    OWNER,
    READ,
    START,
    WATCH,
    HandClock,
    Tool,
    a_call,
    said,
    with_policy,
)


@pytest.fixture
def clock():
    return HandClock()


async def test_a_caller_who_asks_too_often_hears_when_to_come_back(clock):
    limit, tool = RateLimit(clock), Tool()
    pods = a_call(with_policy(READ, per_minute=3))
    for _ in range(3):
        await limit(pods, tool)
    with pytest.raises(RateLimited) as refused:
        await limit(pods, tool)
    assert refused.value.retry_after_s == pytest.approx(20)
    clock.advance(20)
    await limit(pods, tool)
    assert len(tool.calls) == 4


async def test_one_callers_haste_is_not_anothers(clock):
    limit, tool = RateLimit(clock), Tool()
    policy = with_policy(READ, per_minute=1)
    await limit(a_call(policy, caller=OWNER), tool)
    await limit(a_call(policy, caller=WATCH), tool)
    await limit(a_call(with_policy(policy, name="list_nodes"), caller=OWNER), tool)
    assert len(tool.calls) == 3


@given(per_minute=st.integers(1, 600), gaps_s=st.lists(st.floats(-5, 120), max_size=60))
def test_no_bucket_ever_gives_more_than_it_holds_and_what_flowed_in(per_minute, gaps_s):
    bucket = Bucket(per_minute, float(per_minute), START)
    now, given_away, elapsed_s = START, 0, 0.0
    for gap_s in gaps_s:
        now += timedelta(seconds=gap_s)
        elapsed_s += max(0.0, gap_s)
        given_away += bucket.take(now) == 0
    assert given_away <= per_minute + elapsed_s * per_minute / 60 + 1e-6


OUTAGES = [
    cloud.NetworkFault("no route"),
    cloud.ServiceFault("500"),
    cloud.DeadlineExceeded("slow"),
    cloud.OutcomeUnknown("lost"),
    DeadlineExceeded("slow", retry_after_s=1),
]
ANSWERS = [
    cloud.Throttled("429"),
    cloud.NotFound("404"),
    cloud.PermissionMissing("403"),
    cloud.QuotaExceeded("quota"),
    KeyError("our own bug"),
]


async def fail(breaker: Breaker, error: BaseException, times: int) -> Tool:
    tool = Tool(error)
    for _ in range(times):
        with pytest.raises(type(error)):
            await breaker(a_call(READ), tool)
    return tool


@pytest.mark.parametrize("error", OUTAGES, ids=lambda error: type(error).__name__)
async def test_a_system_that_does_not_answer_is_left_alone(clock, error):
    breaker = Breaker(clock)
    tool = await fail(breaker, error, FAILURES_TO_OPEN)
    with pytest.raises(CircuitOpen) as refused:
        await breaker(a_call(READ), tool)
    assert refused.value.retry_after_s == pytest.approx(FIRST_REST.total_seconds())
    assert len(tool.calls) == FAILURES_TO_OPEN


@pytest.mark.parametrize("error", ANSWERS, ids=lambda error: type(error).__name__)
async def test_a_system_that_says_no_is_there(clock, error):
    breaker = Breaker(clock)
    await fail(breaker, error, 3 * FAILURES_TO_OPEN)
    assert breaker.circuits["kubernetes"].state is CircuitState.CLOSED


async def test_an_answer_in_between_starts_the_count_again(clock):
    breaker = Breaker(clock)
    await fail(breaker, cloud.NetworkFault("down"), FAILURES_TO_OPEN - 1)
    await breaker(a_call(READ), Tool())
    await fail(breaker, cloud.NetworkFault("down"), FAILURES_TO_OPEN - 1)
    assert breaker.circuits["kubernetes"].state is CircuitState.CLOSED


async def test_another_system_is_not_blamed(clock):
    breaker = Breaker(clock)
    await fail(breaker, cloud.NetworkFault("down"), FAILURES_TO_OPEN)
    await breaker(a_call(with_policy(READ, outside="cls")), Tool())
    await breaker(a_call(with_policy(READ, outside="")), Tool())


async def test_after_a_rest_one_call_tries_and_the_others_wait_for_it(clock):
    breaker = Breaker(clock)
    await fail(breaker, cloud.NetworkFault("down"), FAILURES_TO_OPEN)
    clock.advance(FIRST_REST.total_seconds())
    trying, go_on = asyncio.Event(), asyncio.Event()

    async def probe(call: ToolCall) -> Result:
        trying.set()
        await go_on.wait()
        return said("back")

    first = asyncio.create_task(breaker(a_call(READ), probe))
    await trying.wait()
    with pytest.raises(CircuitOpen):
        await breaker(a_call(READ), Tool())
    go_on.set()
    await first
    await breaker(a_call(READ), Tool())


async def test_a_system_that_is_still_down_is_left_alone_for_longer_but_not_for_ever(clock):
    breaker = Breaker(clock)
    await fail(breaker, cloud.NetworkFault("down"), FAILURES_TO_OPEN)
    circuit = breaker.circuits["kubernetes"]
    rests = []
    for _ in range(8):
        rests.append(circuit.rest)
        clock.advance(circuit.rest.total_seconds())
        await fail(breaker, cloud.NetworkFault("still down"), 1)
    assert rests[:3] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert circuit.rest == LONGEST_REST


async def test_a_probe_that_was_cancelled_lets_the_next_one_try(clock):
    breaker = Breaker(clock)
    await fail(breaker, cloud.NetworkFault("down"), FAILURES_TO_OPEN)
    clock.advance(FIRST_REST.total_seconds())
    with pytest.raises(asyncio.CancelledError):
        await breaker(a_call(READ), Tool(asyncio.CancelledError()))
    await breaker(a_call(READ), Tool())
    assert breaker.circuits["kubernetes"].state is CircuitState.CLOSED


async def test_a_call_that_takes_too_long_is_given_up():
    ended = []

    async def endless(call: ToolCall) -> Result:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(call)
        raise AssertionError

    with pytest.raises(DeadlineExceeded):
        await deadline(a_call(with_policy(READ, deadline_s=0.0)), endless)
    assert len(ended) == 1


async def test_a_tools_own_timeout_is_not_mistaken_for_ours():
    with pytest.raises(TimeoutError) as raised:
        await deadline(a_call(READ), Tool(TimeoutError("the tool's own")))
    assert str(raised.value) == "the tool's own"


async def test_a_call_in_time_is_left_alone():
    tool = Tool()
    await deadline(a_call(READ), tool)
    assert len(tool.calls) == 1
