"""`xiaozhi demo`: what there is, shown on the local cloud, with every word and number taken from the run.

A release of yesterday that brought errors is found by the logs, rolled back, verified, and found quiet.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.cloud.calling import Calling, CallPolicy
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ScaledClock, WallClock
from mcp_tencent.models.changes import RolloutState
from mcp_tencent.models.clusters import Cluster
from mcp_tencent.models.logs import Topic
from mcp_tencent.models.workloads import Revision, Workload
from mcp_tencent.periods import parse_period
from mcp_tencent.ports import Clouds, LogService

_SPEED = 60.0
"""The cloud's clock against the wall's: a rollout of a minute is watched in seconds."""
_WATCHED = timedelta(minutes=5)
"""For so long, in the cloud's time, errors are counted before and after."""
_RECENT = timedelta(days=2)
_HOUR = timedelta(hours=1)
_BEIJING = ZoneInfo("Asia/Shanghai")


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
        self.console.print(Text.assemble(("小智  ", "cyan"), text))
        self._keep("said", text)

    def quote(self, text: str) -> None:
        """Show what somebody else wrote, such as a log line, as plain text."""
        self.console.print(Text(text, style="dim"))
        self._keep("quoted", text)

    def show(self, *headings: str, rows: Sequence[Sequence[str]]) -> None:
        """Show a table."""
        table = Table(*headings, box=None, header_style="dim")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def _keep(self, kind: str, text: str) -> None:
        self.told.append({"at_seconds": round(time.monotonic() - self.started, 2), kind: text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The latest release of a workload, and the errors around it."""

    cluster: Cluster
    workload: Workload
    history: Sequence[Revision]
    """Latest first, at least two."""
    released_at: datetime
    topic_id: str
    errors_before: int = 0
    """In the hour before the release."""
    errors_after: int = 0
    """In the hour after it."""

    @property
    def called(self) -> str:
        """What people call it."""
        return self.workload.aliases[0] if self.workload.aliases else self.workload.ref.name

    @property
    def query(self) -> str:
        """Finds its errors."""
        return f'workload:"{self.workload.ref.name}" AND level:ERROR'

    @property
    def brought_errors(self) -> bool:
        """Whether errors clearly rose with it."""
        return self.errors_after > 2 * self.errors_before + 10


def run_demo(out: Path, scenario: str) -> bool:
    """Tell the whole story on a fresh local cloud; writes `out`/transcript.json.

    Returns:
        Whether a release that brought errors was healed, or there was none.
    """
    narrator = Narrator(Console(highlight=False))
    wall = WallClock()
    clock = ScaledClock(wall.now(), speed=_SPEED, reference=wall)
    with LocalCloud(scenario, clock=clock) as cloud:
        narrator.chapter("本地云 · the local cloud")
        took = time.monotonic() - narrator.started
        narrator.say(f"本地云已经就绪，用了{took:.1f}秒：{cloud.scenario.title}，地址 {cloud.url}。")
        healed = asyncio.run(_story(cloud, clock, narrator))
    out.mkdir(parents=True, exist_ok=True)
    transcript = out / "transcript.json"
    transcript.write_text(json.dumps(narrator.told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    narrator.console.print(f"transcript: {transcript}", style="dim")
    return healed


async def _story(cloud: LocalCloud, clock: ScaledClock, narrator: Narrator) -> bool:
    key = cloud.credentials
    account = Account(
        name="demo",
        secret_id=key.secret_id,
        secret_key=key.secret_key,
        regions=tuple(dict.fromkeys(one.region for one in cloud.scenario.clusters)),
        endpoint=cloud.url,
    )
    async with TencentClouds([account], Calling(CallPolicy(total_seconds=60))) as clouds:
        narrator.chapter("昨天的告警 · yesterday's alarms")
        await _tell_alarms(clouds, clock.now(), narrator)
        narrator.chapter("现在的集群 · the clusters now")
        await _tell_clusters(clouds, narrator)
        narrator.chapter("哪次发布带来了错误 · which release brought errors")
        bad = await _find_bad_release(clouds, clock.now(), narrator)
        if bad is None:
            narrator.say("没有发现发布之后才报错的服务，不需要回滚。")
            return True
        narrator.chapter("回滚和验证 · roll back and verify")
        return await _heal(clouds, bad, clock, narrator)


async def _tell_alarms(clouds: Clouds, now: datetime, narrator: Narrator) -> None:
    period = parse_period("yesterday", now=now.astimezone(_BEIJING), zone=_BEIJING)
    records = [
        record
        for place in clouds.places
        for record in await clouds.logs(place).alarm_records(period.start, period.end)
    ]
    names = {
        record.alarm_name: [one for one in records if one.alarm_name == record.alarm_name]
        for record in records
    }
    rows = [
        (
            name,
            max(one.level for one in raised).name.lower(),
            str(len(raised)),
            f"{min(one.raised_at for one in raised).astimezone(_BEIJING):%H:%M}",
        )
        for name, raised in sorted(names.items(), key=lambda item: -max(one.level for one in item[1]))
    ]
    narrator.show("告警", "级别", "次数", "首次", rows=rows)
    narrator.say(f"昨天一共{len(records)}条告警，来自{len(names)}个告警策略。")


async def _tell_clusters(clouds: Clouds, narrator: Narrator) -> None:
    rows: list[Sequence[str]] = []
    for cluster in await clouds.all_clusters():
        workloads = await clouds.workloads(cluster.place, cluster.cluster_id).workloads()
        unhealthy = "、".join(one.ref.name for one in workloads if not one.healthy)
        rows.append(
            (cluster.name, cluster.place.region, str(cluster.nodes), str(len(workloads)), unhealthy or "-")
        )
    narrator.show("集群", "地域", "节点", "工作负载", "未就绪", rows=rows)
    narrator.say(f"{len(rows)}个集群都连上了。")


async def _find_bad_release(clouds: Clouds, now: datetime, narrator: Narrator) -> Release | None:
    """Find the recent release after which a workload's errors rose most."""
    bad = [one for one in await _recent_releases(clouds, now) if one.brought_errors]
    if not bad:
        return None
    bad.sort(key=lambda one: one.errors_before - one.errors_after)
    rows = [
        (
            one.workload.ref.name,
            f"{one.released_at.astimezone(_BEIJING):%m-%d %H:%M}",
            str(one.errors_before),
            str(one.errors_after),
        )
        for one in bad
    ]
    narrator.show("工作负载", "发布于", "前一小时错误", "后一小时错误", rows=rows)
    worst = bad[0]
    narrator.say(
        f"{worst.called}在{worst.released_at.astimezone(_BEIJING):%H点%M分}发布之后，"
        f"一小时的错误从{worst.errors_before}条涨到{worst.errors_after}条。"
    )
    logs = clouds.logs(worst.cluster.place)
    page = await logs.search(worst.topic_id, worst.query, now - _HOUR, now, limit=1)
    for line in page.lines:
        narrator.quote(line.text)
    return worst


async def _recent_releases(clouds: Clouds, now: datetime) -> list[Release]:
    found: list[Release] = []
    for cluster in await clouds.all_clusters():
        inside = clouds.workloads(cluster.place, cluster.cluster_id)
        logs = clouds.logs(cluster.place)
        topics = [topic.topic_id for topic in await logs.topics() if await _names_workloads(logs, topic)]
        for workload in await inside.workloads():
            history = await inside.history(workload.ref)
            released_at = history[0].created_at if len(history) > 1 else None
            if released_at is None or now - released_at > _RECENT:
                continue
            if history[0].images == history[1].images:  # a restart is a rollout, but no release
                continue
            for topic_id in topics:
                release = Release(
                    cluster=cluster,
                    workload=workload,
                    history=history,
                    released_at=released_at,
                    topic_id=topic_id,
                )
                found.append(await _with_errors(logs, release))
    return found


async def _names_workloads(logs: LogService, topic: Topic) -> bool:
    """Tell whether a topic's lines can be searched by workload and level."""
    fields = {entry.name for entry in (await logs.index(topic.topic_id)).fields}
    return {"workload", "level"} <= fields


async def _with_errors(logs: LogService, release: Release) -> Release:
    at = release.released_at
    before = await logs.histogram(release.topic_id, release.query, at - _HOUR, at)
    after = await logs.histogram(release.topic_id, release.query, at, at + _HOUR)
    return replace(release, errors_before=before.total, errors_after=after.total)


async def _heal(clouds: Clouds, bad: Release, clock: ScaledClock, narrator: Narrator) -> bool:
    """Roll back, wait until the rollout is complete and has stayed so, and count the errors afterwards."""
    inside = clouds.workloads(bad.cluster.place, bad.cluster.cluster_id)
    present, previous = bad.history[0], bad.history[1]
    narrator.say(
        f"把{bad.cluster.name}的{bad.called}从第{present.number}版（{present.change_cause}）"
        f"回滚到第{previous.number}版（{previous.change_cause}）。"
    )
    rehearsal = await inside.roll_back(bad.workload.ref, previous.number, dry_run=True)
    narrator.say(f"先演练一遍：会改动{len(rehearsal.fields)}处，集群接受。")
    key = f"demo-{bad.workload.ref.name}-{present.number}"
    began_at = clock.now()
    await inside.roll_back(bad.workload.ref, previous.number, idempotency_key=key)
    status = await inside.wait_for_rollout(
        bad.workload.ref, within=timedelta(seconds=40), stay_ready=timedelta(seconds=1)
    )
    narrator.say(f"{status.replicas_ready}/{status.replicas_wanted}个副本就绪，回滚{_STATES[status.state]}。")
    healed_at = clock.now()
    await asyncio.sleep(_WATCHED.total_seconds() / _SPEED)
    logs = clouds.logs(bad.cluster.place)
    before = await logs.histogram(bad.topic_id, bad.query, began_at - _WATCHED, began_at)
    after = await logs.histogram(bad.topic_id, bad.query, healed_at, healed_at + _WATCHED)
    minutes = int(_WATCHED.total_seconds() // 60)
    narrator.say(f"回滚前{minutes}分钟有{before.total}条错误，回滚后{minutes}分钟有{after.total}条。")
    healed = status.state is RolloutState.COMPLETE and after.total * 5 < before.total
    narrator.say("验证通过，问题解决了。" if healed else "错误没有明显减少，需要人工处理。")
    return healed


_STATES = {
    RolloutState.COMPLETE: "完成",
    RolloutState.PROGRESSING: "还在进行",
    RolloutState.FAILED: "失败",
    RolloutState.TIMED_OUT: "超时",
    RolloutState.GONE: "中断，工作负载不见了",
}
