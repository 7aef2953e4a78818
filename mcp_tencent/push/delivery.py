"""One delivery from 'asked for' to 'sent' or 'given up', as a list of steps that survives crashes.

The walk is `deliver`. It runs on a durable engine (`Durable`): each step's result is recorded, and after a
crash the walk goes on behind the last recorded step. What this promises:

- A delivery is recorded once and ends once; asking again with the same id changes nothing.
- The provider gets every message at least once. If the process dies after the provider took a message and
  before the engine recorded the step, the message is sent again. A mail then carries the same Message-ID, by
  which servers and readers recognise it; a group robot has nothing of the kind and shows the message twice.
- Waiting (for a turn under the provider's limit, for the next attempt) is durable and never drops a message;
  waiting for a turn is no attempt and does not bring a delivery nearer to being given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Protocol, TypeVar

from mcp_tencent.push.channels import CHANNEL_NAMES, Channel, Target
from mcp_tencent.push.errors import (
    ChannelNotConfigured,
    DeliveryUnknown,
    PushError,
    SendBlocked,
    SendRefused,
    SendUnavailable,
)
from mcp_tencent.push.message import Report
from mcp_tencent.push.pacing import Pace, block, blocked_for, take_turn
from mcp_tencent.push.retry import GiveUp, RetryPolicy, after_failure
from mcp_tencent.push.senders.sender import Parcel, Receipt, Sender

Result = TypeVar("Result")


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    SENDING = "sending"
    FAILED = "failed"
    """The last attempt failed; another one follows."""
    SENT = "sent"
    DEAD = "dead"
    """Given up; `reason` says why. A dead letter is kept and sent again only when somebody asks for it."""

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self in {DeliveryStatus.SENT, DeliveryStatus.DEAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One report on its way to one target."""

    id: str
    report: Report
    target: Target
    person: str | None
    """For whom, when it is a person's delivery."""
    created_at: datetime
    status: DeliveryStatus = DeliveryStatus.QUEUED
    attempts: int = 0
    """Times a message was handed to the provider or tried to be."""
    reason: str | None = None
    """Why it failed, was given up, or did not reach everybody; short Chinese, no secrets."""
    updated_at: datetime
    next_attempt_at: datetime | None = None


class DeliveryStore(Protocol):
    """The record of deliveries and of each limited target's pace. Calls block; they are made off the loop."""

    def add(self, delivery: Delivery) -> bool:
        """Record a new delivery; False, and nothing changed, when its id exists."""
        ...

    def find(self, delivery_id: str) -> Delivery | None:
        """Return a delivery, or None."""
        ...

    def save(self, delivery: Delivery) -> None:
        """Record how a known delivery stands now."""
        ...

    def change_pace(self, target: str, change: Callable[[Pace], Pace]) -> Pace:
        """Replace a target's pace by what `change` makes of it, safe against other processes; return it."""
        ...


class Durable(Protocol):
    """What a walk needs of the engine it runs on."""

    async def step(self, name: str, action: Callable[[], Awaitable[Result]]) -> Result:
        """Do the action and record its result; after a crash return the recorded result instead."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait until `seconds` from the first time this point was reached, crashes included."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a walk has to do, as the engine records it."""

    parts: int
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt: each of its recipients is in exactly one of the three groups."""

    accepted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """Will never get it."""
    remaining: tuple[str, ...] = ()
    """May get it another time."""
    reason: str | None = None
    blocked: bool = False
    """Nothing was tried or taken because of the provider's limit: no attempt, only a wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the walk is, within the present part of the report."""

    remaining: tuple[str, ...]
    attempts: int = 0
    """Over the whole delivery."""
    failures: int = 0
    """Of this part."""
    reached: bool = False
    """Whether anybody has this part."""
    missed: tuple[str, ...] = ()
    """Recipients that were given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows an attempt, as the engine records it."""

    status: DeliveryStatus
    progress: Progress
    reason: str | None = None
    wait_s: float = 0.0


