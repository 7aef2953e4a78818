"""When nights start by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from assistant.database import open_database
from mcp_tencent.local_cloud.simulation import ManualClock
from scheduler.clock import NightTimes
from scheduler.night import JOB
from scheduler.records import JobOutcome, JobRun, SqlJobRunStore
from scheduler.triggers_apscheduler import NightTrigger

ZONE = ZoneInfo("Asia/Shanghai")
TIMES = NightTimes(at=time(5), until=time(10), zone=ZONE)
TODAY = date(2026, 11, 20)


@asynccontextmanager
async def device_on_at(
    folder: Path, hour: int, minute: int = 0
) -> AsyncIterator[tuple[list[date], SqlJobRunStore]]:
    started: list[date] = []

    async def start(on: date) -> None:
        started.append(on)

    with open_database(f"sqlite:///{folder / 'records.db'}") as database:
        runs = SqlJobRunStore(database.engine)
        clock = ManualClock(datetime(2026, 11, 20, hour, minute, tzinfo=ZONE))
        trigger = NightTrigger(times=TIMES, clock=clock, runs=runs, start=start)
        await trigger.listen()
        yield started, runs
        await trigger.leave()


async def test_before_its_time_nothing_starts(tmp_path: Path) -> None:
    async with device_on_at(tmp_path, 4, 59) as (started, runs):
        assert started == []
        assert runs.latest(JOB) == []


async def test_a_device_that_was_off_at_five_catches_up(tmp_path: Path) -> None:
    async with device_on_at(tmp_path, 8, 30) as (started, _):
        assert started == [TODAY]


async def test_after_the_digest_window_the_night_counts_as_missed(tmp_path: Path) -> None:
    async with device_on_at(tmp_path, 10) as (started, runs):
        assert started == []
        (run,) = runs.latest(JOB)
        assert (run.for_date, run.outcome) == (TODAY, JobOutcome.MISSED)


async def test_a_night_that_has_run_is_not_called_missed(tmp_path: Path) -> None:
    async with device_on_at(tmp_path, 5) as (_, runs):
        at = datetime(2026, 11, 20, 5, tzinfo=ZONE)
        runs.start(JobRun(id="night-2026-11-20", job=JOB, for_date=TODAY, started_at=at))
        runs.finish("night-2026-11-20", JobOutcome.SUCCEEDED, at=at)
    async with device_on_at(tmp_path, 12) as (_, runs):
        assert [one.outcome for one in runs.latest(JOB)] == [JobOutcome.SUCCEEDED]
