"""Where a Deployment's rollout stands. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import (
    condition,
    find_condition,
    with_condition,
)
from mcp_tencent.local_cloud.kubernetes.instants import from_text, to_text

DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
_AVAILABLE = "NewReplicaSetAvailable"
_COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")


def rollout_status(
    deployment: KubernetesObject,
    new: KubernetesObject | None,
    sets: list[KubernetesObject],
    max_unavailable: int,
    now: datetime,
) -> KubernetesObject:
    """Return the status of a Deployment with these ReplicaSets, `new` being the current template's."""
    spec, old = deployment["spec"], deployment.get("status") or {}
    status = _counted(deployment, new, sets)
    conditions = list(old.get("conditions") or ())
    text = to_text(now)
    enough = status.get("availableReplicas", 0) >= spec["replicas"] - max_unavailable
    conditions = with_condition(
        conditions,
        condition(
            "Available",
            status=enough,
            reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            message=f"Deployment {'has' if enough else 'does not have'} minimum availability.",
            now=text,
            updates=True,
        ),
    )
    failure = next(
        (found for item in sets if (found := find_condition(item.get("status") or {}, "ReplicaFailure"))),
        None,
    )
    conditions = [item for item in conditions if item["type"] != "ReplicaFailure"]
    if failure is not None:
        known = find_condition(old, "ReplicaFailure")
        conditions.append(
            known
            if known is not None and known["message"] == failure["message"]
            else {**failure, "lastUpdateTime": text}
        )
    status["conditions"] = _with_progress(deployment, new, status, conditions, now)
    return status


def with_pause(deployment: KubernetesObject, now: str, reason: str, message: str) -> KubernetesObject:
    """Return the status with a Progressing condition that says why the deadline starts anew."""
    status = deployment.get("status") or {}
    new = condition("Progressing", status=True, reason=reason, message=message, now=now, updates=True)
    others = [item for item in status.get("conditions") or () if item["type"] != "Progressing"]
    return {**status, "conditions": [*others, new]}


def _counted(
    deployment: KubernetesObject, new: KubernetesObject | None, sets: list[KubernetesObject]
) -> KubernetesObject:
    def total(key: str, items: list[KubernetesObject]) -> int:
        return sum((item.get("status") or {}).get(key, 0) for item in items)

    wanted = sum(item["spec"]["replicas"] for item in sets)
    available = total("availableReplicas", sets)
    counts = {
        "replicas": total("replicas", sets),
        "updatedReplicas": total("replicas", [new]) if new is not None else 0,
        "readyReplicas": total("readyReplicas", sets),
        "availableReplicas": available,
        "unavailableReplicas": max(wanted - available, 0),
    }
    status: KubernetesObject = {"observedGeneration": deployment["metadata"]["generation"]}
    return status | {key: counts[key] for key in _COUNTS if counts[key]}


def _with_progress(
    deployment: KubernetesObject,
    new: KubernetesObject | None,
    status: KubernetesObject,
    conditions: list[KubernetesObject],
    now: datetime,
) -> list[KubernetesObject]:
    old = deployment.get("status") or {}
    current = find_condition({"conditions": conditions}, "Progressing")
    text = to_text(now)
    if deployment["spec"].get("paused"):
        if current is None or current["reason"] != "DeploymentPaused":
            paused = condition(
                "Progressing",
                status="Unknown",
                reason="DeploymentPaused",
                message="Deployment is paused",
                now=text,
                updates=True,
            )
            return with_condition(conditions, paused)
        return conditions
    if current is not None and current["reason"] == "DeploymentPaused":
        current = condition(
            "Progressing",
            status="Unknown",
            reason="DeploymentResumed",
            message="Deployment is resumed",
            now=text,
            updates=True,
        )
        conditions = with_condition(conditions, current)
    done = (
        status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and current is not None
        and current["reason"] == _AVAILABLE
    )
    if done:
        return conditions
    name = new["metadata"]["name"] if new is not None else deployment["metadata"]["name"]
    if _is_complete(deployment, status):
        found = condition(
            "Progressing",
            status=True,
            reason=_AVAILABLE,
            message=f'ReplicaSet "{name}" has successfully progressed.',
            now=text,
            updates=True,
        )
        return with_condition(conditions, found)
    if _has_progressed(old, status):
        found = condition(
            "Progressing",
            status=True,
            reason="ReplicaSetUpdated",
            message=f'ReplicaSet "{name}" is progressing.',
            now=text,
            updates=True,
        )
        if current is not None and current["status"] == "True":
            found["lastTransitionTime"] = current["lastTransitionTime"]
        return [*(item for item in conditions if item["type"] != "Progressing"), found]
    if _is_late(deployment, current, now):
        found = condition(
            "Progressing",
            status=False,
            reason=DEADLINE_EXCEEDED,
            message=f'ReplicaSet "{name}" has timed out progressing.',
            now=text,
            updates=True,
        )
        return with_condition(conditions, found)
    return conditions


def _is_complete(deployment: KubernetesObject, status: KubernetesObject) -> bool:
    wanted = deployment["spec"]["replicas"]
    return all(status.get(key, 0) == wanted for key in ("updatedReplicas", "replicas", "availableReplicas"))


def _has_progressed(old: KubernetesObject, new: KubernetesObject) -> bool:
    def outdated(status: KubernetesObject) -> int:
        return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))

    grown = any(
        new.get(key, 0) > old.get(key, 0) for key in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return grown or outdated(new) < outdated(old)


def _is_late(deployment: KubernetesObject, current: KubernetesObject | None, now: datetime) -> bool:
    if current is None:
        return False
    deadline = timedelta(seconds=deployment["spec"]["progressDeadlineSeconds"])
    return from_text(current["lastUpdateTime"]) + deadline < now
