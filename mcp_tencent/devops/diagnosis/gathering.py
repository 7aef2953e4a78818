"""Gathers the evidence about a workload through the ports: everything at once, and what fails is a gap."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from mcp_tencent.devops.diagnosis.bursts import error_bursts
from mcp_tencent.devops.diagnosis.evidence import (
    ConfigEvidence,
    DependencyEvidence,
    Evidence,
    LogEvidence,
    NeighbourEvidence,
)
from mcp_tencent.devops.diagnosis.log_reading import LogReading, read_pods
from mcp_tencent.devops.diagnosis.log_signs import called_by
from mcp_tencent.devops.diagnosis.rules_surroundings import WORTH_ASKING_PERCENT
from mcp_tencent.devops.diagnosis.usage_reading import UsageReading
from mcp_tencent.errors import CloudError, NotFound
from mcp_tencent.models.aliases import aliases_in
from mcp_tencent.models.changes import ChangeKind, ObjectRef
from mcp_tencent.models.workloads import (
    Autoscaler,
    ConfigUse,
    Event,
    Pod,
    Workload,
    WorkloadRef,
)
from mcp_tencent.naming.located import Located
from mcp_tencent.ports import Clouds, Workloads

T = TypeVar("T")

DEPENDS_ON = "xiaozhi/depends-on"
"""Annotation of a workload: what it calls, comma-separated."""
EVENTS_SINCE = timedelta(hours=48)
MOST_NEIGHBOURS = 15
_POD_SUFFIX = r"(-[a-z0-9]{1,10}){0,2}"


class Gathering:
    """Looks at one workload from all sides.

    Args:
        clouds: All configured accounts and regions.
    """

    def __init__(self, clouds: Clouds) -> None:
        self._clouds = clouds
        self._logs = LogReading(clouds)

    async def evidence(self, located: Located, now: datetime) -> Evidence:
        """Return what is known of a workload.

        Raises:
            CloudError: The workload itself cannot be looked at; all else is told as a gap.
        """
        cluster, ref = located.cluster, located.workload.ref
        inside = self._clouds.workloads(cluster.place, cluster.cluster_id)
        gaps = _Gaps()
        workload, pods, revisions = await asyncio.gather(
            inside.workload(ref),
            inside.pods(workload=ref),
            gaps.filled("发布历史", inside.history(ref), ()),
        )
        logs, around = await asyncio.gather(
            self._read_logs(located, inside, pods, now, gaps),
            _around(inside, workload, now, gaps),
        )
        onset = _onset(logs)
        measured = UsageReading(self._clouds.metrics(cluster.place), cluster.cluster_id, now)
        usage, node_cpu, dependencies = await asyncio.gather(
            gaps.filled("指标", measured.of_workload(ref, pods, revisions, onset), None),
            gaps.filled("节点指标", _node_cpu(measured, pods), {}),
            gaps.filled("依赖", _dependencies(inside, ref, around.declared, logs), ()),
        )
        neighbours: Sequence[NeighbourEvidence] = ()
        if max(node_cpu.values(), default=0.0) >= WORTH_ASKING_PERCENT:
            neighbours = await gaps.filled("邻居", _neighbours(inside, measured, ref, pods, onset), ())
        return Evidence(
            at=now,
            cluster_id=cluster.cluster_id,
            workload=workload,
            alias=located.alias,
            revisions=tuple(revisions),
            pods=tuple(pods),
            events=around.events,
            nodes=tuple(await gaps.filled("节点", inside.nodes(), ())),
            logs=logs,
            usage=usage,
            node_cpu_percent=node_cpu,
            configs=around.configs,
            dependencies=tuple(dependencies),
            neighbours=tuple(neighbours),
            quotas=tuple(await gaps.filled("配额", inside.quotas(namespace=ref.namespace), ())),
            autoscaler=around.autoscaler,
            isolated=around.isolated,
            gaps=gaps.told,
        )

    async def _read_logs(
        self, located: Located, inside: Workloads, pods: Sequence[Pod], now: datetime, gaps: _Gaps
    ) -> LogEvidence | None:
        found = await gaps.filled("日志", self._logs.read(located.cluster, located.workload.ref, now), None)
        return found if found is not None else await read_pods(inside, pods)


class _Gaps:
    """Remembers what could not be looked at, and lets the rest go on."""

    def __init__(self) -> None:
        self._told: list[str] = []

    @property
    def told(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._told))

    async def filled(self, what: str, look: Awaitable[T], otherwise: T) -> T:
        try:
            return await look
        except CloudError as error:
            self._told.append(f"读不到{what}：{error.spoken}")
            return otherwise


class _Around:
    """What surrounds a workload in its namespace."""

    def __init__(
        self,
        events: tuple[Event, ...],
        configs: tuple[ConfigEvidence, ...],
        autoscaler: Autoscaler | None,
        isolated: bool | None,
        declared: tuple[str, ...],
    ) -> None:
        self.events = events
        self.configs = configs
        self.autoscaler = autoscaler
        self.isolated = isolated
        self.declared = declared


async def _around(inside: Workloads, workload: Workload, now: datetime, gaps: _Gaps) -> _Around:
    ref = workload.ref
    events, configs, scalers, isolated, declared = await asyncio.gather(
        gaps.filled("事件", inside.events(namespace=ref.namespace, since=now - EVENTS_SINCE), ()),
        asyncio.gather(*(gaps.filled("配置", _config(inside, ref, use), None) for use in workload.config)),
        gaps.filled("自动伸缩", inside.autoscalers(namespace=ref.namespace), ()),
        _isolated(inside, ref),
        gaps.filled("依赖关系", _declared_dependencies(inside, ref, now), ()),
    )
    mine = re.compile(re.escape(ref.name) + _POD_SUFFIX)
    return _Around(
        events=tuple(event for event in events if mine.fullmatch(event.object_name)),
        configs=tuple(config for config in configs if config is not None),
        autoscaler=next((scaler for scaler in scalers if scaler.target == ref), None),
        isolated=isolated,
        declared=declared,
    )


async def _config(inside: Workloads, ref: WorkloadRef, use: ConfigUse) -> ConfigEvidence | None:
    try:
        config = await inside.config(use.kind, ref.namespace, use.name)
    except NotFound:
        return ConfigEvidence(kind=use.kind, name=use.name, changed_at=None, missing=True)
    return ConfigEvidence(kind=use.kind, name=use.name, changed_at=config.changed_at)


async def _isolated(inside: Workloads, ref: WorkloadRef) -> bool | None:
    """Ask what a release would do, without doing it: nothing, when it is not cut off."""
    try:
        return (await inside.release(ref, dry_run=True)).kind is not ChangeKind.UNCHANGED
    except CloudError:
        return None  # Somebody who may only look cannot ask this; nothing is lost.


async def _declared_dependencies(inside: Workloads, ref: WorkloadRef, now: datetime) -> tuple[str, ...]:
    whole = ObjectRef(api_version="apps/v1", kind=ref.kind, namespace=ref.namespace, name=ref.name)
    saved = (await inside.snapshot([whole], now)).objects[0]
    meta = json.loads(saved.content_json or "{}").get("metadata", {})
    return aliases_in((meta.get("annotations") or {}).get(DEPENDS_ON, ""))


def _onset(logs: LogEvidence | None) -> datetime | None:
    if logs is None or logs.history is None:
        return None
    burst = error_bursts(logs.history).current
    return burst.start if burst is not None and burst.known_start else None


async def _node_cpu(measured: UsageReading, pods: Sequence[Pod]) -> dict[str, float]:
    nodes = sorted({pod.node for pod in pods if pod.node})
    found = await asyncio.gather(*(measured.node_cpu(node) for node in nodes))
    return {node: value for node, value in zip(nodes, found, strict=True) if value is not None}


async def _dependencies(
    inside: Workloads, ref: WorkloadRef, declared: Sequence[str], logs: LogEvidence | None
) -> tuple[DependencyEvidence, ...]:
    named = {called_by(line) for line in (logs.recent if logs is not None else ())} - {""}
    near = {workload.ref.name: workload for workload in await inside.workloads(namespace=ref.namespace)}
    down = sorted(
        name
        for name, workload in near.items()
        if name != ref.name and workload.replicas_wanted and not workload.replicas_ready
    )
    names = dict.fromkeys([*declared, *sorted(named), *down])
    there = near
    if any(_bare(name) not in near for name in names):
        there = {workload.ref.name: workload for workload in await inside.workloads()} | near
    return tuple(_dependency(name, name in declared, there.get(_bare(name))) for name in names)


def _bare(name: str) -> str:
    """Return the workload's name in a name such as order-db.shop.svc.cluster.local or shop/order-db."""
    return name.rpartition("/")[2].partition(".")[0]


