"""`xiaozhi turns`: what was asked and answered lately, and how long it took."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from assistant.command_options import HomeOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assistant.journal import Turn


def turns(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 20,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the last turns, newest first."""
    from assistant.app import open_records
    from assistant.home import find_home
    from assistant.journal import SqlJournal
    from assistant.known_people import people_store
    from assistant.sealing import open_sealer
    from assistant.settings_loading import load_settings

    place = find_home(home, os.environ)
    settings, _ = load_settings(place, os.environ)
    sealer = open_sealer(place, os.environ, create=True)
    with open_records(place, settings) as database:
        latest = SqlJournal(database.engine).latest(limit=limit)
        names = {one.id: one.name for one in people_store(database.engine, sealer).everybody()}
    if as_json:
        typer.echo(json.dumps([_told(one, names) for one in latest], ensure_ascii=False))
        return
    _list(latest, names, ZoneInfo(settings.night.timezone))


def _told(turn: Turn, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "id": turn.id,
        "at": turn.started_at.isoformat(),
        "person": names.get(turn.person_id or ""),
        "heard": turn.heard,
        "plan": json.loads(turn.plan_json),
        "spoken": turn.spoken,
        "outcome": turn.outcome,
        "latencies_ms": {
            name.removesuffix("_ms"): value
            for name, value in asdict(turn.latencies).items()
            if value is not None
        },
    }


def _list(latest: Sequence[Turn], names: Mapping[str, str], zone: ZoneInfo) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not latest:
        console.print("Nobody has asked anything yet.")
        return
    table = Table("at", "who", "heard", "said", "outcome", "ms to first word", box=None, header_style="dim")
    for one in latest:
        table.add_row(
            f"{one.started_at.astimezone(zone):%m-%d %H:%M:%S}",
            Text(names.get(one.person_id or "", "—")),
            Text(one.heard or "—"),
            Text(one.spoken),
            one.outcome,
            str(one.latencies.first_word_ms or "—"),
        )
    console.print(table)
