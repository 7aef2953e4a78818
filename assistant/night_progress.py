"""The night on the terminal: what happens, line by line, and what came of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta, tzinfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from assistant.night_house import NightHouse
from mcp_tencent.devops.diagnosis_answers import RUNG_NAMES
from mcp_tencent.devops.incidents import Incident, IncidentQuery
from mcp_tencent.gateway.stores import in_store
from scheduler.night import NightEnd
from scheduler.rehearsal import Rehearsal

_LOOK_EVERY_S = 0.5
_OUTCOMES = {"succeeded": "完成", "partial": "完成，但有的读不到", "failed": "没有完成"}
_STATUS = {"open": "等您决定", "healed": "已恢复", "human": "要人处理"}


async def follow(house: NightHouse, zone: tzinfo, *, console: Console | None = None) -> None:
    """Print what is recorded of incidents as it happens, until cancelled; whoever does the work."""
    console = console or Console(highlight=False)
    began = house.desk.ward.clock.now() - timedelta(minutes=1)
    shown: dict[str, int] = {}
    while True:
        query = IncidentQuery(since=began, until=house.desk.ward.clock.now() + timedelta(days=1))
        for incident in await in_store(lambda wanted=query: house.incidents.find(wanted)):  # type: ignore[misc]
            await _news(house, incident, shown, console, zone)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _news(
    house: NightHouse, incident: Incident, shown: dict[str, int], console: Console, zone: tzinfo
) -> None:
    told = await in_store(lambda: house.incidents.timeline(incident.id))
    for event in told[shown.get(incident.id, 0) :]:
        line = Table.grid(padding=(0, 2))
        line.add_column(style="dim", no_wrap=True)
        line.add_column(style="cyan", no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(f"{event.at.astimezone(zone):%H:%M}", incident.workload, Text(event.text))
        console.print(line)
    shown[incident.id] = len(told)


async def summary(house: NightHouse, end: NightEnd) -> None:
    """Print how the night ended, what became of each incident, and the digest as it will be spoken."""
    console = Console(highlight=False)
    console.rule(f"[bold]{end.on} {_OUTCOMES[end.outcome.value]}", align="left")
    if end.detail:
        console.print(Text(end.detail))
    table = Table("故障", "评分", "结果", "为什么", box=None, header_style="dim")
    for row in await outcome_rows(house, end):
        table.add_row(*row)
    if end.endings:
        console.print(table)
    stored = await asyncio.to_thread(house.digests.get, end.on)
    if stored is not None:
        console.print(Text(stored.spoken))


async def outcome_rows(house: NightHouse, end: NightEnd) -> list[tuple[str, str, str, str]]:
    """Return what became of each incident: title, score, status and why."""
    rows = []
    for ending in end.endings:
        incident_id = ending.incident_id
        incident = await asyncio.to_thread(house.incidents.get, incident_id)
        status = _STATUS[incident.status.value]
        rows.append((incident.title, f"{incident.score / 10:.1f}", status, ending.reason))
    return rows


def show_rehearsal(rehearsal: Rehearsal) -> None:
    """Print what the night would do."""
    console = Console(highlight=False)
    console.print(
        f"试运行 {rehearsal.date}：{rehearsal.alert_records}条告警，{rehearsal.groups}组；没有改动任何东西。"
    )
    table = Table("故障", "评分", "会做什么", "为什么", "策略", box=None, header_style="dim")
    for one in rehearsal.would_do:
        act = one.act if one.rung is not None else RUNG_NAMES[list(RUNG_NAMES)[-1]]
        allowed = one.refused or ("允许" if one.rung is not None else "")
        table.add_row(one.title, f"{one.score / 10:.1f}", act, one.because, allowed)
    console.print(table)
    for gap in rehearsal.unread:
        console.print(Text(f"{gap.what}读不到：{gap.why}"))