def _dependency(name: str, declared: bool, workload: Workload | None) -> DependencyEvidence:
    return DependencyEvidence(
        name=name,
        declared=declared,
        workload=workload.ref if workload is not None else None,
        replicas_ready=workload.replicas_ready if workload is not None else 0,
        replicas_wanted=workload.replicas_wanted if workload is not None else 0,
    )


async def _neighbours(
    inside: Workloads, measured: UsageReading, ref: WorkloadRef, pods: Sequence[Pod], onset: datetime | None
) -> tuple[NeighbourEvidence, ...]:
    mine = {pod.node for pod in pods if pod.node}
    everybody, workloads = await asyncio.gather(inside.pods(), inside.workloads())
    refs = {(workload.ref.namespace, workload.ref.name): workload.ref for workload in workloads}
    shared: dict[WorkloadRef, set[str]] = {}
    for pod in everybody:
        other = refs.get((pod.namespace, pod.owner))
        if other is not None and other != ref and pod.node in mine:
            shared.setdefault(other, set()).add(pod.node)
    # Those on most of the same nodes first.
    chosen = sorted(shared, key=lambda other: (-len(shared[other]), other))[:MOST_NEIGHBOURS]
    compared = await asyncio.gather(*(measured.cpu_of(other, onset) for other in chosen))
    return tuple(
        NeighbourEvidence(workload=other, nodes=tuple(sorted(shared[other])), cpu_cores=comparison)
        for other, comparison in zip(chosen, compared, strict=True)
        if comparison is not None
    )
