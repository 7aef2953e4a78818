"""What exists in TKE: clusters with their settings, node pools and log switches. Nodes live in Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from mcp_tencent.local_cloud.simulation import Clock
from mcp_tencent.local_cloud.tencent.errors import ActionError, RequestError
from mcp_tencent.local_cloud.tencent.identifiers import Identifiers
from mcp_tencent.local_cloud.tencent.json_types import JsonObject

MAX_POOL_NODES = 2000


class PoolKind(StrEnum):
    """What a node pool is made of."""

    REGULAR = "Regular"
    NATIVE = "Native"
    SUPER = "Super"


_LEVEL_NODES = {"L5": 5, "L20": 20, "L50": 50, "L100": 100, "L200": 200, "L500": 500, "L1000": 1000}
"""Nodes that a managed cluster may have, by its level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A Kubernetes cluster as TKE describes it."""

    cluster_id: str
    region: str
    name: str
    description: str = ""
    version: str = "1.30.0"
    kind: str = "MANAGED_CLUSTER"
    level: str = "L20"
    status: str = "Running"
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    vpc_id: str = "vpc-local0001"
    subnet_id: str = "subnet-local01"
    pod_cidr: str = "10.16.0.0/14"
    service_cidr: str = "10.20.0.0/20"
    project_id: int = 0
    deletion_protection: bool = True
    auto_upgrade_level: bool = False
    """With it, the level follows the number of nodes instead of limiting it."""
    extranet: bool = True
    """Whether the API server can be reached from the Internet."""
    intranet: bool = True

    @property
    def max_nodes(self) -> int | None:
        """Return how many nodes the level allows; None without a limit."""
        return None if self.auto_upgrade_level else _LEVEL_NODES.get(self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePool:
    """A group of equal nodes."""

    pool_id: str
    cluster_id: str
    name: str
    kind: PoolKind = PoolKind.REGULAR
    created_at: datetime
    desired: int = 0
    minimum: int = 0
    maximum: int = 10
    autoscaling: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[JsonObject, ...] = ()
    tags: tuple[JsonObject, ...] = ()
    annotations: tuple[JsonObject, ...] = ()
    deletion_protection: bool = False
    unschedulable: bool = False
    instance_types: tuple[str, ...] = ("S5.LARGE8",)
    settings: JsonObject = field(default_factory=dict)
    """What else was sent: the Native object of a native pool, scripts and images of a regular one."""

    @property
    def suffix(self) -> str:
        """Return what the identifiers that belong to the pool have in common: asg-…, asc-…."""
        return self.pool_id.partition("-")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSwitch:
    """One kind of a cluster's logs and where in CLS it goes."""

    enabled: bool = False
    logset_id: str = ""
    topic_id: str = ""
    topic_region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSwitches:
    """The four kinds of logs that a cluster may send to CLS."""

    audit: LogSwitch = LogSwitch()
    event: LogSwitch = LogSwitch()
    log: LogSwitch = LogSwitch()
    master_log: LogSwitch = LogSwitch()


