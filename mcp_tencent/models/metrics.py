"""How much of what is used, over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mcp_tencent.models.workloads import WorkloadRef


class Metric(StrEnum):
    """What is measured. Units: see `Unit` on the series."""

    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    NETWORK_IN = "network_in"
    NETWORK_OUT = "network_out"
    RESTARTS = "restarts"


class Unit(StrEnum):
    """What a value counts."""

    CORES = "cores"
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes_per_second"
    PERCENT = "percent"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTarget:
    """Measure a whole cluster."""

    cluster_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTarget:
    """Measure one node."""

    cluster_id: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadTarget:
    """Measure all pods of a workload together."""

    cluster_id: str
    workload: WorkloadRef


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTarget:
    """Measure one pod."""

    cluster_id: str
    namespace: str
    workload: str
    """Name of the workload it belongs to, without which the service does not find a pod."""
    pod: str


UsageTarget = ClusterTarget | NodeTarget | WorkloadTarget | PodTarget
"""What is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePoint:
    """A value of a series; it stands for the interval that begins at `at`."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSeries:
    """How a metric went, oldest point first; intervals without data are left out."""

    target: UsageTarget
    metric: Metric
    unit: Unit
    interval: timedelta
    points: tuple[UsagePoint, ...]
