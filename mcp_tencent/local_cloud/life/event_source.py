"""The Kubernetes events of a cluster as log lines, as TKE's event persistence writes them into CLS."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.logs.lines import LogLine, LogOrigin


class EventLogSource:
    """A LogSource that remembers every event that it is told of; lines are written when asked for."""

    def __init__(self, cluster_id: str) -> None:
        self._origin = LogOrigin(filename="event", hostname=cluster_id, tags=(("cluster_id", cluster_id),))
        self._times: list[int] = []
        self._events: list[KubernetesObject] = []

    def remember(self, event: KubernetesObject, now: datetime) -> None:
        """Add one event as it is now (objects never change in place); events come in the order of time."""
        self._times.append(int(now.timestamp() * 1000))
        self._events.append(event)

    def lines(self, start: datetime, end: datetime) -> Iterable[LogLine]:
        """Return the events within [start, end), oldest first."""
        first = bisect_left(self._times, int(start.timestamp() * 1000))
        last = bisect_left(self._times, int(end.timestamp() * 1000))
        for number in range(first, last):
            fields = _fields(self._events[number])
            text = json.dumps(fields, ensure_ascii=False)
            yield LogLine(self._times[number], text, tuple(fields.items()), self._origin)


def _fields(event: KubernetesObject) -> dict[str, str]:
    involved = event.get("involvedObject", {})
    return {
        "type": event.get("type", "Normal"),
        "reason": event.get("reason", ""),
        "kind": involved.get("kind", ""),
        "namespace": involved.get("namespace", ""),
        "object": involved.get("name", ""),
        "message": event.get("message", ""),
        "count": str(event.get("count", 1)),
        "level": "WARN" if event.get("type") == "Warning" else "INFO",
    }
