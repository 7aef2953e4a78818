"""What logs and pods say of a group of alerts, beside the alarms: error ratio, restarts, ready pods."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.devops.alerts.alert import AlertGroup, GroupState, Subject
from mcp_tencent.devops.alerts.reading import KnownWorkload
from mcp_tencent.devops.diagnosis.log_reading import LogReading
from mcp_tencent.errors import CloudError

_LONGEST_LOOK = timedelta(hours=1)
_SHORTEST_LOOK = timedelta(minutes=5)
_SIDE_BY_SIDE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was found; None is what nobody knows."""

    error_ratio: float | None = None
    restarts: int | None = None
    ready_ratio: float | None = None


class Measuring:
    """Measures at the workload where a group's cause shows.

    Args:
        desk: Clouds.
        workloads: What there is now.
    """

    def __init__(self, desk: BasicDesk, workloads: Mapping[Subject, KnownWorkload]) -> None:
        self._desk = desk
        self._workloads = workloads
        self._logs = LogReading(desk.clouds)
        self._turn = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def of(self, group: AlertGroup) -> Measured:
        """Return what is known; what cannot be read stays unknown."""
        known = self._workloads.get(group.subject)
        if known is None:
            return Measured()
        async with self._turn:
            ratio = await self._error_ratio(group, known)
            if group.state is GroupState.RECOVERED:
                # What pods look like now says nothing of trouble that has passed.
                return Measured(error_ratio=ratio)
            workload = known.workload
            return Measured(
                error_ratio=ratio,
                restarts=await self._restarts(known),
                ready_ratio=(
                    min(1.0, workload.replicas_ready / workload.replicas_wanted)
                    if workload.replicas_wanted
                    else None
                ),
            )

    async def _error_ratio(self, group: AlertGroup, known: KnownWorkload) -> float | None:
        last = max(group.alerts, key=lambda alert: alert.ended_at)
        end = min(last.ended_at, self._desk.now())
        begin = max(last.raised_at, end - _LONGEST_LOOK)
        if end - begin < _SHORTEST_LOOK:
            begin = end - _SHORTEST_LOOK
        try:
            found = await self._logs.scope(known.cluster, known.workload.ref, end)
            if found is None:
                return None
            logs, scope = found
            every, errors = await asyncio.gather(
                logs.histogram(scope.topic_id, scope.own, begin, end),
                logs.histogram(scope.topic_id, f"{scope.own} AND {scope.errors}", begin, end),
            )
        except CloudError:
            return None
        return min(1.0, errors.total / every.total) if every.total else None

    async def _restarts(self, known: KnownWorkload) -> int | None:
        try:
            pods = await self._desk.inside(known.cluster).pods(workload=known.workload.ref)
        except CloudError:
            return None
        return sum(pod.restarts for pod in pods)
