"""Reads how much a workload and its neighbours use, before a trouble and within it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import correlation, fmean, linear_regression

from mcp_tencent.devops.diagnosis.evidence import Comparison, MemoryTrend, UsageEvidence
from mcp_tencent.devops.diagnosis.picture import container_started_at
from mcp_tencent.models.metrics import (
    Metric,
    NodeTarget,
    PodTarget,
    UsagePoint,
    UsageSeries,
    WorkloadTarget,
)
from mcp_tencent.models.workloads import Pod, PodPhase, Revision, WorkloadRef
from mcp_tencent.ports import Metrics

LOOK_BACK = timedelta(hours=71)
"""Just short of three days: the service gives points of five minutes that far."""
PRESENT = timedelta(minutes=30)
DAY = timedelta(days=1)
PODS_MEASURED = 3
LONGEST_TREND = timedelta(hours=11)
FEWEST_POINTS = 5

_QUANTITY = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<suffix>[kKMGTP]i?|m)?")
_SUFFIXES = {
    "": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ki": 2.0**10,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The stretches of time that are compared."""

    before: tuple[datetime, datetime]
    after: tuple[datetime, datetime]


def windows(now: datetime, onset: datetime | None) -> Windows:
    """Return the present, and the same time of day before the trouble began (pure).

    The same time of day, for use has its seasons. When the trouble is older than what is kept, the time right
    before it must do.
    """
    begin = now - PRESENT if onset is None else max(onset, now - PRESENT)
    limit = onset if onset is not None else now
    for days in (1, 2):
        earlier = (begin - days * DAY, now - days * DAY)
        if earlier[0] < earlier[1] <= limit and earlier[0] >= now - LOOK_BACK:
            return Windows(before=earlier, after=(begin, now))
    return Windows(before=(limit - timedelta(hours=1), limit), after=(begin, now))


def compared(points: Iterable[UsagePoint], spans: Windows) -> Comparison | None:
    """Return the means of both stretches; None when one of them has no point (pure)."""
    points = tuple(points)
    before = [p.value for p in points if spans.before[0] <= p.at < spans.before[1]]
    after = [p.value for p in points if spans.after[0] <= p.at <= spans.after[1]]
    return Comparison(before=fmean(before), after=fmean(after)) if before and after else None


def trend_of(pod: str, points: Sequence[UsagePoint]) -> MemoryTrend | None:
    """Return the straight line through a pod's memory (pure); None with too few points."""
    if len(points) < FEWEST_POINTS:
        return None
    hours = [(point.at - points[0].at).total_seconds() / 3600 for point in points]
    values = [point.value for point in points]
    flat = max(values) == min(values)
    return MemoryTrend(
        pod=pod,
        bytes_now=values[-1],
        bytes_per_hour=linear_regression(hours, values).slope,
        fit=0.0 if flat else correlation(hours, values) ** 2,
        hours=hours[-1],
    )


def memory_limit(revisions: Sequence[Revision]) -> float | None:
    """Return how many bytes a pod of the present revision may use; None when it has no limit (pure)."""
    current = next((revision for revision in revisions if revision.current), None)
    if current is None:
        return None
    containers = json.loads(current.template_json).get("spec", {}).get("containers", ())
    limits = [c.get("resources", {}).get("limits", {}).get("memory") for c in containers]
    sizes = [bytes_of(str(limit)) for limit in limits if limit is not None]
    return sum(sizes) if sizes and len(sizes) == len(limits) else None


def bytes_of(quantity: str) -> float:
    """Return a quantity as Kubernetes writes it (512Mi, 1.5G, 1024) as a number (pure)."""
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        return float(quantity)  # Plain and exponent notation.
    return float(match["number"]) * _SUFFIXES[match["suffix"] or ""]


class UsageReading:
    """Asks for metrics, a few series at a time.

    Args:
        metrics: Of the cluster's account and region.
        cluster_id: The cluster.
        now: The present.
    """

    def __init__(self, metrics: Metrics, cluster_id: str, now: datetime) -> None:
        self._metrics = metrics
        self._cluster_id = cluster_id
        self._now = now
        self._few = asyncio.Semaphore(4)

    async def of_workload(
        self, ref: WorkloadRef, pods: Sequence[Pod], revisions: Sequence[Revision], onset: datetime | None
    ) -> UsageEvidence:
        """Return what a workload uses, compared to the time before `onset`."""
        spans = windows(self._now, onset)
        series, trends = await asyncio.gather(
            self._series(ref, (Metric.CPU, Metric.NETWORK_IN)),
            asyncio.gather(*(self._memory(ref, pod) for pod in _oldest(pods))),
        )
        by_metric = {one.metric: compared(one.points, spans) for one in series}
        return UsageEvidence(
            cpu_cores=by_metric.get(Metric.CPU),
            traffic_bytes_per_second=by_metric.get(Metric.NETWORK_IN),
            memory=tuple(trend for trend in trends if trend is not None),
            memory_limit_bytes=memory_limit(revisions),
        )

    async def cpu_of(self, ref: WorkloadRef, onset: datetime | None) -> Comparison | None:
        """Return the CPU use of a workload, compared to the time before `onset`."""
        series = await self._series(ref, (Metric.CPU,))
        return compared(series[0].points, windows(self._now, onset)) if series else None

    async def node_cpu(self, node: str) -> float | None:
        """Return the latest CPU use of a node in percent; None when it is not measured."""
        async with self._few:
            series = await self._metrics.usage(
                NodeTarget(cluster_id=self._cluster_id, node=node),
                (Metric.CPU,),
                self._now - PRESENT,
                self._now,
            )
        values = [point.value for one in series for point in one.points]
        return fmean(values) if values else None

    async def _series(self, ref: WorkloadRef, metrics: Sequence[Metric]) -> Sequence[UsageSeries]:
        target = WorkloadTarget(cluster_id=self._cluster_id, workload=ref)
        async with self._few:
            return await self._metrics.usage(target, metrics, self._now - LOOK_BACK, self._now)

    async def _memory(self, ref: WorkloadRef, pod: Pod) -> MemoryTrend | None:
        started = container_started_at(pod)
        begin = max(started or self._now, self._now - LONGEST_TREND)
        if self._now - begin < timedelta(minutes=FEWEST_POINTS):
            return None
        target = PodTarget(
            cluster_id=self._cluster_id, namespace=ref.namespace, workload=ref.name, pod=pod.name
        )
        async with self._few:
            series = await self._metrics.usage(target, (Metric.MEMORY,), begin, self._now)
        return trend_of(pod.name, series[0].points) if series else None


def _oldest(pods: Sequence[Pod]) -> Sequence[Pod]:
    """Return the pods whose containers have run longest: they show a trend best."""
    running = [pod for pod in pods if pod.phase is PodPhase.RUNNING and container_started_at(pod)]
    running.sort(key=lambda pod: (container_started_at(pod) or datetime.max.replace(tzinfo=UTC), pod.name))
    return running[:PODS_MEASURED]
