"""Which pods and ReplicaSets belong to which workload, told by name as Kubernetes makes names (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcp_tencent.models.workloads import WorkloadRef

_MADE_BY_WORKLOADS = frozenset({"Pod", "ReplicaSet", "ControllerRevision", "PersistentVolumeClaim"})
_NAMED_ALIKE = frozenset({"HorizontalPodAutoscaler", "PodDisruptionBudget"})


def objects_of(ref: WorkloadRef, neighbours: Sequence[WorkloadRef]) -> Callable[[str, str], bool]:
    """Return a test whether an object of `ref`'s namespace (kind, name) is that workload's.

    Pods and ReplicaSets are named after their workload with parts added; where one workload's name begins
    with another's, the longer one is meant.
    """
    longer = [
        f"{one.name}-" for one in neighbours if one.name != ref.name and one.name.startswith(f"{ref.name}-")
    ]

    def own(kind: str, name: str) -> bool:
        if kind == ref.kind.value or kind in _NAMED_ALIKE:
            return name == ref.name
        if kind not in _MADE_BY_WORKLOADS:
            return False
        return name.startswith(f"{ref.name}-") and not any(name.startswith(prefix) for prefix in longer)

    return own
