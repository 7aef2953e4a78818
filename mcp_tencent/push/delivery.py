"""One delivery from 'asked for' to 'sent' or 'given up', as a list of steps that survives crashes.

The walk is `deliver`. It runs on a durable engine (`Durable`): each step's result is recorded, and after a
crash the walk goes on behind the last recorded step. What this promises:

- A delivery is recorded once and ends once; asking again with the same id changes nothing.
- The provider gets every message at least once. If the process dies after the provider took a message and
  before the engine recorded the step, the message is sent again. A mail then carries the same Message-ID, by
  which servers and readers recognise it; a group robot has nothing of the kind and shows the message twice.
- What the engine records says nothing about people: recipients are numbers in it, so that forgetting somebody
  is a matter of our own tables only.
- Waiting (for a turn under the provider's limit, for the next attempt) is durable and never drops a message;
  waiting for a turn is no attempt and does not bring a delivery nearer to being given up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Protocol

from mcp_tencent.durable import Durable
from mcp_tencent.push.channels import Target
from mcp_tencent.push.message import Report
from mcp_tencent.push.pacing import Pace
from mcp_tencent.push.retry import GiveUp, RetryPolicy, after_failure


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a walk has to do, as the engine records it."""

    parts: int
    recipients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt: each of its recipients, by number, is in exactly one of the three groups."""

    accepted: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    """Will never get it."""
    remaining: tuple[int, ...] = ()
    """May get it another time."""
    reason: str | None = None
    """Without addresses."""
    blocked: bool = False
    """Nothing was tried or taken because of the provider's limit: no attempt, only a wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the walk is, within the present part of the report."""

    remaining: tuple[int, ...]
    """Recipients, by number, that still have to get it."""
    attempts: int = 0
    """Over the whole delivery."""
    failures: int = 0
    """Of this part."""
    reached: bool = False
    """Whether anybody has this part."""
    missed: tuple[int, ...] = ()
    """Recipients, by number, that were given up."""
    why: str | None = None
    """Why they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows an attempt, as the engine records it."""

    status: DeliveryStatus
    progress: Progress
    reason: str | None = None
    wait_s: float = 0.0


class Steps(Protocol):
    """What a walk consists of; each step may be repeated after a crash, and only `send` shows outside."""

    async def plan(self, delivery_id: str) -> Plan:
        """Say of how many messages the delivery consists, and for how many recipients."""
        ...

    async def turn(self, delivery_id: str) -> float:
        """Take the next turn under the provider's limit and return how many seconds away it is."""
        ...

    async def send(self, delivery_id: str, part: int, recipients: tuple[int, ...]) -> Outcome:
        """Hand one message over to these recipients."""
        ...

    async def record(
        self, delivery_id: str, progress: Progress, outcome: Outcome, last_part: bool
    ) -> Verdict:
        """Decide what follows and write down how the delivery stands."""
        ...


async def deliver(delivery_id: str, steps: Steps, engine: Durable) -> DeliveryStatus:
    """Walk one delivery to its end and return how it ended: SENT or DEAD.

    The order of the steps is part of what is recorded: whoever changes it must raise the application version
    of the engine, or deliveries under way go astray.
    """
    plan = await engine.step("plan", partial(steps.plan, delivery_id))
    everybody = tuple(range(plan.recipients))
    progress = Progress(remaining=everybody)
    for part in range(plan.parts):
        last = part == plan.parts - 1
        progress = replace(progress, remaining=everybody, failures=0, reached=False)
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
        why=outcome.reason if outcome.refused else progress.why,
    )
    if outcome.remaining:
        now = replace(now, failures=progress.failures + 1)
        follows = after_failure(policy, key=key, attempts=now.failures, age=age)
        if not isinstance(follows, GiveUp):
            return Verdict(
                status=DeliveryStatus.FAILED, progress=now, reason=outcome.reason, wait_s=follows.after_s
            )
        now = replace(
            now,
            missed=now.missed + outcome.remaining,
            remaining=(),
            why="；".join(filter(None, (follows.reason, outcome.reason))),
        )
    if not now.reached:
        return Verdict(status=DeliveryStatus.DEAD, progress=now, reason=now.why)
    status = DeliveryStatus.SENT if last_part else DeliveryStatus.SENDING
    return Verdict(status=status, progress=now, reason=now.why)