async def deliver(delivery_id: str, steps: DeliverySteps, engine: Durable) -> DeliveryStatus:
    """Walk one delivery to its end and return how it ended: SENT or DEAD.

    The order of the steps is part of what is recorded: whoever changes it must raise the application version
    of the engine, or deliveries under way go astray.
    """
    plan = await engine.step("plan", partial(steps.plan, delivery_id))
    progress = Progress(remaining=plan.recipients)
    for part in range(plan.parts):
        last = part == plan.parts - 1
        progress = replace(progress, remaining=plan.recipients, failures=0, reached=False)
        while progress.remaining:
            await engine.sleep(await engine.step("turn", partial(steps.turn, delivery_id)))
            outcome = await engine.step("send", partial(steps.send, delivery_id, part, progress.remaining))
            verdict = await engine.step("record", partial(steps.record, delivery_id, progress, outcome, last))
            if verdict.status is DeliveryStatus.DEAD:
                return DeliveryStatus.DEAD
            progress = verdict.progress
            await engine.sleep(verdict.wait_s)
    return DeliveryStatus.SENT


def judge(
    progress: Progress, outcome: Outcome, *, policy: RetryPolicy, key: str, age: timedelta, last_part: bool
) -> Verdict:
    """Decide what follows an attempt (pure). `age` is how long ago the delivery was asked for."""
    if outcome.blocked:
        return Verdict(status=DeliveryStatus.QUEUED, progress=progress, reason=outcome.reason)
    now = replace(
        progress,
        attempts=progress.attempts + 1,
        reached=progress.reached or bool(outcome.accepted),
        missed=progress.missed + outcome.refused,
        remaining=outcome.remaining,
    )
    reason = outcome.reason
    if outcome.remaining:
        now = replace(now, failures=progress.failures + 1)
        follows = after_failure(policy, key=key, attempts=now.failures, age=age)
        if not isinstance(follows, GiveUp):
            return Verdict(status=DeliveryStatus.FAILED, progress=now, reason=reason, wait_s=follows.after_s)
        now = replace(now, missed=now.missed + outcome.remaining, remaining=())
        reason = "；".join(filter(None, (follows.reason, outcome.reason)))
    if not now.reached:
        return Verdict(status=DeliveryStatus.DEAD, progress=now, reason=reason)
    missed = f"没有送到：{'、'.join(now.missed)}（{reason}）" if now.missed else None
    return Verdict(
        status=DeliveryStatus.SENT if last_part else DeliveryStatus.SENDING, progress=now, reason=missed
    )


