"""What the world knows of one workload: its pods as they are, and its condition as it was at any time."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from datetime import datetime

from mcp_tencent.local_cloud.conditions import LogPattern, Timeline
from mcp_tencent.local_cloud.faults.fault import PodFacts, WorkloadFacts
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.scenario.model import LogProfile, Workload

_HEALTHY_ERROR_RATIO = 0.001


@dataclass(slots=True, kw_only=True)
class WorkloadLife:
    """One workload of the scenario and what has become of it."""

    ref: WorkloadRef
    spec: Workload
    profile: LogProfile
    lines_per_minute: float
    """Of its normal log lines, at season factor 1."""
    timeline: Timeline = field(default_factory=Timeline)
    replicas: int = 0
    """Wanted now."""
    isolated: bool = False
    pods: dict[str, PodFacts] = field(default_factory=dict)
    """Those that exist now, by name."""
    node_of: dict[str, str] = field(default_factory=dict)
    """The node of every pod that ever ran."""
    restarts: list[tuple[datetime, str]] = field(default_factory=list)
    """When a container was restarted, and in which pod; in order."""

    @property
    def common_fields(self) -> tuple[tuple[str, str], ...]:
        """Indexed fields of each of its log lines, besides the level."""
        return (("workload", self.ref.name), ("namespace", self.ref.namespace))

    def usual_patterns(self) -> tuple[LogPattern, ...]:
        """Return its normal lines, and the ERROR lines of which even a healthy workload has a few."""
        normal = [*self.profile.normal]
        total = sum(line.per_minute for line in normal)
        factor = self.lines_per_minute / total
        errors = sum(line.per_minute for line in self.profile.errors)
        few = self.lines_per_minute * _HEALTHY_ERROR_RATIO / errors
        patterns = [line.pattern(factor) for line in normal]
        patterns += [line.pattern() for line in self.spec.logs.lines]
        patterns += [line.pattern(few) for line in self.profile.errors]
        return tuple(replace(pattern, fields=pattern.fields + self.common_fields) for pattern in patterns)

    def facts(self) -> WorkloadFacts:
        """Return what faults may see of it now."""
        return WorkloadFacts(
            ref=self.ref,
            replicas=self.replicas,
            usual_replicas=self.spec.replicas,
            pods=tuple(self.pods[name] for name in sorted(self.pods)),
            isolated=self.isolated,
            cpu_millicores=self.spec.cpu_millicores,
            memory_bytes=self.spec.memory_mib * 2**20,
        )

    def keep_pod(self, pod: PodFacts, now: datetime) -> None:
        """Remember a pod as it is now, and that it was restarted if it was."""
        before = self.pods.get(pod.name)
        known_restarts = before.restarts if before is not None and before.uid == pod.uid else 0
        self.restarts.extend((now, pod.name) for _ in range(pod.restarts - known_restarts))
        self.pods[pod.name] = pod
        if pod.node:
            self.node_of[pod.name] = pod.node

    def restarts_until(self, instant: datetime, pod: str | None = None) -> int:
        """Return how many restarts there were before `instant`, of one pod or of all."""
        before = self.restarts[: bisect_left(self.restarts, (instant, ""))]
        return len(before) if pod is None else sum(name == pod for _, name in before)
