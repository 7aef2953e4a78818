"""Which change makes which controller look at what."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.autoscaler import Autoscaler, Usage
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import ControlPlane, is_active, is_ready
from mcp_tencent.local_cloud.kubernetes.controllers.daemon_sets import DaemonSets
from mcp_tencent.local_cloud.kubernetes.controllers.deployments import Deployments
from mcp_tencent.local_cloud.kubernetes.controllers.disruption import DisruptionBudgets, selected_labels
from mcp_tencent.local_cloud.kubernetes.controllers.garbage import Garbage
from mcp_tencent.local_cloud.kubernetes.controllers.nodes import Nodes
from mcp_tencent.local_cloud.kubernetes.controllers.pod_factory import PodFactory
from mcp_tencent.local_cloud.kubernetes.controllers.replica_sets import ReplicaSets
from mcp_tencent.local_cloud.kubernetes.controllers.scheduler import Scheduler
from mcp_tencent.local_cloud.kubernetes.controllers.selector_index import SelectingIndex, SelectorIndex
from mcp_tencent.local_cloud.kubernetes.controllers.service_endpoints import ServiceEndpoints
from mcp_tencent.local_cloud.kubernetes.controllers.stateful_sets import StatefulSets
from mcp_tencent.local_cloud.kubernetes.store import Change, controller_of


class Controllers:
    """All controllers of a cluster, called when something they care about changes."""

    def __init__(self, plane: ControlPlane, usage: Usage) -> None:
        self._plane = plane
        factory = PodFactory(plane)
        pods = SelectorIndex(plane.store)
        self._services = SelectingIndex(
            plane.store, "Service", lambda item: item["spec"].get("selector") or {}
        )
        self._budgets = SelectingIndex(plane.store, "PodDisruptionBudget", selected_labels)
        self._factory = factory
        self.deployments = Deployments(plane)
        self.replica_sets = ReplicaSets(plane, factory)
        self.stateful_sets = StatefulSets(plane, factory)
        self.daemon_sets = DaemonSets(plane, factory)
        self.scheduler = Scheduler(plane)
        self.nodes = Nodes(plane)
        self.endpoints = ServiceEndpoints(plane, pods)
        self.disruption = DisruptionBudgets(plane, pods, self._budgets)
        self.autoscaler = Autoscaler(plane, usage)
        self.garbage = Garbage(plane)
        self._reconcilers = {
            "Deployment": self.deployments.reconcile,
            "ReplicaSet": self.replica_sets.reconcile,
            "StatefulSet": self.stateful_sets.reconcile,
            "DaemonSet": self.daemon_sets.reconcile,
            "Service": self.endpoints.reconcile,
            "PodDisruptionBudget": self.disruption.reconcile,
            "ResourceQuota": self._count_quota,
        }
        plane.store.observe(self._follow)

    def usage_changed(self, namespace: str | None) -> None:
        """Have the autoscalers look again: the pods may use more or less than before."""
        for scaler in self._plane.store.each("HorizontalPodAutoscaler", namespace):
            metadata = scaler["metadata"]
            self.autoscaler.look_soon(metadata["namespace"], metadata["name"])

    def _follow(self, change: Change) -> None:
        if change.kind == "Event":
            return
        if change.kind == "Pod":
            self._follow_pod(change)
            return
        reconcile = self._reconcilers.get(change.kind)
        if reconcile is not None:
            self._plane.loop.enqueue(reconcile, change.namespace, change.name)
        match change.kind:
            case "ReplicaSet":
                self._wake_owner(change.object, change.namespace)
                if change.type == "DELETED":
                    self._factory.forget(change.object["metadata"]["uid"])
            case "Node":
                self._plane.loop.enqueue(self.nodes.reconcile, "", change.name)
                self._wake_daemon_sets(change)
            case "HorizontalPodAutoscaler" if change.type == "ADDED" or _spec_changed(change):
                self.autoscaler.look_soon(change.namespace, change.name)
            case "Deployment" | "StatefulSet":
                if change.type != "DELETED" and _spec_changed(change):
                    self.autoscaler.look_soon_at(change.kind, change.namespace, change.name)
                self._wake_budgets_of(change)
            case "ResourceQuota":
                self.replica_sets.retry(change.namespace)
        if change.namespace and change.type != "MODIFIED":
            self._wake_quotas(change.namespace)

    def _follow_pod(self, change: Change) -> None:
        pod, namespace = change.object, change.namespace
        if change.type != "DELETED" and not pod["spec"].get("nodeName"):
            self._plane.loop.enqueue(self.scheduler.reconcile, namespace, change.name)
        before = change.previous
        if before is None or change.type == "DELETED" or _counts_differ(before, pod):
            self._wake_owner(pod, namespace)
            if before is not None:
                self._wake_owner(before, namespace)
            elif controller_of(pod) is None:
                self._wake_adopters(namespace)
            self._wake_selecting(namespace, pod, before)
            if change.type == "DELETED" or (before is not None and is_active(before) and not is_active(pod)):
                self.replica_sets.retry(namespace)
            self._wake_quotas(namespace)

    def _wake_owner(self, subject: KubernetesObject, namespace: str) -> None:
        owner = controller_of(subject)
        reconcile = self._reconcilers.get(owner["kind"]) if owner is not None else None
        if owner is not None and reconcile is not None:
            self._plane.loop.enqueue(reconcile, namespace, owner["name"])
            if owner["kind"] == "ReplicaSet":
                self._wake_recreating(namespace, owner["name"])

    def _wake_recreating(self, namespace: str, name: str) -> None:
        """A Deployment that recreates waits for the last old pod to be gone, which no status tells."""
        found = self._plane.store.get("ReplicaSet", namespace, name)
        owner = controller_of(found) if found is not None and found["spec"]["replicas"] == 0 else None
        if owner is not None:
            self._plane.loop.enqueue(self.deployments.reconcile, namespace, owner["name"])

    def _wake_adopters(self, namespace: str) -> None:
        for kind in ("ReplicaSet", "StatefulSet", "DaemonSet"):
            for item in self._plane.store.each(kind, namespace):
                self._plane.loop.enqueue(self._reconcilers[kind], namespace, item["metadata"]["name"])

    def _wake_selecting(self, namespace: str, pod: KubernetesObject, before: KubernetesObject | None) -> None:
        labels = [pod["metadata"].get("labels") or {}]
        if before is not None and before["metadata"].get("labels") != pod["metadata"].get("labels"):
            labels.append(before["metadata"].get("labels") or {})
        for each in labels:
            for name in self._services.candidates(namespace, each):
                self._plane.loop.enqueue(self.endpoints.reconcile, namespace, name)
            for name in self._budgets.candidates(namespace, each):
                self._plane.loop.enqueue(self.disruption.reconcile, namespace, name)
        owner = controller_of(pod)
        if (
            owner is not None
            and is_ready(pod)
            and next(self._plane.store.each("HorizontalPodAutoscaler", namespace), None)
        ):
            workload = self._workload(namespace, owner)
            self.autoscaler.look_soon_at(workload["kind"], namespace, workload["name"])

    def _workload(self, namespace: str, owner: KubernetesObject) -> KubernetesObject:
        found = self._plane.store.get(owner["kind"], namespace, owner["name"])
        above = controller_of(found) if found is not None else None
        return above or owner

    def _wake_daemon_sets(self, change: Change) -> None:
        if change.type == "MODIFIED" and change.previous is not None:
            same_labels = change.previous["metadata"].get("labels") == change.object["metadata"].get("labels")
            if same_labels and not _spec_changed(change):
                return
        for item in self._plane.store.each("DaemonSet"):
            metadata = item["metadata"]
            self._plane.loop.enqueue(self.daemon_sets.reconcile, metadata["namespace"], metadata["name"])

    def _wake_budgets_of(self, change: Change) -> None:
        labels = (change.object["spec"].get("selector") or {}).get("matchLabels") or {}
        for name in self._budgets.candidates(change.namespace, labels):
            self._plane.loop.enqueue(self.disruption.reconcile, change.namespace, name)

    def _wake_quotas(self, namespace: str) -> None:
        for item in self._plane.store.each("ResourceQuota", namespace):
            self._plane.loop.enqueue(self._count_quota, namespace, item["metadata"]["name"])

    def _count_quota(self, namespace: str, name: str) -> None:
        quota = self._plane.store.get("ResourceQuota", namespace, name)
        if quota is not None:
            hard = (quota.get("spec") or {}).get("hard") or {}
            self._plane.set_status(quota, {"hard": hard, "used": self._plane.quota.used(namespace, hard)})


def _spec_changed(change: Change) -> bool:
    return change.previous is None or change.previous.get("spec") != change.object.get("spec")


def _counts_differ(before: KubernetesObject, now: KubernetesObject) -> bool:
    """Tell whether a change of a pod can matter to anybody but the kubelet and the scheduler."""
    return (
        is_ready(before) != is_ready(now)
        or before.get("status", {}).get("phase") != now.get("status", {}).get("phase")
        or before.get("status", {}).get("podIP") != now.get("status", {}).get("podIP")
        or ("deletionTimestamp" in before["metadata"]) != ("deletionTimestamp" in now["metadata"])
        or before["metadata"].get("labels") != now["metadata"].get("labels")
        or before["metadata"].get("ownerReferences") != now["metadata"].get("ownerReferences")
    )
