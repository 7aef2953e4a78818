"""Reads from a v1 Pod what faults may see of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.faults.fault import PodFacts
from mcp_tencent.local_cloud.kubernetes.quantities import parse_quantity


def pod_facts(pod: KubernetesObject, config: Mapping[str, Mapping[str, str]]) -> PodFacts:
    """Return the facts of `pod`, whose container read `config` when it started."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    containers = spec["containers"]
    states = status.get("containerStatuses") or [{}]
    limits = containers[0].get("resources", {}).get("limits", {})
    return PodFacts(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        node=spec.get("nodeName") or "",
        images=tuple(container["image"] for container in containers),
        started_at=_started_at(states[0]),
        ready=_is_ready(pod),
        restarts=int(states[0].get("restartCount", 0)),
        config=config,
        cpu_limit_millicores=parse_quantity(limits["cpu"]) * 1000 if "cpu" in limits else None,
        memory_limit_bytes=parse_quantity(limits["memory"]) if "memory" in limits else None,
    )


def restart_count(pod: KubernetesObject) -> int:
    """Return how often the pod's container was restarted."""
    states = pod.get("status", {}).get("containerStatuses") or [{}]
    return int(states[0].get("restartCount", 0))


def config_names(pod: KubernetesObject) -> list[tuple[str, str]]:
    """Return kind and name of the ConfigMaps and Secrets that the pod's containers read."""
    found = []
    for container in pod["spec"]["containers"]:
        for source in container.get("envFrom", ()):
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if key in source:
                    found.append((kind, source[key]["name"]))
        for variable in container.get("env", ()):
            for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if key in variable.get("valueFrom", {}):
                    found.append((kind, variable["valueFrom"][key]["name"]))
    for volume in pod["spec"].get("volumes", ()):
        if "configMap" in volume:
            found.append(("ConfigMap", volume["configMap"]["name"]))
        if "secret" in volume:
            found.append(("Secret", volume["secret"]["secretName"]))
    return found


def is_isolated(labels: Mapping[str, str], policies: Iterable[KubernetesObject]) -> bool:
    """Return whether a NetworkPolicy lets nothing in to pods with these labels.

    As the API defines it: policies add up, so one that lets something in opens what another closes.
    """
    selecting = [
        policy["spec"]
        for policy in policies
        if _selects(policy["spec"].get("podSelector") or {}, labels)
        and "Ingress" in policy["spec"].get("policyTypes", ["Ingress"])
    ]
    return bool(selecting) and not any(spec.get("ingress") for spec in selecting)


def _selects(selector: KubernetesObject, labels: Mapping[str, str]) -> bool:
    equal = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return equal and all(_meets(term, labels) for term in selector.get("matchExpressions") or ())


def _meets(term: KubernetesObject, labels: Mapping[str, str]) -> bool:
    value = labels.get(term["key"])
    match term["operator"]:
        case "In":
            return value in term.get("values", ())
        case "NotIn":
            return value not in term.get("values", ())
        case "Exists":
            return value is not None
        case _:
            return value is None


def _is_ready(pod: KubernetesObject) -> bool:
    if "deletionTimestamp" in pod["metadata"]:
        return False
    conditions = pod.get("status", {}).get("conditions", ())
    return any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)


def _started_at(status: KubernetesObject) -> datetime | None:
    """Return when the container last started; None when it never has."""
    for state in (status.get("state", {}), status.get("lastState", {})):
        for phase in ("running", "terminated"):
            if text := state.get(phase, {}).get("startedAt"):
                return datetime.fromisoformat(text).astimezone(UTC)
    return None
