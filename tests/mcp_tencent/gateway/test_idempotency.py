from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.database import Database, open_database
from mcp_tencent import errors as cloud
from mcp_tencent.gateway.call import Origin, Result, ToolCall
from mcp_tencent.gateway.errors import (
    CallInProgress,
    CircuitOpen,
    DeadlineExceeded,
    KeyReused,
    OutcomeUnknown,
    RateLimited,
    StoreUnavailable,
    ToolCrashed,
)
from mcp_tencent.gateway.idempotency import LEASE, Idempotency, KeyStore
from tests.mcp_tencent.gateway.calls import (
    DANGER,
    OWNER,
    READ,
    HandClock,
    Tool,
    a_call,
    said,
    text_of,
    with_policy,
)
from tests.races import race, race_of_processes

KEY = "night-2026-11-20/orders/1"


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def keys(database: Database, clock):
    return KeyStore(database.engine, clock)


@pytest.fixture
def once(keys, clock):
    return Idempotency(keys, clock, pause=clock.pause)


def restart(key: str | None = KEY, **changes) -> ToolCall:
    return a_call(DANGER, key=key, workload="orders", **changes)


async def test_the_same_key_gives_the_recorded_result_and_acts_once(once):
    tool = Tool()
    first = await once(restart(), tool)
    second = await once(restart(), tool)
    assert (text_of(first), text_of(second)) == ("done 1", "done 1")
    assert (first.origin, second.origin) == (Origin.FRESH, Origin.RECORDED)
    assert len(tool.calls) == 1


async def test_other_keys_are_other_acts(once):
    tool = Tool()
    await once(restart("first-key"), tool)
    await once(restart("second-key"), tool)
    assert len(tool.calls) == 2


async def test_without_a_key_every_call_acts(once):
    tool = Tool()
    await once(restart(None), tool)
    await once(restart(None), tool)
    assert len(tool.calls) == 2


@pytest.mark.parametrize("call", [a_call(READ, key=KEY), restart(dry_run=True)], ids=["read", "rehearsal"])
async def test_what_changes_nothing_uses_no_key_up(once, call):
    tool = Tool()
    await once(call, tool)
    await once(call, tool)
    assert len(tool.calls) == 2


@pytest.mark.parametrize(
    "other",
    [
        a_call(DANGER, key=KEY, workload="payments"),
        a_call(with_policy(DANGER, name="isolate_workload"), key=KEY, workload="orders"),
        restart(caller=replace(OWNER, name="另一位")),
    ],
    ids=["arguments", "tool", "person"],
)
async def test_a_key_means_one_thing(once, other):
    await once(restart(), Tool())
    tool = Tool()
    with pytest.raises(KeyReused):
        await once(other, tool)
    assert tool.calls == []


async def test_a_failure_that_is_final_is_recorded_like_a_success(once):
    tool = Tool(cloud.NotFound("no such workload"))
    with pytest.raises(cloud.NotFound):
        await once(restart(), tool)
    repeated = await once(restart(), tool)
    assert repeated.failed
    assert text_of(repeated) == cloud.NotFound.sentence
    assert len(tool.calls) == 1


@pytest.mark.parametrize(
    "error",
    [
        cloud.Throttled("slow down"),
        RateLimited("fast", retry_after_s=1),
        CircuitOpen("down", retry_after_s=1),
        StoreUnavailable("audit"),
    ],
)
async def test_after_a_failure_that_did_nothing_the_same_key_may_act(once, error):
    tool = Tool(error)
    with pytest.raises(type(error)):
        await once(restart(), tool)
    tool.answer = "done"
    assert text_of(await once(restart(), tool)) == "done 2"


