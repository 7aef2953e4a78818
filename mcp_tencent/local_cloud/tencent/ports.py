"""What the imitated services need from the rest of the local cloud; the world implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol

Dimensions = Mapping[str, str]
"""What a metric is about, by dimension name: tke_cluster_instance_id, namespace, workload_name, pod_name…"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDescription:
    """A metric that can be asked for."""

    name: str
    unit: str
    chinese_name: str
    english_name: str
    dimensions: tuple[str, ...]


class MetricSource(Protocol):
    """Knows the metrics of the imitated clusters."""

    def metrics(self, namespace: str) -> Sequence[MetricDescription]:
        """Return the metrics of a namespace such as QCE/TKE2; empty when there is no such namespace."""
        ...

    def instances(
        self, namespace: str, metric: str, conditions: Mapping[str, Sequence[str]]
    ) -> Sequence[Dimensions]:
        """Return what the metric is measured for, where each named dimension has one of the given values."""
        ...

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
        ...


class AlarmLevel(IntEnum):
    """The severity of a CLS alarm. The numbers are the service's and are not in order."""

    WARN = 0
    INFO = 1
    CRITICAL = 2


class AlertStatus(IntEnum):
    """What became of an alert."""

    OPEN = 0
    RECOVERED = 1
    INVALID = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """One time that a CLS alarm fired, from its beginning to its end."""

    record_id: str
    alarm_id: str
    alarm_name: str
    topic_id: str
    topic_name: str
    region: str
    trigger: str
    """The condition that held, as the alarm words it: `$1.errors > 10`."""
    trigger_count: int = 1
    """Periods for which it had to hold."""
    alarm_period_minutes: int = 15
    level: AlarmLevel = AlarmLevel.WARN
    started_at: datetime
    ended_at: datetime | None = None
    """When it recovered or became invalid; None, or a time to come, while it is open."""
    invalid: bool = False
    """True when it ended because its alarm was changed, disabled or deleted."""
    notices: tuple[tuple[str, str], ...] = ()
    """Name and id of the notice groups that were told."""
    group: tuple[tuple[str, str], ...] = ()
    """With grouped triggering: the fields and values of the group that fired."""

    def status_at(self, now: datetime) -> AlertStatus:
        """Return what had become of it at `now`."""
        if self.ended_at is None or self.ended_at > now:
            return AlertStatus.OPEN
        return AlertStatus.INVALID if self.invalid else AlertStatus.RECOVERED

    def duration_minutes_at(self, now: datetime) -> int:
        """Return how long it had lasted at `now`."""
        end = now if self.ended_at is None else min(self.ended_at, now)
        return max(0, int((end - self.started_at).total_seconds() // 60))


class AlarmHistory(Protocol):
    """The alerts that the scenario tells of; alarms created over the API are evaluated by CLS itself."""

    def records(self, start: datetime, end: datetime) -> Sequence[AlertRecord]:
        """Return the alerts that began within [start, end); none of the future."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricAlert:
    """One time that a Monitor alarm policy fired."""

    alert_id: str
    policy_id: str
    policy_name: str
    region: str
    namespace: str
    """The policy's kind, e.g. k8s_pod2."""
    alarm_object: str
    content: str
    metric_name: str
    value: str
    level: str
    """Remind, Warn or Serious."""
    dimensions: Dimensions
    started_at: datetime
    ended_at: datetime | None = None


class MetricAlertHistory(Protocol):
    """The metric alerts that the scenario tells of."""

    def alerts(self, start: datetime, end: datetime) -> Sequence[MetricAlert]:
        """Return the alerts that began within [start, end]; none of the future."""
        ...


class NodeState(StrEnum):
    """The state of a node as TKE words it."""

    RUNNING = "running"
    INITIALIZING = "initializing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A cluster node as TKE sees it."""

    name: str
    """Its name in Kubernetes."""
    instance_id: str
    """ins-… of a regular node, np-…-… of a native one; of a super node, its name (eklet-…)."""
    lan_ip: str
    pool_id: str
    """Empty when it belongs to no pool."""
    created_at: datetime
    state: NodeState = NodeState.RUNNING
    reason: str = ""
    """Why it is not running."""
    unschedulable: bool = False
    drained: bool = False
    labels: Mapping[str, str]
    taints: tuple[tuple[str, str, str], ...] = ()
    """Key, value, effect."""
    cpu_cores: int = 4
    memory_gib: int = 8
    instance_type: str = "S5.LARGE8"
    zone: str = ""


class ClusterNodes(Protocol):
    """The nodes of the imitated clusters: read by every listing, changed by scaling and draining."""

    def nodes(self, cluster_id: str) -> Sequence[NodeView]:
        """Return the cluster's nodes in the order in which they were added."""
        ...

    def resize(self, cluster_id: str, pool_id: str, nodes: int) -> None:
        """Let the pool grow or shrink to `nodes` nodes; growing takes its time."""
        ...

    def drain(self, cluster_id: str, node_name: str) -> None:
        """Cordon the node and evict its pods."""
        ...
