"""Monitor metrics of clusters, nodes, workloads and pods, computed from timelines when they are asked for.

Names, units and dimensions are those of the TKE metrics of Monitor's namespace QCE/TKE2
(https://cloud.tencent.com/document/product/248/53822 and its neighbours).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.conditions import Condition
from mcp_tencent.local_cloud.life.workload_life import WorkloadLife
from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.tencent.ports import Dimensions, MetricDescription

NAMESPACE = "QCE/TKE2"
CLUSTER = "tke_cluster_instance_id"
_CLUSTER_DIMENSIONS = (CLUSTER,)
_NODE_DIMENSIONS = (CLUSTER, "node_role", "node", "un_instance_id")
_WORKLOAD_DIMENSIONS = (CLUSTER, "namespace", "workload_kind", "workload_name")
_POD_DIMENSIONS = (*_WORKLOAD_DIMENSIONS, "node_role", "node", "un_instance_id", "pod_name")
_MIB = 2**20
_IDLE_NODE_CORES = 0.15
_IDLE_NODE_BYTES = 900.0 * _MIB
_BYTES_A_REQUEST_LINE = 2_200.0
"""Network traffic that goes with one normal log line: a request in and its answer out."""


# Name, unit, Chinese and English name; the prefix of the name says what it is measured for.
_WORDS = (
    ("K8sClusterCpuCoreTotal", "核", "CPU 总配置", "CPU cores"),
    ("K8sClusterCpuCoreUsed", "核", "CPU 使用量", "CPU cores used"),
    ("K8sClusterRateCpuCoreUsedCluster", "%", "CPU 利用率", "CPU utilization"),
    ("K8sClusterMemUsageBytes", "MB", "内存使用量", "Memory used"),
    ("K8sClusterRateMemUsageBytesCluster", "%", "内存利用率", "Memory utilization"),
    ("K8sNodeCpuCoreUsed", "核", "CPU 使用量", "CPU cores used"),
    ("K8sNodeCpuUsage", "%", "CPU 利用率", "CPU utilization"),
    ("K8sNodeMemUsage", "%", "内存利用率", "Memory utilization"),
    ("K8sNodeDiskUsage", "%", "磁盘利用率", "Disk utilization"),
    ("K8sWorkloadCpuCoreUsed", "核", "CPU 使用量", "CPU cores used"),
    ("K8sWorkloadRateCpuCoreUsedCluster", "%", "CPU 利用率（占集群）", "CPU utilization"),
    ("K8sWorkloadMemUsageBytes", "MB", "内存使用量", "Memory used"),
    ("K8sWorkloadRateMemUsageBytesCluster", "%", "内存利用率（占集群）", "Memory utilization"),
    ("K8sWorkloadAbnormal", "", "工作负载异常", "Workload exception"),
    ("K8sWorkloadPodRestartTotal", "次", "Pod 重启次数", "Pod restarts"),
    ("K8sWorkloadNetworkReceiveBytesBw", "MBit/s", "网络入带宽", "Inbound bandwidth"),
    ("K8sWorkloadNetworkTransmitBytesBw", "MBit/s", "网络出带宽", "Outbound bandwidth"),
    ("K8sPodCpuCoreUsed", "核", "CPU 使用量", "CPU cores used"),
    ("K8sPodRateCpuCoreUsedLimit", "%", "CPU 利用率（占 Limit）", "CPU utilization of limit"),
    ("K8sPodMemUsageBytes", "MB", "内存使用量", "Memory used"),
    ("K8sPodRateMemUsageLimit", "%", "内存利用率（占 Limit）", "Memory utilization of limit"),
    ("K8sPodRestartTotal", "次", "Pod 重启次数", "Pod restarts"),
    ("K8sPodNetworkReceiveBytesBw", "MBit/s", "网络入带宽", "Inbound bandwidth"),
    ("K8sPodNetworkTransmitBytesBw", "MBit/s", "网络出带宽", "Outbound bandwidth"),
)  # fmt: skip
_DIMENSIONS = {
    "K8sCluster": _CLUSTER_DIMENSIONS,
    "K8sNode": _NODE_DIMENSIONS,
    "K8sWorkload": _WORKLOAD_DIMENSIONS,
    "K8sPod": _POD_DIMENSIONS,
}


def _prefix(metric: str) -> str:
    return next(prefix for prefix in _DIMENSIONS if metric.startswith(prefix))


_METRICS = tuple(
    MetricDescription(
        name=name,
        unit=unit,
        chinese_name=chinese,
        english_name=english,
        dimensions=_DIMENSIONS[_prefix(name)],
    )
    for name, unit, chinese, english in _WORDS
)
_BY_NAME = {metric.name: metric for metric in _METRICS}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredNode:
    """What metrics need to know of a node."""

    name: str
    instance_id: str
    cores: float
    memory_bytes: float


@dataclass(frozen=True, slots=True)
class _Use:
    """What something used on average within one period."""

    cores: float = 0.0
    memory_bytes: float = 0.0
    received_bits: float = 0.0
    """A second."""
    restarts: float = 0.0
    unready: float = 0.0

    def __add__(self, other: _Use) -> _Use:
        return _Use(
            self.cores + other.cores,
            self.memory_bytes + other.memory_bytes,
            self.received_bits + other.received_bits,
            self.restarts + other.restarts,
            max(self.unready, other.unready),
        )


class WorldMetrics:
    """The MetricSource of a world."""

    def __init__(
        self,
        *,
        seed: int,
        lives: Mapping[WorkloadRef, WorkloadLife],
        seasons: Mapping[WorkloadRef, Season],
        nodes: Callable[[str], Sequence[MeteredNode]],
        now: Callable[[], datetime],
    ) -> None:
        """`nodes` returns the present nodes of a cluster."""
        self._seed = seed
        self._lives = lives
        self._seasons = seasons
        self._nodes = nodes
        self._now = now

    def metrics(self, namespace: str) -> Sequence[MetricDescription]:
        """Return the metrics of QCE/TKE2; empty for any other namespace."""
        return _METRICS if namespace == NAMESPACE else ()

    def instances(
        self, namespace: str, metric: str, conditions: Mapping[str, Sequence[str]]
    ) -> Sequence[Dimensions]:
        """Return what the metric is measured for, where each named dimension has one of the given values."""
        description = _BY_NAME.get(metric)
        if namespace != NAMESPACE or description is None:
            return []
        return [
            dimensions
            for dimensions in self._all_instances(description.dimensions)
            if all(dimensions.get(name) in values for name, values in conditions.items())
        ]

    def _all_instances(self, names: tuple[str, ...]) -> Iterable[Dimensions]:
        clusters = list(dict.fromkeys(ref.cluster for ref in self._lives))
        if names == _CLUSTER_DIMENSIONS:
            return [{CLUSTER: cluster} for cluster in clusters]
        if names == _NODE_DIMENSIONS:
            return [
                {CLUSTER: cluster, **_node_dimensions(node)}
                for cluster in clusters
                for node in self._nodes(cluster)
            ]
        workloads = [(life, _workload_dimensions(life)) for life in self._lives.values()]
        if names == _WORKLOAD_DIMENSIONS:
            return [dimensions for _, dimensions in workloads]
        ids = {node.name: node for cluster in clusters for node in self._nodes(cluster)}
        return [
            {
                **dimensions,
                **(_node_dimensions(ids[pod.node]) if pod.node in ids else {"node": pod.node}),
                "pod_name": pod.name,
            }
            for life, dimensions in workloads
            for pod in life.facts().pods
        ]

    def series(
        self,
        namespace: str,
        metric: str,
        dimensions: Dimensions,
        start: datetime,
        end: datetime,
        period_seconds: int,
    ) -> list[tuple[datetime, float]]:
        """Return the points of one instance in [start, end], aligned to the period; none in the future."""
        if namespace != NAMESPACE or metric not in _BY_NAME:
            return []
        period = timedelta(seconds=period_seconds)
        at = datetime.fromtimestamp(-(-start.timestamp() // period_seconds) * period_seconds, UTC)
        last = min(end, self._now())
        points = []
        while at <= last:
            value = self._value(metric, dimensions, at, period)
            if value is not None:
                points.append((at, round(value, 4)))
            at += period
        return points

    def _value(self, metric: str, dimensions: Dimensions, at: datetime, period: timedelta) -> float | None:
        """Return one point, or None while what it measures did not exist."""
        cluster = dimensions.get(CLUSTER, "")
        uses = [
            use
            for ref, life in self._lives.items()
            if ref.cluster == cluster and _matches(life, dimensions)
            if (use := self._use(life, dimensions, at, period)) is not None
        ]
        nodes = self._nodes(cluster)
        if "workload_name" not in dimensions and "pod_name" not in dimensions:
            if "node" in dimensions:
                nodes = [node for node in nodes if node.name == dimensions["node"]]
            uses += [_Use(cores=_IDLE_NODE_CORES, memory_bytes=_IDLE_NODE_BYTES) for _ in nodes]
        if not uses:
            return None
        use = sum(uses, _Use())
        cores = sum(node.cores for node in nodes) or 1.0
        memory = sum(node.memory_bytes for node in nodes) or 1.0
        return self._in_unit(metric, use, dimensions, cores, memory)

    def _in_unit(
        self, metric: str, use: _Use, dimensions: Dimensions, cores: float, memory: float
    ) -> float | None:
        """Return what `metric` tells of `use`, given the nodes' cores and memory."""
        cpu_limit, memory_limit = self._limits(dimensions)
        values: dict[str, float | None] = {
            "CpuCoreTotal": cores,
            "CpuCoreUsed": use.cores,
            "RateCpuCoreUsedCluster": 100 * use.cores / cores,
            "CpuUsage": min(100.0, 100 * use.cores / cores),
            "MemUsageBytes": use.memory_bytes / _MIB,
            "RateMemUsageBytesCluster": 100 * use.memory_bytes / memory,
            "MemUsage": min(100.0, 100 * use.memory_bytes / memory),
            "DiskUsage": 35.0 + 10 * self._noise("disk", str(dimensions.get("node")), 0),
            "Abnormal": use.unready,
            "PodRestartTotal": use.restarts,
            "RestartTotal": use.restarts,
            "NetworkReceiveBytesBw": use.received_bits / 1e6,
            "NetworkTransmitBytesBw": 1.7 * use.received_bits / 1e6,
            "RateCpuCoreUsedLimit": None if cpu_limit is None else 100 * use.cores / cpu_limit,
            "RateMemUsageLimit": None if memory_limit is None else 100 * use.memory_bytes / memory_limit,
        }
        return values[metric.removeprefix(_prefix(metric))]

    def _limits(self, dimensions: Dimensions) -> tuple[float | None, float | None]:
        """Return the CPU limit in cores and the memory limit in bytes of a pod."""
        ref = WorkloadRef(
            dimensions.get(CLUSTER, ""), dimensions.get("namespace", ""), dimensions.get("workload_name", "")
        )
        life = self._lives.get(ref)
        pod = life.pods.get(dimensions.get("pod_name", "")) if life is not None else None
        if pod is None:
            return None, None
        cpu = pod.cpu_limit_millicores
        return (None if cpu is None else cpu / 1000), pod.memory_limit_bytes

    def _use(
        self, life: WorkloadLife, dimensions: Dimensions, at: datetime, period: timedelta
    ) -> _Use | None:
        condition = life.timeline.at(at)
        if condition is None:
            return None
        pods = [
            pod
            for pod in condition.pods
            if dimensions.get("pod_name", pod) == pod
            and dimensions.get("node", life.node_of.get(pod)) == life.node_of.get(pod)
        ]
        if not pods and ("pod_name" in dimensions or "node" in dimensions):
            return None
        only = dimensions.get("pod_name")
        restarts = life.restarts_until(at, only) - life.restarts_until(at - period, only)
        season = self._seasons[life.ref].factor(at)
        total = _Use(restarts=float(restarts), unready=1.0 if condition.ready_ratio < 1 else 0.0)
        for pod in pods:
            total += self._pod_use(life, condition, pod, season, at)
        return total

    def _pod_use(
        self, life: WorkloadLife, condition: Condition, pod: str, season: float, at: datetime
    ) -> _Use:
        minute = int(at.timestamp() // 60)
        jitter = 0.94 + 0.12 * self._noise(str(life.ref), pod, minute)
        cores = life.spec.cpu_millicores / 1000 * condition.cpu * (0.35 + 0.65 * season) * jitter
        memory = life.spec.memory_mib * _MIB * condition.memory * (0.985 + 0.03 * jitter / 2)
        requests = life.lines_per_minute * condition.traffic * season / max(1, len(condition.pods))
        return _Use(cores, memory, received_bits=requests / 60 * _BYTES_A_REQUEST_LINE * 8 * jitter)

    def _noise(self, *parts: str | int) -> float:
        """Return a number from 0 to 1 that depends on the seed and `parts` only."""
        text = "/".join(str(part) for part in (self._seed, *parts))
        return (zlib.crc32(text.encode()) & 0xFFFF) / 0xFFFF


def _workload_dimensions(life: WorkloadLife) -> Dimensions:
    return {
        CLUSTER: life.ref.cluster,
        "namespace": life.ref.namespace,
        "workload_kind": life.spec.kind,
        "workload_name": life.ref.name,
    }


def _node_dimensions(node: MeteredNode) -> Dimensions:
    return {"node_role": "Node", "node": node.name, "un_instance_id": node.instance_id}


def _matches(life: WorkloadLife, dimensions: Dimensions) -> bool:
    own = _workload_dimensions(life)
    return all(dimensions.get(name, value) == value for name, value in own.items())
