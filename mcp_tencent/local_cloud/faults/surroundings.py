"""Faults whose cause lies outside of the workload that suffers: a dependency, a neighbour, a node."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from mcp_tencent.local_cloud.conditions import Condition, ContainerExit, PodBehaviour
from mcp_tencent.local_cloud.faults.fault import (
    Fault,
    Levers,
    PodFacts,
    Scene,
    WorkloadFacts,
    afflicted,
    lines_or,
)
from mcp_tencent.local_cloud.scenario.fields import LogLineTemplate, Rung, WorkloadRef, WorkloadRefField
from mcp_tencent.local_cloud.scenario.moments import DurationField, MomentField, Ratio

_NEIGHBOUR_LINES = (
    LogLineTemplate(
        template="slow request path=/api/query cost={latency_ms}ms, CPU throttled",
        level="WARN",
        per_minute=4.8,
    ),
    LogLineTemplate(
        template="处理超时，节点 CPU 资源不足，耗时 {latency_ms} 毫秒",
        per_minute=3.2,
        fields={"status": "504"},
    ),
)
_TRANSIENT_LINES = (
    LogLineTemplate(
        template="read timed out calling {choice:api.shop.example|img.shop.example}, retrying",
        level="WARN",
        per_minute=4,
    ),
    LogLineTemplate(
        template="网络抖动，请求失败 order={order_id} 耗时 {latency_ms} 毫秒",
        per_minute=3.2,
        fields={"status": "504"},
    ),
)
_DEPENDENCY_CRASH = LogLineTemplate(
    template='FATAL: could not write to file "pg_wal": No space left on device', per_minute=1.6
)


def _dependency_lines(name: str) -> tuple[LogLineTemplate, ...]:
    return (
        LogLineTemplate(
            template=(
                f"调用依赖 {name} 失败 order={{order_id}}: Connection refused\n"
                f"java.net.ConnectException: Connection refused: {name}\n"
                "\tat java.base/sun.nio.ch.Net.connect0(Native Method)\n"
                "\tat com.shop.client.HttpInvoker.invoke(HttpInvoker.java:91)"
            ),
            per_minute=4.8,
            fields={"status": "502", "dependency": name},
        ),
        LogLineTemplate(
            template=f"dependency {name} unavailable, circuit breaker open after {{latency_ms}}ms",
            per_minute=4,
            fields={"status": "503", "dependency": name},
        ),
    )


class DependencyDown(Fault):
    """Something that others call is down: they fail until it is back, whatever is done to them."""

    kind: Literal["dependency_down"]
    dependants: tuple[WorkloadRefField, ...] = Field(min_length=1)
    dependency: str | None = None
    """Name of a thing outside of the clusters (a cloud database, a payment channel)."""
    workload: WorkloadRefField | None = None
    """Or a workload: its containers exit again and again while the fault lasts, restarted or not."""
    crashes: bool = True
    """False: `workload` is down when its own state says so (no ready pod), because of some other fault."""
    error_ratio: Ratio = 0.6
    lines: tuple[LogLineTemplate, ...] = ()

    @model_validator(mode="after")
    def _has_one_dependency(self) -> Self:
        if (self.dependency is None) == (self.workload is None):
            raise ValueError(
                "name either a dependency outside of the clusters or a workload, not both or none"
            )
        return self

    def concerns(self) -> tuple[WorkloadRef, ...]:
        """Return the dependency, if it is a workload, and its dependants."""
        return (*((self.workload,) if self.workload else ()), *self.dependants)

    def behave(
        self, pod: PodFacts, workload: WorkloadFacts, behaviour: PodBehaviour, scene: Scene
    ) -> PodBehaviour:
        """Let the dependency's own containers crash."""
        if workload.ref != self.workload or not self.crashes:
            return behaviour
        crash = ContainerExit(after_seconds=12.0, code=1, reason="Error")
        return replace(behaviour, ready_after_seconds=None, exit=crash)

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Fail the dependants while it is down."""
        if workload.ref == self.workload:
            return afflicted(condition, patterns=(_DEPENDENCY_CRASH.pattern(),) if self.crashes else ())
        if self.workload is not None and scene.workload(self.workload).ready_pods:
            return condition
        name = self.dependency or (self.workload.name if self.workload else "")
        return afflicted(
            condition,
            error_ratio=self.error_ratio,
            latency=3,
            patterns=lines_or(self.lines, _dependency_lines(name), 1.0),
        )


class NoisyNeighbour(Fault):
    """One workload takes the CPU of its node, and others on that node get slow.

    Cured by isolating the noisy one: cutting off its traffic, limiting its CPU, moving or stopping its pods.
    """

    CURES: ClassVar[frozenset[Rung]] = frozenset({Rung.ISOLATE})

    kind: Literal["noisy_neighbour"]
    workload: WorkloadRefField
    """The noisy one."""
    victims: tuple[WorkloadRefField, ...] = Field(min_length=1)
    burst_millicores: float = Field(default=3_500, gt=0)
    tolerable_millicores: float = Field(default=1_500, gt=0)
    """What its pods may use on one node before others there suffer."""
    error_ratio: Ratio = 0.3
    latency: float = Field(default=5, ge=1)
    lines: tuple[LogLineTemplate, ...] = ()

    def concerns(self) -> tuple[WorkloadRef, ...]:
        """Return the noisy one and its victims."""
        return (self.workload, *self.victims)

    def _burst(self, pod: PodFacts, noisy: WorkloadFacts) -> float:
        if noisy.isolated:
            return 0.0
        limit = pod.cpu_limit_millicores
        return self.burst_millicores if limit is None else min(limit, self.burst_millicores)

    def behave(
        self, pod: PodFacts, workload: WorkloadFacts, behaviour: PodBehaviour, scene: Scene
    ) -> PodBehaviour:
        """Let the noisy pods use their burst of CPU."""
        if workload.ref != self.workload:
            return behaviour
        return replace(behaviour, cpu_millicores=max(20.0, self._burst(pod, workload)))

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Let the victims' pods on loud nodes get slow and fail."""
        noisy = scene.workload(self.workload)
        if workload.ref == self.workload:
            ready = workload.ready_pods
            burst = sum(self._burst(pod, workload) for pod in ready) / len(ready) if ready else 0.0
            return afflicted(condition, cpu=max(0.1, burst / workload.cpu_millicores))
        loud: dict[str, float] = {}
        for pod in noisy.ready_pods:
            loud[pod.node] = loud.get(pod.node, 0.0) + self._burst(pod, noisy)
        share = workload.share(
            sum(loud.get(pod.node, 0.0) > self.tolerable_millicores for pod in workload.ready_pods)
        )
        return afflicted(
            condition,
            error_ratio=self.error_ratio * share,
            latency=1 + (self.latency - 1) * share,
            patterns=lines_or(self.lines, _NEIGHBOUR_LINES, share),
        )


