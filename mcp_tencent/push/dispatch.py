"""The desk where reports are handed in: records each delivery once and puts it into the durable queue."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from mcp_tencent.push.channels import Target
from mcp_tencent.push.delivery import Delivery, DeliveryStatus, DeliveryStore
from mcp_tencent.push.errors import DeliveryBroken, DeliveryUnknown
from mcp_tencent.push.message import Report


class DeliveryQueue(Protocol):
    """Where deliveries wait for their walk."""

    async def put(self, delivery_id: str) -> None:
        """Have the delivery walked, once, however often it is put.

        Raises:
            DeliveryBroken: its walk has already ended in an unexpected error.
        """
        ...


class DispatchStore(DeliveryStore, Protocol):
    """The record of deliveries as the desk needs it."""

    def unfinished(self) -> Sequence[str]:
        """Return the ids of deliveries that are neither sent nor dead, oldest first."""
        ...


def delivery_id(report: Report, target: Target, *, key: str | None = None) -> str:
    """Return the idempotency key of a delivery: `delivery-<report>-<channel>-<target hash>[-<key hash>]`.

    Args:
        report: what is sent; its reference, not its content, counts.
        target: to whom; ids are logged, so an address goes in as a hash only.
        key: tells a wanted repetition (somebody asks for the same report again) from an unwanted one.
    """
    parts = ["delivery", report.reference, target.channel.value, target.digest]
    if key is not None:
        parts.append(hashlib.sha256(key.encode()).hexdigest()[:12])
    return "-".join(parts)


class Dispatch:
    """Takes reports in.

    Args:
        store: the record of deliveries.
        queue: the durable queue.
        now: the wall clock.
    """

    def __init__(self, *, store: DispatchStore, queue: DeliveryQueue, now: Callable[[], datetime]) -> None:
        self._store = store
        self._queue = queue
        self._now = now

    async def send(
        self, report: Report, target: Target, *, key: str | None = None, person: str | None = None
    ) -> Delivery:
        """Have a report delivered and return how that stands; with the same id again, how it stood already.

        First recorded, then queued: a crash between the two is mended by `resume`.
        """
        now = self._now()
        wanted = Delivery(
            id=delivery_id(report, target, key=key),
            report=report,
            target=target,
            person=person,
            created_at=now,
            updated_at=now,
        )
        if not await asyncio.to_thread(self._store.add, wanted):
            known = await self.find(wanted.id)
            if known.status.final:
                return known
        await self._queue.put(wanted.id)
        return await self.find(wanted.id)

    async def find(self, wanted: str) -> Delivery:
        """Return a delivery by its id.

        Raises:
            DeliveryUnknown: there is none.
        """
        delivery = await asyncio.to_thread(self._store.find, wanted)
        if delivery is None:
            raise DeliveryUnknown(f"no delivery {wanted}", spoken="没有这次推送的记录。")
        return delivery

    async def resume(self) -> int:
        """Put every unfinished delivery into the queue again (at start-up) and return how many there were.

        What is still under way is not disturbed. What broke is closed as a dead letter: nothing stays
        'sending' for ever.
        """
        unfinished = await asyncio.to_thread(self._store.unfinished)
        for one in unfinished:
            try:
                await self._queue.put(one)
            except DeliveryBroken as exc:
                delivery = await self.find(one)
                await asyncio.to_thread(
                    self._store.save,
                    replace(delivery, status=DeliveryStatus.DEAD, reason=exc.spoken, updated_at=self._now()),
                )
        return len(unfinished)
