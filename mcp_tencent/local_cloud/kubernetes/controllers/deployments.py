"""Rolls Deployments: ReplicaSets by template, revisions, history, deadlines, pauses."""

from __future__ import annotations

from datetime import timedelta

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import ControlPlane
from mcp_tencent.local_cloud.kubernetes.controllers.deployment_status import (
    DEADLINE_EXCEEDED,
    rollout_status,
    with_pause,
)
from mcp_tencent.local_cloud.kubernetes.controllers.rolling import (
    Bounds,
    ScaledSet,
    SetSize,
    new_set_size,
    old_set_sizes,
    proportional_sizes,
    resolve_bounds,
)
from mcp_tencent.local_cloud.kubernetes.identifiers import template_hash
from mcp_tencent.local_cloud.kubernetes.instants import from_text
from mcp_tencent.local_cloud.kubernetes.selectors import object_selector
from mcp_tencent.local_cloud.kubernetes.store import owner_reference

_COMPONENT = "deployment-controller"
_HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
_HISTORY = "deployment.kubernetes.io/revision-history"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MAX = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        _HISTORY,
        _DESIRED,
        _MAX,
        "deprecated.deployment.rollback.to",
    }
)


class Deployments:
    """The Deployment controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._hashes: dict[str, tuple[KubernetesObject, str]] = {}

    def reconcile(self, namespace: str, name: str) -> None:
        """Take the next step of the rollout, and state how far it is."""
        deployment = self._plane.store.get("Deployment", namespace, name)
        if deployment is None:
            return
        sets = self._claim(deployment)
        if "deletionTimestamp" in deployment["metadata"]:
            return
        new = self._new_set(deployment, sets)
        spec = deployment["spec"]
        if spec.get("paused") or self._is_scaling(deployment, sets):
            self._scale(deployment, new, sets)
        elif spec["strategy"]["type"] == "Recreate":
            new = self._recreate(deployment, new, sets)
        else:
            new = self._roll(deployment, self._ensure_new_set(deployment, new, sets), sets)
        self._finish(namespace, name, new)

    def bounds(self, deployment: KubernetesObject) -> Bounds:
        """Return how far the Deployment's rollout may go."""
        spec = deployment["spec"]
        if spec["strategy"]["type"] == "Recreate":
            return Bounds(surge=0, unavailable=0)
        rolling = spec["strategy"].get("rollingUpdate") or {}
        return resolve_bounds(rolling.get("maxSurge"), rolling.get("maxUnavailable"), spec["replicas"])

    # Which ReplicaSets there are

    def _claim(self, deployment: KubernetesObject) -> list[KubernetesObject]:
        metadata = deployment["metadata"]
        sets = self._plane.store.owned_by(metadata["uid"], "ReplicaSet")
        if "deletionTimestamp" in metadata:
            return sets
        selector = object_selector(deployment["spec"]["selector"])
        for orphan in self._plane.store.orphans("ReplicaSet", metadata["namespace"]):
            if selector.matches(orphan["metadata"].get("labels")):
                adopted = {**orphan["metadata"], "ownerReferences": [owner_reference(deployment)]}
                sets.append(self._plane.store.replace("ReplicaSet", {**orphan, "metadata": adopted}))
        return sorted(sets, key=lambda item: (item["metadata"]["creationTimestamp"], _revision(item)))

    def _hash(self, deployment: KubernetesObject) -> str:
        uid, template = deployment["metadata"]["uid"], deployment["spec"]["template"]
        known = self._hashes.get(uid)
        if known is None or known[0] is not template:
            known = (template, template_hash(template))
            self._hashes[uid] = known
        return known[1]

    def _new_set(self, deployment: KubernetesObject, sets: list[KubernetesObject]) -> KubernetesObject | None:
        wanted = self._hash(deployment)
        return next((item for item in sets if item["metadata"]["labels"].get(_HASH) == wanted), None)

    def _ensure_new_set(
        self, deployment: KubernetesObject, new: KubernetesObject | None, sets: list[KubernetesObject]
    ) -> KubernetesObject:
        old = [item for item in sets if item is not new]
        revision = max([_revision(item) for item in old], default=0) + 1
        if new is not None:
            return self._revised(deployment, new, max(revision, _revision(new)))
        new = self._create_set(deployment, old, revision)
        self._note_revision(
            deployment,
            revision,
            "NewReplicaSetCreated",
            f'Created new replica set "{new["metadata"]["name"]}"',
        )
        return new

    def _create_set(
        self, deployment: KubernetesObject, old: list[KubernetesObject], revision: int
    ) -> KubernetesObject:
        metadata, spec, digest = deployment["metadata"], deployment["spec"], self._hash(deployment)
        template = spec["template"]
        labels = {**((template.get("metadata") or {}).get("labels") or {}), _HASH: digest}
        name = f"{metadata['name']}-{digest}"
        size = 0
        if spec["strategy"]["type"] == "Recreate":
            size = spec["replicas"]
        else:
            empty = SetSize(name=name, wanted=0, available=0)
            size = new_set_size(
                spec["replicas"], empty, [_size(item) for item in old], self.bounds(deployment)
            )
        selector = spec["selector"]
        created = self._plane.store.create(
            "ReplicaSet",
            {
                "kind": "ReplicaSet",
                "apiVersion": "apps/v1",
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "labels": labels,
                    "annotations": {
                        **_copied(deployment),
                        **self._sizes(deployment),
                        REVISION: str(revision),
                    },
                    "ownerReferences": [owner_reference(deployment)],
                    "generation": 1,
                },
                "spec": {
                    "replicas": size,
                    **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
                    "selector": {
                        **selector,
                        "matchLabels": {**(selector.get("matchLabels") or {}), _HASH: digest},
                    },
                    "template": {
                        **template,
                        "metadata": {**(template.get("metadata") or {}), "labels": labels},
                    },
                },
                "status": {"replicas": 0},
            },
        )
        if size:
            self._say_scaled(deployment, name, 0, size)
        return created

    def _revised(
        self, deployment: KubernetesObject, new: KubernetesObject, revision: int
    ) -> KubernetesObject:
        """Return the ReplicaSet with the revision that it has now, remembering earlier ones."""
        annotations = dict(new["metadata"].get("annotations") or {})
        before = annotations.get(REVISION)
        if before != str(revision):
            if before:
                annotations[_HISTORY] = ",".join(filter(None, (annotations.get(_HISTORY), before)))
            annotations[REVISION] = str(revision)
        annotations |= _copied(deployment) | self._sizes(deployment)
        spec = new["spec"]
        wait = deployment["spec"].get("minReadySeconds", 0)
        if wait != spec.get("minReadySeconds", 0):
            spec = {**spec, "minReadySeconds": wait}
        if annotations != new["metadata"].get("annotations") or spec is not new["spec"]:
            metadata = {**new["metadata"], "annotations": annotations}
            new = self._plane.store.replace("ReplicaSet", {**new, "metadata": metadata, "spec": spec})
        self._note_revision(
            deployment, revision, "FoundNewReplicaSet", f'Found new replica set "{new["metadata"]["name"]}"'
        )
        return new

    def _note_revision(self, deployment: KubernetesObject, revision: int, reason: str, message: str) -> None:
        current = self._plane.store.get(
            "Deployment", deployment["metadata"]["namespace"], deployment["metadata"]["name"]
        )
        if current is None or (current["metadata"].get("annotations") or {}).get(REVISION) == str(revision):
            return
        annotations = {**(current["metadata"].get("annotations") or {}), REVISION: str(revision)}
        status = with_pause(current, self._plane.now_text, reason, message)
        metadata = {**current["metadata"], "annotations": annotations}
        self._plane.store.replace("Deployment", {**current, "metadata": metadata, "status": status})

    # How large they are to be

    def _is_scaling(self, deployment: KubernetesObject, sets: list[KubernetesObject]) -> bool:
        desired = str(deployment["spec"]["replicas"])
        return any(
            (item["metadata"].get("annotations") or {}).get(_DESIRED, desired) != desired
            for item in sets
            if item["spec"]["replicas"] > 0
        )

    def _scale(
        self, deployment: KubernetesObject, new: KubernetesObject | None, sets: list[KubernetesObject]
    ) -> None:
        replicas = deployment["spec"]["replicas"]
        active = [item for item in sets if item["spec"]["replicas"] > 0]
        if len(active) <= 1:
            only = active[0] if active else new or (sets[-1] if sets else None)
            if only is not None:
                self._resize(deployment, only, replicas)
            return
        if new is not None and new["spec"]["replicas"] == replicas == (new.get("status") or {}).get(
            "availableReplicas", 0
        ):
            for item in active:
                if item is not new:
                    self._resize(deployment, item, 0)
            return
        if deployment["spec"]["strategy"]["type"] == "Recreate":
            return
        newest_first = [
            ScaledSet(
                name=item["metadata"]["name"], wanted=item["spec"]["replicas"], planned_for=_planned(item)
            )
            for item in reversed(active)
        ]
        sizes = proportional_sizes(replicas, self.bounds(deployment), newest_first)
        for item in active:
            self._resize(deployment, item, sizes[item["metadata"]["name"]])

    def _roll(
        self, deployment: KubernetesObject, new: KubernetesObject, sets: list[KubernetesObject]
    ) -> KubernetesObject:
        replicas, bounds = deployment["spec"]["replicas"], self.bounds(deployment)
        old = [item for item in sets if item["metadata"]["uid"] != new["metadata"]["uid"]]
        size = new_set_size(replicas, _size(new), [_size(item) for item in old], bounds)
        if size != new["spec"]["replicas"]:
            return self._resize(deployment, new, size)
        if any(item["spec"]["replicas"] for item in old):
            sizes = old_set_sizes(replicas, _size(new), [_size(item) for item in old], bounds)
            for item in old:
                self._resize(deployment, item, sizes.get(item["metadata"]["name"], item["spec"]["replicas"]))
        return new

    def _recreate(
        self, deployment: KubernetesObject, new: KubernetesObject | None, sets: list[KubernetesObject]
    ) -> KubernetesObject | None:
        old = [item for item in sets if new is None or item["metadata"]["uid"] != new["metadata"]["uid"]]
        for item in old:
            self._resize(deployment, item, 0)
        if any(self._plane.store.owned_by(item["metadata"]["uid"], "Pod") for item in old):
            return new
        new = self._ensure_new_set(deployment, new, sets)
        return self._resize(deployment, new, deployment["spec"]["replicas"])

    def _resize(self, deployment: KubernetesObject, item: KubernetesObject, size: int) -> KubernetesObject:
        annotations = {**(item["metadata"].get("annotations") or {}), **self._sizes(deployment)}
        before = item["spec"]["replicas"]
        if size == before and annotations == item["metadata"].get("annotations"):
            return item
        metadata = {**item["metadata"], "annotations": annotations}
        spec = item["spec"]
        if size != before:
            metadata["generation"] = metadata["generation"] + 1
            spec = {**spec, "replicas": size}
            self._say_scaled(deployment, metadata["name"], before, size)
        return self._plane.store.replace("ReplicaSet", {**item, "metadata": metadata, "spec": spec})

    def _sizes(self, deployment: KubernetesObject) -> dict[str, str]:
        replicas = deployment["spec"]["replicas"]
        return {_DESIRED: str(replicas), _MAX: str(replicas + self.bounds(deployment).surge)}

    def _say_scaled(self, deployment: KubernetesObject, name: str, before: int, after: int) -> None:
        way = "up" if after > before else "down"
        self._plane.events.record(
            deployment,
            "ScalingReplicaSet",
            f"Scaled {way} replica set {name} from {before} to {after}",
            component=_COMPONENT,
        )

    # Where it stands

    def _finish(self, namespace: str, name: str, new: KubernetesObject | None) -> None:
        deployment = self._plane.store.get("Deployment", namespace, name)
        if deployment is None:
            return
        sets = self._plane.store.owned_by(deployment["metadata"]["uid"], "ReplicaSet")
        if new is not None:
            new = self._plane.store.get("ReplicaSet", namespace, new["metadata"]["name"])
        bounds = self.bounds(deployment)
        status = rollout_status(deployment, new, sets, bounds.unavailable, self._plane.simulation.now)
        self._plane.set_status(deployment, status)
        self._watch_deadline(deployment, status)
        if all(
            item["spec"]["replicas"] == 0
            for item in sets
            if new is None or item["metadata"]["uid"] != new["metadata"]["uid"]
        ):
            self._forget_old_revisions(deployment, new, sets)

    def _watch_deadline(self, deployment: KubernetesObject, status: KubernetesObject) -> None:
        spec = deployment["spec"]
        progress = next(
            (item for item in status.get("conditions", ()) if item["type"] == "Progressing"), None
        )
        if (
            progress is None
            or spec.get("paused")
            or progress["reason"] in {"NewReplicaSetAvailable", DEADLINE_EXCEEDED}
        ):
            return
        at = from_text(progress["lastUpdateTime"]) + timedelta(seconds=spec["progressDeadlineSeconds"] + 1)
        if at > self._plane.simulation.now:
            metadata = deployment["metadata"]
            self._plane.loop.enqueue_at(at, self.reconcile, metadata["namespace"], metadata["name"])

    def _forget_old_revisions(
        self, deployment: KubernetesObject, new: KubernetesObject | None, sets: list[KubernetesObject]
    ) -> None:
        old = [item for item in sets if new is None or item["metadata"]["uid"] != new["metadata"]["uid"]]
        excess = len(old) - deployment["spec"].get("revisionHistoryLimit", 10)
        for item in sorted(old, key=_revision)[: max(excess, 0)]:
            if (item.get("status") or {}).get("replicas", 0) == 0:
                self._plane.delete("ReplicaSet", item["metadata"]["namespace"], item["metadata"]["name"])


def _revision(item: KubernetesObject) -> int:
    text = (item["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def _planned(item: KubernetesObject) -> int:
    text = (item["metadata"].get("annotations") or {}).get(_MAX, "0")
    return int(text) if text.isdigit() else 0


def _size(item: KubernetesObject) -> SetSize:
    return SetSize(
        name=item["metadata"]["name"],
        wanted=item["spec"]["replicas"],
        available=(item.get("status") or {}).get("availableReplicas", 0),
    )


def _copied(deployment: KubernetesObject) -> dict[str, str]:
    annotations = deployment["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key not in _NOT_COPIED}
