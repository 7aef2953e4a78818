"""Scales workloads by the use of their pods, at the quarters of a minute.

The use of pods only changes when a container starts or the world asks its behaviours again, so the autoscaler
looks only after such a change, and while an earlier recommendation holds it back; always at a full 15 s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import (
    ControlPlane,
    condition,
    is_active,
    is_ready,
    with_condition,
)
from mcp_tencent.local_cloud.kubernetes.controllers.scaling import Limits, PodLoad, Proposal, decide, propose
from mcp_tencent.local_cloud.kubernetes.quantities import format_cpu, format_memory, parse_quantity
from mcp_tencent.local_cloud.kubernetes.selectors import object_selector

_COMPONENT = "horizontal-pod-autoscaler"
_PERIOD_SECONDS = 15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Usage = Callable[[KubernetesObject], tuple[float, float] | None]
"""Returns cores and bytes that a pod uses now; None when it does not run."""


class Autoscaler:
    """The HorizontalPodAutoscaler controller."""

    def __init__(self, plane: ControlPlane, usage: Usage) -> None:
        self._plane = plane
        self._usage = usage
        self._past: dict[str, list[tuple[datetime, int]]] = defaultdict(list)

    def look_soon(self, namespace: str, name: str) -> None:
        """Look at an autoscaler at the next full 15 s."""
        passed = (self._plane.simulation.now - _EPOCH).total_seconds()
        at = _EPOCH + timedelta(seconds=(passed // _PERIOD_SECONDS + 1) * _PERIOD_SECONDS)
        self._plane.loop.enqueue_at(at, self.reconcile, namespace, name)

    def look_soon_at(self, kind: str, namespace: str, name: str) -> None:
        """Look soon at the autoscalers of a workload."""
        for scaler in self._plane.store.each("HorizontalPodAutoscaler", namespace):
            target = scaler["spec"]["scaleTargetRef"]
            if target["kind"] == kind and target["name"] == name:
                self.look_soon(namespace, scaler["metadata"]["name"])

    def reconcile(self, namespace: str, name: str) -> None:
        """Measure, decide, scale, and say so."""
        scaler = self._plane.store.get("HorizontalPodAutoscaler", namespace, name)
        if scaler is None:
            return
        reference = scaler["spec"]["scaleTargetRef"]
        target = self._plane.store.get(reference["kind"], namespace, reference["name"])
        if target is None or "replicas" not in (target.get("spec") or {}):
            self._say(
                scaler,
                {},
                [
                    condition(
                        "AbleToScale",
                        status=False,
                        reason="FailedGetScale",
                        message=f"the HPA controller was unable to get the target's current scale: "
                        f'{reference["kind"].lower()}s.apps "{reference["name"]}" not found',
                        now=self._plane.now_text,
                    )
                ],
            )
            return
        current = target["spec"]["replicas"]
        if current == 0:
            inactive = condition(
                "ScalingActive",
                status=False,
                reason="ScalingDisabled",
                message="scaling is disabled since the replica count of the target is zero",
                now=self._plane.now_text,
            )
            self._say(scaler, {"currentReplicas": 0, "desiredReplicas": 0}, [inactive])
            return
        self._scale(scaler, target, current)

    def _scale(self, scaler: KubernetesObject, target: KubernetesObject, current: int) -> None:
        spec, namespace = scaler["spec"], scaler["metadata"]["namespace"]
        pods = self._pods(target)
        measured = [(metric, self._propose(metric, pods, current)) for metric in spec.get("metrics") or ()]
        found = [proposal.replicas for _, proposal in measured if proposal is not None]
        limits = _limits(spec)
        if not found and limits.lowest <= current <= limits.highest:
            missing = condition(
                "ScalingActive",
                status=False,
                reason="FailedGetResourceMetric",
                message="the HPA was unable to compute the replica count: failed to get cpu utilization: "
                "did not receive metrics for targeted pods (pods might be unready)",
                now=self._plane.now_text,
            )
            self._say(scaler, {"currentReplicas": current, "desiredReplicas": 0}, [missing])
            return
        now = self._plane.simulation.now
        past = self._past[scaler["metadata"]["uid"]]
        if past:  # held until now: a controller that looks every 15 s would have repeated it
            past = [*past, (now, past[-1][1])]
        past = [entry for entry in past if entry[0] > now - limits.stabilization]
        wanted = max(found, default=current)
        size, limited = decide(current, wanted, limits, past, now)
        past.append((now, wanted))
        self._past[scaler["metadata"]["uid"]] = past
        if limited == "ScaleUpLimit" or size != current:
            self.look_soon(namespace, scaler["metadata"]["name"])
        elif limited == "ScaleDownStabilized":
            at = (
                min(at for at, replicas in past if replicas > wanted)
                + limits.stabilization
                + timedelta(seconds=1)
            )
            self._plane.loop.enqueue_at(at, self.look_soon, namespace, scaler["metadata"]["name"])
        status: KubernetesObject = {"currentReplicas": current, "desiredReplicas": size}
        if size != current:
            self._resize(scaler, target, size, above=size > current)
            status["lastScaleTime"] = self._plane.now_text
        status["currentMetrics"] = [
            _measured(metric, proposal) for metric, proposal in measured if proposal is not None
        ]
        self._say(scaler, status, _conditions(size, current, limited, self._plane.now_text))

    def _resize(self, scaler: KubernetesObject, target: KubernetesObject, size: int, *, above: bool) -> None:
        metadata = {**target["metadata"], "generation": target["metadata"]["generation"] + 1}
        self._plane.store.replace(
            target["kind"], {**target, "metadata": metadata, "spec": {**target["spec"], "replicas": size}}
        )
        reason = (
            "cpu resource utilization (percentage of request) above target"
            if above
            else "All metrics below target"
        )
        self._plane.events.record(
            scaler, "SuccessfulRescale", f"New size: {size}; reason: {reason}", component=_COMPONENT
        )

    def _pods(self, target: KubernetesObject) -> list[KubernetesObject]:
        selector = object_selector(target["spec"]["selector"])
        owners = [target["metadata"]["uid"]]
        if target["kind"] == "Deployment":
            owners = [item["metadata"]["uid"] for item in self._plane.store.owned_by(owners[0], "ReplicaSet")]
        pods = [pod for owner in owners for pod in self._plane.store.owned_by(owner, "Pod")]
        return [pod for pod in pods if is_active(pod) and selector.matches(pod["metadata"].get("labels"))]

    def _propose(
        self, metric: KubernetesObject, pods: list[KubernetesObject], current: int
    ) -> Proposal | None:
        resource = metric.get("resource") or {}
        if metric["type"] != "Resource" or resource.get("name") not in {"cpu", "memory"}:
            return None
        which = 0 if resource["name"] == "cpu" else 1
        loads = []
        for pod in pods:
            usage = self._usage(pod)
            loads.append(
                PodLoad(
                    usage=usage[which] if usage is not None else None,
                    request=_requested(pod, resource["name"]),
                    ready=is_ready(pod),
                )
            )
        wanted = resource.get("target") or {}
        percent = wanted.get("averageUtilization")
        average = parse_quantity(wanted["averageValue"]) if "averageValue" in wanted else None
        return propose(loads, current, target_percent=percent, target_average=average)

    def _say(self, scaler: KubernetesObject, status: KubernetesObject, news: list[KubernetesObject]) -> None:
        old = scaler.get("status") or {}
        conditions = list(old.get("conditions") or ())
        for item in news:
            conditions = with_condition(conditions, item)
        merged = {**old, **status, "conditions": conditions}
        merged.setdefault("currentMetrics", None)
        current = self._plane.store.get(
            "HorizontalPodAutoscaler", scaler["metadata"]["namespace"], scaler["metadata"]["name"]
        )
        if current is not None:
            self._plane.set_status(
                current, {key: value for key, value in merged.items() if value is not None}
            )


def _limits(spec: KubernetesObject) -> Limits:
    window = ((spec.get("behavior") or {}).get("scaleDown") or {}).get("stabilizationWindowSeconds", 300)
    return Limits(
        lowest=spec.get("minReplicas", 1),
        highest=spec["maxReplicas"],
        stabilization=timedelta(seconds=window),
    )


def _requested(pod: KubernetesObject, name: str) -> float:
    containers = pod["spec"]["containers"]
    return sum(
        parse_quantity(((item.get("resources") or {}).get("requests") or {}).get(name, "0"))
        for item in containers
    )


def _measured(metric: KubernetesObject, proposal: Proposal) -> KubernetesObject:
    name = metric["resource"]["name"]
    written = format_cpu(proposal.average) if name == "cpu" else format_memory(proposal.average)
    current: KubernetesObject = {"averageValue": written}
    if proposal.utilization_percent is not None:
        current["averageUtilization"] = proposal.utilization_percent
    return {"type": "Resource", "resource": {"name": name, "current": current}}


def _conditions(size: int, current: int, limited: str, now: str) -> list[KubernetesObject]:
    able = (
        ("SucceededRescale", f"the HPA controller was able to update the target scale to {size}")
        if size != current
        else ("ReadyForNewScale", "recommended size matches current size")
    )
    if limited == "ScaleDownStabilized":
        able = (
            limited,
            "recent recommendations were higher than current one, applying the highest recent recommendation",
        )
    bounded = {
        "TooManyReplicas": "the desired replica count is more than the maximum replica count",
        "TooFewReplicas": "the desired replica count is less than the minimum replica count",
        "ScaleUpLimit": "the desired replica count is increasing faster than the maximum scale rate",
    }.get(limited)
    return [
        condition("AbleToScale", status=True, reason=able[0], message=able[1], now=now),
        condition(
            "ScalingActive",
            status=True,
            reason="ValidMetricFound",
            message="the HPA was able to successfully calculate a replica count from cpu resource "
            "utilization (percentage of request)",
            now=now,
        ),
        condition(
            "ScalingLimited",
            status=bounded is not None,
            reason=limited if bounded else "DesiredWithinRange",
            message=bounded or "the desired count is within the acceptable range",
            now=now,
        ),
    ]
