"""Places, clusters and the machines under them, as Tencent Kubernetes Engine knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """One account in one region: where an API call goes."""

    account: str
    """Name of the account in the settings, never an identifier of the cloud."""
    region: str
    """As the cloud writes it, e.g. ap-guangzhou."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region that offers clusters."""

    name: str
    alias: str
    status: str


class ClusterStatus(StrEnum):
    """How a cluster fares, folded from the service's longer list."""

    RUNNING = "running"
    CHANGING = "changing"
    """Being created, scaled, upgraded, woken."""
    STOPPED = "stopped"
    """Idle, isolated for unpaid bills, being deleted."""
    ABNORMAL = "abnormal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A Kubernetes cluster."""

    cluster_id: str
    name: str
    place: Place
    description: str
    kubernetes_version: str
    status: ClusterStatus
    status_detail: str
    """The service's own word, e.g. NodeUpgrading."""
    nodes: int
    created_at: datetime | None
    managed: bool
    """True when the cloud runs the control plane."""
    aliases: tuple[str, ...] = ()
    """What people call it, from the tag `xiaozhi/alias` or a description such as “别名: 生产、广州”."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachedPlace:
    """A place that could not be asked, so that nothing is known of it."""

    place: Place
    reason: str
    """English, for logs."""
    spoken: str
    """Chinese, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterInventory:
    """The clusters of every place that could be asked."""

    clusters: tuple[Cluster, ...]
    unreached: tuple[UnreachedPlace, ...]


class NodePoolKind(StrEnum):
    """Who owns the machines of a pool; each kind is resized by another call."""

    NATIVE = "native"
    REGULAR = "regular"
    SUPER = "super"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePool:
    """Machines of a cluster that are managed as one."""

    pool_id: str
    name: str
    cluster_id: str
    kind: NodePoolKind
    status: str
    """creating, normal, updating, deleting, deleted, as the service says it."""
    nodes_wanted: int
    nodes_ready: int
    nodes_min: int | None
    """None where the pool has no bounds."""
    nodes_max: int | None
    autoscaling: bool
    instance_types: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    """What people call it, from the tag `xiaozhi/alias`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The virtual machine behind a Kubernetes node."""

    instance_id: str
    pool_id: str
    """Empty for a machine outside any pool."""
    state: str
    """running, initializing, failed."""
    failed_reason: str
    address: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTopics:
    """Which log topics a cluster writes to; None where that log is off."""

    cluster_id: str
    workload_topic_id: str | None
    event_topic_id: str | None
    audit_topic_id: str | None
    topic_region: str | None
