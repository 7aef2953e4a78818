"""Events as the cluster's components record them: repeated ones are counted, all expire after an hour."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.instants import to_text
from mcp_tencent.local_cloud.kubernetes.store import Change, Store
from mcp_tencent.local_cloud.simulation import Simulation

_TIME_TO_LIVE = timedelta(hours=1)


class EventRecorder:
    """Writes v1 Events."""

    def __init__(self, store: Store, simulation: Simulation) -> None:
        self._store = store
        self._simulation = simulation
        self._known: dict[tuple[str, str, str, str], str] = {}
        self._expiry: deque[tuple[datetime, str, str]] = deque()
        self._last_seen: dict[tuple[str, str], datetime] = {}
        self._serial = 0
        store.observe(self._follow)

    def record(
        self,
        about: KubernetesObject,
        reason: str,
        message: str,
        *,
        component: str,
        warning: bool = False,
        host: str = "",
        field_path: str = "",
    ) -> None:
        """Record that something happened to `about`.

        Args:
            about: the object.
            reason: one word in CamelCase.
            message: a sentence.
            component: who says so: kubelet, deployment-controller.
            warning: of type Warning rather than Normal.
            host: node of the component, where it has one.
            field_path: part of the object, e.g. spec.containers{app}.
        """
        self.expire()
        metadata = about["metadata"]
        namespace = metadata.get("namespace", "") or "default"
        key = (metadata.get("uid", ""), reason, message, field_path)
        name = self._known.get(key)
        known = self._store.get("Event", namespace, name) if name is not None else None
        now = to_text(self._simulation.now)
        if known is not None:
            stored = self._store.replace(
                "Event", {**known, "count": known["count"] + 1, "lastTimestamp": now}
            )
        else:
            source = {"component": component, "host": host} if host else {"component": component}
            self._serial += 1
            stored = self._store.create(
                "Event",
                {
                    "kind": "Event",
                    "apiVersion": "v1",
                    "metadata": {"name": self._name(metadata["name"]), "namespace": namespace},
                    "involvedObject": _reference(about, field_path),
                    "reason": reason,
                    "message": message,
                    "source": source,
                    "firstTimestamp": now,
                    "lastTimestamp": now,
                    "count": 1,
                    "type": "Warning" if warning else "Normal",
                    "eventTime": None,
                    "reportingComponent": component,
                    "reportingInstance": host,
                },
            )
            self._known[key] = stored["metadata"]["name"]
        self._seen(namespace, stored["metadata"]["name"])

    def expire(self) -> None:
        """Drop the events that nothing has repeated for an hour."""
        while self._expiry and self._expiry[0][0] <= self._simulation.now:
            _, namespace, name = self._expiry.popleft()
            if (
                self._last_seen.get((namespace, name), self._simulation.now) + _TIME_TO_LIVE
                > self._simulation.now
            ):
                continue
            self._store.remove("Event", namespace, name)

    def _name(self, about: str) -> str:
        instant_ns = int(self._simulation.now.timestamp() * 1e6) * 1000 + self._serial % 1000
        return f"{about[:200]}.{instant_ns:x}{self._serial % 4096:03x}"

    def _seen(self, namespace: str, name: str) -> None:
        self._last_seen[(namespace, name)] = self._simulation.now
        self._expiry.append((self._simulation.now + _TIME_TO_LIVE, namespace, name))

    def _follow(self, change: Change) -> None:
        if change.kind != "Event":
            return
        key = (change.namespace, change.name)
        if change.type == "ADDED" and key not in self._last_seen:
            self._seen(*key)
        elif change.type == "DELETED":
            self._last_seen.pop(key, None)
            event = change.object
            about = event.get("involvedObject", {})
            self._known.pop(
                (
                    about.get("uid", ""),
                    event.get("reason", ""),
                    event.get("message", ""),
                    about.get("fieldPath", ""),
                ),
                None,
            )


def _reference(about: KubernetesObject, field_path: str) -> KubernetesObject:
    metadata = about["metadata"]
    reference = {
        "kind": about["kind"],
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "uid": metadata.get("uid", ""),
        "apiVersion": about["apiVersion"],
        "resourceVersion": metadata.get("resourceVersion", ""),
    }
    if not reference["namespace"]:
        del reference["namespace"]
    if field_path:
        reference["fieldPath"] = field_path
    return reference
