"""Monitor: how much clusters, nodes, workloads and pods use.

Source of names, dimensions and limits: the product's page of TKE metrics for DescribeStatisticData (namespace
QCE/TKE2). The unit of a metric is asked of the service (DescribeBaseMetrics) rather than trusted to its name:
K8sWorkloadMemUsageBytes counts megabytes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tencentcloud.monitor.v20180724 import models

from mcp_tencent.cloud.answers import reading
from mcp_tencent.cloud.tencentcloud.caller import TencentCaller, request_of
from mcp_tencent.cloud.tencentcloud.instants import BEIJING, from_milliseconds
from mcp_tencent.errors import InvalidPeriod, PeriodTooLong
from mcp_tencent.models.metrics import (
    ClusterTarget,
    Metric,
    NodeTarget,
    PodTarget,
    Unit,
    UsagePoint,
    UsageSeries,
    UsageTarget,
    WorkloadTarget,
)

NAMESPACE = "QCE/TKE2"

_NAMES: Mapping[type[UsageTarget], Mapping[Metric, tuple[str, ...]]] = {
    ClusterTarget: {
        Metric.CPU: ("K8sClusterRateCpuCoreUsedCluster",),
        Metric.MEMORY: ("K8sClusterRateMemUsageBytesCluster",),
    },
    NodeTarget: {
        Metric.CPU: ("K8sNodeCpuUsage",),
        Metric.MEMORY: ("K8sNodeMemUsage",),
        Metric.DISK: ("K8sNodeDiskUsage", "K8sNodeFsUsage"),
        Metric.RESTARTS: ("K8sNodePodRestartTotal",),
    },
    WorkloadTarget: {
        Metric.CPU: ("K8sWorkloadCpuCoreUsed",),
        Metric.MEMORY: ("K8sWorkloadMemUsageBytes",),
        Metric.NETWORK_IN: ("K8sWorkloadNetworkReceiveBytesBw",),
        Metric.NETWORK_OUT: ("K8sWorkloadNetworkTransmitBytesBw",),
        Metric.RESTARTS: ("K8sWorkloadPodRestartTotal",),
    },
    PodTarget: {
        Metric.CPU: ("K8sPodCpuCoreUsed",),
        Metric.MEMORY: ("K8sPodMemUsageBytes",),
        Metric.NETWORK_IN: ("K8sPodNetworkReceiveBytesBw",),
        Metric.NETWORK_OUT: ("K8sPodNetworkTransmitBytesBw",),
        Metric.RESTARTS: ("K8sPodRestartTotal",),
    },
}
"""What to ask for; of several names, the first that the service offers."""

_LONGEST_SPANS: Sequence[tuple[int, timedelta]] = (
    (60, timedelta(hours=12)),
    (300, timedelta(days=3)),
    (3600, timedelta(days=30)),
    (86400, timedelta(days=186)),
)
"""Seconds of one point, and the stretch of time that must be shorter than this."""

_FACTORS: Mapping[str, tuple[Unit, float]] = {
    "%": (Unit.PERCENT, 1.0),
    "b": (Unit.BYTES, 1.0),
    "byte": (Unit.BYTES, 1.0),
    "bytes": (Unit.BYTES, 1.0),
    "kb": (Unit.BYTES, 2.0**10),
    "mb": (Unit.BYTES, 2.0**20),
    "mbytes": (Unit.BYTES, 2.0**20),
    "gb": (Unit.BYTES, 2.0**30),
    "b/s": (Unit.BYTES_PER_SECOND, 1.0),
    "bps": (Unit.BYTES_PER_SECOND, 1.0),
    "kb/s": (Unit.BYTES_PER_SECOND, 2.0**10),
    "mb/s": (Unit.BYTES_PER_SECOND, 2.0**20),
    "mbps": (Unit.BYTES_PER_SECOND, 2.0**20),
    "mbit/s": (Unit.BYTES_PER_SECOND, 1e6 / 8),
    "核": (Unit.CORES, 1.0),
}


class TencentMetrics:
    """Implements `Metrics` on the SDK."""

    def __init__(self, caller: TencentCaller) -> None:
        self._caller = caller
        self._offered: Mapping[str, str] = {}

    async def usage(
        self, target: UsageTarget, metrics: Sequence[Metric], start: datetime, end: datetime
    ) -> Sequence[UsageSeries]:
        """See `Metrics.usage`."""
        seconds = _interval(start, end)
        units = await self._units()
        names = [
            (metric, next((name for name in _NAMES[type(target)].get(metric, ()) if name in units), None))
            for metric in metrics
        ]
        return await asyncio.gather(
            *(
                self._series(target, metric, name, _unit(metric, units[name]), start, end, seconds)
                for metric, name in names
                if name is not None
            )
        )

    async def _series(
        self,
        target: UsageTarget,
        metric: Metric,
        name: str,
        scale: tuple[Unit, float],
        start: datetime,
        end: datetime,
        seconds: int,
    ) -> UsageSeries:
        answer = await self._caller.read(
            self._caller.monitor.DescribeStatisticData,
            request_of(
                models.DescribeStatisticDataRequest,
                Module="monitor",
                Namespace=NAMESPACE,
                MetricNames=[name],
                Conditions=[
                    request_of(models.MidQueryCondition, Key=key, Operator="=", Value=[value])
                    for key, value in _conditions(target).items()
                ],
                Period=seconds,
                StartTime=_text(start),
                EndTime=_text(end),
            ),
        )
        unit, factor = scale
        with reading("DescribeStatisticData"):
            points = _points(answer, unit, factor)
        return UsageSeries(
            target=target,
            metric=metric,
            unit=unit,
            interval=timedelta(seconds=answer.Period or seconds),
            points=points,
        )

    async def _units(self) -> Mapping[str, str]:
        """Return every metric that the service offers with its unit, asked for once."""
        if not self._offered:
            answer = await self._caller.read(
                self._caller.monitor.DescribeBaseMetrics,
                request_of(models.DescribeBaseMetricsRequest, Namespace=NAMESPACE),
            )
            with reading("DescribeBaseMetrics"):
                self._offered = {info.MetricName: info.Unit or "" for info in answer.MetricSet or ()}
        return self._offered


def _points(answer: Any, unit: Unit, factor: float) -> tuple[UsagePoint, ...]:  # noqa: ANN401 - untyped SDK
    at_once: defaultdict[int, list[float]] = defaultdict(list)
    for data in answer.Data or ():
        for instance in data.Points or ():
            for point in instance.Values or ():
                if point.Value is not None:
                    at_once[point.Timestamp].append(point.Value * factor)
    return tuple(
        UsagePoint(at=from_milliseconds(at * 1000), value=_together(values, unit))
        for at, values in sorted(at_once.items())
    )


def _interval(start: datetime, end: datetime) -> int:
    if start >= end:
        raise InvalidPeriod(f"the period from {start.isoformat()} to {end.isoformat()} is empty")
    for seconds, longest in _LONGEST_SPANS:
        if end - start < longest:
            return seconds
    raise PeriodTooLong(f"metrics are kept for 186 days; the period has {(end - start).days}")


def _conditions(target: UsageTarget) -> Mapping[str, str]:
    conditions = {"tke_cluster_instance_id": target.cluster_id}
    match target:
        case NodeTarget():
            conditions["node"] = target.node
        case WorkloadTarget():
            conditions["namespace"] = target.workload.namespace
            conditions["workload_kind"] = target.workload.kind
            conditions["workload_name"] = target.workload.name
        case PodTarget():
            conditions["namespace"] = target.namespace
            conditions["workload_name"] = target.workload
            conditions["pod_name"] = target.pod
        case ClusterTarget():
            pass
    return conditions


def _text(instant: datetime) -> str:
    return instant.astimezone(BEIJING).isoformat(timespec="seconds")


def _unit(metric: Metric, name: str) -> tuple[Unit, float]:
    unit, factor = _FACTORS.get(name.strip().lower(), (Unit.COUNT, 1.0))
    if metric in (Metric.NETWORK_IN, Metric.NETWORK_OUT) and unit is Unit.BYTES:
        # The pages write MB where a bandwidth is meant.
        return Unit.BYTES_PER_SECOND, factor
    if metric is Metric.CPU and unit is Unit.COUNT:
        return Unit.CORES, factor
    return unit, factor


def _together(values: Sequence[float], unit: Unit) -> float:
    # Several instances answer to one target (a workload's pods): amounts add up, shares do not.
    return sum(values) / len(values) if unit is Unit.PERCENT else sum(values)
