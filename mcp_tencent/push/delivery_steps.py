"""The steps of a delivery: what happens in our tables and at the provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from mcp_tencent.push.channels import CHANNEL_NAMES, Channel, Target
from mcp_tencent.push.delivery import (
    Delivery,
    DeliveryStatus,
    DeliveryStore,
    Outcome,
    Plan,
    Progress,
    Verdict,
    judge,
)
from mcp_tencent.push.errors import (
    ChannelNotConfigured,
    DeliveryUnknown,
    PushError,
    SendBlocked,
    SendRefused,
    SendUnavailable,
)
from mcp_tencent.push.pacing import Pace, block, blocked_for, take_turn
from mcp_tencent.push.retry import RetryPolicy
from mcp_tencent.push.senders.sender import Parcel, Receipt, Sender


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
        return Plan(parts=parts, recipients=len(delivery.target.recipients))

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

    async def send(self, delivery_id: str, part: int, recipients: tuple[int, ...]) -> Outcome:
        """Hand one message over to these recipients, unless the provider is known to take none at present."""
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
            recipients=tuple(target.recipients[number] for number in recipients),
            part=part,
            key=delivery.id,
            at=delivery.created_at,
        )
        try:
            receipt = await sender.send(parcel)
        except (SendRefused, ChannelNotConfigured) as exc:
            return Outcome(refused=recipients, reason=_explained(exc, target))
        except SendUnavailable as exc:
            return Outcome(remaining=recipients, reason=_explained(exc, target))
        except SendBlocked as exc:
            blocked_for_s = exc.blocked_for_s
            await self._change_pace(target, lambda pace: block(pace, self._now(), blocked_for_s))
            return Outcome(blocked=True, reason=_explained(exc, target))
        return _sorted_out(recipients, receipt, target)

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
                reason=_told(verdict, delivery.target),
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


def _sorted_out(recipients: tuple[int, ...], receipt: Receipt, target: Target) -> Outcome:
    refusals = {target.recipients.index(one.recipient): one for one in receipt.refused}
    # What is final is said first: it stays in the record when the rest has arrived later.
    final = [one for one in receipt.refused if one.permanent] or receipt.refused
    reasons = "；".join(dict.fromkeys(one.reason for one in final))
    return Outcome(
        accepted=tuple(number for number in recipients if number not in refusals),
        refused=tuple(number for number, one in refusals.items() if one.permanent),
        remaining=tuple(number for number, one in refusals.items() if not one.permanent),
        reason=_nameless(reasons, target) or None,
    )


def _told(verdict: Verdict, target: Target) -> str | None:
    """Return the reason as it is listed: where some have it and others never will, with the others' names."""
    if verdict.status not in {DeliveryStatus.SENT, DeliveryStatus.SENDING} or not verdict.progress.missed:
        return verdict.reason
    names = "、".join(target.recipients[number] for number in verdict.progress.missed)
    return f"没有送到：{names}（{verdict.reason}）"


def _explained(exc: PushError, target: Target) -> str:
    """Return both the sentence for people and the provider's own words, which the sender has cleaned."""
    return _nameless(f"{exc.spoken.rstrip('。')}（{exc}）", target)


def _nameless(text: str, target: Target) -> str:
    """Return a provider's words without the addresses that it likes to repeat."""
    for recipient in target.recipients if target.channel is Channel.EMAIL else ():
        text = text.replace(recipient, "收件人")
    return text
