"""Deadlines, retries and writes that take effect once."""

import asyncio
from typing import Any

import pytest

from mcp_tencent import errors
from mcp_tencent.cloud.calling import Calling, CallPolicy, deadline
from tests.mcp_tencent.cloud.scripted_server import InstantTiming


class Attempts:
    """An attempt that fails in the given ways, one after the other, and then succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


async def nothing_done() -> str | None:
    return None


def calling(**policy: Any) -> Calling:
    return Calling(CallPolicy(**policy), InstantTiming())


@pytest.mark.parametrize("kind", [errors.Throttled, errors.NetworkFault, errors.ServiceFault])
async def test_a_read_is_repeated_after_what_may_pass(kind):
    attempts = Attempts(kind("1"), kind("2"))
    assert await calling().read("look", attempts) == "done"
    assert attempts.made == 3


@pytest.mark.parametrize(
    "kind", [errors.NotFound, errors.InvalidQuery, errors.CredentialsRefused, errors.CertificateRefused]
)
async def test_a_read_is_not_repeated_after_what_will_not_pass(kind):
    attempts = Attempts(kind("1"))
    with pytest.raises(kind):
        await calling().read("look", attempts)
    assert attempts.made == 1


async def test_the_last_error_is_raised_when_attempts_are_used_up():
    attempts = Attempts(*(errors.Throttled(str(n)) for n in range(9)))
    with pytest.raises(errors.Throttled, match="3"):
        await calling(attempts=4).read("look", attempts)
    assert attempts.made == 4


async def test_waits_grow_within_bounds_and_are_drawn_at_random():
    drawn = []
    for _ in range(30):
        timing = InstantTiming()
        policy = CallPolicy(attempts=6, first_wait_seconds=1, longest_wait_seconds=4, total_seconds=60)
        with pytest.raises(errors.Throttled):
            await Calling(policy, timing).read("look", Attempts(*(errors.Throttled("x") for _ in range(9))))
        drawn.append(timing.slept)
    for waits in drawn:
        assert all(0 <= wait <= bound for wait, bound in zip(waits, (1, 2, 4, 4, 4), strict=True))
    assert len({tuple(waits) for waits in drawn}) > 20


async def test_the_cause_is_raised_at_once_when_no_time_is_left_for_another_attempt():
    policy = {"attempts": 9, "first_wait_seconds": 1e6, "longest_wait_seconds": 1e6, "total_seconds": 0.5}
    attempts = Attempts(errors.Throttled("x"))
    with pytest.raises(errors.Throttled):
        await calling(**policy).read("look", attempts)
    assert attempts.made == 1


async def test_the_deadline_is_total_over_all_attempts_and_cancels_what_is_under_way():
    cancelled = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(errors.DeadlineExceeded, match=r"look did not finish within 0\.05 s"):
        await calling(total_seconds=0.05).read("look", never)
    assert cancelled.is_set()


async def test_a_deadline_within_a_deadline_only_shortens():
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(errors.DeadlineExceeded):
        async with deadline("outer", 0.05), deadline("inner", 60):
            await asyncio.Event().wait()
    assert loop.time() - began < 5


async def test_a_timeout_of_the_caller_stays_a_timeout():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await calling(total_seconds=60).read("look", asyncio.Event().wait)


async def test_a_timeout_error_raised_inside_is_not_taken_for_the_deadline():
    async def raises() -> None:
        raise TimeoutError("of something else")

    with pytest.raises(TimeoutError, match="something else"):
        async with deadline("look", 60):
            await raises()


@pytest.mark.parametrize(
    "failure", [errors.Throttled("x"), errors.NetworkFault("x"), errors.ServiceFault("x")], ids=repr
)
async def test_a_write_without_a_key_is_sent_once(failure):
    send = Attempts(failure)
    with pytest.raises(errors.CloudError):
        await calling().write("scale", send, key=None, done=nothing_done)
    assert send.made == 1


async def test_a_write_without_a_key_never_looks_whether_it_was_done():
    async def unexpected() -> str | None:
        raise AssertionError("looked")

    assert await calling().write("scale", Attempts(), key=None, done=unexpected) == "done"


@pytest.mark.parametrize(
    "failure",
    [errors.NetworkFault("cut"), errors.ServiceFault("500"), errors.UnexpectedAnswer("html")],
    ids=repr,
)
async def test_a_write_whose_fate_is_unclear_says_so(failure):
    with pytest.raises(errors.OutcomeUnknown, match="scale") as caught:
        await calling().write("scale", Attempts(failure), key=None, done=nothing_done)
    assert caught.value.__cause__ is failure


@pytest.mark.parametrize(
    "failure",
    [errors.Throttled("x"), errors.NetworkFault("refused", sent=False), errors.InvalidRequest("x")],
    ids=repr,
)
async def test_a_write_that_certainly_had_no_effect_says_so(failure):
    with pytest.raises(type(failure)):
        await calling().write("scale", Attempts(failure), key=None, done=nothing_done)


async def test_a_write_that_times_out_after_it_was_sent_is_of_unknown_outcome():
    with pytest.raises(errors.OutcomeUnknown):
        await calling(total_seconds=0.05).write("scale", asyncio.Event().wait, key=None, done=nothing_done)


async def test_a_write_that_times_out_before_it_was_sent_is_not():
    send = Attempts()
    with pytest.raises(errors.DeadlineExceeded):
        await calling(total_seconds=0.05).write("scale", send, key="k", done=asyncio.Event().wait)
    assert send.made == 0


async def test_a_write_with_a_key_that_was_done_before_is_not_sent():
    send = Attempts()

    async def done() -> str | None:
        return "done before"

    assert await calling().write("scale", send, key="k", done=done) == "done before"
    assert send.made == 0


async def test_a_write_with_a_key_that_took_effect_though_its_answer_was_lost_is_not_sent_again():
    state: list[str] = []

    async def send() -> str:
        state.append("scaled")
        raise errors.NetworkFault("answer lost")

    async def done() -> str | None:
        return state[0] if state else None

    assert await calling().write("scale", send, key="k", done=done) == "scaled"
    assert state == ["scaled"]


async def test_a_write_with_a_key_that_had_no_effect_is_sent_again():
    send = Attempts(errors.NetworkFault("cut"), errors.Throttled("x"))
    assert await calling().write("scale", send, key="k", done=nothing_done) == "done"
    assert send.made == 3


async def test_a_write_with_a_key_that_keeps_failing_looks_one_last_time():
    looks = 0

    async def done() -> str | None:
        nonlocal looks
        looks += 1
        return "after all" if looks > 4 else None

    send = Attempts(*(errors.ServiceFault(str(n)) for n in range(9)))
    assert await calling(attempts=4).write("scale", send, key="k", done=done) == "after all"
    assert send.made == 4


async def test_a_write_within_an_operation_that_runs_out_of_time_is_of_unknown_outcome():
    made = calling(total_seconds=60, operation_seconds=0.1)
    with pytest.raises(errors.OutcomeUnknown):
        async with made.operation("restore"):
            await made.write("scale", asyncio.Event().wait, key=None, done=nothing_done)


async def test_an_operation_ends_in_time_however_many_calls_it_makes():
    made = calling(total_seconds=60, operation_seconds=0.1)

    async def endless() -> None:
        async with made.operation("listing"):
            while True:
                await made.read("page", lambda: asyncio.sleep(0.01))

    with pytest.raises(errors.DeadlineExceeded):
        await endless()
