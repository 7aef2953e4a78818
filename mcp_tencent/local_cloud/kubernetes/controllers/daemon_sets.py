"""Runs DaemonSets: one pod on every node that may have one."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import (
    ControlPlane,
    available_at,
    is_active,
    is_ready,
)
from mcp_tencent.local_cloud.kubernetes.controllers.placement import fits_node_selection, untolerated_taint
from mcp_tencent.local_cloud.kubernetes.controllers.pod_factory import PodFactory
from mcp_tencent.local_cloud.kubernetes.controllers.revisions import (
    HASH_LABEL,
    ensure_revision,
    forget_old_revisions,
)
from mcp_tencent.local_cloud.kubernetes.controllers.rolling import resolve
from mcp_tencent.local_cloud.kubernetes.errors import ApiError

_COMPONENT = "daemonset-controller"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_TOLERATIONS = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED]


class DaemonSets:
    """The DaemonSet controller."""

    def __init__(self, plane: ControlPlane, factory: PodFactory) -> None:
        self._plane = plane
        self._factory = factory

    def reconcile(self, namespace: str, name: str) -> None:
        """Make pods where they are missing, update old ones, and state how far it is."""
        subject = self._plane.store.get("DaemonSet", namespace, name)
        if subject is None:
            return
        pods = [
            pod
            for pod in self._factory.claim(subject)
            if is_active(pod) or "deletionTimestamp" in pod["metadata"]
        ]
        if "deletionTimestamp" in subject["metadata"]:
            return
        digest = ensure_revision(self._plane, subject)["metadata"]["labels"][HASH_LABEL]
        eligible = [
            node["metadata"]["name"]
            for node in self._plane.store.each("Node")
            if self._is_eligible(subject, node)
        ]
        by_node = {pod["spec"].get("nodeName", ""): pod for pod in pods if is_active(pod)}
        occupied = {pod["spec"].get("nodeName", "") for pod in pods}
        for node in eligible:
            if node not in occupied and not self._create(subject, node, digest):
                break
        for node, pod in by_node.items():
            if node not in eligible:
                self._factory.delete(subject, pod, component=_COMPONENT)
        self._update(subject, by_node, eligible, digest)
        self._plane.set_status(subject, self._status(subject, by_node, eligible, digest))
        live = {digest, *((pod["metadata"].get("labels") or {}).get(HASH_LABEL, "") for pod in pods)}
        forget_old_revisions(self._plane, subject, live)

    def _is_eligible(self, subject: KubernetesObject, node: KubernetesObject) -> bool:
        spec = subject["spec"]["template"].get("spec") or {}
        tolerations = [*(spec.get("tolerations") or ()), *_TOLERATIONS]
        return fits_node_selection(spec, node) and untolerated_taint(tolerations, node) is None

    def _create(self, subject: KubernetesObject, node: str, digest: str) -> bool:
        spec = subject["spec"]["template"].get("spec") or {}
        try:
            self._factory.create(
                subject,
                f"{subject['metadata']['name'][:57]}-{self._plane.identifiers.suffix()}",
                component=_COMPONENT,
                labels={HASH_LABEL: digest},
                spec={"nodeName": node, "tolerations": [*(spec.get("tolerations") or ()), *_TOLERATIONS]},
            )
        except ApiError:
            return False
        return True

    def _update(
        self,
        subject: KubernetesObject,
        by_node: dict[str, KubernetesObject],
        eligible: list[str],
        digest: str,
    ) -> None:
        strategy = subject["spec"]["updateStrategy"]
        if strategy["type"] == "OnDelete":
            return
        allowed = max(
            resolve((strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1), len(eligible), up=True), 1
        )
        unavailable = sum(
            node not in by_node or not self._is_available(subject, by_node[node]) for node in eligible
        )
        for node in eligible:
            pod = by_node.get(node)
            if pod is None or pod["metadata"]["labels"].get(HASH_LABEL) == digest:
                continue
            if not self._is_available(subject, pod):
                self._factory.delete(subject, pod, component=_COMPONENT)
            elif unavailable < allowed:
                unavailable += 1
                self._factory.delete(subject, pod, component=_COMPONENT)

    def _is_available(self, subject: KubernetesObject, pod: KubernetesObject) -> bool:
        at = available_at(pod, subject["spec"].get("minReadySeconds", 0))
        if at is not None and at > self._plane.simulation.now:
            metadata = subject["metadata"]
            self._plane.loop.enqueue_at(at, self.reconcile, metadata["namespace"], metadata["name"])
            return False
        return at is not None

    def _status(
        self,
        subject: KubernetesObject,
        by_node: dict[str, KubernetesObject],
        eligible: list[str],
        digest: str,
    ) -> KubernetesObject:
        here = [by_node[node] for node in eligible if node in by_node]
        available = sum(self._is_available(subject, pod) for pod in here)
        status: KubernetesObject = {
            "currentNumberScheduled": len(here),
            "numberMisscheduled": sum(node not in eligible for node in by_node),
            "desiredNumberScheduled": len(eligible),
            "numberReady": sum(is_ready(pod) for pod in here),
            "observedGeneration": subject["metadata"]["generation"],
        }
        counts = {
            "updatedNumberScheduled": sum(
                pod["metadata"]["labels"].get(HASH_LABEL) == digest for pod in here
            ),
            "numberAvailable": available,
            "numberUnavailable": len(eligible) - available,
        }
        return status | {key: value for key, value in counts.items() if value}
