"""Gives pods their nodes: a node that is ready, allowed and has room; the least used one first."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import (
    ControlPlane,
    condition,
    find_condition,
    with_condition,
)
from mcp_tencent.local_cloud.kubernetes.controllers.placement import (
    fits_node_selection,
    requests_of,
    untolerated_taint,
)
from mcp_tencent.local_cloud.kubernetes.quantities import parse_quantity
from mcp_tencent.local_cloud.kubernetes.store import Change, controller_of

_COMPONENT = "default-scheduler"


@dataclass(slots=True)
class _Usage:
    """What the pods of a node ask of it."""

    cpu: float = 0.0
    memory: float = 0.0
    pods: int = 0
    by_owner: Counter[str] = field(default_factory=Counter)


class Scheduler:
    """Binds pods to nodes."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._usage: dict[str, _Usage] = defaultdict(_Usage)
        self._waiting: dict[tuple[str, str], None] = {}
        plane.store.observe(self._follow)

    def reconcile(self, namespace: str, name: str) -> None:
        """Find a node for a pod, or say why there is none."""
        pod = self._plane.store.get("Pod", namespace, name)
        if pod is None or pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            self._waiting.pop((namespace, name), None)
            return
        needs = requests_of(pod["spec"])
        reasons: Counter[str] = Counter()
        best: tuple[tuple[float, str], str] | None = None
        owner = _owner_uid(pod)
        for node in self._plane.store.each("Node"):
            reason = self._obstacle(pod["spec"], needs, node)
            if reason:
                reasons[reason] += 1
                continue
            key = (self._load(node, needs, owner), node["metadata"]["name"])
            if best is None or key < best[0]:
                best = (key, node["metadata"]["name"])
        if best is None:
            self._fail(pod, reasons)
            return
        self._waiting.pop((namespace, name), None)
        self._bind(pod, best[1])

    def _bind(self, pod: KubernetesObject, node: str) -> None:
        metadata = pod["metadata"]
        status = pod.get("status") or {}
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": self._plane.now_text,
        }
        others = [item for item in status.get("conditions") or () if item["type"] != "PodScheduled"]
        self._plane.store.replace(
            "Pod",
            {
                **pod,
                "spec": {**pod["spec"], "nodeName": node},
                "status": {**status, "conditions": [*others, scheduled]},
            },
        )
        self._plane.events.record(
            pod,
            "Scheduled",
            f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {node}",
            component=_COMPONENT,
        )

    def _obstacle(self, spec: KubernetesObject, needs: tuple[float, float], node: KubernetesObject) -> str:
        """Return why the pod cannot go to the node, in the scheduler's words; empty when it can."""
        if (node.get("spec") or {}).get("unschedulable"):
            return "node(s) were unschedulable"
        taint = untolerated_taint(spec.get("tolerations") or (), node)
        if taint is not None:
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
        if not fits_node_selection(spec, node):
            return "node(s) didn't match Pod's node affinity/selector"
        room = node["status"]["allocatable"]
        used = self._usage[node["metadata"]["name"]]
        if used.pods + 1 > parse_quantity(room["pods"]):
            return "Too many pods"
        if used.cpu + needs[0] > parse_quantity(room["cpu"]) + 1e-9:
            return "Insufficient cpu"
        if used.memory + needs[1] > parse_quantity(room["memory"]) + 0.5:
            return "Insufficient memory"
        return ""

    def _load(self, node: KubernetesObject, needs: tuple[float, float], owner: str) -> float:
        """Return how unattractive a node is: its use after binding, and how many siblings run there."""
        room, used = node["status"]["allocatable"], self._usage[node["metadata"]["name"]]
        cpu = (used.cpu + needs[0]) / max(parse_quantity(room["cpu"]), 1e-9)
        memory = (used.memory + needs[1]) / max(parse_quantity(room["memory"]), 1.0)
        return (cpu + memory) / 2 + 0.25 * used.by_owner[owner] + used.pods * 1e-4

    def _fail(self, pod: KubernetesObject, reasons: Counter[str]) -> None:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        self._waiting[(namespace, name)] = None
        total = sum(reasons.values())
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        message = (
            f"0/{total} nodes are available: {listed}." if total else "no nodes available to schedule pods"
        )
        status = pod.get("status") or {}
        known = find_condition(status, "PodScheduled")
        if known is not None and known["status"] == "False" and known["message"] == message:
            return
        new = condition(
            "PodScheduled", status=False, reason="Unschedulable", message=message, now=self._plane.now_text
        )
        conditions = with_condition(list(status.get("conditions") or ()), {**new, "lastProbeTime": None})
        self._plane.store.replace("Pod", {**pod, "status": {**status, "conditions": conditions}})
        self._plane.events.record(pod, "FailedScheduling", message, component=_COMPONENT, warning=True)

    def _follow(self, change: Change) -> None:
        if change.kind == "Node":
            if change.type == "DELETED":
                self._usage.pop(change.name, None)
            self._retry()
            return
        if change.kind != "Pod":
            return
        before = change.previous if change.previous is not None and _counts(change.previous) else None
        now = change.object if change.type != "DELETED" and _counts(change.object) else None
        if before is None and now is not None:
            self._count(now, 1)
        elif before is not None and now is None:
            self._count(before, -1)
            self._retry()
        if change.type == "DELETED":
            self._waiting.pop((change.namespace, change.name), None)

    def _count(self, pod: KubernetesObject, sign: int) -> None:
        usage = self._usage[pod["spec"]["nodeName"]]
        cpu, memory = requests_of(pod["spec"])
        usage.cpu += sign * cpu
        usage.memory += sign * memory
        usage.pods += sign
        usage.by_owner[_owner_uid(pod)] += sign

    def _retry(self) -> None:
        for namespace, name in list(self._waiting):
            self._plane.loop.enqueue(self.reconcile, namespace, name)


def _counts(pod: KubernetesObject) -> bool:
    return bool(pod["spec"].get("nodeName")) and (pod.get("status") or {}).get("phase") not in {
        "Succeeded",
        "Failed",
    }


def _owner_uid(pod: KubernetesObject) -> str:
    owner = controller_of(pod)
    return str(owner["uid"]) if owner is not None else ""
