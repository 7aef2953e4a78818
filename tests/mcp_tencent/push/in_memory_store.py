"""The record of deliveries in memory; passes the same contract as the tables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from mcp_tencent.push.delivery import Delivery
from mcp_tencent.push.pacing import Pace


class InMemoryDeliveryStore:
    def __init__(self) -> None:
        self._deliveries: dict[str, Delivery] = {}
        self._paces: dict[str, Pace] = {}
        self._lock = threading.Lock()

    def add(self, delivery: Delivery) -> bool:
        with self._lock:
            return self._deliveries.setdefault(delivery.id, delivery) is delivery

    def find(self, delivery_id: str) -> Delivery | None:
        return self._deliveries.get(delivery_id)

    def save(self, delivery: Delivery) -> None:
        with self._lock:
            self._deliveries[delivery.id] = delivery

    def change_pace(self, target: str, change: Callable[[Pace], Pace]) -> Pace:
        with self._lock:
            pace = change(self._paces.get(target, Pace()))
            self._paces[target] = pace
            return pace

    def unfinished(self) -> Sequence[str]:
        waiting = [one for one in self._deliveries.values() if not one.status.final]
        return [one.id for one in sorted(waiting, key=lambda one: one.created_at)]
