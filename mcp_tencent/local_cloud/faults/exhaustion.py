"""Faults of load and resources: leaking memory, too much traffic, a quota, a cold cache, a lock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import Field

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
from mcp_tencent.local_cloud.scenario.moments import DurationField, Ratio

_LEAK_LINES = (
    LogLineTemplate(
        template="GC overhead: full GC took {latency_ms}ms, heap nearly full", level="WARN", per_minute=3.2
    ),
    LogLineTemplate(
        template=(
            "java.lang.OutOfMemoryError: Java heap space\n"
            "\tat java.base/java.util.Arrays.copyOf(Arrays.java:3537)\n"
            "\tat com.shop.search.IndexCache.put(IndexCache.java:142)\n"
            "\tat com.shop.search.QueryService.query(QueryService.java:77)"
        ),
        per_minute=0.8,
    ),
    LogLineTemplate(
        template="堆内存使用率过高，触发 Full GC，耗时 {latency_ms} 毫秒", level="WARN", per_minute=2
    ),
)
_OVERLOAD_LINES = (
    LogLineTemplate(
        template="请求被限流，线程池已满 active=200 queue=1000 user={user_id}",
        level="WARN",
        per_minute=10,
        fields={"status": "503"},
    ),
    LogLineTemplate(
        template="upstream timed out after {latency_ms}ms, too many requests in queue",
        per_minute=6,
        fields={"status": "504"},
    ),
)
_COLD_LINES = (
    LogLineTemplate(
        template="cache miss storm: hit ratio below 20%, falling back to database",
        level="WARN",
        per_minute=8,
    ),
    LogLineTemplate(
        template="缓存未命中，回源数据库超时 key=sku:{order_id} 耗时 {latency_ms} 毫秒",
        per_minute=7.2,
        fields={"status": "504"},
    ),
)
_DEADLOCK_LINES = (
    LogLineTemplate(
        template=(
            "线程池耗尽，任务被拒绝 order={order_id}\n"
            "java.util.concurrent.RejectedExecutionException: Task rejected from ThreadPoolExecutor"
            "[Running, pool size = 64, active threads = 64, queued tasks = 512]\n"
            "\tat java.base/java.util.concurrent.ThreadPoolExecutor.reject(ThreadPoolExecutor.java:2081)\n"
            "\tat com.shop.pay.SettleWorker.submit(SettleWorker.java:63)"
        ),
        per_minute=4,
        fields={"status": "500"},
    ),
    LogLineTemplate(
        template="request timed out waiting for lock held by thread settle-worker-7, waited {latency_ms}ms",
        per_minute=3.2,
        fields={"status": "504"},
    ),
)
_HOURS = 3600.0


class _OfWorkload(Fault):
    """A fault of one workload."""

    workload: WorkloadRefField
    lines: tuple[LogLineTemplate, ...] = ()

    def concerns(self) -> tuple[WorkloadRef, ...]:
        """Return the workload."""
        return (self.workload,)


class MemoryLeak(_OfWorkload):
    """Memory grows with a container's age until it is killed: a restart helps for a time.

    With `image`, only that image leaks, and rolling back helps for good.
    """

    CURES: ClassVar[frozenset[Rung]] = frozenset({Rung.RESTART})

    kind: Literal["memory_leak"]
    growth_mib_per_hour: float = Field(gt=0)
    image: str | None = None

    def cures(self) -> frozenset[Rung]:
        """Return restart (for a time), and roll back when it came with an image."""
        return self.CURES if self.image is None else self.CURES | {Rung.ROLL_BACK}

    def tick(self) -> timedelta | None:
        """Return ten minutes: memory grows."""
        return timedelta(minutes=10)

    def _leaks(self, pod: PodFacts) -> bool:
        return self.image is None or self.image in pod.images

    def _grown_bytes(self, pod: PodFacts, scene: Scene) -> float:
        if pod.started_at is None or not self._leaks(pod):
            return 0.0
        leaking = scene.now - max(pod.started_at, scene.begins)
        return max(0.0, leaking.total_seconds()) / _HOURS * self.growth_mib_per_hour * 2**20

    def behave(
        self, pod: PodFacts, workload: WorkloadFacts, behaviour: PodBehaviour, scene: Scene
    ) -> PodBehaviour:
        """Let memory grow, and the kernel kill the container at its limit."""
        if not self._leaks(pod) or pod.memory_limit_bytes is None:
            return behaviour
        started = pod.started_at or scene.now
        room = max(0.0, pod.memory_limit_bytes - workload.memory_bytes)
        lasts = room / (self.growth_mib_per_hour * 2**20) * _HOURS
        before = max(0.0, (scene.begins - started).total_seconds())
        return replace(
            behaviour,
            memory_bytes=min(pod.memory_limit_bytes, behaviour.memory_bytes + self._grown_bytes(pod, scene)),
            exit=ContainerExit(after_seconds=before + lasts, code=137, reason="OOMKilled"),
        )

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Let pods near their limit collect garbage, get slow and fail."""
        ready = workload.ready_pods
        if not ready:
            return condition
        used = [workload.memory_bytes + self._grown_bytes(pod, scene) for pod in ready]
        near = sum(
            pod.memory_limit_bytes is not None and memory > 0.85 * pod.memory_limit_bytes
            for pod, memory in zip(ready, used, strict=True)
        )
        share = workload.share(near)
        grown = afflicted(
            condition,
            error_ratio=0.25 * share,
            latency=1 + 3 * share,
            patterns=lines_or(self.lines, _LEAK_LINES, share),
        )
        mean = sum(used) / len(used)
        return replace(grown, memory=condition.memory * mean / workload.memory_bytes)


