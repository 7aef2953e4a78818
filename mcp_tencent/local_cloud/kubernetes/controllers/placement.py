"""Which nodes a pod may run on. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.quantities import parse_quantity
from mcp_tencent.local_cloud.kubernetes.selectors import Requirement


def fits_node_selection(spec: KubernetesObject, node: KubernetesObject) -> bool:
    """Tell whether the node has what the pod's nodeSelector and required node affinity ask for."""
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not affinity:
        return True
    return any(_term_holds(term, node) for term in affinity.get("nodeSelectorTerms") or ())


def _term_holds(term: KubernetesObject, node: KubernetesObject) -> bool:
    labels = node["metadata"].get("labels") or {}
    names = {"metadata.name": node["metadata"]["name"]}
    found = False
    for part, values in (("matchExpressions", labels), ("matchFields", names)):
        for item in term.get(part) or ():
            found = True
            if not Requirement(item["key"], item["operator"], tuple(item.get("values") or ())).holds(values):
                return False
    return found


def untolerated_taint(
    tolerations: Iterable[KubernetesObject],
    node: KubernetesObject,
    effects: tuple[str, ...] = ("NoSchedule", "NoExecute"),
) -> KubernetesObject | None:
    """Return the first taint of `effects` that keeps the pod off the node, or None."""
    tolerations = list(tolerations)
    for taint in (node.get("spec") or {}).get("taints") or ():
        if taint.get("effect") in effects and not any(tolerates(item, taint) for item in tolerations):
            found: KubernetesObject = taint
            return found
    return None


def tolerates(toleration: KubernetesObject, taint: KubernetesObject) -> bool:
    """Tell whether a toleration covers a taint."""
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("key") not in (None, "", taint.get("key")):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def requests_of(spec: KubernetesObject) -> tuple[float, float]:
    """Return what a pod asks of its node: cores and bytes."""
    cpu = memory = 0.0
    for container in spec.get("containers") or ():
        requests = (container.get("resources") or {}).get("requests") or {}
        cpu += parse_quantity(requests.get("cpu", "0"))
        memory += parse_quantity(requests.get("memory", "0"))
    return cpu, memory
