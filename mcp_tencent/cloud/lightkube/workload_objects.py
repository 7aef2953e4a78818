"""Workloads and what bounds their pods, as lightkube reads them, as models of ours (pure)."""

from __future__ import annotations

from datetime import datetime

from lightkube.models.core_v1 import PodSpec
from lightkube.resources.apps_v1 import DaemonSet, Deployment, StatefulSet
from lightkube.resources.autoscaling_v2 import HorizontalPodAutoscaler
from lightkube.resources.policy_v1 import PodDisruptionBudget

from mcp_tencent.cloud.lightkube.object_parts import (
    CHANGE_CAUSE,
    RESTARTED_AT,
    REVISION,
    aliases_of,
    conditions_of,
    images_of,
    meta_of,
)
from mcp_tencent.models.workloads import (
    Autoscaler,
    ConfigKind,
    ConfigUse,
    DisruptionBudget,
    Workload,
    WorkloadKind,
    WorkloadRef,
)

AnyWorkload = Deployment | StatefulSet | DaemonSet
_KINDS = {kind.value: kind for kind in WorkloadKind}


def ref_of(item: AnyWorkload) -> WorkloadRef:
    """Return the name of a workload."""
    meta = meta_of(item.metadata)
    return WorkloadRef(
        namespace=meta.namespace or "", kind=WorkloadKind(type(item).__name__), name=meta.name or ""
    )


def workload_of(item: AnyWorkload) -> Workload:
    """Return a workload."""
    meta = meta_of(item.metadata)
    template = item.spec.template
    annotations = meta.annotations or {}
    template_annotations = meta_of(template.metadata).annotations or {}
    wanted, ready, updated, available = _counts(item)
    revision = annotations.get(REVISION, "")
    return Workload(
        ref=ref_of(item),
        replicas_wanted=wanted,
        replicas_ready=ready,
        replicas_updated=updated,
        replicas_available=available,
        images=images_of(template.spec.containers if template.spec else ()),
        revision=int(revision) if revision.isdecimal() else None,
        paused=isinstance(item, Deployment) and bool(item.spec.paused),
        change_cause=annotations.get(CHANGE_CAUSE, ""),
        selector=dict(item.spec.selector.matchLabels or {}),
        conditions=conditions_of(item.status.conditions if item.status else None),
        config=_config_uses(template.spec),
        restarted_at=_instant(template_annotations.get(RESTARTED_AT)),
        created_at=meta.creationTimestamp,
        aliases=aliases_of(annotations),
    )


def _counts(item: AnyWorkload) -> tuple[int, int, int, int]:
    """Return how many pods are wanted, ready, updated and available."""
    if isinstance(item, DaemonSet):
        daemon = item.status
        if daemon is None:
            return 0, 0, 0, 0
        return (
            daemon.desiredNumberScheduled,
            daemon.numberReady,
            daemon.updatedNumberScheduled or 0,
            daemon.numberAvailable or 0,
        )
    wanted = 1 if item.spec.replicas is None else item.spec.replicas
    status = item.status
    if status is None:
        return wanted, 0, 0, 0
    return wanted, status.readyReplicas or 0, status.updatedReplicas or 0, status.availableReplicas or 0


def _config_uses(spec: PodSpec | None) -> tuple[ConfigUse, ...]:
    if spec is None:
        return ()
    found: set[tuple[ConfigKind, str]] = set()
    for container in (*spec.containers, *(spec.initContainers or ())):
        for source in container.envFrom or ():
            found.add(
                (ConfigKind.CONFIG_MAP, (source.configMapRef.name or "") if source.configMapRef else "")
            )
            found.add((ConfigKind.SECRET, (source.secretRef.name or "") if source.secretRef else ""))
        for variable in container.env or ():
            value = variable.valueFrom
            if value and value.configMapKeyRef:
                found.add((ConfigKind.CONFIG_MAP, value.configMapKeyRef.name or ""))
            if value and value.secretKeyRef:
                found.add((ConfigKind.SECRET, value.secretKeyRef.name or ""))
    for volume in spec.volumes or ():
        if volume.configMap:
            found.add((ConfigKind.CONFIG_MAP, volume.configMap.name or ""))
        if volume.secret:
            found.add((ConfigKind.SECRET, volume.secret.secretName or ""))
    return tuple(ConfigUse(kind=kind, name=name) for kind, name in sorted(found) if name)


def autoscaler_of(item: HorizontalPodAutoscaler) -> Autoscaler:
    """Return what scales a workload by itself."""
    meta, spec, status = meta_of(item.metadata), item.spec, item.status
    target = spec.scaleTargetRef
    kind = _KINDS.get(target.kind)
    namespace = meta.namespace or ""
    return Autoscaler(
        namespace=namespace,
        name=meta.name or "",
        target=WorkloadRef(namespace=namespace, kind=kind, name=target.name) if kind else None,
        replicas_min=spec.minReplicas or 1,
        replicas_max=spec.maxReplicas,
        replicas_now=(status.currentReplicas or 0) if status else 0,
    )


def budget_of(item: PodDisruptionBudget) -> DisruptionBudget:
    """Return how many pods may be taken down willingly."""
    meta, spec, status = meta_of(item.metadata), item.spec, item.status
    return DisruptionBudget(
        namespace=meta.namespace or "",
        name=meta.name or "",
        selector=dict((spec.selector.matchLabels or {}) if spec and spec.selector else {}),
        disruptions_allowed=(status.disruptionsAllowed or 0) if status else 0,
        pods_healthy=(status.currentHealthy or 0) if status else 0,
        pods_required=(status.desiredHealthy or 0) if status else 0,
    )


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo else None
