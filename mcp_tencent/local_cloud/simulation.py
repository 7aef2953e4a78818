"""Time in the imitated cloud: clocks that are handed in, and one queue of what happens when.

Nothing in the local cloud sleeps or runs a thread of its own. Everything that happens by itself (a pod gets
ready, a fault begins, a rollout times out) is scheduled on one `Simulation`, and whoever looks at the cloud
first brings it up to now. A week of history is therefore simulated in milliseconds, always in the same order.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time of the imitated cloud."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware."""
        ...


class WallClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """Stands still until it is told to move: the clock of tests and of everything reproducible."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError(f"start must be timezone-aware, got {start!r}: add a UTC offset")
        self._now = start

    def now(self) -> datetime:
        """Return the instant it was last moved to."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move forward by `step` (never backward) and return the new instant."""
        if step < timedelta(0):
            raise ValueError(f"a clock never runs backward, got a step of {step}")
        self._now += step
        return self._now


class ScaledClock:
    """Starts at a chosen instant and runs `speed` times as fast as another clock: waits shrink in a demo."""

    def __init__(self, start: datetime, *, speed: float, reference: Clock) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be positive, got {speed}")
        self._start = start
        self._speed = speed
        self._reference = reference
        self._reference_start = reference.now()

    def now(self) -> datetime:
        """Return the start plus the scaled time that the reference has run since."""
        return self._start + (self._reference.now() - self._reference_start) * self._speed


@dataclass(slots=True, order=True)
class Scheduled:
    """Something that will happen; `cancel` it and it will not."""

    at: datetime
    order: int
    action: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """Make it not happen; harmless when it already has."""
        self.action = None


class Simulation:
    """The queue of what happens when. `now` only moves inside `run_until`."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self._queue: list[Scheduled] = []
        self._order = itertools.count()

    def schedule(self, at: datetime, action: Callable[[], None]) -> Scheduled:
        """Have `action` called when the simulation reaches `at` (at once, if that has passed).

        Actions of the same instant run in the order in which they were scheduled.
        """
        entry = Scheduled(max(at, self.now), next(self._order), action)
        heapq.heappush(self._queue, entry)
        return entry

    def after(self, delay: timedelta, action: Callable[[], None]) -> Scheduled:
        """Have `action` called `delay` from the simulation's present."""
        return self.schedule(self.now + delay, action)

    def next_at(self) -> datetime | None:
        """Return when the next thing happens, or None when nothing is scheduled."""
        while self._queue and self._queue[0].action is None:
            heapq.heappop(self._queue)
        return self._queue[0].at if self._queue else None

    def run_until(self, until: datetime) -> None:
        """Let everything happen that is due at or before `until`, in order; then it is `until`.

        An `until` in the past changes nothing: the simulated cloud never goes back.
        """
        while (due := self.next_at()) is not None and due <= until:
            entry = heapq.heappop(self._queue)
            self.now = max(self.now, entry.at)
            action, entry.action = entry.action, None
            if action is not None:
                action()
        self.now = max(self.now, until)
