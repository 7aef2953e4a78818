"""`xiaozhi demo`: the hands at work on the local cloud, with every word and number taken from the run.

Everything goes through the MCP tools and their gateway, as for any other host: the last day's alerts, grouped
and scored; what is the matter with the worst; one roll-back, confirmed, followed and verified; the audit.
"""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp.client import Client
from mcp_types import CallToolResult, RequestParamsMeta
from rich.console import Console
from rich.table import Table
from rich.text import Text

from assistant.home import find_home
from assistant.server_name import ServerName
from assistant.servers import Installation, on_local_cloud, open_server
from assistant.settings import Settings
from mcp_tencent.gateway.audit_trail import AuditTrail
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ScaledClock, WallClock
from mcp_tencent.serving.envelope import confirmed, question_in
from mcp_tencent.serving.masking import log_to_stderr

_SPEED = 60.0
"""The cloud's clock against the wall's: minutes of watching become seconds."""
_WATCHED_SECONDS = 8 * 60 / _SPEED
"""Verification wants seven minutes after an act."""
_SHOWN = 8
_DIAGNOSED = 5
_OWNER = Caller(name="负责人", kind=CallerKind.PERSON, permissions=frozenset(Permission))

Answer = Mapping[str, Any]
"""The structured content of a tool's answer: JSON by the tool's output schema."""


