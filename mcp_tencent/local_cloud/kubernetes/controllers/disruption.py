"""Says how many pods of a PodDisruptionBudget may be evicted now, and evicts within it."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import (
    ControlPlane,
    condition,
    is_ready,
    with_condition,
)
from mcp_tencent.local_cloud.kubernetes.controllers.rolling import resolve
from mcp_tencent.local_cloud.kubernetes.controllers.selector_index import SelectingIndex, SelectorIndex
from mcp_tencent.local_cloud.kubernetes.errors import Cause, NotFoundError, Subject, TooManyRequestsError
from mcp_tencent.local_cloud.kubernetes.kinds import BY_KIND
from mcp_tencent.local_cloud.kubernetes.selectors import object_selector
from mcp_tencent.local_cloud.kubernetes.store import controller_of
from mcp_tencent.local_cloud.kubernetes.writes import Deletion


def selected_labels(budget: KubernetesObject) -> dict[str, str]:
    """Return the labels that the pods of a budget all have."""
    return dict((budget["spec"].get("selector") or {}).get("matchLabels") or {})


class DisruptionBudgets:
    """The disruption controller and the eviction API."""

    def __init__(self, plane: ControlPlane, pods: SelectorIndex, budgets: SelectingIndex) -> None:
        self._plane = plane
        self._pods = pods
        self._budgets = budgets

    def reconcile(self, namespace: str, name: str) -> None:
        """Count the healthy pods, and what may be missing of them."""
        budget = self._plane.store.get("PodDisruptionBudget", namespace, name)
        if budget is None:
            return
        pods = self._selected(namespace, budget)
        expected = self._expected(pods)
        healthy = sum(is_ready(pod) and "deletionTimestamp" not in pod["metadata"] for pod in pods)
        spec = budget["spec"]
        if spec.get("maxUnavailable") is not None:
            wanted = max(expected - resolve(spec["maxUnavailable"], expected, up=True), 0)
        elif isinstance(spec.get("minAvailable"), str):
            wanted = resolve(spec["minAvailable"], expected, up=True)
        else:
            wanted, expected = spec.get("minAvailable", 1), len(pods)
        allowed = max(healthy - wanted, 0) if expected else 0
        new = condition(
            "DisruptionAllowed",
            status=allowed > 0,
            reason="SufficientPods" if allowed else "InsufficientPods",
            message="",
            now=self._plane.now_text,
        )
        conditions = with_condition(list((budget.get("status") or {}).get("conditions") or ()), new)
        status = {
            "conditions": conditions,
            "currentHealthy": healthy,
            "desiredHealthy": wanted,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": budget["metadata"].get("generation", 1),
        }
        self._plane.set_status(budget, status)

    def evict(self, namespace: str, name: str, how: Deletion, *, dry_run: bool = False) -> None:
        """Delete a pod if its budgets allow it.

        Raises:
            NotFoundError: there is no such pod.
            TooManyRequestsError: a budget forbids it now.
        """
        pod = self._plane.store.get("Pod", namespace, name)
        if pod is None:
            raise NotFoundError(Subject(kind="pods", name=name))
        finished = (pod.get("status") or {}).get("phase") in {"Pending", "Succeeded", "Failed"}
        if not finished and "deletionTimestamp" not in pod["metadata"]:
            self._check_budgets(pod)
        self._plane.writes.delete(BY_KIND["Pod"], namespace, name, how, dry_run=dry_run)

    def _check_budgets(self, pod: KubernetesObject) -> None:
        namespace = pod["metadata"]["namespace"]
        for budget_name in self._budgets.candidates(namespace, pod["metadata"].get("labels") or {}):
            self.reconcile(namespace, budget_name)
            budget = self._plane.store.get("PodDisruptionBudget", namespace, budget_name)
            if budget is None or not object_selector(budget["spec"].get("selector")).matches(
                pod["metadata"].get("labels")
            ):
                continue
            status = budget.get("status") or {}
            if status.get("disruptionsAllowed", 0) < 1 and is_ready(pod):
                cause = Cause(
                    reason="DisruptionBudget",
                    field="",
                    message=f"The disruption budget {budget_name} needs {status.get('desiredHealthy', 0)} "
                    f"healthy pods and has {status.get('currentHealthy', 0)} currently",
                )
                raise TooManyRequestsError(
                    "Cannot evict pod as it would violate the pod's disruption budget.", causes=[cause]
                )

    def _selected(self, namespace: str, budget: KubernetesObject) -> list[KubernetesObject]:
        selector = object_selector(budget["spec"].get("selector"))
        labels = selected_labels(budget)
        pods = (
            self._pods.matching(namespace, labels)
            if labels
            else list(self._plane.store.each("Pod", namespace))
        )
        return [
            pod
            for pod in pods
            if selector.matches(pod["metadata"].get("labels"))
            and (pod.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
        ]

    def _expected(self, pods: list[KubernetesObject]) -> int:
        """Return how many pods their workloads want together."""
        wanted: dict[str, int] = {}
        for pod in pods:
            owner = controller_of(pod)
            found = (
                self._plane.store.get(owner["kind"], pod["metadata"]["namespace"], owner["name"])
                if owner
                else None
            )
            if found is None:
                wanted[pod["metadata"]["uid"]] = 1
                continue
            parent = controller_of(found)
            deployment = (
                self._plane.store.get("Deployment", pod["metadata"]["namespace"], parent["name"])
                if parent
                else None
            )
            top = deployment or found
            wanted[top["metadata"]["uid"]] = top["spec"].get("replicas", 1)
        return sum(wanted.values())
