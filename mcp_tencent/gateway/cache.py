"""Reads are answered from a short memory, and identical reads under way are joined.

A talkative morning asks the same few questions again and again; the cloud allows some twenty requests a
second.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mcp_tencent.gateway.call import Clock, Origin, Proceed, Result, ToolCall

MOST_ANSWERS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    result: Result
    until: datetime


@dataclass(slots=True, kw_only=True)
class _Flight:
    task: asyncio.Task[Result]
    waiting: int


class ReadCache:
    """Keeps answers for the seconds that their tool allows, apart for callers who may see different things.

    Any act that gets past this point makes it forget everything: after a restart nobody is told old news.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: dict[tuple[str, str], _Remembered] = {}
        self._flights: dict[tuple[str, str], _Flight] = {}
        self._acts = 0

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        if call.tool.risk.acts:
            return await self._act(call, proceed)
        if call.tool.cache_s <= 0:
            return await proceed(call)
        key = (call.digest, call.caller.scope)
        remembered = self._answers.get(key)
        if remembered is not None and remembered.until > self._clock.now():
            return replace(remembered.result, origin=Origin.CACHED)
        return await self._fly(key, call, proceed)

    async def _act(self, call: ToolCall, proceed: Proceed) -> Result:
        try:
            return await proceed(call)
        finally:
            self._acts += 1
            self._answers.clear()
            self._flights.clear()  # those under way may have looked before the act: nobody joins them now

    async def _fly(self, key: tuple[str, str], call: ToolCall, proceed: Proceed) -> Result:
        flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = _Flight(task=asyncio.ensure_future(self._look(key, call, proceed)), waiting=0)
            self._flights[key] = flight
        flight.waiting += 1
        try:
            result = await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0:
                flight.task.cancel()  # nobody wants it any more; does nothing to one that is done
                if self._flights.get(key) is flight:
                    del self._flights[key]
        return replace(result, origin=Origin.JOINED) if joined else result

    async def _look(self, key: tuple[str, str], call: ToolCall, proceed: Proceed) -> Result:
        acts_before = self._acts
        result = await proceed(call)
        if not result.failed and self._acts == acts_before:
            self._remember(key, result, call.tool.cache_s)
        return result

    def _remember(self, key: tuple[str, str], result: Result, seconds: float) -> None:
        now = self._clock.now()
        if len(self._answers) >= MOST_ANSWERS:
            self._answers = {k: v for k, v in self._answers.items() if v.until > now}
        if len(self._answers) < MOST_ANSWERS:
            self._answers[key] = _Remembered(result=result, until=now + timedelta(seconds=seconds))
