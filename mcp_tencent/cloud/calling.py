"""Total deadline, retried reads and honest writes around every call to a cloud.

The adapters hand in attempts that raise errors of ours only; here is decided whether, when and how often an
attempt is made. A read is repeated after throttling and faults, with jittered, growing, bounded waits. A
write is sent once. With an idempotency key it first asks whether it has been done, and may then be sent again
after a fault, each time asking first. When nobody can say whether a write took effect, it ends in
OutcomeUnknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from mcp_tencent.errors import (
    CloudError,
    DeadlineExceeded,
    NetworkFault,
    OutcomeUnknown,
    ServiceFault,
    UnexpectedAnswer,
)

T = TypeVar("T")

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
"""The event loop's time at which the operation under way must have ended."""

_INNER_MARGIN_SECONDS = 0.02
"""So much earlier an inner deadline ends than the outer one, to say what it was that was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """How long and how often an operation is tried."""

    total_seconds: float = 15.0
    """For one call with all its attempts and waits."""
    operation_seconds: float = 60.0
    """For an operation of several calls: all pages of a listing, looking up and then acting."""
    attempts: int = 6
    first_wait_seconds: float = 0.25
    """Upper bound of the first wait; it doubles with each attempt. Waits are drawn from 0 to the bound."""
    longest_wait_seconds: float = 4.0


class Timing(Protocol):
    """Passing time, so that tests need not wait."""

    def monotonic(self) -> float:
        """Return seconds since some fixed point."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        ...


class EventLoopTiming:
    """The event loop's own time."""

    def monotonic(self) -> float:
        """Return the loop's time in seconds."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Sleep in the loop."""
        await asyncio.sleep(seconds)


@asynccontextmanager
async def deadline(what: str, seconds: float) -> AsyncIterator[None]:
    """Give everything inside `seconds` in all; a deadline within a deadline can only shorten it.

    Whatever is awaited inside is cancelled when time is up, so that no connection lingers.

    Args:
        what: Names the operation in the error.
        seconds: Of real time, from now.

    Raises:
        DeadlineExceeded: When time was up.
    """
    own = asyncio.get_running_loop().time() + seconds
    outer = _deadline.get()
    until = own if outer is None else min(own, outer - _INNER_MARGIN_SECONDS)
    token = _deadline.set(until)
    try:
        async with asyncio.timeout_at(until) as scope:
            yield
    except TimeoutError as exc:
        if not scope.expired():
            raise
        raise DeadlineExceeded(f"{what} did not finish within {seconds:g} s") from exc
    finally:
        _deadline.reset(token)


class Calling:
    """Makes attempts according to a policy."""

    def __init__(self, policy: CallPolicy | None = None, timing: Timing | None = None) -> None:
        self.policy = policy or CallPolicy()
        self.timing: Timing = timing or EventLoopTiming()

    def operation(self, what: str) -> AbstractAsyncContextManager[None]:
        """Give an operation of several calls its time in all, see `deadline`."""
        return deadline(what, self.policy.operation_seconds)

    async def read(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Return what `attempt` returns, repeating it while its errors are retryable and time is left.

        Raises:
            CloudError: The last attempt's error, or DeadlineExceeded.
        """
        async with deadline(what, self.policy.total_seconds):
            async for trial in self._trials(_is_retryable):
                with trial:
                    return await attempt()
        raise AssertionError("a retry loop ends by returning or raising")

    async def write(
        self,
        what: str,
        send: Callable[[], Awaitable[T]],
        *,
        key: str | None,
        done: Callable[[], Awaitable[T | None]],
    ) -> T:
        """Send a write so that it takes effect at most once.

        Args:
            what: Names the operation in errors.
            send: Sends the write and returns its result.
            key: The idempotency key, or None: sent once, whatever happens.
            done: Looks whether a write under this key has taken effect, and returns its result, or None.
                Called before each sending, and once more when the last one's fate is unclear.

        Raises:
            OutcomeUnknown: When the write was sent and nobody can say whether it took effect.
            CloudError: When it certainly did not take effect.
        """
        sent = False

        async def attempt() -> T:
            nonlocal sent
            if key is not None:
                found = await self.read(what, done)
                if found is not None:
                    return found
            sent = True
            result = await send()
            sent = False
            return result

        try:
            async with deadline(what, self.policy.total_seconds):
                async for trial in self._trials(_is_retryable if key is not None else _never):
                    with trial:
                        return await attempt()
        except CloudError as error:
            if not (sent and _may_have_taken_effect(error)):
                raise
            found = await self._found_in_the_end(what, done) if key is not None else None
            if found is not None:
                return found
            raise OutcomeUnknown(f"{what}: {error.detail}", code=error.code) from error
        raise AssertionError("a retry loop ends by returning or raising")

    async def _found_in_the_end(self, what: str, done: Callable[[], Awaitable[T | None]]) -> T | None:
        try:
            return await self.read(what, done)
        except CloudError:
            # Even that cannot be asked now; the caller reports the write's own error.
            return None

    def _trials(self, again: Callable[[BaseException], bool]) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception(again),
            wait=wait_random_exponential(
                multiplier=self.policy.first_wait_seconds, max=self.policy.longest_wait_seconds
            ),
            stop=self._enough,
            sleep=self.timing.sleep,
            reraise=True,
        )

    def _enough(self, state: RetryCallState) -> bool:
        # With no time for another attempt, better the cause at once than "too slow" a moment later.
        until = _deadline.get()
        late = until is not None and asyncio.get_running_loop().time() + state.upcoming_sleep >= until
        return late or state.attempt_number >= self.policy.attempts


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, CloudError) and error.retryable


def _never(_: BaseException) -> bool:
    return False


def _may_have_taken_effect(error: CloudError) -> bool:
    if isinstance(error, NetworkFault):
        return error.sent
    return isinstance(error, ServiceFault | UnexpectedAnswer | DeadlineExceeded)
