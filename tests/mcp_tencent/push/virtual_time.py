"""Time that moves only when everybody waits, and a durable engine without a memory that runs on it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

Result = TypeVar("Result")

START = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


class VirtualTime:
    """A clock for walks that run side by side: it jumps to the next wake-up once all of them sleep."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._awake = 0

    def now(self) -> datetime:
        return self._now

    def jump(self, step: timedelta) -> None:
        self._now += step

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        until = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (until, next(self._order), wake))
        self._awake -= 1
        self._move()
        await wake

    async def run(self, *walks: Coroutine[Any, Any, Result]) -> list[Result]:
        """Run walks side by side to their ends."""
        self._awake += len(walks)
        return await asyncio.gather(*(self._walk(walk) for walk in walks))

    async def _walk(self, walk: Coroutine[Any, Any, Result]) -> Result:
        try:
            return await walk
        finally:
            self._awake -= 1
            self._move()

    def _move(self) -> None:
        if self._awake > 0 or not self._sleepers:
            return
        until, _, wake = heapq.heappop(self._sleepers)
        self._now = max(self._now, until)
        self._awake += 1
        wake.set_result(None)


class ForgetfulEngine:
    """Satisfies `Durable` without recording anything."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    async def step(self, name: str, action: Callable[[], Awaitable[Result]]) -> Result:
        return await action()

    async def sleep(self, seconds: float) -> None:
        await self._time.sleep(seconds)
