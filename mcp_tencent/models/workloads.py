"""What runs in a cluster: workloads, pods, nodes, configuration, and what happened to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WorkloadKind(StrEnum):
    """The kinds of workload that are looked at and acted on, as Kubernetes writes them."""

    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    DAEMON_SET = "DaemonSet"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class WorkloadRef:
    """Names one workload within a cluster."""

    namespace: str
    kind: WorkloadKind
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerImage:
    """Which image a container runs."""

    container: str
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCondition:
    """A condition of a node or workload, e.g. Progressing=False for ProgressDeadlineExceeded."""

    kind: str
    status: str
    """True, False or Unknown."""
    reason: str
    message: str
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A namespace."""

    name: str
    phase: str
    created_at: datetime | None
    aliases: tuple[str, ...] = ()
    """What people call it, from the annotation `xiaozhi/alias`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node as the cluster sees it."""

    name: str
    ready: bool
    schedulable: bool
    address: str
    instance_id: str
    """The machine behind it, e.g. ins-1a2b3c4d; empty when the node does not say."""
    kubelet_version: str
    cpu_millicores: int
    """Allocatable."""
    memory_bytes: int
    """Allocatable."""
    pods_max: int
    conditions: tuple[ObjectCondition, ...]
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigUse:
    """A ConfigMap or Secret that a workload's pods read."""

    kind: ConfigKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet."""

    ref: WorkloadRef
    replicas_wanted: int
    replicas_ready: int
    replicas_updated: int
    replicas_available: int
    images: tuple[ContainerImage, ...]
    revision: int | None
    """The rollout it is at; None for a StatefulSet or DaemonSet, whose revisions are found in its history."""
    paused: bool
    change_cause: str
    selector: Mapping[str, str]
    """Labels that all its pods carry."""
    conditions: tuple[ObjectCondition, ...]
    config: tuple[ConfigUse, ...]
    restarted_at: datetime | None
    """When it was last told to restart its pods."""
    created_at: datetime | None
    aliases: tuple[str, ...] = ()
    """What people call it, from the annotation `xiaozhi/alias`."""

    @property
    def healthy(self) -> bool:
        """Whether all wanted pods are ready, available and of the present revision."""
        return self.replicas_wanted <= min(
            self.replicas_ready, self.replicas_available, self.replicas_updated
        ) and not any(c.kind == "Progressing" and c.status == "False" for c in self.conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One entry of a workload's rollout history."""

    number: int
    created_at: datetime | None
    change_cause: str
    images: tuple[ContainerImage, ...]
    replicas: int
    """Pods that still run it; 0 for a StatefulSet or DaemonSet, which does not count them."""
    current: bool
    template_json: str
    """The whole pod template as JSON text, as the cluster keeps it."""


class PodPhase(StrEnum):
    """Where a pod is in its life."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEnd:
    """How a container last ended."""

    container: str
    reason: str
    """OOMKilled, Error, Completed."""
    exit_code: int
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod."""

    namespace: str
    name: str
    owner: str
    """The workload it belongs to; empty for a pod on its own."""
    node: str
    phase: PodPhase
    reason: str
    """What keeps it from running well, e.g. CrashLoopBackOff, ImagePullBackOff; empty when nothing."""
    message: str
    ready: bool
    containers_ready: int
    containers: int
    restarts: int
    last_end: ContainerEnd | None
    images: tuple[ContainerImage, ...]
    revision_hash: str
    """Ties it to its ReplicaSet or ControllerRevision; empty when it carries none."""
    deleting: bool
    created_at: datetime | None
    started_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodLogLine:
    """A line that a container wrote."""

    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PodLog:
    """The tail of one container's output, oldest line first."""

    namespace: str
    pod: str
    container: str
    previous: bool
    """True when these are the lines of the container before its last restart."""
    lines: tuple[PodLogLine, ...]


class EventKind(StrEnum):
    """Whether an event reports trouble."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something the cluster reports about an object."""

    namespace: str
    object_kind: str
    object_name: str
    kind: EventKind
    reason: str
    message: str
    count: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort:
    """A port that a service opens."""

    name: str
    port: int
    target: str
    protocol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service in front of pods."""

    namespace: str
    name: str
    kind: str
    """ClusterIP, NodePort, LoadBalancer, ExternalName."""
    cluster_address: str
    external_addresses: tuple[str, ...]
    ports: tuple[ServicePort, ...]
    selector: Mapping[str, str]
    created_at: datetime | None


class ConfigKind(StrEnum):
    """Where configuration lives."""

    CONFIG_MAP = "ConfigMap"
    SECRET = "Secret"  # noqa: S105 - the kind's name, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigEntry:
    """One key of a ConfigMap or Secret."""

    key: str
    size_bytes: int
    value: str | None
    """None for a Secret and for binary data: a Secret's value never enters this process's models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A ConfigMap or Secret."""

    namespace: str
    name: str
    kind: ConfigKind
    entries: tuple[ConfigEntry, ...]
    immutable: bool
    changed_at: datetime | None
    """The latest write that the cluster's bookkeeping shows; None when it shows none."""
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    """A HorizontalPodAutoscaler: while it stands, it and not a person decides on replicas."""

    namespace: str
    name: str
    target: WorkloadRef | None
    """None when it scales something else than a workload of ours."""
    replicas_min: int
    replicas_max: int
    replicas_now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisruptionBudget:
    """A PodDisruptionBudget: how many pods may be taken down willingly."""

    namespace: str
    name: str
    selector: Mapping[str, str]
    disruptions_allowed: int
    pods_healthy: int
    pods_required: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaLimit:
    """One resource of a ResourceQuota, e.g. pods or requests.cpu, as Kubernetes writes quantities."""

    resource: str
    used: str
    most: str
    exhausted: bool
    """Whether nothing more of it may be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A ResourceQuota: how much all pods of a namespace may use together."""

    namespace: str
    name: str
    limits: tuple[QuotaLimit, ...]
