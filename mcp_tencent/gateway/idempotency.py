"""The same key gives the recorded result; the act is never repeated.

A key is claimed in the database before the act and closed after it. While the act runs its owner renews a
lease; a lease that has run out means that the owner died (power cut, kill -9), and then nobody knows
whether the act took effect: the key answers 'unknown outcome' from then on, unless doing the act twice is
doing it once.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
from mcp_types import CallToolResult
from sqlalchemy import Engine, delete, update
from sqlmodel import col, select

from mcp_tencent.gateway.answer import answer_failure
from mcp_tencent.gateway.call import Clock, Origin, Proceed, Result, ToolCall
from mcp_tencent.gateway.errors import CallInProgress, KeyReused, OutcomeUnknown, StoreUnavailable
from mcp_tencent.gateway.failures import is_final, nothing_done
from mcp_tencent.gateway.records import KeyRow, KeyState
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.tables import changed_rows, insert_once, reading, writing

LEASE = timedelta(seconds=15)
RENEWAL_S = 5.0
KEPT = timedelta(days=30)
"""For how long a key is remembered. Repeats come within minutes, resumed workflows within days."""

_log = logging.getLogger(__name__)

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Our right to act under a key: `attempt` is ours alone."""

    key: str
    attempt: str


class KeyStore:
    """The keys in the database. Every method is one transaction, and safe among processes."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def find(self, call: ToolCall) -> KeyRow | None:
        """Return the row of the call's key, or None.

        Raises:
            KeyReused: The key names another intent.
        """
        with reading(self._engine) as session:
            row = session.exec(select(KeyRow).where(col(KeyRow.key) == call.idempotency_key)).first()
        if row is not None and (row.tool, row.digest, row.person) != (
            call.tool.name,
            call.digest,
            call.caller.name,
        ):
            raise KeyReused("the idempotency key was used for another call")
        return row

    def claim(self, call: ToolCall) -> Claim | None:
        """Try to become the one that acts under a key that nobody has used; of many at once one succeeds."""
        now = self._clock.now()
        row = KeyRow(
            key=call.idempotency_key or "",
            tool=call.tool.name,
            digest=call.digest,
            person=call.caller.name,
            attempt=uuid.uuid4().hex,
            state=KeyState.STARTED,
            started_at=now,
            lease_until=now + LEASE,
        )
        with writing(self._engine) as session:
            session.execute(delete(KeyRow).where(col(KeyRow.started_at) < now - KEPT))
            won = insert_once(session, row, unique=["key"])
        return Claim(key=row.key, attempt=row.attempt) if won else None

    def take_over(self, row: KeyRow) -> Claim | None:
        """Try to become the one that repeats an attempt whose outcome is unknown."""
        now = self._clock.now()
        attempt = uuid.uuid4().hex
        change = (
            update(KeyRow)
            .where(
                col(KeyRow.key) == row.key, col(KeyRow.attempt) == row.attempt, col(KeyRow.state) == row.state
            )
            .values(attempt=attempt, state=KeyState.STARTED.value, lease_until=now + LEASE)
        )
        with writing(self._engine) as session:
            won = changed_rows(session, change) == 1
        return Claim(key=row.key, attempt=attempt) if won else None

    def renew(self, claim: Claim) -> None:
        """Say that the owner is alive and still at it."""
        self._change(claim, lease_until=self._clock.now() + LEASE)

    def finish(self, claim: Claim, content: CallToolResult) -> None:
        """Record what came of it."""
        result = content.model_dump_json(by_alias=True, exclude_none=True)
        self._change(claim, state=KeyState.DONE.value, result=result)

    def lose(self, claim: Claim) -> None:
        """Record that nobody knows what came of it."""
        self._change(claim, state=KeyState.UNKNOWN.value)

    def release(self, claim: Claim) -> None:
        """Forget the key: nothing was done under it."""
        gone = delete(KeyRow).where(col(KeyRow.key) == claim.key, col(KeyRow.attempt) == claim.attempt)
        with writing(self._engine) as session:
            session.execute(gone)

    def _change(self, claim: Claim, **values: str | datetime) -> None:
        change = (
            update(KeyRow)
            .where(col(KeyRow.key) == claim.key, col(KeyRow.attempt) == claim.attempt)
            .values(**values)
        )
        with writing(self._engine) as session:
            session.execute(change)


class Idempotency:
    """Lets an act with a key happen once.

    Args:
        keys: Where keys are recorded.
        clock: Tells whether a lease has run out.
        patience_s: For how long a second caller waits for the first, in seconds, before it hears 'in
            progress'.
        pause: Waits between two looks.
    """

    def __init__(
        self, keys: KeyStore, clock: Clock, *, patience_s: float = 10.0, pause: Pause = anyio.sleep
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._patience_s = patience_s
        self._pause = pause

    async def settled(self, call: ToolCall) -> bool:
        """Tell whether the key has its result, or somebody is at it: then nothing new will happen."""
        if call.idempotency_key is None or not call.acts:
            return False
        row = await in_store(lambda: self._keys.find(call))
        return row is not None and (row.state == KeyState.DONE or self._alive(row))

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        if call.idempotency_key is None or not call.acts:
            return await proceed(call)
        claim = await in_store(lambda: self._keys.claim(call))
        if claim is None:
            found = await self._settle(call)
            if isinstance(found, Result):
                return found
            claim = found
        return await self._act(call, claim, proceed)

    async def _settle(self, call: ToolCall) -> Result | Claim:
        """Wait for whoever has the key; return the recorded result, or a claim when it is ours to repeat."""
        waited_s, step_s = 0.0, 0.02
        while True:
            row = await in_store(lambda: self._keys.find(call))
            if row is None:
                claim = await in_store(lambda: self._keys.claim(call))
                if claim is not None:
                    return claim
            elif row.state == KeyState.DONE:
                content = CallToolResult.model_validate_json(row.result or "{}")
                return Result(content=content, origin=Origin.RECORDED)
            elif not self._alive(row):
                return await self._repeat(call, row)
            if waited_s >= self._patience_s:
                raise CallInProgress("another call with this key is under way")
            await self._pause(step_s)
            waited_s, step_s = waited_s + step_s, min(step_s * 2, 0.5)

    async def _repeat(self, call: ToolCall, row: KeyRow) -> Claim:
        if not (call.tool.naturally_idempotent or call.tool.knows_its_key):
            raise OutcomeUnknown(
                f"an earlier attempt, begun {row.started_at.isoformat()}, ended without a result"
            )
        claim = await in_store(lambda: self._keys.take_over(row))
        if claim is None:
            raise CallInProgress("somebody else is repeating the call with this key")
        return claim

    async def _act(self, call: ToolCall, claim: Claim, proceed: Proceed) -> Result:
        try:
            async with self._renewing(claim):
                result = await proceed(call)
        except BaseException as raised:
            error = raised
            with anyio.CancelScope(shield=True), suppress(StoreUnavailable):  # the lease tells the rest
                await in_store(lambda: self._close(claim, call, error))
            raise
        content = result.content
        if isinstance(content, CallToolResult):
            try:
                await in_store(lambda: self._keys.finish(claim, content))
            except StoreUnavailable:  # it was done; a repeat will hear 'unknown outcome', not do it again
                _log.exception("the result of %s could not be recorded", call.tool.name)
        else:  # the tool has asked something back and has done nothing yet
            await in_store(lambda: self._keys.release(claim))
        return result

    def _close(self, claim: Claim, call: ToolCall, error: BaseException) -> None:
        if isinstance(error, Exception) and is_final(error):
            self._keys.finish(claim, answer_failure(error, call.trace_id))
        elif nothing_done(error):
            self._keys.release(claim)
        else:
            self._keys.lose(claim)

    def _alive(self, row: KeyRow) -> bool:
        return row.state == KeyState.STARTED and row.lease_until > self._clock.now()

    @asynccontextmanager
    async def _renewing(self, claim: Claim) -> AsyncIterator[None]:
        """Renew the lease as long as the act goes on."""

        async def renew() -> None:
            while True:
                await self._pause(RENEWAL_S)
                with suppress(StoreUnavailable):  # it may be back before the lease runs out
                    await in_store(lambda: self._keys.renew(claim))

        renewal = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewal.cancel()
            with anyio.CancelScope(shield=True), suppress(asyncio.CancelledError):
                await renewal
