"""Work that follows from changes: done once per object however many changes asked for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mcp_tencent.local_cloud.simulation import Scheduled, Simulation

Reconcile = Callable[[str, str], None]
"""Makes one object (namespace, name) more like what is wanted; doing it again changes nothing more."""


class ControlLoop:
    """A queue of objects to look at, emptied by the simulation at the same instant."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._queue: dict[tuple[Reconcile, str, str], None] = {}
        self._timers: dict[tuple[Reconcile, str, str], Scheduled] = {}
        self._draining = False

    def enqueue(self, reconcile: Reconcile, namespace: str, name: str) -> None:
        """Have `reconcile(namespace, name)` called soon, within the present instant."""
        if not self._queue and not self._draining:
            self._simulation.schedule(self._simulation.now, self._drain)
        self._queue[(reconcile, namespace, name)] = None

    def enqueue_at(self, at: datetime, reconcile: Reconcile, namespace: str, name: str) -> None:
        """Have it called at `at`; of several appointments for the same object the earliest is kept."""
        key = (reconcile, namespace, name)
        known = self._timers.get(key)
        if known is not None and known.action is not None:
            if known.at <= at:
                return
            known.cancel()
        self._timers[key] = self._simulation.schedule(at, lambda: self._ring(key))

    def _ring(self, key: tuple[Reconcile, str, str]) -> None:
        self._timers.pop(key, None)
        self.enqueue(*key)

    def _drain(self) -> None:
        self._draining = True
        try:
            while self._queue:
                key = next(iter(self._queue))
                del self._queue[key]
                reconcile, namespace, name = key
                reconcile(namespace, name)
        finally:
            self._draining = False
            if self._queue:
                self._simulation.schedule(self._simulation.now, self._drain)
