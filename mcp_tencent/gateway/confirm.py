"""A dangerous act waits for a person's yes, or for a plan that is approved at this moment."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mcp_types import InputRequiredResult
from pydantic import JsonValue
from sqlalchemy import Engine, delete, update
from sqlmodel import col

from mcp_tencent.gateway.call import CallerKind, Clock, Proceed, Result, Risk, ToolCall, canonical_json
from mcp_tencent.gateway.errors import ConfirmationRefused, ConfirmationRequired, PlanRefused
from mcp_tencent.gateway.records import ConfirmationRow
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.tables import changed_rows, writing

TOKEN_LIFE = timedelta(seconds=60)
LONGEST_SPOKEN_VALUE = 80  # characters
_SLOT = re.compile(r"\{([a-z_]{1,40})\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What the guards say to an act under a plan, now."""

    approved: bool
    reason: str = ""
    """English, for the log; why not."""
    guard: str = ""
    """Who refused, in snake case, for the audit."""
    spoken: str = ""
    """The same as `reason` for people, one Chinese clause."""


class PlanApproval(Protocol):
    """The guards of the healing policy, asked at the moment of the act."""

    async def approve(self, call: ToolCall) -> Approval:
        """Judge a write that a service job wants to make under `call.plan` (never None)."""
        ...


class NoPlans:
    """Approves nothing: for servers that no service job uses."""

    async def approve(self, call: ToolCall) -> Approval:
        """Refuse."""
        return Approval(approved=False, reason="this server knows no plans")


class Confirmations:
    """Tokens that stand for a question read back to a person.

    A token is bound to tool, arguments and person, is good once, and for 60 seconds. Only its hash is kept.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def issue(self, call: ToolCall) -> tuple[str, datetime]:
        """Return a fresh token for `call`, and until when it is good."""
        token = secrets.token_urlsafe(24)
        now = self._clock.now()
        row = ConfirmationRow(
            token_hash=_hash(token), digest=call.digest, person=call.caller.name, expires_at=now + TOKEN_LIFE
        )
        with writing(self._engine) as session:
            session.execute(delete(ConfirmationRow).where(col(ConfirmationRow.expires_at) < now - TOKEN_LIFE))
            session.add(row)
        return token, row.expires_at

    def redeem(self, call: ToolCall, token: str) -> bool:
        """Use up `token`; tell whether it was good for `call`. Of two that try at once, one succeeds."""
        now = self._clock.now()
        fits = (
            update(ConfirmationRow)
            .where(
                col(ConfirmationRow.token_hash) == _hash(token),
                col(ConfirmationRow.digest) == call.digest,
                col(ConfirmationRow.person) == call.caller.name,
                col(ConfirmationRow.expires_at) > now,
                col(ConfirmationRow.used_at).is_(None),
            )
            .values(used_at=now)
        )
        with writing(self._engine) as session:
            return changed_rows(session, fits) == 1


class Confirm:
    """Lets an act pass when a person has confirmed it, or when the guards approve its plan.

    Args:
        confirmations: Issues and redeems tokens.
        plans: The guards.
        settled: Tells whether the call's idempotency key already has its result, so that nothing will happen.
    """

    def __init__(
        self,
        confirmations: Confirmations,
        plans: PlanApproval,
        settled: Callable[[ToolCall], Awaitable[bool]],
    ) -> None:
        self._confirmations = confirmations
        self._plans = plans
        self._settled = settled

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        if _needs_a_yes(call) and not await self._settled(call):
            if call.caller.kind is CallerKind.SERVICE_JOB:
                await self._approve(call)
            elif (question := await self._confirm(call)) is not None:
                return question
        return await proceed(call)

    async def _confirm(self, call: ToolCall) -> Result | None:
        """Return when the person has said yes; a result is the question to be put to them by their host."""
        given = call.confirmation
        if given is None:
            token, expires_at = await in_store(lambda: self._confirmations.issue(call))
            if call.ask is None:
                raise ConfirmationRequired(read_back(call), token=token, expires_at=expires_at)
            answer = await call.ask(read_back(call), token)
            if isinstance(answer, InputRequiredResult):
                return Result(content=answer)
            if not answer:
                raise ConfirmationRefused("the person did not say yes")
            given = token
        yes: str = given
        if not await in_store(lambda: self._confirmations.redeem(call, yes)):
            raise ConfirmationRefused("the confirmation is wrong, expired, used, or for another call")
        return None

    async def _approve(self, call: ToolCall) -> None:
        if call.plan is None:
            raise PlanRefused("a service job needs a plan to change anything")
        approval = await self._plans.approve(call)
        if not approval.approved:
            detail = f"the plan was not approved: {approval.reason}"
            raise PlanRefused(detail, guard=approval.guard, spoken=approval.spoken)


def _needs_a_yes(call: ToolCall) -> bool:
    """Tell whether somebody has to agree: to every dangerous act, and to what a job writes out of turn."""
    if not call.acts or call.tool.risk is Risk.DANGEROUS:
        return call.acts
    job = call.caller.kind is CallerKind.SERVICE_JOB
    return job and call.tool.name not in call.caller.standing_writes


def read_back(call: ToolCall) -> str:
    """Return the sentence that a person hears before a dangerous act.

    Every argument that the tool's own sentence leaves out is said after it: nobody confirms what they did
    not hear. A tool with arguments too long to be spoken brings a function instead of a sentence.
    """
    if callable(call.tool.read_back):
        return f"{call.tool.read_back(call.arguments)}，确认吗？"
    left = {
        name: value
        for name, value in call.arguments.items()
        if value is not None and value is not False and value != ""  # but 0 is said: "scaled to 0"
    }
    template = call.tool.read_back or f"执行{call.tool.name}"
    sentence = _SLOT.sub(lambda slot: _spoken(left.pop(slot[1], "")), template)
    rest = "，".join(f"{name}：{_spoken(value)}" for name, value in left.items())
    return f"{sentence}{f'（{rest}）' if rest else ''}，确认吗？"


def _spoken(value: JsonValue) -> str:
    text = value if isinstance(value, str) else canonical_json(value)
    return text if len(text) <= LONGEST_SPOKEN_VALUE else f"{text[:LONGEST_SPOKEN_VALUE]}…"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
