"""Measures a workload before and after an act, through the ports, for the verification."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from mcp_tencent.devops.diagnosis.log_reading import LogReading, LogScope
from mcp_tencent.devops.healing.verification import ErrorCount, Looks, PodHealth, Verification, verify
from mcp_tencent.errors import CloudError
from mcp_tencent.models.changes import RolloutStatus
from mcp_tencent.models.workloads import Pod
from mcp_tencent.naming.located import Located
from mcp_tencent.ports import Clouds, LogService

BEFORE = timedelta(minutes=15)
USUAL_AGO = timedelta(hours=24)
USUAL = timedelta(hours=1)


class Measuring:
    """Reads what a verification needs.

    Args:
        clouds: All configured accounts and regions.
        looks: How often and how strictly.
    """

    def __init__(self, clouds: Clouds, looks: Looks) -> None:
        self._clouds = clouds
        self._looks = looks
        self._logs = LogReading(clouds)

    async def verification(
        self, located: Located, *, acted_at: datetime, now: datetime, ready_before: int | None
    ) -> Verification:
        """Tell whether what was done to a workload at `acted_at` has helped by `now`.

        Raises:
            CloudError: The cluster does not answer. Logs that cannot be read make it inconclusive.
        """
        inside = self._clouds.workloads(located.cluster.place, located.cluster.cluster_id)
        ref = located.workload.ref
        status, pods = await asyncio.gather(inside.rollout_status(ref), inside.pods(workload=ref))
        usual, before, after = await self._counts(located, acted_at, now)
        return verify(
            usual_share=(usual.share or 0.0) if usual is not None else 0.0,
            before=before,
            after=after,
            pods=_health(status, pods, acted_at),
            ready_before=ready_before,
            looks=self._looks,
        )

    async def _counts(
        self, located: Located, acted_at: datetime, now: datetime
    ) -> tuple[ErrorCount | None, ErrorCount | None, Sequence[ErrorCount]]:
        try:
            found = await self._logs.scope(located.cluster, located.workload.ref, now)
            if found is None:
                return None, None, ()
            logs, scope = found
            spans = look_spans(acted_at, now, self._looks)
            usual, before, *after = await asyncio.gather(
                _count(logs, scope, acted_at - USUAL_AGO - USUAL, acted_at - USUAL_AGO),
                _count(logs, scope, acted_at - BEFORE, acted_at),
                *(_count(logs, scope, start, end) for start, end in spans),
            )
        except CloudError:
            return None, None, ()
        return usual, before, after


def look_spans(acted_at: datetime, now: datetime, looks: Looks) -> list[tuple[datetime, datetime]]:
    """Return the latest whole looks between an act and now, oldest first (pure)."""
    begin = acted_at + looks.settle
    whole = min(looks.count, (now - begin) // looks.interval)
    return [
        (now - (left + 1) * looks.interval, now - left * looks.interval) for left in reversed(range(whole))
    ]


async def _count(logs: LogService, scope: LogScope, start: datetime, end: datetime) -> ErrorCount:
    every, errors = await asyncio.gather(
        logs.histogram(scope.topic_id, scope.own, start, end),
        logs.histogram(scope.topic_id, f"{scope.own} AND {scope.errors}", start, end),
    )
    return ErrorCount(start=start, end=end, lines=every.total, errors=errors.total)


def _health(status: RolloutStatus, pods: Sequence[Pod], acted_at: datetime) -> PodHealth:
    return PodHealth(
        rollout=status.state,
        wanted=status.replicas_wanted,
        ready=status.replicas_ready,
        ended=sum(_ended_since(pod, acted_at) for pod in pods if not pod.deleting),
    )


def _ended_since(pod: Pod, acted_at: datetime) -> bool:
    end = pod.last_end
    return end is not None and end.exit_code != 0 and end.ended_at is not None and end.ended_at >= acted_at
