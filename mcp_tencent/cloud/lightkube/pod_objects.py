"""Pods and events, as lightkube reads them, as models of ours (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lightkube.models.core_v1 import ContainerStatus
from lightkube.models.meta_v1 import OwnerReference
from lightkube.resources.core_v1 import Event as KubeEvent
from lightkube.resources.core_v1 import Pod as KubePod

from mcp_tencent.cloud.lightkube.object_parts import CONTROLLER_HASH, TEMPLATE_HASH, images_of, meta_of
from mcp_tencent.models.workloads import ContainerEnd, Event, EventKind, Pod, PodPhase

_PHASES = {phase.value: phase for phase in PodPhase}


def pod_of(item: KubePod) -> Pod:
    """Return a pod, with the reason why it does not run well, if it does not."""
    meta, spec, status = meta_of(item.metadata), item.spec, item.status
    labels = meta.labels or {}
    states = list((status.containerStatuses or ()) if status else ())
    initial = list((status.initContainerStatuses or ()) if status else ())
    reason, message = _trouble([*initial, *states])
    if not reason and status:
        reason, message = status.reason or _unschedulable(item), status.message or ""
    phase = _PHASES.get((status.phase or "") if status else "", PodPhase.UNKNOWN)
    return Pod(
        namespace=meta.namespace or "",
        name=meta.name or "",
        owner=_owner(meta.ownerReferences or (), labels),
        node=(spec.nodeName or "") if spec else "",
        phase=phase,
        reason=reason,
        message=message[:500],
        ready=bool(states) and all(state.ready for state in states),
        containers_ready=sum(state.ready for state in states),
        containers=len(spec.containers) if spec else 0,
        restarts=sum(state.restartCount for state in states),
        last_end=_last_end(states),
        images=images_of(spec.containers if spec else ()),
        revision_hash=labels.get(TEMPLATE_HASH) or labels.get(CONTROLLER_HASH) or "",
        deleting=meta.deletionTimestamp is not None,
        created_at=meta.creationTimestamp,
        started_at=status.startTime if status else None,
    )


def _owner(references: Iterable[OwnerReference], labels: Mapping[str, str]) -> str:
    for reference in references:
        if reference.controller:
            suffix = f"-{labels.get(TEMPLATE_HASH, '')}"
            # A ReplicaSet's name is its Deployment's with the hash of the template.
            return reference.name.removesuffix(suffix) if reference.kind == "ReplicaSet" else reference.name
    return ""


def _trouble(states: Sequence[ContainerStatus]) -> tuple[str, str]:
    for state in states:
        waiting = state.state.waiting if state.state else None
        if waiting and waiting.reason not in (None, "ContainerCreating", "PodInitializing"):
            return waiting.reason or "", waiting.message or ""
    for state in states:
        ended = state.state.terminated if state.state else None
        if ended and ended.exitCode != 0:
            return ended.reason or "Error", ended.message or ""
    return "", ""


def _unschedulable(item: KubePod) -> str:
    for condition in (item.status.conditions or ()) if item.status else ():
        if condition.type == "PodScheduled" and condition.status == "False":
            return condition.reason or ""
    return ""


def _last_end(states: Sequence[ContainerStatus]) -> ContainerEnd | None:
    ends = []
    for state in states:
        for held in (state.state, state.lastState):
            if held and held.terminated:
                ended = held.terminated
                ends.append(
                    ContainerEnd(
                        container=state.name,
                        reason=ended.reason or "",
                        exit_code=ended.exitCode,
                        ended_at=ended.finishedAt,
                    )
                )
    return max(ends, key=lambda end: end.ended_at.timestamp() if end.ended_at else 0.0, default=None)


def event_of(item: KubeEvent) -> Event:
    """Return an event, whichever of the two APIs it was written by."""
    meta, about = meta_of(item.metadata), item.involvedObject
    series = item.series
    first = item.firstTimestamp or item.eventTime or meta.creationTimestamp
    last = item.lastTimestamp or (series.lastObservedTime if series else None) or first
    return Event(
        namespace=about.namespace or meta.namespace or "",
        object_kind=about.kind or "",
        object_name=about.name or "",
        kind=EventKind.WARNING if item.type == "Warning" else EventKind.NORMAL,
        reason=item.reason or "",
        message=item.message or "",
        count=item.count or (series.count if series else None) or 1,
        first_at=first,
        last_at=last,
    )
