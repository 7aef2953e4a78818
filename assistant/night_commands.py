"""`xiaozhi night` and `xiaozhi worker`: the night's work now, and a further process that takes part in it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption, JsonOption, require_local_cloud

if TYPE_CHECKING:
    from assistant.night_house import NightHouse, Tempo
    from assistant.servers import Installation
    from scheduler.night import NightEnd
    from scheduler.rehearsal import Rehearsal

SPEED = 60.0
"""An embedded cloud's clock against the wall's: minutes of waiting become seconds."""
_FAILED, _OUTSIDE_UNAVAILABLE = 1, 5

ScenarioOption = Annotated[
    str | None,
    typer.Option("--scenario", metavar="NAME|FILE", help="On an embedded local cloud, with hurried clocks."),
]
ModeOption = Annotated[
    str | None,
    typer.Option("--mode", help="With --scenario: observe, propose or act, everywhere in it."),
]


def night(
    on: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="The morning it works for; default: today."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would do; nothing is changed anywhere.")
    ] = False,
    scenario: ScenarioOption = None,
    mode: ModeOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read yesterday's alerts and logs, heal what may be healed, write the digest; once a date."""
    if mode is not None and (scenario is None or mode not in {"observe", "propose", "act"}):
        raise typer.BadParameter("--mode takes observe, propose or act, and only with --scenario")
    from mcp_tencent.serving.masking import log_to_stderr

    log_to_stderr(logging.ERROR)
    morning = None if on is None else on.date()
    if dry_run:
        rehearsal = asyncio.run(_rehearsed(home, scenario, mode, morning))
        _show_rehearsal(rehearsal, as_json=as_json)
        return
    end, told = asyncio.run(_night(home, scenario, mode, morning, as_json=as_json))
    if as_json:
        typer.echo(told)
    if end.outcome == "failed":
        raise typer.Exit(_OUTSIDE_UNAVAILABLE)


def worker(home: HomeOption = None) -> None:
    """Take part in the durable work of the shared database, until SIGTERM or Ctrl-C."""
    from mcp_tencent.serving.masking import log_to_stderr

    log_to_stderr(logging.WARNING)
    asyncio.run(_worker(home))


async def _night(
    home: Path | None, scenario: str | None, mode: str | None, on: date | None, *, as_json: bool
) -> tuple[NightEnd, str]:
    from assistant.night_progress import follow, summary

    async with _installed(home, scenario, mode) as (installation, tempo):
        from assistant.night_house import open_night, process_name

        async with open_night(installation, tempo, executor_id=process_name("night")) as house:
            morning = on or installation.clock.now().astimezone(installation.zone).date()
            watching = None if as_json else asyncio.create_task(follow(house, installation.zone))
            try:
                end = await house.nights.run(morning)
            finally:
                if watching is not None:
                    watching.cancel()
            if not as_json:
                await summary(house, end)
            return end, await _told(house, end)


async def _told(house: NightHouse, end: NightEnd) -> str:
    stored = await asyncio.to_thread(house.digests.get, end.on)
    return json.dumps(
        {
            "date": end.on.isoformat(),
            "outcome": end.outcome,
            "detail": end.detail,
            "incidents": [
                {"id": one.incident_id, "status": one.status, "end": one.end, "reason": one.reason}
                for one in end.endings
            ],
            "digest": None if stored is None else json.loads(stored.content_json),
        },
        ensure_ascii=False,
    )


async def _rehearsed(home: Path | None, scenario: str | None, mode: str | None, on: date | None) -> Rehearsal:
    async with _installed(home, scenario, mode) as (installation, tempo):
        from assistant.night_house import open_rehearsal

        morning = on or installation.clock.now().astimezone(installation.zone).date()
        async with open_rehearsal(installation, tempo) as rehearse:
            return await rehearse(morning)


def _show_rehearsal(rehearsal: Rehearsal, *, as_json: bool) -> None:
    if as_json:
        from pydantic import TypeAdapter

        told = TypeAdapter(type(rehearsal)).dump_json(rehearsal).decode()
        typer.echo(told)
        return
    from assistant.night_progress import show_rehearsal

    show_rehearsal(rehearsal)


async def _worker(home: Path | None) -> None:
    import signal

    async with _installed(home, None, None) as (installation, tempo):
        from assistant.night_house import open_night, process_name

        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, stopped.set)
        async with open_night(installation, tempo, executor_id=process_name("worker"), triggered=True):
            typer.echo("Taking part in the durable work; stop with Ctrl-C.", err=True)
            await stopped.wait()


@asynccontextmanager
async def _installed(
    home: Path | None, scenario: str | None, mode: str | None
) -> AsyncIterator[tuple[Installation, Tempo]]:
    """Compose what the settings say, or an embedded cloud in which a minute takes a second."""
    from assistant.home import find_home
    from assistant.night_house import hurried, real_time
    from assistant.servers import configured, on_local_cloud
    from assistant.settings_loading import load_settings
    from mcp_tencent.errors import AccountMissing

    if scenario is None:
        place = find_home(home, os.environ)
        settings, _ = load_settings(place, os.environ)
        installation = configured(place, settings, os.environ)
        if not installation.accounts:
            # A night that read nothing would count as this date's.
            raise AccountMissing("no cloud account is configured")
        yield installation, real_time()
        return
    require_local_cloud()
    from assistant.night_house import five_in_the_morning, let_heal
    from mcp_tencent.local_cloud.server import LocalCloud

    with tempfile.TemporaryDirectory() as scratch:
        place = find_home(home or Path(scratch), {})
        settings, _ = load_settings(place, os.environ)
        clock = five_in_the_morning(settings, speed=SPEED)
        with LocalCloud(scenario, clock=clock) as cloud:
            installation = on_local_cloud(place, settings, os.environ, cloud)
            if mode is not None:
                let_heal(
                    installation,
                    mode,
                    {one.namespace for c in cloud.scenario.clusters for one in c.workloads},
                )
            yield installation, hurried(SPEED)