def utc_time(instant: datetime) -> str:
    """Return an instant as TKE 2018-05-25 shows it: 2026-11-20T00:00:00Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class TkeState:
    """TKE of one account. The API and the scenario build and change it through the same methods."""

    def __init__(self, *, clock: Clock, identifiers: Identifiers) -> None:
        self.clock = clock
        self.identifiers = identifiers
        self._clusters: dict[str, Cluster] = {}
        self._tokens: dict[str, str] = {}
        self._pools: dict[str, dict[str, NodePool]] = {}
        self._switches: dict[str, LogSwitches] = {}

    def add_cluster(self, cluster: Cluster, *, token: str, switches: LogSwitches | None = None) -> None:
        """Let a cluster exist.

        Args:
            cluster: the cluster.
            token: the bearer token that its kubeconfig hands out.
            switches: where its logs go; nowhere by default.

        Raises:
            ValueError: its id is taken.
        """
        if cluster.cluster_id in self._clusters:
            raise ValueError(f"there is a cluster {cluster.cluster_id} already")
        self._clusters[cluster.cluster_id] = cluster
        self._tokens[cluster.cluster_id] = token
        self._pools[cluster.cluster_id] = {}
        self._switches[cluster.cluster_id] = switches or LogSwitches()

    def clusters(self, region: str) -> list[Cluster]:
        """Return the clusters of a region in the order of creation."""
        return [cluster for cluster in self._clusters.values() if cluster.region == region]

    def cluster(self, region: str, cluster_id: str) -> Cluster:
        """Return a cluster.

        Raises:
            ActionError: ResourceNotFound.ClusterNotFound when the region has none of this id.
        """
        cluster = self._clusters.get(cluster_id)
        if cluster is None or cluster.region != region:
            message = f"The cluster {cluster_id[:60]} is not found."
            raise ActionError("ResourceNotFound.ClusterNotFound", message)
        return cluster

    def replace_cluster(self, cluster: Cluster) -> None:
        """Change what a cluster is: its status, its endpoints."""
        self._clusters[cluster.cluster_id] = cluster

    def token(self, cluster: Cluster) -> str:
        """Return the bearer token of the cluster's kubeconfig."""
        return self._tokens[cluster.cluster_id]

    def add_pool(self, pool: NodePool) -> None:
        """Let a node pool exist; its nodes are the scaler's business."""
        self._pools[pool.cluster_id][pool.pool_id] = pool

    def pools(self, cluster: Cluster) -> list[NodePool]:
        """Return the cluster's node pools in the order of creation."""
        return list(self._pools[cluster.cluster_id].values())

    def pool(self, cluster: Cluster, pool_id: str) -> NodePool:
        """Return a node pool.

        Raises:
            ActionError: ResourceNotFound when the cluster has none of this id.
        """
        if pool_id not in self._pools[cluster.cluster_id]:
            raise ActionError("ResourceNotFound", f"The node pool {pool_id[:60]} is not found.")
        return self._pools[cluster.cluster_id][pool_id]

    def remove_pool(self, pool: NodePool) -> None:
        """Let a node pool be gone.

        Raises:
            ActionError: OperationDenied when it is protected from deletion.
        """
        if pool.deletion_protection:
            raise ActionError("OperationDenied", f"The node pool {pool.pool_id} is protected from deletion.")
        del self._pools[pool.cluster_id][pool.pool_id]

    def check_size(self, cluster: Cluster, pool: NodePool, nodes: int) -> None:
        """Refuse a size that the pool or the cluster's level does not allow.

        Raises:
            RequestError: outside of the pool's minimum and maximum.
            ActionError: QuotaMaxNodLimit.
        """
        if not 0 <= pool.minimum <= pool.maximum <= MAX_POOL_NODES:
            message = f"The bounds of a pool must be within 0 to {MAX_POOL_NODES}, the lower one first."
            raise RequestError("InvalidParameter.AsCommonError", message)
        if not pool.minimum <= nodes <= pool.maximum:
            message = f"The size must be within {pool.minimum} to {pool.maximum}, got {nodes}."
            raise RequestError("InvalidParameter.AsCommonError", message)
        others = sum(other.desired for other in self.pools(cluster) if other.pool_id != pool.pool_id)
        if cluster.max_nodes is not None and others + nodes > cluster.max_nodes:
            message = f"A cluster of level {cluster.level} may have {cluster.max_nodes} nodes."
            raise ActionError("FailedOperation.QuotaMaxNodLimit", message)

    def switches(self, cluster: Cluster) -> LogSwitches:
        """Return where the cluster's logs go."""
        return self._switches[cluster.cluster_id]

    def switch_event(self, cluster: Cluster, switch: LogSwitch) -> None:
        """Send the cluster's events somewhere."""
        self._switches[cluster.cluster_id] = replace(self.switches(cluster), event=switch)

    def switch_audit(self, cluster: Cluster, switch: LogSwitch) -> None:
        """Send the cluster's audit log somewhere."""
        self._switches[cluster.cluster_id] = replace(self.switches(cluster), audit=switch)
