"""Tidies up: what a deleted owner leaves behind, namespaces that go away, volume claims that are bound."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import ControlPlane
from mcp_tencent.local_cloud.kubernetes.kinds import BY_KIND
from mcp_tencent.local_cloud.kubernetes.store import Change
from mcp_tencent.local_cloud.kubernetes.writes import Deletion

_NAMESPACED = tuple(kind for kind, entry in BY_KIND.items() if entry.namespaced)


class Garbage:
    """The garbage collector and the namespace controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        plane.store.observe(self._follow)

    def collect_owned(self, uid: str, _: str) -> None:
        """Delete what the owner with this uid owned; it is gone."""
        for kind, namespace, name in self._plane.store.all_owned_by(uid):
            item = self._plane.store.get(kind, namespace, name)
            if item is None:
                continue
            references = [ref for ref in item["metadata"]["ownerReferences"] if ref["uid"] != uid]
            if references:
                self._plane.store.replace(
                    kind, {**item, "metadata": {**item["metadata"], "ownerReferences": references}}
                )
            elif "deletionTimestamp" not in item["metadata"]:
                self._plane.delete(kind, namespace, name)

    def finish_owner(self, key: str, name: str) -> None:
        """Go on deleting an owner that waits for what it owns; `key` is kind/namespace."""
        kind, _, namespace = key.partition("/")
        owner = self._plane.store.get(kind, namespace, name)
        if owner is None or "deletionTimestamp" not in owner["metadata"]:
            return
        finalizers = owner["metadata"].get("finalizers") or []
        owned = self._plane.store.all_owned_by(owner["metadata"]["uid"])
        if "orphan" in finalizers:
            self._orphan(owner, owned)
            self._without_finalizer(kind, owner, "orphan")
        elif "foregroundDeletion" in finalizers:
            for item in owned:
                found = self._plane.store.get(*item)
                if found is not None and "deletionTimestamp" not in found["metadata"]:
                    self._plane.delete(*item, Deletion(propagation="Foreground"))
            if not self._plane.store.all_owned_by(owner["metadata"]["uid"]):
                self._without_finalizer(kind, owner, "foregroundDeletion")

    def empty_namespace(self, _: str, name: str) -> None:
        """Delete everything in a namespace that is being deleted, then the namespace itself."""
        subject = self._plane.store.get("Namespace", "", name)
        if subject is None or "deletionTimestamp" not in subject["metadata"]:
            return
        left = False
        for kind in _NAMESPACED:
            for item in self._plane.store.each(kind, name):
                if kind == "Event":
                    continue
                left = True
                if "deletionTimestamp" not in item["metadata"]:
                    self._plane.delete(kind, name, item["metadata"]["name"])
        if left and any(
            next(self._plane.store.each(kind, name), None) for kind in _NAMESPACED if kind != "Event"
        ):
            return
        for event in self._plane.store.each("Event", name):
            self._plane.store.remove("Event", name, event["metadata"]["name"])
        if not subject["metadata"].get("finalizers"):
            self._plane.store.remove("Namespace", "", name)

    def furnish_namespace(self, _: str, name: str) -> None:
        """Give a new namespace what every namespace has."""
        if self._plane.store.get("Namespace", "", name) is None:
            return
        if self._plane.store.get("ServiceAccount", name, "default") is None:
            account = {
                "kind": "ServiceAccount",
                "apiVersion": "v1",
                "metadata": {"name": "default", "namespace": name},
            }
            self._plane.store.create("ServiceAccount", account)

    def bind_claim(self, namespace: str, name: str) -> None:
        """Bind a volume claim: the cloud always has another disk."""
        claim = self._plane.store.get("PersistentVolumeClaim", namespace, name)
        if claim is None or (claim.get("status") or {}).get("phase") == "Bound":
            return
        spec = claim["spec"]
        storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "10Gi")
        bound = {
            **claim,
            "spec": {**spec, "volumeName": spec.get("volumeName") or f"pvc-{claim['metadata']['uid']}"},
        }
        bound["status"] = {
            "phase": "Bound",
            "accessModes": spec.get("accessModes") or [],
            "capacity": {"storage": storage},
        }
        self._plane.store.replace("PersistentVolumeClaim", bound)

    def _orphan(self, owner: KubernetesObject, owned: list[tuple[str, str, str]]) -> None:
        uid = owner["metadata"]["uid"]
        for item in owned:
            found = self._plane.store.get(*item)
            if found is None:
                continue
            metadata = {
                **found["metadata"],
                "ownerReferences": [ref for ref in found["metadata"]["ownerReferences"] if ref["uid"] != uid],
            }
            if not metadata["ownerReferences"]:
                del metadata["ownerReferences"]
            self._plane.store.replace(item[0], {**found, "metadata": metadata})

    def _without_finalizer(self, kind: str, owner: KubernetesObject, finalizer: str) -> None:
        metadata = {
            **owner["metadata"],
            "finalizers": [item for item in owner["metadata"]["finalizers"] if item != finalizer],
        }
        if metadata["finalizers"]:
            self._plane.store.replace(kind, {**owner, "metadata": metadata})
        else:
            self._plane.store.remove(kind, metadata.get("namespace", ""), metadata["name"])

    def _follow(self, change: Change) -> None:
        metadata, loop = change.object["metadata"], self._plane.loop
        if change.type == "DELETED":
            if self._plane.store.all_owned_by(metadata["uid"]):
                loop.enqueue(self.collect_owned, metadata["uid"], "")
            for owner in metadata.get("ownerReferences") or ():
                loop.enqueue(self.finish_owner, f"{owner['kind']}/{change.namespace}", owner["name"])
            space = self._plane.store.get("Namespace", "", change.namespace) if change.namespace else None
            if space is not None and "deletionTimestamp" in space["metadata"]:
                loop.enqueue(self.empty_namespace, "", change.namespace)
            return
        if "deletionTimestamp" in metadata and metadata.get("finalizers"):
            loop.enqueue(self.finish_owner, f"{change.kind}/{change.namespace}", change.name)
        if change.kind == "Namespace":
            loop.enqueue(
                self.empty_namespace if "deletionTimestamp" in metadata else self.furnish_namespace,
                "",
                change.name,
            )
        elif change.kind == "PersistentVolumeClaim" and change.type == "ADDED":
            loop.enqueue(self.bind_claim, change.namespace, change.name)
