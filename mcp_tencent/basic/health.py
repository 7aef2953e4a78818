"""What is wrong with nodes, workloads and pods, and what is worse than what (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from mcp_tencent.basic.wording import reason_in_words, some
from mcp_tencent.models.workloads import Node, Pod, PodPhase, Workload

RESTARTING_WITHIN = timedelta(hours=1)
"""A container that ended within this time counts as restarting."""

_WELL_IF_FALSE = frozenset({"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"})


def node_problems(node: Node) -> list[str]:
    """Return what a node reports of itself that should not be."""
    found = [
        f"{condition.kind}: {condition.reason or condition.status}"
        for condition in node.conditions
        if (condition.kind == "Ready" and condition.status != "True")
        or (condition.kind in _WELL_IF_FALSE and condition.status == "True")
    ]
    return found if node.schedulable else [*found, "Unschedulable"]


def unhealthy_first(workloads: Sequence[Workload]) -> list[Workload]:
    """Return workloads, those with the smallest share of ready pods first."""
    return sorted(workloads, key=badness)


def badness(workload: Workload) -> tuple[bool, float, str, str]:
    """Return a key that sorts the worst workload first."""
    ref = workload.ref
    return workload.healthy, _ready_share(workload), ref.namespace, ref.name


def _ready_share(workload: Workload) -> float:
    return workload.replicas_ready / workload.replicas_wanted if workload.replicas_wanted else 1.0


def cluster_problems(nodes_down: Sequence[str], unhealthy: Sequence[str]) -> str:
    """Say in Chinese what is wrong in a cluster; both lists worst first."""
    parts = []
    if nodes_down:
        parts.append(f"{len(nodes_down)}个节点没就绪（{some(nodes_down)}）")
    if unhealthy:
        parts.append(f"{len(unhealthy)}个工作负载不健康（{some(unhealthy)}）")
    return "，".join(parts) if parts else "都正常"


def workload_trouble(workload: Workload) -> str:
    """Return in Kubernetes' words what keeps a workload from being healthy; empty when nothing is said."""
    for condition in workload.conditions:
        if condition.kind == "ReplicaFailure" and condition.status == "True":
            return condition.reason
        if condition.kind == "Progressing" and condition.status == "False":
            return condition.reason
    return "Paused" if workload.paused else ""


def is_restarting(pod: Pod, now: datetime) -> bool:
    """Tell whether a pod's containers keep ending: they wait to be started again, or did so lately."""
    if pod.reason == "CrashLoopBackOff":
        return True
    if pod.restarts == 0 or pod.last_end is None:
        return pod.restarts > 0
    return pod.last_end.ended_at is None or now - pod.last_end.ended_at <= RESTARTING_WITHIN


def is_failed(pod: Pod) -> bool:
    """Tell whether a pod does not work for a reason other than that it is still on its way."""
    if pod.phase in (PodPhase.FAILED, PodPhase.UNKNOWN):
        return True
    return bool(pod.reason) and pod.reason not in ("Unschedulable", "Completed")


def is_well(pod: Pod) -> bool:
    """Tell whether there is nothing to say about a pod."""
    return pod.phase is PodPhase.SUCCEEDED or (pod.ready and not pod.reason and not pod.deleting)


def worst_first(pods: Sequence[Pod]) -> list[Pod]:
    """Return pods, failed ones first, then those that are not ready, then by restarts."""
    return sorted(
        pods, key=lambda pod: (not is_failed(pod), is_well(pod), -pod.restarts, pod.namespace, pod.name)
    )


def pod_state(pod: Pod) -> str:
    """Return how a pod is, in Chinese."""
    if pod.deleting:
        return "正在删除"
    if pod.reason:
        return reason_in_words(pod.reason)
    if pod.phase is PodPhase.RUNNING:
        return "正常" if pod.ready else "没就绪"
    return {PodPhase.PENDING: "启动中", PodPhase.SUCCEEDED: "已完成", PodPhase.FAILED: "失败"}.get(
        pod.phase, "状态未知"
    )
