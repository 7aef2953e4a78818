from __future__ import annotations

import asyncio

import pytest

from mcp_tencent.errors import NetworkFault
from mcp_tencent.gateway.cache import MOST_ANSWERS, ReadCache
from mcp_tencent.gateway.call import Origin, Result, ToolCall
from tests.mcp_tencent.gateway.calls import (
    DANGER,
    OWNER,
    READ,
    WATCH,
    HandClock,
    Tool,
    a_call,
    said,
    text_of,
    with_policy,
)

PODS = with_policy(READ, cache_s=5.0)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def cache(clock):
    return ReadCache(clock)


class SlowTool:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.calls = 0
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = False

    async def __call__(self, call: ToolCall) -> Result:
        self.calls += 1
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return said(f"seen {self.calls}")


async def test_the_same_question_within_seconds_is_asked_once(cache, clock):
    tool = Tool()
    await cache(a_call(PODS, workload="orders"), tool)
    clock.advance(4.9)
    again = await cache(a_call(PODS, workload="orders"), tool)
    assert (text_of(again), again.origin, len(tool.calls)) == ("done 1", Origin.CACHED, 1)


async def test_an_answer_grows_old(cache, clock):
    tool = Tool()
    await cache(a_call(PODS), tool)
    clock.advance(5)
    assert (await cache(a_call(PODS), tool)).origin is Origin.FRESH


async def test_other_questions_are_asked(cache):
    tool = Tool()
    await cache(a_call(PODS, workload="orders"), tool)
    await cache(a_call(PODS, workload="payments"), tool)
    assert len(tool.calls) == 2


async def test_who_may_see_other_things_gets_no_answer_of_mine(cache):
    tool = Tool()
    await cache(a_call(PODS, caller=OWNER), tool)
    await cache(a_call(PODS, caller=WATCH), tool)
    assert len(tool.calls) == 2


async def test_a_tool_without_a_cache_time_is_always_asked(cache):
    tool = Tool()
    await cache(a_call(READ), tool)
    await cache(a_call(READ), tool)
    assert len(tool.calls) == 2


async def test_failures_are_not_kept(cache):
    tool = Tool(NetworkFault("down"))
    with pytest.raises(NetworkFault):
        await cache(a_call(PODS), tool)
    tool.answer = "done"
    assert text_of(await cache(a_call(PODS), tool)) == "done 2"


async def test_an_answer_that_says_it_failed_is_not_kept(cache):
    async def failing(call: ToolCall) -> Result:
        return said("no", failed=True)

    await cache(a_call(PODS), failing)
    assert text_of(await cache(a_call(PODS), Tool())) == "done 1"


@pytest.mark.parametrize("answer", ["done", NetworkFault("lost")])
async def test_after_an_act_nothing_old_is_told_even_when_it_seems_to_have_failed(cache, answer):
    tool = Tool()
    await cache(a_call(PODS), tool)
    act = cache(a_call(DANGER), Tool(answer))
    if isinstance(answer, str):
        await act
    else:
        with pytest.raises(NetworkFault):
            await act
    assert (await cache(a_call(PODS), tool)).origin is Origin.FRESH


async def test_a_look_that_began_before_an_act_is_not_kept(cache):
    slow = SlowTool()
    looking = asyncio.create_task(cache(a_call(PODS), slow))
    await slow.begun.wait()
    await cache(a_call(DANGER), Tool())
    slow.go_on.set()
    await looking
    assert (await cache(a_call(PODS), Tool())).origin is Origin.FRESH


async def test_nobody_joins_a_look_that_began_before_an_act(cache):
    slow = SlowTool()
    looking = asyncio.create_task(cache(a_call(PODS), slow))
    await slow.begun.wait()
    await cache(a_call(DANGER), Tool())
    assert text_of(await cache(a_call(PODS), Tool())) == "done 1"
    slow.go_on.set()
    await looking


async def test_identical_questions_under_way_are_joined(cache):
    slow = SlowTool()
    first = asyncio.create_task(cache(a_call(PODS), slow))
    await slow.begun.wait()
    second = asyncio.create_task(cache(a_call(PODS), slow))
    await asyncio.sleep(0)
    slow.go_on.set()
    answers = [await first, await second]
    assert [text_of(answer) for answer in answers] == ["seen 1", "seen 1"]
    assert [answer.origin for answer in answers] == [Origin.FRESH, Origin.JOINED]


async def test_who_asked_first_may_leave_without_taking_the_answer_along(cache):
    slow = SlowTool()
    first = asyncio.create_task(cache(a_call(PODS), slow))
    await slow.begun.wait()
    second = asyncio.create_task(cache(a_call(PODS), slow))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    slow.go_on.set()
    assert text_of(await second) == "seen 1"


async def test_when_everybody_has_left_the_look_is_given_up(cache):
    slow = SlowTool()
    asking = [asyncio.create_task(cache(a_call(PODS), slow)) for _ in range(2)]
    await slow.begun.wait()
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await asyncio.sleep(0)
    assert slow.cancelled


async def test_the_memory_is_bounded(cache, clock):
    for number in range(2 * MOST_ANSWERS):
        await cache(a_call(PODS, workload=f"w{number}"), Tool())
        clock.advance(0.001)
    assert len(cache._answers) <= MOST_ANSWERS
