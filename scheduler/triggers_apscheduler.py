"""Starts the night when it is due, on APScheduler; it does no work itself.

Each local morning has one night. At its time, or as soon after it as the device is on, it is started;
starting one that is under way or done changes nothing. Once the digest window has ended it counts as missed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from mcp_tencent.gateway.call import Clock
from mcp_tencent.gateway.stores import in_store
from scheduler.clock import NightTimes
from scheduler.night import JOB, night_id
from scheduler.records import JobOutcome, JobRun, JobRunStore

_log = logging.getLogger(__name__)


class NightTrigger:
    """Starts each morning's night once.

    Args:
        times: When.
        clock: The present.
        runs: The memory of jobs, for nights that are missed.
        start: Starts the night of a morning, or does nothing when it has been started.
    """

    def __init__(
        self,
        *,
        times: NightTimes,
        clock: Clock,
        runs: JobRunStore,
        start: Callable[[date], Awaitable[object]],
    ) -> None:
        self._times = times
        self._clock = clock
        self._runs = runs
        self._start = start
        self._scheduler = AsyncIOScheduler(timezone=times.zone)

    async def listen(self) -> None:
        """Catch up with this morning's night, and wait for the next ones; a part of the engine."""
        self._scheduler.add_job(
            self.due,
            CronTrigger(hour=self._times.at.hour, minute=self._times.at.minute, timezone=self._times.zone),
            id=JOB,
            coalesce=True,
            misfire_grace_time=int(self._times.grace.total_seconds()),
            max_instances=1,
        )
        self._scheduler.start()
        await self.due()

    async def leave(self) -> None:
        """Start nothing more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def due(self) -> None:
        """Start the night of this morning if it is due, or record that it was missed."""
        now = self._clock.now()
        today = self._times.today(now)
        await self._missed_before(today)
        if now < self._times.opens(today):
            return
        if now >= self._times.closes(today):
            await self._miss(today)
            return
        _log.info("starting %s", night_id(today))
        await self._start(today)

    async def _missed_before(self, today: date) -> None:
        """Record yesterday's night as missed when the device was off all morning."""
        known = await in_store(lambda: self._runs.latest(JOB, limit=1))
        if known and known[0].for_date < today - timedelta(days=1):
            await self._miss(today - timedelta(days=1))

    async def _miss(self, on: date) -> None:
        now = self._clock.now()
        run = JobRun(id=night_id(on), job=JOB, for_date=on, started_at=now)
        if await in_store(lambda: self._runs.start(run)):
            detail = "设备在该运行的时间里没有开机"
            await in_store(lambda: self._runs.finish(run.id, JobOutcome.MISSED, at=now, detail=detail))
            _log.warning("%s was missed", run.id)