class Overload(_OfWorkload):
    """More requests than the pods can serve. More pods cure it; a restart takes warm ones away."""

    CURES: ClassVar[frozenset[Rung]] = frozenset({Rung.SCALE})
    WORSE: ClassVar[frozenset[Rung]] = frozenset({Rung.RESTART})

    kind: Literal["overload"]
    traffic: float = Field(default=3.0, gt=1, le=50)
    """Factor on the normal requests."""
    warm_up: DurationField = timedelta(minutes=8)
    """How long a pod that was started by a restart serves less than half of what a warm one does."""

    def tick(self) -> timedelta | None:
        """Return a minute: pods warm up."""
        return timedelta(minutes=1)

    def demand(self, workload: WorkloadFacts, scene: Scene) -> float:
        """Return the flood."""
        return self.traffic

    def capacity(self, pod: PodFacts, workload: WorkloadFacts, scene: Scene) -> float:
        """Return less than half for a pod that is not warm yet, unless the usual number is."""
        young = pod.started_at is not None and _is_young(pod.started_at, scene, self.warm_up)
        warm = sum(
            other.started_at is not None and not _is_young(other.started_at, scene, self.warm_up)
            for other in workload.ready_pods
        )
        return 0.4 if young and warm < workload.usual_replicas else 1.0

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Add the lines of a full queue while requests fail."""
        return afflicted(
            condition,
            patterns=lines_or(self.lines, _OVERLOAD_LINES, min(1.5, condition.error_ratio * 2)),
        )


class QuotaExhausted(Overload):
    """Too much traffic in a namespace whose quota lets no further pod in: scaling is refused.

    Raising the quota (a person's decision) and then scaling cures it.
    """

    CURES: ClassVar[frozenset[Rung]] = frozenset()

    kind: Literal["quota_exhausted"]  # type: ignore[assignment]  # narrows the parent's literal to its own
    pods: int = Field(ge=0)
    """How many pods the namespace may hold."""

    def begin(self, levers: Levers) -> None:
        """Put the quota in place."""
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "namespace-quota", "namespace": self.workload.namespace},
            "spec": {"hard": {"pods": str(self.pods)}},
        }
        levers.apply(self.workload.cluster, quota)

    def finish(self, levers: Levers) -> None:
        """Take it away."""
        levers.delete(self.workload.cluster, "ResourceQuota", self.workload.namespace, "namespace-quota")


class ColdCache(_OfWorkload):
    """Part of a cache was lost and refills by itself; a restarted pod starts cold and floods the database."""

    CURES: ClassVar[frozenset[Rung]] = frozenset()
    WORSE: ClassVar[frozenset[Rung]] = frozenset({Rung.RESTART})

    kind: Literal["restart_makes_worse"]
    error_ratio: Ratio = 0.12
    cold_error_ratio: Ratio = 0.7
    """Of a pod that was restarted less than `cold_for` ago."""
    cold_for: DurationField = timedelta(minutes=20)

    def tick(self) -> timedelta | None:
        """Return a minute: caches fill."""
        return timedelta(minutes=1)

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Fail a little, and much more on cold pods."""
        cold = workload.share(
            sum(
                pod.started_at is not None and _is_young(pod.started_at, scene, self.cold_for)
                for pod in workload.ready_pods
            )
        )
        failing = self.error_ratio + (self.cold_error_ratio - self.error_ratio) * cold
        return afflicted(
            condition,
            error_ratio=failing,
            latency=2 + 6 * cold,
            patterns=lines_or(self.lines, _COLD_LINES, 0.3 + 2 * cold),
        )


class Deadlock(_OfWorkload):
    """Containers that ran when it struck answer no more, though they look ready: a restart cures it."""

    CURES: ClassVar[frozenset[Rung]] = frozenset({Rung.RESTART, Rung.REFRESH, Rung.ROLL_BACK})

    kind: Literal["deadlock"]
    error_ratio: Ratio = 0.8
    """Of a container that is stuck."""

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Fail the share of requests that meets a stuck container."""
        stuck = workload.share(
            sum(pod.started_at is not None and pod.started_at < scene.begins for pod in workload.ready_pods)
        )
        return afflicted(
            condition,
            error_ratio=self.error_ratio * stuck,
            latency=1 + 9 * stuck,
            cpu=1 - 0.8 * stuck,
            patterns=lines_or(self.lines, _DEADLOCK_LINES, stuck),
        )


def _is_young(started_at: datetime, scene: Scene, age: timedelta) -> bool:
    """Return whether a container started after the fault began, and less than `age` ago."""
    return started_at > scene.begins and scene.now - started_at < age
