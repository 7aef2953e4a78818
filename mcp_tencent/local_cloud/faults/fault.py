"""What a fault is: a rule that says how pods behave and workloads fare while the live state meets its cause.

A fault keeps no state and is never told that it was cured. It looks at the images that pods run, the
configuration that they read, the node they are on, when they started; whoever changes these through the
Kubernetes API changes what the fault does, and logs, metrics and alarms follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from mcp_tencent.local_cloud.conditions import Condition, KubernetesObject, LogPattern, PodBehaviour
from mcp_tencent.local_cloud.scenario.fields import LogLineTemplate, Rung, ScenarioModel, WorkloadRef
from mcp_tencent.local_cloud.scenario.moments import MomentField

_MOST_LATENCY = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFacts:
    """What faults can see of a pod."""

    name: str
    uid: str
    node: str
    """Empty until it is scheduled."""
    images: tuple[str, ...]
    started_at: datetime | None
    """When its container last started; None while it has not."""
    ready: bool
    restarts: int
    config: Mapping[str, Mapping[str, str]]
    """The ConfigMaps as its container read them when it started."""
    cpu_limit_millicores: float | None
    memory_limit_bytes: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadFacts:
    """What faults can see of a workload."""

    ref: WorkloadRef
    replicas: int
    """Wanted now."""
    usual_replicas: int
    """Enough for the normal traffic, with the normal headroom."""
    pods: tuple[PodFacts, ...]
    isolated: bool
    """A NetworkPolicy lets nothing in."""
    cpu_millicores: float
    """Normal use of a pod."""
    memory_bytes: float
    """Normal use of a pod."""

    @property
    def ready_pods(self) -> tuple[PodFacts, ...]:
        """The pods that serve."""
        return tuple(pod for pod in self.pods if pod.ready)

    def share(self, pods: int) -> float:
        """Return what share of the ready pods `pods` are; 0 when none is ready."""
        ready = len(self.ready_pods)
        return min(1.0, pods / ready) if ready else 0.0


class Scene(Protocol):
    """What a fault can ask of the world, besides the pod or workload at hand."""

    @property
    def now(self) -> datetime:
        """The present of the simulation."""
        ...

    @property
    def begins(self) -> datetime:
        """When this fault begins."""
        ...

    @property
    def ends(self) -> datetime | None:
        """When this fault ends by itself; None when it does not."""
        ...

    def workload(self, ref: WorkloadRef) -> WorkloadFacts:
        """Return the present facts of a workload."""
        ...


class Levers(Protocol):
    """What a fault may do to the world when it begins and ends."""

    def apply(self, cluster: str, manifest: KubernetesObject) -> None:
        """Create or update an object of a cluster."""
        ...

    def delete(self, cluster: str, kind: str, namespace: str, name: str) -> None:
        """Delete an object of a cluster; harmless when it is gone."""
        ...

    def set_node_ready(self, cluster: str, node: int, *, ready: bool) -> None:
        """Cut a node (counted from 0) off, or let it come back."""
        ...


class Fault(ScenarioModel):
    """The part of all kinds of faults. Each hook is only asked between begin and end."""

    CURES: ClassVar[frozenset[Rung]] = frozenset()
    """Steps that, taken on the right workload, end it."""
    WORSE: ClassVar[frozenset[Rung]] = frozenset()
    """Steps that add to the damage."""
    TICKS_IN_PODS: ClassVar[bool] = False
    """Whether a tick changes how pods behave, rather than only how the workload fares."""

    start: MomentField
    end: MomentField | None = None
    """When it ends by itself; without it, only a cure ends it."""

    def concerns(self) -> tuple[WorkloadRef, ...]:
        """Return the workloads whose pods or condition it may change; they are reconsidered together."""
        raise NotImplementedError

    def cures(self) -> frozenset[Rung]:
        """Return the steps that end this very fault."""
        return self.CURES

    def tick(self) -> timedelta | None:
        """Return how often it changes by itself while it lasts; None when only events change it."""
        return None

    def demand(self, workload: WorkloadFacts, scene: Scene) -> float:
        """Return a factor on the requests that come in."""
        return 1.0

    def capacity(self, pod: PodFacts, workload: WorkloadFacts, scene: Scene) -> float:
        """Return a factor on what a ready pod can serve, 0 to 1."""
        return 1.0

    def behave(
        self, pod: PodFacts, workload: WorkloadFacts, behaviour: PodBehaviour, scene: Scene
    ) -> PodBehaviour:
        """Return how a pod behaves, given how it would without this fault."""
        return behaviour

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Return how a workload fares, given how it would without this fault."""
        return condition

    def begin(self, levers: Levers) -> None:
        """Do what happens once, when it begins."""

    def finish(self, levers: Levers) -> None:
        """Undo what `begin` did, when it ends by itself."""


def afflicted(
    condition: Condition,
    *,
    error_ratio: float = 0.0,
    latency: float = 1.0,
    cpu: float = 1.0,
    patterns: tuple[LogPattern, ...] = (),
) -> Condition:
    """Return `condition` with one more affliction: independent failures, factors multiplied, lines added."""
    return replace(
        condition,
        error_ratio=1.0 - (1.0 - condition.error_ratio) * (1.0 - max(0.0, min(1.0, error_ratio))),
        latency=min(_MOST_LATENCY, condition.latency * latency),
        cpu=condition.cpu * cpu,
        patterns=condition.patterns + patterns,
    )


def lines_or(
    given: tuple[LogLineTemplate, ...], usual: tuple[LogLineTemplate, ...], factor: float
) -> tuple[LogPattern, ...]:
    """Return the scenario's lines, else the kind's usual ones, `factor` times as often; none at factor 0."""
    if factor <= 0:
        return ()
    return tuple(line.pattern(factor) for line in given or usual)
