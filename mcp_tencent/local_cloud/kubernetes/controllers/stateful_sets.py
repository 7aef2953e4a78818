"""Runs StatefulSets: numbered pods, started in order, updated from the last to the first."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import (
    ControlPlane,
    available_at,
    is_active,
    is_ready,
)
from mcp_tencent.local_cloud.kubernetes.controllers.pod_factory import PodFactory
from mcp_tencent.local_cloud.kubernetes.controllers.revisions import (
    HASH_LABEL,
    ensure_revision,
    forget_old_revisions,
    template_of,
)
from mcp_tencent.local_cloud.kubernetes.errors import ApiError
from mcp_tencent.local_cloud.kubernetes.kinds import BY_KIND

_COMPONENT = "statefulset-controller"
_POD_NAME = "statefulset.kubernetes.io/pod-name"
_POD_INDEX = "apps.kubernetes.io/pod-index"


class StatefulSets:
    """The StatefulSet controller."""

    def __init__(self, plane: ControlPlane, factory: PodFactory) -> None:
        self._plane = plane
        self._factory = factory

    def reconcile(self, namespace: str, name: str) -> None:
        """Take the next step for the lowest pod that needs one, and state how far it is."""
        subject = self._plane.store.get("StatefulSet", namespace, name)
        if subject is None:
            return
        pods = {
            ordinal: pod
            for pod in self._factory.claim(subject)
            if (ordinal := _ordinal(pod, name)) is not None
        }
        if "deletionTimestamp" in subject["metadata"]:
            return
        update = ensure_revision(self._plane, subject)
        update_hash = update["metadata"]["labels"][HASH_LABEL]
        current_hash = self._current_hash(subject, update_hash)
        self._step(subject, pods, current_hash, update_hash)
        pods_now = [
            pod for pod in self._plane.store.owned_by(subject["metadata"]["uid"], "Pod") if is_active(pod)
        ]
        status = self._status(subject, pods_now, current_hash, update_hash)
        self._plane.set_status(subject, status)
        live = {current_hash, update_hash, *(_hash(pod) for pod in pods.values())}
        forget_old_revisions(self._plane, subject, live)

    def _step(
        self, subject: KubernetesObject, pods: dict[int, KubernetesObject], current: str, update: str
    ) -> None:
        spec = subject["spec"]
        parallel = spec["podManagementPolicy"] == "Parallel"
        for ordinal in range(spec["replicas"]):
            pod = pods.get(ordinal)
            if pod is None:
                revision = self._revision_for(subject, ordinal, current, update)
                if not self._create(subject, ordinal, revision) or not parallel:
                    return
            elif (pod.get("status") or {}).get("phase") in {"Failed", "Succeeded"}:
                self._factory.delete(subject, pod, component=_COMPONENT)
                return
            elif not parallel and not self._is_healthy(subject, pod):
                return
        condemned = sorted((ordinal for ordinal in pods if ordinal >= spec["replicas"]), reverse=True)
        for ordinal in condemned:
            if is_active(pods[ordinal]):
                self._factory.delete(subject, pods[ordinal], component=_COMPONENT)
            if not parallel:
                return
        self._update(subject, pods, update)

    def _update(self, subject: KubernetesObject, pods: dict[int, KubernetesObject], update: str) -> None:
        strategy = subject["spec"]["updateStrategy"]
        if strategy["type"] == "OnDelete":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for ordinal in range(subject["spec"]["replicas"] - 1, partition - 1, -1):
            pod = pods.get(ordinal)
            if pod is None:
                return
            if _hash(pod) != update and is_active(pod):
                self._factory.delete(subject, pod, component=_COMPONENT)
                return
            if not self._is_healthy(subject, pod):
                return

    def _revision_for(self, subject: KubernetesObject, ordinal: int, current: str, update: str) -> str:
        strategy = subject["spec"]["updateStrategy"]
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        return current if ordinal < partition else update

    def _current_hash(self, subject: KubernetesObject, update: str) -> str:
        name = (subject.get("status") or {}).get("currentRevision", "")
        digest = name.rpartition("-")[2]
        known = self._plane.store.owned_by(subject["metadata"]["uid"], "ControllerRevision")
        return digest if any(item["metadata"]["labels"][HASH_LABEL] == digest for item in known) else update

    def _create(self, subject: KubernetesObject, ordinal: int, digest: str) -> bool:
        name = f"{subject['metadata']['name']}-{ordinal}"
        revisions = self._plane.store.owned_by(subject["metadata"]["uid"], "ControllerRevision")
        revision = next(item for item in revisions if item["metadata"]["labels"][HASH_LABEL] == digest)
        labels = {
            HASH_LABEL: f"{subject['metadata']['name']}-{digest}",
            _POD_NAME: name,
            _POD_INDEX: str(ordinal),
        }
        present = subject["spec"]["template"]
        template = template_of(revision)
        try:
            claims = self._claims(subject, ordinal)
            self._factory.create(
                subject,
                name,
                component=_COMPONENT,
                labels=labels,
                spec={
                    "hostname": name,
                    "subdomain": subject["spec"].get("serviceName", ""),
                    "volumes": [*((template.get("spec") or {}).get("volumes") or ()), *claims],
                },
                template=present if template == present else template,
            )
        except ApiError:
            return False
        return True

    def _claims(self, subject: KubernetesObject, ordinal: int) -> list[KubernetesObject]:
        """Make the pod's volume claims where they are missing; return the volumes that use them."""
        volumes = []
        namespace = subject["metadata"]["namespace"]
        for template in subject["spec"].get("volumeClaimTemplates") or ():
            volume = template["metadata"]["name"]
            name = f"{volume}-{subject['metadata']['name']}-{ordinal}"
            if self._plane.store.get("PersistentVolumeClaim", namespace, name) is None:
                metadata = {
                    "name": name,
                    "namespace": namespace,
                    "labels": (subject["spec"]["selector"].get("matchLabels") or {}),
                }
                claim = {"metadata": metadata, "spec": template.get("spec") or {}}
                self._plane.writes.create(BY_KIND["PersistentVolumeClaim"], claim)
            volumes.append({"name": volume, "persistentVolumeClaim": {"claimName": name}})
        return volumes

    def _is_healthy(self, subject: KubernetesObject, pod: KubernetesObject) -> bool:
        if not is_active(pod) or not is_ready(pod):
            return False
        at = available_at(pod, subject["spec"].get("minReadySeconds", 0))
        if at is not None and at > self._plane.simulation.now:
            metadata = subject["metadata"]
            self._plane.loop.enqueue_at(at, self.reconcile, metadata["namespace"], metadata["name"])
            return False
        return True

    def _status(
        self, subject: KubernetesObject, pods: list[KubernetesObject], current: str, update: str
    ) -> KubernetesObject:
        metadata = subject["metadata"]
        ready = [pod for pod in pods if is_ready(pod)]
        updated = [pod for pod in pods if _hash(pod) == update]
        replicas = subject["spec"]["replicas"]
        done = len(updated) == len(pods) == replicas and len(ready) == replicas
        if done:
            current = update
        counts = {
            "replicas": len(pods),
            "readyReplicas": len(ready),
            "currentReplicas": sum(_hash(pod) == current for pod in pods),
            "updatedReplicas": len(updated),
        }
        available = sum(self._is_healthy(subject, pod) for pod in ready)
        return {
            "observedGeneration": metadata["generation"],
            "replicas": counts.pop("replicas"),
            **{key: value for key, value in counts.items() if value},
            "availableReplicas": available,
            "currentRevision": f"{metadata['name']}-{current}",
            "updateRevision": f"{metadata['name']}-{update}",
            "collisionCount": 0,
        }


def _hash(pod: KubernetesObject) -> str:
    return str((pod["metadata"].get("labels") or {}).get(HASH_LABEL, "")).rpartition("-")[2]


def _ordinal(pod: KubernetesObject, owner: str) -> int | None:
    prefix, _, number = pod["metadata"]["name"].rpartition("-")
    return int(number) if prefix == owner and number.isdigit() else None
