"""Who did what, when, and what came of it: every call on record, refusals included.

An act leaves two lines, one before ('started') and one after, so that nothing is done that is not on record:
where the first cannot be written the act does not happen. A read leaves one line afterwards. Reads go on
while the store is down, because an outage is when people most need to ask; each lost line is logged and
counted.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace

import anyio

from mcp_tencent.gateway.audit_trail import AuditTrail, Entry
from mcp_tencent.gateway.call import Clock, Proceed, Result, ToolCall
from mcp_tencent.gateway.errors import PlanRefused, StoreUnavailable, code_of
from mcp_tencent.gateway.failures import foreseen
from mcp_tencent.gateway.stores import in_store

_log = logging.getLogger(__name__)


class AuditStart:
    """Puts an act on record before it happens; where that is not possible, it does not happen."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        if call.acts:
            await self._audit.started(call)
        return await proceed(call)


class Audit:
    """Puts every call on record with its outcome, refusals included.

    Args:
        trail: The chain.
        clock: Tells the times.
        masked: Writes arguments as JSON with their secrets masked.
        lost: Called for each line of a read that could not be written.
    """

    def __init__(
        self,
        trail: AuditTrail,
        clock: Clock,
        *,
        masked: Callable[[ToolCall], str],
        lost: Callable[[ToolCall], None],
    ) -> None:
        self._trail = trail
        self._clock = clock
        self._masked = masked
        self._lost = lost

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        arguments = self._masked(call)
        try:
            result = await proceed(call)
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await self._close(call, self._entry(call, arguments, _outcome(error)))
            raise
        entry = self._entry(call, arguments, result.outcome)
        answer = result.content.model_dump_json(by_alias=True, exclude_none=True).encode()
        digest = hashlib.sha256(answer).hexdigest()
        await self._close(call, replace(entry, origin=result.origin.value, result_digest=digest))
        return result

    async def started(self, call: ToolCall) -> None:
        """Record that `call` is about to change something.

        Raises:
            StoreUnavailable: It cannot be recorded.
        """
        entry = self._entry(call, self._masked(call), "started")
        await in_store(lambda: self._trail.append(entry, anchored=True))

    async def _close(self, call: ToolCall, entry: Entry) -> None:
        try:
            await in_store(lambda: self._trail.append(entry, anchored=call.acts))
        except StoreUnavailable:
            self._lost(call)
            _log.exception("audit line lost: %s %s %s", entry.trace_id, entry.tool, entry.outcome)

    def _entry(self, call: ToolCall, arguments: str, outcome: str) -> Entry:
        return Entry(
            at=call.at,
            trace_id=call.trace_id,
            person=call.caller.name,
            kind=call.caller.kind.value,
            tool=call.tool.name,
            risk=call.tool.risk.value,
            arguments=arguments,
            outcome=outcome,
            duration_ms=round((self._clock.now() - call.at).total_seconds() * 1000),
        )


def _outcome(error: BaseException) -> str:
    if isinstance(error, PlanRefused) and error.guard:
        return f"{code_of(error)}:{error.guard}"
    if isinstance(error, Exception):
        return code_of(error) if foreseen(error) else "crashed"
    return "cancelled"
