"""The life of nodes: cordoned, silent, back again; and what that does to their pods."""

from __future__ import annotations

from datetime import datetime, timedelta

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import (
    ControlPlane,
    condition,
    find_condition,
    is_ready,
    with_condition,
)
from mcp_tencent.local_cloud.kubernetes.controllers.placement import tolerates
from mcp_tencent.local_cloud.kubernetes.instants import from_text

_COMPONENT = "node-controller"
_GRACE = timedelta(seconds=40)
"""After which the control plane no longer believes that a silent node is ready."""
_CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_UNREACHABLE = "node.kubernetes.io/unreachable"
_PRESSURES = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}


class Nodes:
    """The node lifecycle controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self.silent: dict[str, None] = {}
        """Names of the nodes whose kubelet does not report."""

    def set_ready(self, name: str, *, ready: bool) -> None:
        """Let a node fall silent, or come back."""
        if ready:
            self.silent.pop(name, None)
            self.reconcile("", name)
        elif name not in self.silent:
            self.silent[name] = None
            self._plane.loop.enqueue_at(self._plane.simulation.now + _GRACE, self.reconcile, "", name)

    def reconcile(self, _: str, name: str) -> None:
        """Make a node's conditions and taints say how it is."""
        node = self._plane.store.get("Node", "", name)
        if node is None:
            return
        silent = name in self.silent
        was_ready = is_ready(node)
        spec = dict(node.get("spec") or {})
        taints = self._taints(spec, silent=silent)
        if taints:
            spec["taints"] = taints
        else:
            spec.pop("taints", None)
        conditions = self._conditions(node, silent=silent)
        new = {**node, "spec": spec, "status": {**node["status"], "conditions": conditions}}
        if new["spec"] != node.get("spec") or new["status"] != node["status"]:
            node = self._plane.store.replace("Node", new)
        if was_ready and silent:
            self._plane.events.record(
                node, "NodeNotReady", f"Node {name} status is now: NodeNotReady", component=_COMPONENT
            )
            self._lose_pods(name)
        elif not was_ready and not silent:
            self._plane.events.record(
                node, "NodeReady", f"Node {name} status is now: NodeReady", component="kubelet", host=name
            )

    def evict_untolerated(self, namespace: str, name: str) -> None:
        """Delete a pod that has tolerated its node's silence for long enough."""
        pod = self._plane.store.get("Pod", namespace, name)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        node = self._plane.store.get("Node", "", pod["spec"].get("nodeName", ""))
        taint = self._unreachable(node)
        if taint is None:
            return
        seconds = _tolerated_seconds(pod, taint)
        if seconds is None:
            return
        at = (
            self._plane.simulation.now
            if seconds <= 0
            else _taint_time(taint, self._plane) + timedelta(seconds=seconds)
        )
        if at > self._plane.simulation.now:
            self._plane.loop.enqueue_at(at, self.evict_untolerated, namespace, name)
            return
        self._plane.events.record(
            pod,
            "TaintManagerEviction",
            f"Marking for deletion Pod {namespace}/{name}",
            component="taint-eviction-controller",
        )
        self._plane.delete("Pod", namespace, name)

    def _unreachable(self, node: KubernetesObject | None) -> KubernetesObject | None:
        taints = ((node or {}).get("spec") or {}).get("taints") or ()
        return next(
            (item for item in taints if item["key"] == _UNREACHABLE and item["effect"] == "NoExecute"), None
        )

    def _taints(self, spec: KubernetesObject, *, silent: bool) -> list[KubernetesObject]:
        known = spec.get("taints") or []
        taints = [item for item in known if item["key"] not in {_UNREACHABLE, _CORDONED["key"]}]
        if spec.get("unschedulable"):
            taints.append(_CORDONED)
        if silent:
            kept = [item for item in known if item["key"] == _UNREACHABLE]
            now = self._plane.now_text
            taints += kept or [
                {"key": _UNREACHABLE, "effect": "NoSchedule", "timeAdded": now},
                {"key": _UNREACHABLE, "effect": "NoExecute", "timeAdded": now},
            ]
        return taints

    def _conditions(self, node: KubernetesObject, *, silent: bool) -> list[KubernetesObject]:
        conditions = list(node["status"].get("conditions") or ())
        for kind, (reason, message) in {
            **_PRESSURES,
            "Ready": ("KubeletReady", "kubelet is posting ready status"),
        }.items():
            new = condition(
                kind, status=kind == "Ready", reason=reason, message=message, now=self._plane.now_text
            )
            if silent:
                new |= {
                    "status": "Unknown",
                    "reason": "NodeStatusUnknown",
                    "message": "Kubelet stopped posting node status.",
                }
            old = find_condition({"conditions": conditions}, kind)
            heartbeat = old["lastHeartbeatTime"] if old is not None and silent else self._plane.now_text
            changed = with_condition(conditions, new)
            if changed is not conditions:
                conditions = [
                    {**item, "lastHeartbeatTime": heartbeat} if item["type"] == kind else item
                    for item in changed
                ]
        return conditions

    def _lose_pods(self, node: str) -> None:
        for pod in self._plane.store.each("Pod"):
            if pod["spec"].get("nodeName") != node:
                continue
            metadata = pod["metadata"]
            if is_ready(pod):
                lost = condition(
                    "Ready", status=False, reason="NodeNotReady", message="", now=self._plane.now_text
                )
                conditions = with_condition(list(pod["status"]["conditions"]), lost)
                self._plane.store.replace(
                    "Pod", {**pod, "status": {**pod["status"], "conditions": conditions}}
                )
                self._plane.events.record(
                    pod, "NodeNotReady", "Node is not ready", component=_COMPONENT, warning=True
                )
            self._plane.loop.enqueue(self.evict_untolerated, metadata["namespace"], metadata["name"])


def _tolerated_seconds(pod: KubernetesObject, taint: KubernetesObject) -> float | None:
    """Return for how long a pod tolerates a taint; None for ever."""
    matching = [item for item in pod["spec"].get("tolerations") or () if tolerates(item, taint)]
    if not matching:
        return 0.0
    limits = [item["tolerationSeconds"] for item in matching if "tolerationSeconds" in item]
    return float(min(limits)) if limits else None


def _taint_time(taint: KubernetesObject, plane: ControlPlane) -> datetime:
    return from_text(taint["timeAdded"]) if "timeAdded" in taint else plane.simulation.now
