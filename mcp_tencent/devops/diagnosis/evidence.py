"""What is known of a workload in trouble when its cause is sought: facts of any cluster, gathered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mcp_tencent.models.workloads import (
    Autoscaler,
    ConfigKind,
    Event,
    Node,
    Pod,
    Quota,
    Revision,
    Workload,
    WorkloadRef,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBucket:
    """How many lines a workload wrote within [start, start + interval of its history)."""

    start: datetime
    lines: int
    errors: int
    warnings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHistory:
    """Lines over time, oldest first, without gaps."""

    interval: timedelta
    buckets: tuple[LogBucket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLine:
    """An error or warning that the workload wrote."""

    at: datetime | None
    text: str
    pod: str
    """Empty when the line does not say."""
    dependency: str
    """What the line itself says was called; empty when it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvidence:
    """What a workload wrote."""

    history: LogHistory | None
    """None when only the pods' own output could be read."""
    recent: tuple[SampleLine, ...]
    """Errors and warnings of the trouble, newest first; of the last hour when there is none."""
    earlier: tuple[SampleLine, ...]
    """Errors and warnings from before the trouble, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A measure before a trouble and within it, at the same time of day, in the measure's own unit."""

    before: float
    after: float

    @property
    def ratio(self) -> float:
        """How many times as much it is; infinite when there was nothing before."""
        if self.before <= 0:
            return float("inf") if self.after > 0 else 1.0
        return self.after / self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTrend:
    """How the memory of one pod has gone since its container started."""

    pod: str
    bytes_now: float
    bytes_per_hour: float
    """Slope of the straight line through the points."""
    fit: float
    """How well the line fits (R²), 0 to 1."""
    hours: float
    """How long it was watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvidence:
    """What a workload used; None for what could not be measured."""

    cpu_cores: Comparison | None
    traffic_bytes_per_second: Comparison | None
    memory: tuple[MemoryTrend, ...]
    memory_limit_bytes: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigEvidence:
    """A ConfigMap or Secret that the workload's pods read when they start."""

    kind: ConfigKind
    name: str
    changed_at: datetime | None
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyEvidence:
    """Something that the workload calls, or may call."""

    name: str
    declared: bool
    """True when the workload's annotation names it; False when its log lines do, or when it is a workload of
    the same namespace that is down."""
    workload: WorkloadRef | None
    """None when it is not a workload of this cluster."""
    replicas_ready: int
    replicas_wanted: int

    @property
    def down(self) -> bool:
        """Whether it is a workload of which no pod is ready."""
        return self.workload is not None and self.replicas_wanted > 0 and self.replicas_ready == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourEvidence:
    """Another workload with pods on the same nodes."""

    workload: WorkloadRef
    nodes: tuple[str, ...]
    cpu_cores: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything about one workload at one moment."""

    at: datetime
    cluster_id: str
    workload: Workload
    alias: str
    """What people call it."""
    revisions: tuple[Revision, ...]
    """Latest first."""
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]
    """About the workload, its ReplicaSets and its pods; latest first."""
    nodes: tuple[Node, ...]
    logs: LogEvidence | None
    usage: UsageEvidence | None
    node_cpu_percent: Mapping[str, float]
    """Latest CPU use of the nodes that carry its pods."""
    configs: tuple[ConfigEvidence, ...]
    dependencies: tuple[DependencyEvidence, ...]
    neighbours: tuple[NeighbourEvidence, ...]
    quotas: tuple[Quota, ...]
    autoscaler: Autoscaler | None
    isolated: bool | None
    """Whether we have cut it off from the network; None when that could not be asked."""
    gaps: tuple[str, ...] = field(default=())
    """What could not be looked at, and why, in Chinese."""
