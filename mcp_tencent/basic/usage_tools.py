"""The tool that tells how much is used of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.parameters import ClusterName, NamespaceName, PeriodText
from mcp_tencent.basic.wording import size_in_words
from mcp_tencent.basic.workload_answers import UsageAnswer, UsageLine, UsagePointLine
from mcp_tencent.errors import Ambiguous, NotFound, ResourceError, Unsupported
from mcp_tencent.models.clusters import Cluster
from mcp_tencent.models.metrics import (
    ClusterTarget,
    Metric,
    NodeTarget,
    Unit,
    UsagePoint,
    UsageSeries,
    UsageTarget,
    WorkloadTarget,
)
from mcp_tencent.serving.declare import ToolSet

_METRICS: Mapping[str, tuple[Metric, ...]] = {
    "cpu": (Metric.CPU,),
    "memory": (Metric.MEMORY,),
    "disk": (Metric.DISK,),
    "network": (Metric.NETWORK_IN, Metric.NETWORK_OUT),
    "all": (Metric.CPU, Metric.MEMORY, Metric.DISK, Metric.NETWORK_IN, Metric.NETWORK_OUT),
}
_WORDS = {
    Metric.CPU: "CPU",
    Metric.MEMORY: "内存",
    Metric.DISK: "磁盘",
    Metric.NETWORK_IN: "入流量",
    Metric.NETWORK_OUT: "出流量",
    Metric.RESTARTS: "重启",
}
_MOST_POINTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meant:
    """What is measured, and how to speak of it."""

    target: UsageTarget
    kind: str
    name: str
    cluster: Cluster
    preface: str = ""


def usage_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tool."""
    tools = ToolSet(outside="monitor")

    @tools.read("查看资源使用", cache_s=20.0)
    async def resource_usage(
        target: Annotated[
            str,
            Field(
                description="Id, name or alias of a cluster, a node or a workload.",
                min_length=1,
                max_length=200,
            ),
        ],
        metric: Annotated[
            Literal["cpu", "memory", "disk", "network", "all"], Field(description="What to measure.")
        ] = "all",
        period: PeriodText = "1h",
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
    ) -> UsageAnswer:
        """Tell how much CPU, memory, disk and network a cluster, node or workload used, over time.

        For “订单服务内存用了多少”. A cluster has CPU and memory, a node also disk, a workload also network.
        For whether that is unusual use detect_anomalies.

        Example: resource_usage(target="订单服务", metric="memory", period="24h").
        """
        meant = desk.period(period)
        found = await _meant(desk, target, namespace, cluster)
        series = await desk.metrics(found.cluster).usage(
            found.target, _METRICS[metric], meant.start, meant.end
        )
        if not series:
            raise Unsupported(f"a {found.kind} has no {metric} of its own")
        lines = [_line(desk, one) for one in series if one.points]
        return UsageAnswer(
            summary=found.preface + _summary(found, [one for one in series if one.points]),
            target=found.name,
            target_kind=found.kind,
            cluster=found.cluster.cluster_id,
            start=desk.told(meant.start) or "",
            end=desk.told(meant.end) or "",
            metrics=lines,
        )

    return tools


async def _meant(desk: BasicDesk, said: str, namespace: str | None, cluster: str | None) -> _Meant:
    """Return the workload, cluster or node of that name: exact names first, then what sounds like it."""
    for certain in (True, False):
        nearest: Ambiguous | None = None
        if not namespace and not cluster:
            try:
                one = await desk.naming.cluster(said, certain=certain)
                return _Meant(
                    target=ClusterTarget(cluster_id=one.cluster_id),
                    kind="cluster",
                    name=one.name,
                    cluster=one,
                )
            except ResourceError as error:
                nearest = error if isinstance(error, Ambiguous) else None
        if not namespace and certain and (node := await _node(desk, said, cluster)):
            return node
        try:
            found = await desk.naming.workload(said, namespace=namespace, cluster=cluster, certain=certain)
        except ResourceError as error:
            nearest = error if isinstance(error, Ambiguous) else nearest
        else:
            return _Meant(
                target=WorkloadTarget(cluster_id=found.cluster.cluster_id, workload=found.workload.ref),
                kind="workload",
                name=found.alias,
                cluster=found.cluster,
                preface=found.preface,
            )
    if nearest is not None:
        raise nearest
    raise NotFound(
        f"no cluster, node or workload is called {said[:40]!r}",
        wanted=f"叫“{said[:40]}”的集群、节点或工作负载",
    )


async def _node(desk: BasicDesk, said: str, cluster: str | None) -> _Meant | None:
    wanted = said.strip()
    for one in await desk.naming.clusters(cluster):
        for node in await desk.inside(one).nodes():
            if wanted in (node.name, node.address, node.instance_id):
                target = NodeTarget(cluster_id=one.cluster_id, node=node.name)
                return _Meant(target=target, kind="node", name=node.name, cluster=one)
    return None


def _line(desk: BasicDesk, series: UsageSeries) -> UsageLine:
    values = [point.value for point in series.points]
    highest = max(series.points, key=lambda point: point.value)
    return UsageLine(
        metric=series.metric.value,
        unit=series.unit.value,
        latest=_rounded(values[-1]),
        average=_rounded(sum(values) / len(values)),
        highest=_rounded(highest.value),
        highest_at=desk.told(highest.at) or "",
        interval_seconds=int(series.interval.total_seconds()),
        points=[
            UsagePointLine(at=desk.told(point.at) or "", value=_rounded(point.value))
            for point in thinned(series.points, _MOST_POINTS)
        ],
    )


def thinned(points: Sequence[UsagePoint], most: int) -> list[UsagePoint]:
    """Return at most `most` points: the averages of equal stretches, each at the first instant of its own."""
    size = -(-len(points) // most) or 1
    groups = [points[begin : begin + size] for begin in range(0, len(points), size)]
    return [
        UsagePoint(at=group[0].at, value=sum(point.value for point in group) / len(group)) for group in groups
    ]


def _rounded(value: float) -> float:
    return round(value, 3) if abs(value) < 1000 else float(round(value))


def _summary(found: _Meant, series: Sequence[UsageSeries]) -> str:
    if not series:
        return f"{found.name}这段时间没有监控数据。"
    parts = []
    for one in series:
        values = [point.value for point in one.points]
        average, highest = _in_words(sum(values) / len(values), one.unit), _in_words(max(values), one.unit)
        parts.append(f"{_WORDS[one.metric]}平均{average}，最高{highest}")
    return f"{found.name}{'；'.join(parts)}。"


def _in_words(value: float, unit: Unit) -> str:
    if unit is Unit.PERCENT:
        return f"{value:.0f}%"
    if unit is Unit.CORES:
        return f"{value:.2g}核" if value < 10 else f"{value:.0f}核"
    if unit is Unit.BYTES:
        return size_in_words(value)
    return f"每秒{size_in_words(value)}" if unit is Unit.BYTES_PER_SECOND else f"{value:.0f}次"
