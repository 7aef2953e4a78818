"""What every controller works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.admission.quota import QuotaLedger
from mcp_tencent.local_cloud.kubernetes.control_loop import ControlLoop
from mcp_tencent.local_cloud.kubernetes.event_recorder import EventRecorder
from mcp_tencent.local_cloud.kubernetes.identifiers import Identifiers
from mcp_tencent.local_cloud.kubernetes.instants import from_text, to_text
from mcp_tencent.local_cloud.kubernetes.kinds import BY_KIND
from mcp_tencent.local_cloud.kubernetes.store import Store
from mcp_tencent.local_cloud.kubernetes.writes import Deletion, Writes
from mcp_tencent.local_cloud.simulation import Simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """The parts that controllers share."""

    simulation: Simulation
    store: Store
    loop: ControlLoop
    events: EventRecorder
    writes: Writes
    identifiers: Identifiers
    quota: QuotaLedger

    @property
    def now_text(self) -> str:
        """The present instant as the API writes it."""
        return to_text(self.simulation.now)

    def set_status(self, subject: KubernetesObject, status: KubernetesObject) -> KubernetesObject:
        """Store a new status if it differs; return the object as it is then."""
        if subject.get("status") == status:
            return subject
        return self.store.replace(subject["kind"], {**subject, "status": status})

    def delete(self, kind: str, namespace: str, name: str, how: Deletion | None = None) -> None:
        """Delete an object if it is there."""
        if self.store.get(kind, namespace, name) is not None:
            self.writes.delete(BY_KIND[kind], namespace, name, how or Deletion())


def condition(
    kind: str, *, status: bool | str, reason: str, message: str, now: str, updates: bool = False
) -> KubernetesObject:
    """Return a condition; with `updates`, of the kind that carries lastUpdateTime."""
    text = status if isinstance(status, str) else str(status)
    found: KubernetesObject = {"type": kind, "status": text}
    if updates:
        found["lastUpdateTime"] = now
    return {**found, "lastTransitionTime": now, "reason": reason, "message": message}


def find_condition(status: KubernetesObject, kind: str) -> KubernetesObject | None:
    """Return a condition of a status, or None."""
    for item in status.get("conditions") or ():
        if item["type"] == kind:
            found: KubernetesObject = item
            return found
    return None


def with_condition(conditions: list[KubernetesObject], new: KubernetesObject) -> list[KubernetesObject]:
    """Return the conditions with `new` in place of its namesake.

    Times are kept when nothing changes; the transition time when only the reason does.
    """
    old = next((item for item in conditions if item["type"] == new["type"]), None)
    if old is not None and all(old.get(key) == new.get(key) for key in ("status", "reason", "message")):
        return conditions
    if old is not None and old["status"] == new["status"]:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    if old is None:
        return [*conditions, new]
    return [new if item["type"] == new["type"] else item for item in conditions]


def is_ready(pod: KubernetesObject) -> bool:
    """Tell whether a pod's Ready condition is true."""
    found = find_condition(pod.get("status") or {}, "Ready")
    return found is not None and found["status"] == "True"


def is_active(pod: KubernetesObject) -> bool:
    """Tell whether a pod counts for its controller: neither finished nor being deleted."""
    return "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") not in {
        "Succeeded",
        "Failed",
    }


def available_at(pod: KubernetesObject, min_ready_seconds: int) -> datetime | None:
    """Return from when on a ready pod is available, or None when it is not ready."""
    found = find_condition(pod.get("status") or {}, "Ready")
    if found is None or found["status"] != "True":
        return None
    return from_text(found["lastTransitionTime"]) + timedelta(seconds=min_ready_seconds)