@dataclass(slots=True)
class Narrator:
    """Tells the story on the terminal and keeps it for the transcript."""

    console: Console
    started: float = field(default_factory=time.monotonic)
    told: list[dict[str, str | float]] = field(default_factory=list)

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self.console.rule(f"[bold]{title}", align="left")
        self._keep("chapter", title)

    def say(self, text: str) -> None:
        """Say one sentence, as 小智 would."""
        self._speak("小智", "cyan", text)
        self._keep("said", text)

    def hear(self, text: str) -> None:
        """Let the person say something."""
        self._speak(_OWNER.name, "green", text)
        self._keep("heard", text)

    def note(self, tool: str, seconds: float) -> None:
        """Note which tool ran, and how long."""
        self.console.print(Text(f"      {tool}  {seconds:.2f} s", style="dim"))
        self._keep("tool", tool)

    def show(self, *headings: str, rows: Sequence[tuple[str, ...]]) -> None:
        """Show a table."""
        table = Table(*headings, box=None, header_style="dim")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def _speak(self, who: str, style: str, text: str) -> None:
        """Print side by side, so that long Chinese sentences wrap beside the speaker's name."""
        line = Table.grid(padding=(0, 2))
        line.add_column(style=style, no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(who, Text(text))
        self.console.print(line)

    def _keep(self, kind: str, text: str) -> None:
        self.told.append({"at_seconds": round(time.monotonic() - self.started, 2), kind: text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """The servers, as an MCP client has them, and the story that their answers become."""

    basic: Client
    devops: Client
    narrator: Narrator

    async def ask(self, client: Client, tool: str, **arguments: object) -> Answer:
        """Call a tool that must answer, and say its summary."""
        answer = await self._called(client, tool, arguments)
        told = answer.structured_content or {}
        self.narrator.say(told["error"]["message"] if answer.is_error else told["summary"])
        return {} if answer.is_error else told

    async def act(self, client: Client, tool: str, **arguments: object) -> Answer:
        """Call a dangerous tool: what it asks is read back, the person says yes, and it is done."""
        answer = await self._called(client, tool, arguments)
        question = question_in(answer)
        if question is None:
            self.narrator.say((answer.structured_content or {})["error"]["message"])
            return {}
        self.narrator.say(question.read_back)
        self.narrator.hear("确认。")
        done = await self._called(client, tool, arguments, meta=confirmed(question))
        told = done.structured_content or {}
        self.narrator.say(told["error"]["message"] if done.is_error else told["summary"])
        return {} if done.is_error else told

    async def _called(
        self,
        client: Client,
        tool: str,
        arguments: Mapping[str, object],
        *,
        meta: RequestParamsMeta | None = None,
    ) -> CallToolResult:
        began = time.monotonic()
        answer = await client.call_tool(tool, dict(arguments), meta=meta)
        self.narrator.note(tool, time.monotonic() - began)
        return answer


def run_demo(out: Path, scenario: str) -> bool:
    """Tell the whole story on a fresh local cloud; writes `out`/transcript.json.

    Returns:
        Whether what was rolled back was healed, or there was nothing to roll back.
    """
    log_to_stderr(logging.WARNING)
    narrator = Narrator(Console(highlight=False))
    wall = WallClock()
    clock = ScaledClock(wall.now(), speed=_SPEED, reference=wall)
    with LocalCloud(scenario, clock=clock) as cloud, tempfile.TemporaryDirectory() as folder:
        narrator.chapter("本地云 · the local cloud")
        took = time.monotonic() - narrator.started
        narrator.say(f"本地云已经就绪，用了{took:.1f}秒：{cloud.scenario.title}，地址 {cloud.url}。")
        installation = on_local_cloud(find_home(Path(folder), {}), Settings(), {}, cloud)
        healed = asyncio.run(_story(installation, narrator))
    out.mkdir(parents=True, exist_ok=True)
    transcript = out / "transcript.json"
    transcript.write_text(json.dumps(narrator.told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    narrator.console.print(f"transcript: {transcript}", style="dim")
    return healed


async def _story(installation: Installation, narrator: Narrator) -> bool:
    async with AsyncExitStack() as stack:
        basic = await stack.enter_async_context(open_server(ServerName.BASIC, installation, otherwise=_OWNER))
        devops = await stack.enter_async_context(
            open_server(ServerName.DEVOPS, installation, otherwise=_OWNER)
        )
        hands = Hands(
            basic=await stack.enter_async_context(Client(basic)),
            devops=await stack.enter_async_context(Client(devops)),
            narrator=narrator,
        )
        narrator.chapter("现在的集群 · the clusters now")
        await hands.ask(hands.basic, "list_clusters")
        await hands.ask(hands.basic, "list_workloads", status="unhealthy")
        narrator.chapter("最近一天的告警 · alerts of the last day, grouped and scored")
        alerts = await _alerts(hands)
        narrator.chapter("怎么回事 · what is the matter")
        curable = await _diagnosed(hands, alerts)
        if curable is None:
            narrator.say("没有可以靠回滚解决的问题。")
            return True
        narrator.chapter("回滚和验证 · roll back and verify")
        healed = await _rolled_back(hands, curable, installation)
        narrator.chapter("审计 · the audit")
        _tell_audit(devops.gateway.trail, narrator)
        return healed


async def _alerts(hands: Hands) -> Sequence[Answer]:
    told = await hands.ask(hands.devops, "list_alerts", period="24h")
    alerts: Sequence[Answer] = told.get("alerts", [])
    rows = [
        (
            one["spoken_score"],
            one["title"],
            str(one["alerts"]),
            "未恢复" if one["state"] == "open" else "已恢复",
        )
        for one in alerts[:_SHOWN]
    ]
    hands.narrator.show("评分", "告警", "条数", "状态", rows=rows)
    return alerts


async def _diagnosed(hands: Hands, alerts: Sequence[Answer]) -> Answer | None:
    """Diagnose the worst that are still open; return the first that a roll-back would help."""
    curable: Answer | None = None
    for alert in [one for one in alerts if one["workload"] and one["state"] == "open"][:_DIAGNOSED]:
        where = {key: alert[key] for key in ("workload", "namespace", "cluster")}
        diagnosis = await hands.ask(hands.devops, "diagnose", **where)
        helpful = [one["rung"] for one in diagnosis.get("prospects", ()) if one["help"] == "helps"]
        if curable is None and "roll_back" in helpful:
            curable = where
    return curable


async def _rolled_back(hands: Hands, where: Answer, installation: Installation) -> bool:
    await hands.ask(hands.devops, "roll_back", **where, dry_run=True)
    acted_at = installation.clock.now()
    done = await hands.act(hands.devops, "roll_back", **where)
    if not done:
        return False
    await asyncio.sleep(_WATCHED_SECONDS)
    verified = await hands.ask(
        hands.devops, "verify_workload", **where, acted_at=acted_at.isoformat(timespec="seconds")
    )
    return verified.get("verdict") == "healed"


def _tell_audit(trail: AuditTrail, narrator: Narrator) -> None:
    lines = sum(1 for _ in trail.lines())
    whole = "没有改动的痕迹" if not trail.verify() else "发现被改动的痕迹"
    narrator.say(f"以上每一步都有审计记录，共{lines}条，{whole}。")
