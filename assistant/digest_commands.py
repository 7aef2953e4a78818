"""`xiaozhi digest` and `xiaozhi incidents …`: what the night found out, what was done about it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from assistant.command_options import HomeOption, JsonOption
from assistant.errors import DigestMissing

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from mcp_tencent.devops.incidents import Attempt, Incident, TimelineEvent

app = typer.Typer(name="incidents", help="Troubles that were taken up, and what was done, step by step.")

_EVIDENCE = 400
_STATUS_STYLES = {"open": "yellow", "human": "red", "healed": "green"}


def digest(
    date: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="Its morning; default: the latest."),
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="Print the page.")] = False,
    speak: Annotated[bool, typer.Option("--speak", help="Print what is spoken, part by part.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the morning's digest."""
    if sum((html, speak, as_json)) > 1:
        raise typer.BadParameter("choose one of --json, --html and --speak")
    from scheduler.records import SqlDigestStore

    with _records(home) as (engine, _):
        store = SqlDigestStore(engine)
        kept = store.get(date.date()) if date else next(iter(store.latest()), None)
    if kept is None:
        raise DigestMissing(f"there is no digest of {date:%Y-%m-%d}" if date else "there is no digest yet")
    if html:
        typer.echo(kept.html, nl=False)
    elif as_json:
        typer.echo(kept.content_json)
    elif speak:
        _speak(kept.content_json)
    else:
        _show(kept.content_json)


@app.callback(invoke_without_command=True)
def latest(
    context: typer.Context,
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="How far back.")] = 7,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List incidents, newest first."""
    if context.invoked_subcommand is not None:
        return
    from assistant.clock import SystemClock
    from mcp_tencent.devops.incidents import IncidentQuery
    from mcp_tencent.devops.records import SqlIncidentStore

    now = SystemClock().now()
    # A rehearsed morning of today may still lie ahead.
    query = IncidentQuery(since=now - timedelta(days=days), until=now + timedelta(days=1), limit=limit)
    with _records(home) as (engine, zone):
        found = SqlIncidentStore(engine).find(query)
    if as_json:
        typer.echo(json.dumps([_told(one) for one in found], ensure_ascii=False))
        return
    _list(found, zone)


@app.command()
def show(
    incident: Annotated[str, typer.Argument(metavar="ID", help="As `xiaozhi incidents` lists it.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an incident from beginning to end, with what was seen at each step."""
    from mcp_tencent.devops.records import SqlIncidentStore

    with _records(home) as (engine, zone):
        store = SqlIncidentStore(engine)
        found = store.get(incident)
        timeline, attempts = store.timeline(incident), store.attempts(incident)
    if as_json:
        told = {
            "incident": _told(found),
            "attempts": [_told(one) for one in attempts],
            "timeline": [_told(one) for one in timeline],
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    _tell(found, timeline, attempts, zone)


@contextmanager
def _records(home: Path | None) -> Iterator[tuple[Engine, ZoneInfo]]:
    from assistant.app import open_records
    from assistant.home import find_home
    from assistant.settings_loading import load_settings

    place = find_home(home, os.environ)
    settings, _ = load_settings(place, os.environ)
    with open_records(place, settings) as database:
        yield database.engine, ZoneInfo(settings.night.timezone)


def _speak(content: str) -> None:
    from scheduler.digest_json import digest_from_json
    from scheduler.digest_spoken import spoken_digest

    for part in spoken_digest(digest_from_json(content)).parts:
        typer.echo(part.text)
    typer.echo("The loudspeaker is not connected to this command yet; this is what it says.", err=True)


def _show(content: str) -> None:
    from rich.console import Console
    from rich.text import Text

    from scheduler.digest_json import digest_from_json

    told = digest_from_json(content)
    console = Console(highlight=False)
    # Text: brackets in alarms and logs are no markup.
    console.print(Text(told.opening, style="bold"))
    for item in told.items:
        console.print(Text(f"{item.number:>2}. {item.spoken}"))
        for line in item.lines:
            console.print(Text(f"      {_plain(line)}", style="dim"))
    for decision in told.decisions:
        console.print(Text(f" ?  {decision.question}", style="yellow"))


def _list(found: Sequence[Incident], zone: ZoneInfo) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not found:
        console.print("No incidents.")
        return
    table = Table("id", "opened", "score", "status", "workload", "title", box=None, header_style="dim")
    for one in found:
        table.add_row(
            one.id,
            f"{one.opened_at.astimezone(zone):%m-%d %H:%M}",
            f"{one.score:.1f}",
            Text(one.status.value, style=_STATUS_STYLES[one.status.value]),
            Text(_plain(f"{one.cluster_id}/{one.namespace}/{one.workload}")),
            Text(_plain(one.title)),
        )
    console.print(table)


def _tell(
    incident: Incident, timeline: Sequence[TimelineEvent], attempts: Sequence[Attempt], zone: ZoneInfo
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(_plain(incident.title), style="bold"))
    where = f"{incident.cluster_id}/{incident.namespace}/{incident.workload}"
    status = Text(incident.status.value, style=_STATUS_STYLES[incident.status.value])
    console.print(
        Text(_plain(f"{where}  score {incident.score:.1f}  alerts {incident.alert_count}  ")), status
    )
    steps = Table("at", "step", "what happened", box=None, header_style="dim")
    for event in timeline:
        what = Text(_plain(event.text))
        if event.evidence_json not in ("", "{}"):
            what.append(f"\n{_plain(event.evidence_json)[:_EVIDENCE]}", style="dim")
        steps.add_row(f"{event.at.astimezone(zone):%m-%d %H:%M:%S}", event.kind, what)
    console.print(steps)
    tried = Table("attempt", "rung", "action", "outcome", "why", box=None, header_style="dim")
    for one in attempts:
        outcome = one.outcome.value if one.outcome else "under way"
        tried.add_row(
            str(one.number), one.rung.value, Text(_plain(one.action)), outcome, Text(_plain(one.reason))
        )
    if attempts:
        console.print(tried)


def _plain(text: str) -> str:
    """Return text from outside without characters that a terminal would obey."""
    return "".join(one if one.isprintable() else " " for one in text)


def _told(one: Incident | Attempt | TimelineEvent) -> dict[str, object]:
    """Return a record as JSON values; what is kept as JSON is shown as such."""
    told: dict[str, object] = {}
    for name, value in asdict(one).items():
        if name.endswith("_json"):
            told[name.removesuffix("_json")] = json.loads(value)
        else:
            told[name] = value.isoformat() if isinstance(value, datetime) else value
    return told
