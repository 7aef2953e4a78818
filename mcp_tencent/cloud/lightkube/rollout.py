"""How a rollout stands (pure), and waiting for it to come to an end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from lightkube.resources.apps_v1 import DaemonSet, Deployment

from mcp_tencent.cloud.lightkube.connection import ClusterConnection
from mcp_tencent.cloud.lightkube.views import LightkubeViews
from mcp_tencent.cloud.lightkube.workload_objects import AnyWorkload, workload_of
from mcp_tencent.errors import InvalidRequest, NotFound
from mcp_tencent.models.changes import RolloutState, RolloutStatus
from mcp_tencent.models.workloads import WorkloadRef

LOOK_EVERY_SECONDS = 1.0


def status_of(item: AnyWorkload) -> RolloutStatus:
    """Return where a rollout is, by the rules of `kubectl rollout status`."""
    state, reason = _state(item)
    workload = workload_of(item)
    return RolloutStatus(
        state=state,
        reason=reason,
        replicas_wanted=workload.replicas_wanted,
        replicas_updated=workload.replicas_updated,
        replicas_ready=workload.replicas_ready,
        replicas_available=workload.replicas_available,
    )


def _state(item: AnyWorkload) -> tuple[RolloutState, str]:
    workload = workload_of(item)
    generation = (item.metadata.generation if item.metadata else None) or 0
    if item.status is None or (item.status.observedGeneration or 0) < generation:
        return RolloutState.PROGRESSING, "the cluster has not yet taken up the change"
    if isinstance(item, Deployment):
        for condition in workload.conditions:
            if condition.kind == "Progressing" and condition.reason == "ProgressDeadlineExceeded":
                return RolloutState.FAILED, condition.message or condition.reason
    wanted = workload.replicas_wanted
    if workload.replicas_updated < wanted:
        return RolloutState.PROGRESSING, f"{workload.replicas_updated} of {wanted} pods are new"
    if isinstance(item, Deployment) and (item.status.replicas or 0) > workload.replicas_updated:
        old = (item.status.replicas or 0) - workload.replicas_updated
        return RolloutState.PROGRESSING, f"{old} old pods are still to end"
    ready = min(workload.replicas_ready, workload.replicas_available)
    if ready < wanted:
        return RolloutState.PROGRESSING, f"{ready} of {wanted} pods are available"
    if not isinstance(item, Deployment | DaemonSet):
        current, update = item.status.currentRevision, item.status.updateRevision
        if update and current != update:
            return RolloutState.PROGRESSING, "not all pods are of the new revision"
    return RolloutState.COMPLETE, f"all {wanted} pods are new and available"


@dataclass(slots=True)
class Steadiness:
    """Decides, look by look, whether pods that became ready stay so: flapping is no progress (pure)."""

    stay_seconds: float
    ready_since: float | None = None
    relapses: int = 0

    def look(self, complete: bool, at: float) -> bool:
        """Take in what was seen at `at` (seconds); True when it has been complete for long enough."""
        if not complete:
            if self.ready_since is not None:
                self.relapses += 1
            self.ready_since = None
            return False
        if self.ready_since is None:
            self.ready_since = at
        return at - self.ready_since >= self.stay_seconds


class LightkubeRollouts:
    """Implements what of `WorkloadActions` follows a rollout."""

    def __init__(self, connection: ClusterConnection, views: LightkubeViews) -> None:
        self._connection = connection
        self._views = views

    async def rollout_status(self, ref: WorkloadRef) -> RolloutStatus:
        """See `WorkloadActions.rollout_status`."""
        return status_of(await self._views.typed(ref))

    async def wait_for_rollout(
        self,
        ref: WorkloadRef,
        *,
        within: timedelta,
        stay_ready: timedelta,
        seen: Callable[[RolloutStatus], Awaitable[None]] | None = None,
    ) -> RolloutStatus:
        """See `WorkloadActions.wait_for_rollout`."""
        if stay_ready > within:
            raise InvalidRequest(f"pods cannot stay ready for {stay_ready} within {within}")
        timing = self._connection.calling.timing
        began = timing.monotonic()
        steadiness = Steadiness(stay_ready.total_seconds())
        while True:
            try:
                status = await self.rollout_status(ref)
            except NotFound:
                status = RolloutStatus(
                    state=RolloutState.GONE,
                    reason=f"{ref} does not exist",
                    replicas_wanted=0,
                    replicas_updated=0,
                    replicas_ready=0,
                    replicas_available=0,
                )
            now = timing.monotonic()
            steady = steadiness.look(status.state is RolloutState.COMPLETE, now)
            status = replace(status, waited_seconds=now - began, relapses=steadiness.relapses)
            if steady or status.state in (RolloutState.FAILED, RolloutState.GONE):
                return status
            if now - began + LOOK_EVERY_SECONDS > within.total_seconds():
                reason = (
                    "ready, but not for long enough" if steadiness.ready_since is not None else status.reason
                )
                return replace(status, state=RolloutState.TIMED_OUT, reason=reason)
            if seen is not None:
                await seen(status)
            await timing.sleep(LOOK_EVERY_SECONDS)
