"""Turns faults and the live state into how pods behave and workloads fare. Reads, never writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mcp_tencent.local_cloud.conditions import Condition, LogPattern, PodBehaviour
from mcp_tencent.local_cloud.faults.fault import Fault, PodFacts, WorkloadFacts
from mcp_tencent.local_cloud.life.workload_life import WorkloadLife
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef

_BUSY = 0.7
"""Utilisation above which requests begin to wait."""
_MOST_LOAD = 4.0
"""Load beyond which a pod cannot get slower, only fail more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRun:
    """A fault of the scenario with its times made instants."""

    fault: Fault
    begins: datetime
    ends: datetime | None

    def active(self, now: datetime) -> bool:
        """Return whether it lasts at `now` (it may be cured all the same)."""
        return self.begins <= now and (self.ends is None or now < self.ends)


@dataclass(frozen=True, slots=True)
class _RunScene:
    """What a fault can ask, during one run."""

    run: FaultRun
    now: datetime
    lives: Mapping[WorkloadRef, WorkloadLife]

    @property
    def begins(self) -> datetime:
        return self.run.begins

    @property
    def ends(self) -> datetime | None:
        return self.run.ends

    def workload(self, ref: WorkloadRef) -> WorkloadFacts:
        return self.lives[ref].facts()


class Fates:
    """Decides for every pod and workload of the world."""

    def __init__(
        self,
        *,
        lives: Mapping[WorkloadRef, WorkloadLife],
        runs: Sequence[FaultRun],
        now: Callable[[], datetime],
    ) -> None:
        self._lives = lives
        self._now = now
        self._runs: dict[WorkloadRef, list[FaultRun]] = {}
        self._related: dict[WorkloadRef, set[WorkloadRef]] = {}
        for run in runs:
            concerned = set(run.fault.concerns())
            for ref in concerned:
                self._runs.setdefault(ref, []).append(run)
                self._related.setdefault(ref, set()).update(concerned)

    def related(self, ref: WorkloadRef) -> set[WorkloadRef]:
        """Return the workloads whose condition may change when that of `ref` does, itself included."""
        return self._related.get(ref, set()) | {ref}

    def _scenes(self, ref: WorkloadRef) -> list[_RunScene]:
        now = self._now()
        return [_RunScene(run, now, self._lives) for run in self._runs.get(ref, ()) if run.active(now)]

    def behaviour(self, ref: WorkloadRef, pod: PodFacts) -> PodBehaviour:
        """Return how a pod of a workload behaves now."""
        life = self._lives[ref]
        condition = life.timeline.at(self._now()) or Condition()
        behaviour = PodBehaviour(
            ready_after_seconds=life.spec.ready_after.total_seconds(),
            cpu_millicores=life.spec.cpu_millicores * condition.cpu,
            memory_bytes=life.spec.memory_mib * 2**20,
        )
        scenes = self._scenes(ref)
        if not scenes:
            return behaviour
        facts = life.facts()
        for scene in scenes:
            behaviour = scene.run.fault.behave(pod, facts, behaviour, scene)
        return behaviour

    def condition(self, ref: WorkloadRef) -> Condition:
        """Return how a workload fares now."""
        life = self._lives[ref]
        facts = life.facts()
        scenes = self._scenes(ref)
        condition = _under_load(life, facts, scenes)
        for scene in scenes:
            condition = scene.run.fault.fare(facts, condition, scene)
        if facts.isolated:
            condition = replace(condition, traffic=0.0, error_ratio=0.0, latency=1.0)
        return replace(
            condition, patterns=tuple(_of_workload(pattern, life) for pattern in condition.patterns)
        )


def _under_load(life: WorkloadLife, facts: WorkloadFacts, scenes: Sequence[_RunScene]) -> Condition:
    """Return how a workload fares by load alone: its demand against what its ready pods can serve."""
    demand, capacity = 1.0, 0.0
    for scene in scenes:
        demand *= scene.run.fault.demand(facts, scene)
    for pod in facts.ready_pods:
        share = 1.0
        for scene in scenes:
            share *= scene.run.fault.capacity(pod, facts, scene)
        capacity += share
    if facts.isolated:
        demand = 0.0
    load = demand * facts.usual_replicas / capacity if capacity else 0.0
    utilisation = life.spec.utilisation * load
    wanted = max(facts.replicas, 1)
    return Condition(
        traffic=demand,
        error_ratio=max(0.0, 1.0 - 1.0 / utilisation) if utilisation else 0.0,
        latency=1.0 + 4.0 * max(0.0, min(utilisation, _MOST_LOAD) - _BUSY),
        cpu=max(0.05, min(load, 1.1 / life.spec.utilisation)),
        ready_ratio=min(1.0, len(facts.ready_pods) / wanted),
        pending_ratio=_share(sum(pod.started_at is None for pod in facts.pods), len(facts.pods)),
        pods=tuple(pod.name for pod in facts.pods if pod.started_at is not None),
    )


def _of_workload(pattern: LogPattern, life: WorkloadLife) -> LogPattern:
    """Return a fault's line with the fields that every line of the workload has."""
    return replace(pattern, fields=pattern.fields + life.common_fields)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
