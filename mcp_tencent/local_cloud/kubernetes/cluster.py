"""One imitated cluster: its objects, and what keeps them alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mcp_tencent.local_cloud.conditions import KubernetesObject, PodBehaviours
from mcp_tencent.local_cloud.kubernetes.access import KubernetesUser
from mcp_tencent.local_cloud.kubernetes.ports import PodLogs
from mcp_tencent.local_cloud.simulation import Simulation

OnChange = Callable[[str, str, str], None]
"""Told of every write: kind, namespace (empty for cluster-scoped objects), name. It may read the cluster and
call `reconsider` and `apply`."""


class KubernetesCluster:
    """The state of a cluster and its controllers, driven by the simulation's events only."""

    def __init__(
        self,
        *,
        cluster_id: str,
        simulation: Simulation,
        behaviours: PodBehaviours,
        pod_logs: PodLogs,
        tokens: Mapping[str, KubernetesUser],
        seed: int,
    ) -> None:
        """`tokens` maps bearer tokens to users; `seed` decides all names, uids and addresses."""
        self.cluster_id = cluster_id
        self.simulation = simulation
        self.behaviours = behaviours
        self.pod_logs = pod_logs
        self.tokens = tokens
        self.seed = seed

    def add_node(
        self,
        name: str,
        *,
        cpu_cores: float,
        memory_bytes: float,
        max_pods: int = 110,
        labels: Mapping[str, str] | None = None,
        internal_ip: str | None = None,
        provider_id: str = "",
    ) -> KubernetesObject:
        """Let a node join, ready at once, and return it."""
        raise NotImplementedError

    def remove_node(self, name: str) -> None:
        """Take a node away with all its pods, as when its machine is returned."""
        raise NotImplementedError

    def set_node_ready(self, name: str, ready: bool, *, reason: str = "KubeletStopped") -> None:
        """Let a node's kubelet fall silent or come back."""
        raise NotImplementedError

    def get(self, kind: str, namespace: str, name: str) -> KubernetesObject | None:
        """Return the object as it is now, not to be changed, or None."""
        raise NotImplementedError

    def list(self, kind: str, namespace: str | None = None) -> list[KubernetesObject]:
        """Return the objects of a kind in creation order, not to be changed; None: of all namespaces."""
        raise NotImplementedError

    def apply(self, manifest: KubernetesObject) -> KubernetesObject:
        """Create the object, or make the existing one's metadata and spec be as in `manifest`, as an admin.

        Missing namespaces are created. Raises ApiError (errors.py) as the API would answer.
        """
        raise NotImplementedError

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete the object and what it owns, as an admin, with its usual grace."""
        raise NotImplementedError

    def reconsider(self, namespace: str | None = None) -> None:
        """Ask the behaviours again for the running pods, of one namespace or of all."""
        raise NotImplementedError

    def on_change(self, callback: OnChange) -> None:
        """Have `callback` told of every write from now on."""
        raise NotImplementedError
