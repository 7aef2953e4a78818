"""Reads from a v1 Pod what faults may see of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
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