class Flapping(Fault):
    """Pods get ready and unready in turn, all by themselves: a look at the wrong moment finds all well."""

    TICKS_IN_PODS: ClassVar[bool] = True

    kind: Literal["flapping"]
    workload: WorkloadRefField
    period: DurationField = timedelta(minutes=6)
    """From one loss of readiness to the next."""
    down: DurationField = timedelta(minutes=2)
    """How long of each period the pods are not ready."""
    lines: tuple[LogLineTemplate, ...] = ()

    @model_validator(mode="after")
    def _has_an_up_and_a_down(self) -> Self:
        if not timedelta(0) < self.down < self.period:
            raise ValueError("down must be longer than 0s and shorter than period")
        return self

    def concerns(self) -> tuple[WorkloadRef, ...]:
        """Return the workload."""
        return (self.workload,)

    def tick(self) -> timedelta | None:
        """Return the largest step that meets each change of phase."""
        return _common_step(self.period, self.down)

    def is_down(self, now: datetime, begins: datetime) -> bool:
        """Return whether pods are not ready at `now`: the first part of each period."""
        return (now - begins) % self.period < self.down

    def behave(
        self, pod: PodFacts, workload: WorkloadFacts, behaviour: PodBehaviour, scene: Scene
    ) -> PodBehaviour:
        """Let the readiness probe fail in the first part of each period."""
        if not self.is_down(scene.now, scene.begins):
            return behaviour
        return replace(behaviour, ready_after_seconds=None)

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Write the probe's failures."""
        if not self.is_down(scene.now, scene.begins):
            return condition
        usual = (
            LogLineTemplate(
                template="健康检查失败 /healthz 返回 503，连接池获取超时 {latency_ms} 毫秒",
                level="WARN",
                per_minute=3.2,
            ),
            LogLineTemplate(
                template="lost lease, stepping down; waiting to become leader again", per_minute=1.2
            ),
        )
        return afflicted(condition, error_ratio=0.4, patterns=lines_or(self.lines, usual, 1.0))


class AlreadyRecovered(Fault):
    """A burst of failures that has passed by itself: nothing is left to heal."""

    kind: Literal["already_recovered"]
    workload: WorkloadRefField
    end: MomentField
    error_ratio: Ratio = 0.4
    latency: float = Field(default=4, ge=1)
    lines: tuple[LogLineTemplate, ...] = ()

    def concerns(self) -> tuple[WorkloadRef, ...]:
        """Return the workload."""
        return (self.workload,)

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Fail for the while."""
        return afflicted(
            condition,
            error_ratio=self.error_ratio,
            latency=self.latency,
            patterns=lines_or(self.lines, _TRANSIENT_LINES, 1.0),
        )


class LogAnomaly(Fault):
    """Lines that were never there before, without a failed request: something to notice, nothing to heal."""

    kind: Literal["log_anomaly"]
    workload: WorkloadRefField
    lines: tuple[LogLineTemplate, ...] = Field(min_length=1)

    def concerns(self) -> tuple[WorkloadRef, ...]:
        """Return the workload."""
        return (self.workload,)

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Add the lines."""
        return afflicted(condition, patterns=tuple(line.pattern() for line in self.lines))


class NodeDown(Fault):
    """A node stops answering: its pods are lost and start elsewhere where there is room."""

    kind: Literal["node_down"]
    cluster: str
    node: int = Field(ge=0)
    """Counted from 0, in the order in which the cluster's pools list them."""
    workloads: tuple[WorkloadRefField, ...] = ()
    """Those that suffer by it, for the truth of tests; the pods on the node decide."""

    def concerns(self) -> tuple[WorkloadRef, ...]:
        """Return those that suffer by it."""
        return self.workloads

    def begin(self, levers: Levers) -> None:
        """Cut the node off."""
        levers.set_node_ready(self.cluster, self.node, ready=False)

    def finish(self, levers: Levers) -> None:
        """Let it come back."""
        levers.set_node_ready(self.cluster, self.node, ready=True)


def _common_step(first: timedelta, second: timedelta) -> timedelta:
    while second:
        first, second = second, first % second
    return first
