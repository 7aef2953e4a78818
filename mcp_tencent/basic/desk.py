"""What the basic tools work with: ports, names, the clock, and what the house allows."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from mcp_tencent.basic.errors import ProtectedNamespace
from mcp_tencent.gateway.call import Clock
from mcp_tencent.models.clusters import Cluster, Place
from mcp_tencent.naming.naming import Naming
from mcp_tencent.periods import Period, parse_period
from mcp_tencent.ports import Clouds, ClusterService, LogService, Metrics, Workloads
from mcp_tencent.serving.intent import key_of_act

SYSTEM_NAMESPACES = frozenset(
    {
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "tke-system",
        "tkex-system",
        "cert-manager",
        "istio-system",
        "ingress-nginx",
    }
)
"""Where a cluster keeps what it lives on: of Kubernetes, of TKE, and of add-ons that all traffic passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the house allows.

    Args:
        replicas_max: Pods that a workload may be scaled to.
        nodes_max: Nodes that a pool may be resized to.
        protected_namespaces: Where nothing is changed.
    """

    replicas_max: int = 100
    nodes_max: int = 100
    protected_namespaces: Container[str] = SYSTEM_NAMESPACES

    def check_namespace(self, namespace: str) -> None:
        """Refuse a namespace in which nothing may be changed.

        Raises:
            ProtectedNamespace: It is one.
        """
        if namespace in self.protected_namespaces:
            raise ProtectedNamespace(namespace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an act waits for its outcome; together it must end before the tool's deadline.

    Args:
        rollout: For the pods of a workload to be replaced.
        stay_ready: How long all pods must have stayed ready, for a rollout to be complete.
        machines: For the nodes of a pool to come or go.
        look_every: Between two looks at what is not followed by the adapter.
    """

    rollout: timedelta = timedelta(seconds=240)
    stay_ready: timedelta = timedelta(seconds=5)
    machines: timedelta = timedelta(seconds=240)
    look_every: timedelta = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicDesk:
    """What the basic tools work with.

    Args:
        clouds: All configured accounts and regions.
        naming: Resolves what people call things.
        clock: The present.
        zone: Where days begin at midnight, and in which times are told.
        bounds: What the house allows.
        patience: How long acts wait for their outcome.
        new_key: Makes the key under which one act is sent: so the adapters may send it again after a fault of
            the network, or a repeated call after a crash, and it still takes effect once.
    """

    clouds: Clouds
    naming: Naming
    clock: Clock
    zone: tzinfo
    bounds: Bounds = field(default_factory=Bounds)
    patience: Patience = field(default_factory=Patience)
    new_key: Callable[[], str] = key_of_act

    def now(self) -> datetime:
        """Return the present."""
        return self.clock.now()

    def period(self, text: str) -> Period:
        """Turn a period string into instants; raises InvalidPeriod."""
        return parse_period(text, now=self.now(), zone=self.zone)

    def told(self, at: datetime | None) -> str | None:
        """Write an instant as answers have it: ISO 8601 to the second, in the house's zone."""
        return None if at is None else at.astimezone(self.zone).isoformat(timespec="seconds")

    def inside(self, cluster: Cluster) -> Workloads:
        """Return the inside of a cluster."""
        return self.clouds.workloads(cluster.place, cluster.cluster_id)

    def service(self, cluster: Cluster) -> ClusterService:
        """Return the cluster service that a cluster belongs to."""
        return self.clouds.cluster_service(cluster.place)

    def metrics(self, cluster: Cluster) -> Metrics:
        """Return the metrics of a cluster's account and region."""
        return self.clouds.metrics(cluster.place)

    def logs(self, place: Place) -> LogService:
        """Return the log service of an account and region."""
        return self.clouds.logs(place)
