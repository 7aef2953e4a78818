"""The Kubernetes events of a cluster as log lines, as TKE's event persistence writes them into CLS."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.logs.lines import LogLine, LogOrigin


class EventLogSource:
    """A LogSource that remembers every event that it is told of."""

    def __init__(self, cluster_id: str) -> None:
        self._origin = LogOrigin(filename="event", hostname=cluster_id, tags=(("cluster_id", cluster_id),))
        self._times: list[int] = []
        self._lines: list[LogLine] = []

    def remember(self, event: KubernetesObject, now: datetime) -> None:
        """Add one event as it is now; events come in the order of time."""
        involved = event.get("involvedObject", {})
        fields = {
            "type": event.get("type", "Normal"),
            "reason": event.get("reason", ""),
            "kind": involved.get("kind", ""),
            "namespace": involved.get("namespace", ""),
            "object": involved.get("name", ""),
            "message": event.get("message", ""),
            "count": str(event.get("count", 1)),
            "level": "WARN" if event.get("type") == "Warning" else "INFO",
        }
        timestamp = int(now.timestamp() * 1000)
        self._times.append(timestamp)
        text = json.dumps(fields, ensure_ascii=False)
        self._lines.append(LogLine(timestamp, text, tuple(fields.items()), self._origin))

    def lines(self, start: datetime, end: datetime) -> Iterable[LogLine]:
        """Return the events within [start, end), oldest first."""
        first = bisect_left(self._times, int(start.timestamp() * 1000))
        last = bisect_left(self._times, int(end.timestamp() * 1000))
        return self._lines[first:last]