@pytest.mark.parametrize(
    "error",
    [
        cloud.OutcomeUnknown("answer lost"),
        cloud.DeadlineExceeded("slow"),
        DeadlineExceeded("slow", retry_after_s=1),
        ToolCrashed("bug"),
        KeyError("bug"),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_after_a_failure_in_the_dark_the_key_refuses(once, error):
    tool = Tool(error)
    with pytest.raises(type(error)):
        await once(restart(), tool)
    tool.answer = "done"
    with pytest.raises(OutcomeUnknown):
        await once(restart(), tool)
    assert len(tool.calls) == 1


async def test_what_is_the_same_done_twice_may_be_repeated_after_the_dark(once):
    call = a_call(with_policy(DANGER, naturally_idempotent=True), key=KEY, workload="orders")
    tool = Tool(cloud.OutcomeUnknown("answer lost"))
    with pytest.raises(cloud.OutcomeUnknown):
        await once(call, tool)
    tool.answer = "done"
    assert text_of(await once(call, tool)) == "done 2"
    assert (await once(call, tool)).origin is Origin.RECORDED


async def test_a_second_caller_hears_that_the_first_is_at_it(keys, clock, once):
    assert keys.claim(restart()) is not None
    impatient = Idempotency(keys, clock, patience_s=0.0, pause=clock.pause)
    with pytest.raises(CallInProgress):
        await impatient(restart(), Tool())


async def test_a_second_caller_who_waits_gets_the_first_ones_result(once):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(call: ToolCall) -> Result:
        begun.set()
        await go_on.wait()
        return said("done once")

    patient = Idempotency(once._keys, once._clock, patience_s=60)
    first = asyncio.create_task(patient(restart(), slow))
    await begun.wait()
    second = asyncio.create_task(patient(restart(), slow))
    await asyncio.sleep(0)
    go_on.set()
    assert [text_of(await first), text_of(await second)] == ["done once", "done once"]


async def test_the_lease_of_a_long_act_is_renewed(database, clock):
    keys = KeyStore(database.engine, clock)
    renewed = asyncio.Event()

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        if clock.now() > call.at + 2 * LEASE:
            renewed.set()
            await asyncio.Event().wait()

    async def long(call: ToolCall) -> Result:
        await renewed.wait()
        row = keys.find(call)
        assert row is not None
        assert row.lease_until > clock.now()
        return said("done")

    call = restart()
    await Idempotency(keys, clock, pause=pause)(call, long)


async def test_a_lease_that_ran_out_leaves_the_outcome_unknown(keys, clock, once):
    keys.claim(restart())
    clock.advance(LEASE.total_seconds())
    with pytest.raises(OutcomeUnknown):
        await once(restart(), Tool())


async def test_an_owner_that_was_only_slow_still_records_its_result(keys, clock, once):
    async def slow(call: ToolCall) -> Result:
        clock.advance(10 * LEASE.total_seconds())
        return said("done late")

    await once(restart(), slow)
    assert text_of(await once(restart(), Tool())) == "done late"


def test_of_many_that_claim_a_key_at_once_one_gets_it(keys):
    claims = race([lambda: keys.claim(restart())] * 6)
    assert sum(claim is not None for claim in claims) == 1


def test_of_many_that_take_over_at_once_one_gets_it(keys, clock):
    keys.claim(restart())
    row = keys.find(restart())
    claims = race([lambda: keys.take_over(row)] * 4)
    assert sum(claim is not None for claim in claims) == 1


async def test_whether_a_call_is_settled_follows_its_key(keys, clock, once):
    assert not await once.settled(restart())
    claim = keys.claim(restart())
    assert await once.settled(restart())
    clock.advance(LEASE.total_seconds())
    assert not await once.settled(restart())
    keys.finish(claim, said("done").content)
    assert await once.settled(restart())


async def test_keys_are_forgotten_after_a_month(keys, clock, once):
    await once(restart("an-old-key"), Tool())
    clock.advance(timedelta(days=31).total_seconds())
    await once(restart("a-new-key"), Tool())
    assert keys.find(restart("an-old-key")) is None


class WallClock:
    """The machine's time: for processes that race."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def act_once(argument: str) -> int:
    """Call with a key that another process uses at the same time; return how often this process acted."""
    url, key = argument.split(" ")
    acted = 0

    async def tool(call: ToolCall) -> Result:
        nonlocal acted
        acted += 1
        await asyncio.sleep(0.2)
        return said("done")

    with open_database(url) as opened:
        once = Idempotency(KeyStore(opened.engine, WallClock()), WallClock(), patience_s=30)
        assert text_of(asyncio.run(once(restart(key), tool))) == "done"
    return acted


def test_two_processes_racing_with_one_key_act_once(database_url):
    assert race_of_processes(act_once, f"{database_url} {KEY}") == [0, 1]


def act_forever(url: str, marker: str) -> None:
    """Begin to act under a key and never end."""
    say_so = Path(marker).touch

    async def tool(call: ToolCall) -> Result:
        say_so()
        await asyncio.Event().wait()
        raise AssertionError

    with open_database(url) as opened:
        asyncio.run(Idempotency(KeyStore(opened.engine, WallClock()), WallClock())(restart(), tool))


async def test_kill_9_in_the_middle_of_an_act_leaves_the_outcome_unknown(database_url, tmp_path):
    marker = tmp_path / "acting"
    process = multiprocessing.get_context("spawn").Process(
        target=act_forever, args=(database_url, str(marker))
    )
    process.start()
    while not marker.exists():
        assert process.exitcode is None, f"it died by itself: {process.exitcode} {sys.executable}"
        process.join(0.02)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    later = HandClock()
    later.advance((WallClock().now() - later.now() + LEASE).total_seconds() + 1)
    tool = Tool()
    with open_database(database_url) as opened:
        with pytest.raises(OutcomeUnknown):
            await Idempotency(KeyStore(opened.engine, later), later, pause=later.pause)(restart(), tool)
        assert tool.calls == []
        repeatable = a_call(with_policy(DANGER, naturally_idempotent=True), key=KEY, workload="orders")
        again = await Idempotency(KeyStore(opened.engine, later), later, pause=later.pause)(repeatable, tool)
    assert text_of(again) == "done 1"
