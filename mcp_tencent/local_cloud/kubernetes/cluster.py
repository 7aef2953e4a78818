"""One imitated cluster: its objects, and what keeps them alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mcp_tencent.local_cloud.conditions import KubernetesObject, PodBehaviours
from mcp_tencent.local_cloud.kubernetes.access import KubernetesUser
from mcp_tencent.local_cloud.kubernetes.admission.quota import QuotaLedger
from mcp_tencent.local_cloud.kubernetes.control_loop import ControlLoop
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import ControlPlane
from mcp_tencent.local_cloud.kubernetes.controllers.dispatch import Controllers
from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError, NotFoundError, Subject
from mcp_tencent.local_cloud.kubernetes.event_recorder import EventRecorder
from mcp_tencent.local_cloud.kubernetes.identifiers import Identifiers
from mcp_tencent.local_cloud.kubernetes.kinds import BY_KIND
from mcp_tencent.local_cloud.kubernetes.kubelet.kubelet import Kubelet
from mcp_tencent.local_cloud.kubernetes.ports import PodLogs
from mcp_tencent.local_cloud.kubernetes.quantities import format_cpu, format_memory
from mcp_tencent.local_cloud.kubernetes.schema.shapes import Decoding
from mcp_tencent.local_cloud.kubernetes.store import Change, Store
from mcp_tencent.local_cloud.kubernetes.writes import Deletion, Writes
from mcp_tencent.local_cloud.simulation import Simulation

OnChange = Callable[[str, str, str], None]
"""Told of every write: kind, namespace (empty for cluster-scoped objects), name. It may read the cluster and
call `reconsider` and `apply`."""

VERSION = "v1.32.2-tke.6"
_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_RESERVED_CPU_CORES = 0.1
_RESERVED_MEMORY_BYTES = 512 * 2**20


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
        self.pod_logs = pod_logs
        self.tokens = tokens
        identifiers = Identifiers(seed, cluster_id)
        self.store = Store(simulation, identifiers)
        self.quota = QuotaLedger(self.store)
        self.writes = Writes(self.store, simulation, identifiers, self.quota)
        self._plane = ControlPlane(
            simulation=simulation,
            store=self.store,
            loop=ControlLoop(simulation),
            events=EventRecorder(self.store, simulation),
            writes=self.writes,
            identifiers=identifiers,
            quota=self.quota,
        )
        self.controllers = Controllers(self._plane, self._pod_usage)
        self.kubelet = Kubelet(self._plane, behaviours, self.controllers.nodes.silent)
        self.applied: dict[tuple[str, str], KubernetesObject] = {}
        """What each manager last applied server-side, by (uid, manager)."""
        self.store.observe(self._forget_applied)
        for name in _NAMESPACES:
            self._ensure_namespace(name)
        self._add_api_service()

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
        own = {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/os": "linux",
            "kubernetes.io/hostname": name,
            "node.kubernetes.io/instance-type": "SA5",
        }
        number = sum(1 for _ in self.store.each("Node"))
        address = internal_ip or f"10.0.{number // 250}.{number % 250 + 4}"
        pods = str(max_pods)
        created = self.store.create(
            "Node",
            {
                "kind": "Node",
                "apiVersion": "v1",
                "metadata": {"name": name, "labels": {**own, **(labels or {})}, "annotations": {}},
                "spec": {
                    "podCIDR": f"172.16.{number % 256}.0/24",
                    "providerID": provider_id or f"qcloud:///{name}",
                },
                "status": {
                    "capacity": {
                        "cpu": format_cpu(cpu_cores),
                        "memory": format_memory(memory_bytes),
                        "pods": pods,
                    },
                    "allocatable": {
                        "cpu": format_cpu(max(cpu_cores - _RESERVED_CPU_CORES, 0.0)),
                        "memory": format_memory(max(memory_bytes - _RESERVED_MEMORY_BYTES, 0.0)),
                        "pods": pods,
                    },
                    "addresses": [
                        {"type": "InternalIP", "address": address},
                        {"type": "Hostname", "address": name},
                    ],
                    "nodeInfo": {
                        "machineID": self._plane.identifiers.uid().replace("-", ""),
                        "systemUUID": self._plane.identifiers.uid(),
                        "bootID": self._plane.identifiers.uid(),
                        "kernelVersion": "5.4.241-1-tlinux4-0017.7",
                        "osImage": "TencentOS Server 3.1 (Final)",
                        "containerRuntimeVersion": "containerd://1.7.25",
                        "kubeletVersion": VERSION,
                        "kubeProxyVersion": VERSION,
                        "operatingSystem": "linux",
                        "architecture": "amd64",
                    },
                },
            },
        )
        self.controllers.nodes.reconcile("", name)
        return self.get("Node", "", name) or created

    def remove_node(self, name: str) -> None:
        """Take a node away with all its pods, as when its machine is returned."""
        self.store.remove("Node", "", name)
        self.controllers.nodes.silent.pop(name, None)
        for pod in self.store.each("Pod"):
            if pod["spec"].get("nodeName") == name:
                self.store.remove("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])

    def set_node_ready(self, name: str, *, ready: bool) -> None:
        """Let a node's kubelet fall silent (noticed after 40 s), or come back."""
        self.controllers.nodes.set_ready(name, ready=ready)
        if ready:
            self.kubelet.resume(name)

    def set_unschedulable(self, name: str, *, unschedulable: bool) -> None:
        """Cordon a node, or let pods come to it again."""
        node = self.store.get("Node", "", name)
        if node is None:
            raise NotFoundError(Subject(kind="nodes", name=name))
        spec = {key: value for key, value in node["spec"].items() if key != "unschedulable"}
        if unschedulable:
            spec["unschedulable"] = True
        if spec != node["spec"]:
            self.store.replace("Node", {**node, "spec": spec})

    def get(self, kind: str, namespace: str, name: str) -> KubernetesObject | None:
        """Return the object as it is now, not to be changed, or None."""
        return self.store.get(kind, namespace, name)

    def list(self, kind: str, namespace: str | None = None) -> list[KubernetesObject]:
        """Return the objects of a kind in creation order, not to be changed; None: of all namespaces."""
        return [*self.store.each(kind, namespace)]

    def apply(self, manifest: KubernetesObject) -> KubernetesObject:
        """Create the object, or make the existing one's metadata and spec be as in `manifest`, as an admin.

        Missing namespaces are created. Labels and annotations that others have added are kept.

        Raises:
            ApiError: as the API would refuse it.
        """
        resource = BY_KIND.get(manifest.get("kind", ""))
        if resource is None:
            raise BadRequestError(f"no kind {manifest.get('kind')!r} is served")
        body = Decoding(resource.kind, resource.version).decode(manifest, resource.shape)
        metadata = {**(body.get("metadata") or {})}
        if resource.namespaced:
            metadata.setdefault("namespace", "default")
            self._ensure_namespace(metadata["namespace"])
        body = {**body, "metadata": metadata}
        old = self.store.get(resource.kind, metadata.get("namespace", ""), metadata.get("name", ""))
        if old is None:
            return self.writes.create(resource, body)
        for key in ("labels", "annotations"):
            if merged := {**(old["metadata"].get(key) or {}), **(metadata.get(key) or {})}:
                metadata[key] = merged
        for key in ("ownerReferences", "finalizers"):
            if key in old["metadata"]:
                metadata.setdefault(key, old["metadata"][key])
        return self.writes.update(resource, body)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete the object and what it owns, as an admin, with its usual grace."""
        self.writes.delete(BY_KIND[kind], namespace, name, Deletion())

    def reconsider(self, namespace: str | None = None) -> None:
        """Ask the behaviours again for the running pods, of one namespace or of all."""
        self.kubelet.reconsider(namespace)
        self.controllers.usage_changed(namespace)

    def on_change(self, callback: OnChange) -> None:
        """Have `callback` told of every write from now on."""
        self.store.observe(lambda change: callback(change.kind, change.namespace, change.name))

    def expire_events(self) -> None:
        """Drop the events that are over an hour old; done before they are read."""
        self._plane.events.expire()

    def _pod_usage(self, pod: KubernetesObject) -> tuple[float, float] | None:
        used = self.kubelet.usage(pod)
        if used is None:
            return None
        return sum(cores for _, cores, _ in used), sum(size for _, _, size in used)

    def _ensure_namespace(self, name: str) -> None:
        if self.store.get("Namespace", "", name) is None:
            self.writes.create(BY_KIND["Namespace"], {"metadata": {"name": name}})

    def _add_api_service(self) -> None:
        spec = {
            "clusterIP": "10.96.0.1",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 60002}],
        }
        labels = {"component": "apiserver", "provider": "kubernetes"}
        metadata = {"name": "kubernetes", "namespace": "default", "labels": labels}
        self.writes.create(BY_KIND["Service"], {"metadata": metadata, "spec": spec})

    def _forget_applied(self, change: Change) -> None:
        if change.type == "DELETED" and self.applied:
            uid = change.object["metadata"]["uid"]
            for key in [key for key in self.applied if key[0] == uid]:
                del self.applied[key]