class DeliverySteps:
    """The steps of a delivery. Each may be repeated after a crash; only `send` shows outside.

    Args:
        store: the record of deliveries.
        senders: the channels that are configured.
        policy: when to try again.
        now: the wall clock.
    """

    def __init__(
        self,
        *,
        store: DeliveryStore,
        senders: Mapping[Channel, Sender],
        policy: RetryPolicy,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._senders = senders
        self._policy = policy
        self._now = now

    async def plan(self, delivery_id: str) -> Plan:
        """Say of how many messages the delivery consists, and for whom."""
        delivery = await self._find(delivery_id)
        sender = self._senders.get(delivery.target.channel)
        # Without a sender one step is left to do: to record that there is none.
        parts = sender.part_count(delivery.report) if sender is not None else 1
        return Plan(parts=parts, recipients=delivery.target.recipients)

    async def turn(self, delivery_id: str) -> float:
        """Take the next turn under the provider's limit and return how many seconds away it is."""
        delivery = await self._find(delivery_id)
        if delivery.status is DeliveryStatus.DEAD:
            return 0.0
        now = self._now()
        await self._save(
            replace(delivery, status=DeliveryStatus.SENDING, updated_at=now, next_attempt_at=None)
        )
        sender = self._senders.get(delivery.target.channel)
        if sender is None or (limit := sender.limit()) is None:
            return 0.0
        pace = await self._change_pace(delivery.target, lambda pace: take_turn(pace, limit, now)[0])
        return max(0.0, (pace.turns[-1] - now).total_seconds())

    async def send(self, delivery_id: str, part: int, recipients: tuple[str, ...]) -> Outcome:
        """Hand one message over, unless the provider is known to take none at present."""
        delivery = await self._find(delivery_id)
        target = delivery.target
        if delivery.status is DeliveryStatus.DEAD:  # closed from outside, e.g. with its person
            return Outcome(refused=recipients, reason=delivery.reason)
        sender = self._senders.get(target.channel)
        if sender is None:
            return Outcome(refused=recipients, reason=f"{CHANNEL_NAMES[target.channel]}还没有配置")
        if sender.limit() is not None:
            pace = await self._change_pace(target, lambda pace: pace)
            if blocked_for(pace, self._now()) > 0:
                return Outcome(blocked=True, reason="对方限流，等待中")
        parcel = Parcel(
            report=replace(delivery.report, mentions=delivery.report.mentions + target.mentions),
            recipients=recipients,
            part=part,
            key=delivery.id,
            at=delivery.created_at,
        )
        try:
            receipt = await sender.send(parcel)
        except (SendRefused, ChannelNotConfigured) as exc:
            return Outcome(refused=recipients, reason=_explained(exc))
        except SendUnavailable as exc:
            return Outcome(remaining=recipients, reason=_explained(exc))
        except SendBlocked as exc:
            blocked_for_s = exc.blocked_for_s
            await self._change_pace(target, lambda pace: block(pace, self._now(), blocked_for_s))
            return Outcome(blocked=True, reason=_explained(exc))
        return _sorted_out(recipients, receipt)

    async def record(
        self, delivery_id: str, progress: Progress, outcome: Outcome, last_part: bool
    ) -> Verdict:
        """Decide what follows and write down how the delivery stands."""
        delivery = await self._find(delivery_id)
        now = self._now()
        verdict = judge(
            progress,
            outcome,
            policy=self._policy,
            key=delivery.id,
            age=now - delivery.created_at,
            last_part=last_part,
        )
        await self._save(
            replace(
                delivery,
                status=verdict.status,
                attempts=verdict.progress.attempts,
                reason=verdict.reason,
                updated_at=now,
                next_attempt_at=now + timedelta(seconds=verdict.wait_s) if verdict.wait_s else None,
            )
        )
        return verdict

    async def _find(self, delivery_id: str) -> Delivery:
        delivery = await asyncio.to_thread(self._store.find, delivery_id)
        if delivery is None:
            raise DeliveryUnknown(f"no delivery {delivery_id}", spoken="没有这次推送的记录。")
        return delivery

    async def _save(self, delivery: Delivery) -> None:
        await asyncio.to_thread(self._store.save, delivery)

    async def _change_pace(self, target: Target, change: Callable[[Pace], Pace]) -> Pace:
        return await asyncio.to_thread(self._store.change_pace, limited_by(target), change)


def limited_by(target: Target) -> str:
    """Return whose pace a target's messages count towards: the robot's, whoever is mentioned."""
    return f"{target.channel}/{','.join(target.recipients)}"


def _sorted_out(recipients: tuple[str, ...], receipt: Receipt) -> Outcome:
    refused = tuple(one.recipient for one in receipt.refused if one.permanent)
    remaining = tuple(one.recipient for one in receipt.refused if not one.permanent)
    reasons = "；".join(f"{one.recipient}：{one.reason}" for one in receipt.refused)
    accepted = tuple(one for one in recipients if one not in refused and one not in remaining)
    return Outcome(accepted=accepted, refused=refused, remaining=remaining, reason=reasons or None)


def _explained(exc: PushError) -> str:
    """Return both the sentence for people and the provider's own words, which the sender has cleaned."""
    return f"{exc.spoken.rstrip('。')}（{exc}）"
