"""Keeps as many pods as a ReplicaSet wants."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import (
    ControlPlane,
    available_at,
    condition,
    is_active,
    is_ready,
    with_condition,
)
from mcp_tencent.local_cloud.kubernetes.controllers.pod_factory import PodFactory, deletion_order
from mcp_tencent.local_cloud.kubernetes.errors import ApiError
from mcp_tencent.local_cloud.kubernetes.selectors import object_selector

_COMPONENT = "replicaset-controller"


class ReplicaSets:
    """The ReplicaSet controller."""

    def __init__(self, plane: ControlPlane, factory: PodFactory) -> None:
        self._plane = plane
        self._factory = factory
        self._failing: dict[str, dict[str, tuple[int, str]]] = {}
        """By namespace and name: how many pods could not be created, and why. Tried again when told so."""

    def reconcile(self, namespace: str, name: str) -> None:
        """Create or delete pods, and state how many there are."""
        subject = self._plane.store.get("ReplicaSet", namespace, name)
        if subject is None:
            return
        active = [pod for pod in self._factory.claim(subject) if is_active(pod)]
        failure = ""
        if "deletionTimestamp" not in subject["metadata"]:
            failure = self._adjust(subject, active)
        active = [
            pod for pod in self._plane.store.owned_by(subject["metadata"]["uid"], "Pod") if is_active(pod)
        ]
        self._plane.set_status(subject, self._status(subject, active, failure))

    def retry(self, namespace: str) -> None:
        """Try again what failed in a namespace: its quota may have room now."""
        for name in self._failing.pop(namespace, ()):
            self._plane.loop.enqueue(self.reconcile, namespace, name)

    def _adjust(self, subject: KubernetesObject, active: list[KubernetesObject]) -> str:
        """Create or delete pods; return why some could not be created."""
        namespace, name = subject["metadata"]["namespace"], subject["metadata"]["name"]
        missing = subject["spec"]["replicas"] - len(active)
        surplus = sorted(active, key=deletion_order)[:-missing] if missing < 0 else []
        for pod in surplus:
            self._factory.delete(subject, pod, component=_COMPONENT)
        known = self._failing.get(namespace, {}).get(name)
        if known is not None and known[0] == missing:
            return known[1]
        for number in range(missing):
            try:
                self._factory.create(
                    subject, f"{name[:57]}-{self._plane.identifiers.suffix()}", component=_COMPONENT
                )
            except ApiError as error:
                self._failing.setdefault(namespace, {})[name] = (missing - number, error.message)
                return error.message
        self._failing.get(namespace, {}).pop(name, None)
        return ""

    def _status(
        self, subject: KubernetesObject, active: list[KubernetesObject], failure: str
    ) -> KubernetesObject:
        spec, old = subject["spec"], subject.get("status") or {}
        wait = spec.get("minReadySeconds", 0)
        now = self._plane.simulation.now
        since = [at for pod in active if (at := available_at(pod, wait)) is not None]
        for at in since:
            if at > now:
                name = subject["metadata"]["name"]
                self._plane.loop.enqueue_at(at, self.reconcile, subject["metadata"]["namespace"], name)
        labels = object_selector(
            {"matchLabels": (spec["template"].get("metadata") or {}).get("labels") or {}}
        )
        status: KubernetesObject = {"replicas": len(active)}
        counts = {
            "fullyLabeledReplicas": sum(labels.matches(pod["metadata"].get("labels")) for pod in active),
            "readyReplicas": sum(is_ready(pod) for pod in active),
            "availableReplicas": sum(at <= now for at in since),
        }
        status |= {key: value for key, value in counts.items() if value}
        status["observedGeneration"] = subject["metadata"]["generation"]
        conditions = list(old.get("conditions") or ())
        if failure:
            new = condition(
                "ReplicaFailure",
                status=True,
                reason="FailedCreate",
                message=failure,
                now=self._plane.now_text,
            )
            conditions = with_condition(conditions, new)
        else:
            conditions = [item for item in conditions if item["type"] != "ReplicaFailure"]
        if conditions:
            status["conditions"] = conditions
        return status
