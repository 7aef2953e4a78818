"""Objects that are served in another version than they are stored in. Pure."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.kinds import BY_KIND, ResourceKind


def is_stored_as_served(resource: ResourceKind) -> bool:
    """Tell whether objects of `resource` are stored in just this version."""
    return BY_KIND[resource.kind] is resource


def to_served(resource: ResourceKind, stored: KubernetesObject) -> KubernetesObject:
    """Return a stored object in the version of `resource`."""
    if is_stored_as_served(resource):
        return stored
    return _event_v1(stored) if resource.kind == "Event" else _autoscaler_v1(stored)


def to_stored(
    resource: ResourceKind, served: KubernetesObject, old: KubernetesObject | None
) -> KubernetesObject:
    """Return an object that came in the version of `resource` as it is stored; `old` is its stored state."""
    if is_stored_as_served(resource) or resource.kind == "Event":
        return served
    spec = dict(served.get("spec") or {})
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    metrics = list(((old or {}).get("spec") or {}).get("metrics") or ())
    others = [item for item in metrics if (item.get("resource") or {}).get("name") != "cpu"]
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}, *others]
    elif others:
        spec["metrics"] = others
    stored = {key: value for key, value in served.items() if key != "status"}
    return {**stored, "apiVersion": BY_KIND["HorizontalPodAutoscaler"].api_version, "spec": spec}


def _autoscaler_v1(stored: KubernetesObject) -> KubernetesObject:
    spec = {key: value for key, value in stored["spec"].items() if key not in {"metrics", "behavior"}}
    status = stored.get("status") or {}
    for item in stored["spec"].get("metrics") or ():
        resource = item.get("resource") or {}
        if resource.get("name") == "cpu" and "averageUtilization" in (resource.get("target") or {}):
            spec["targetCPUUtilizationPercentage"] = resource["target"]["averageUtilization"]
    found: KubernetesObject = {
        "currentReplicas": status.get("currentReplicas", 0),
        "desiredReplicas": status.get("desiredReplicas", 0),
    }
    if "lastScaleTime" in status:
        found["lastScaleTime"] = status["lastScaleTime"]
    for item in status.get("currentMetrics") or ():
        resource = item.get("resource") or {}
        if resource.get("name") == "cpu" and "averageUtilization" in resource["current"]:
            found["currentCPUUtilizationPercentage"] = resource["current"]["averageUtilization"]
    return {**stored, "apiVersion": "autoscaling/v1", "spec": spec, "status": found}


def _event_v1(stored: KubernetesObject) -> KubernetesObject:
    return {
        "kind": "Event",
        "apiVersion": "events.k8s.io/v1",
        "metadata": stored["metadata"],
        "eventTime": stored.get("eventTime"),
        "reportingController": stored.get("reportingComponent", ""),
        "reportingInstance": stored.get("reportingInstance", ""),
        "reason": stored.get("reason", ""),
        "regarding": stored.get("involvedObject", {}),
        "note": stored.get("message", ""),
        "type": stored.get("type", ""),
        "deprecatedSource": stored.get("source", {}),
        "deprecatedFirstTimestamp": stored.get("firstTimestamp"),
        "deprecatedLastTimestamp": stored.get("lastTimestamp"),
        "deprecatedCount": stored.get("count", 1),
    }
