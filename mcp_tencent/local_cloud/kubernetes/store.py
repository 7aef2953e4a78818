"""The objects of one cluster, with resource versions and the history that watches read.

Stored objects are never changed in place: every write puts a new object in the old one's place, so that the
history, the watches and everybody who holds an object may keep it. Parts (a pod's spec, say) are shared.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.identifiers import Identifiers
from mcp_tencent.local_cloud.kubernetes.instants import to_text
from mcp_tencent.local_cloud.simulation import Simulation

_HISTORY_LENGTH = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """One write."""

    version: int
    """The resource version that it made."""
    type: str
    """ADDED, MODIFIED or DELETED."""
    kind: str
    object: KubernetesObject
    """As it is now; for DELETED, as it was at the end."""
    previous: KubernetesObject | None
    """As it was before; None for ADDED."""

    @property
    def namespace(self) -> str:
        """The object's namespace; empty for cluster-scoped ones."""
        return str(self.object["metadata"].get("namespace", ""))

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.object["metadata"]["name"])


class Store:
    """All objects by kind, namespace and name."""

    def __init__(self, simulation: Simulation, identifiers: Identifiers) -> None:
        self._simulation = simulation
        self._identifiers = identifiers
        self._objects: dict[str, dict[str, dict[str, KubernetesObject]]] = {}
        self._owned: dict[str, dict[tuple[str, str, str], None]] = {}
        self._orphans: dict[tuple[str, str], dict[str, None]] = {}
        self._history: deque[Change] = deque(maxlen=_HISTORY_LENGTH)
        self._forgotten = 0
        self._observers: list[Callable[[Change], None]] = []
        self._encoded: dict[tuple[str, str, str], tuple[KubernetesObject, bytes]] = {}
        self.version = 1

    def observe(self, observer: Callable[[Change], None]) -> None:
        """Have `observer` called after every write, in the order of registration."""
        self._observers.append(observer)

    # Reading

    def get(self, kind: str, namespace: str, name: str) -> KubernetesObject | None:
        """Return an object, not to be changed, or None."""
        return self._objects.get(kind, {}).get(namespace, {}).get(name)

    def each(self, kind: str, namespace: str | None = None) -> Iterator[KubernetesObject]:
        """Iterate over the objects of a kind, of one namespace or of all, over a copy of the list."""
        by_namespace = self._objects.get(kind, {})
        if namespace is not None:
            yield from list(by_namespace.get(namespace, {}).values())
            return
        for objects in list(by_namespace.values()):
            yield from list(objects.values())

    def owned_by(self, uid: str, kind: str) -> list[KubernetesObject]:
        """Return the objects of `kind` that name `uid` among their owners, oldest first."""
        found = (self.get(*key) for key in self._owned.get(uid, ()) if key[0] == kind)
        return [item for item in found if item is not None]

    def all_owned_by(self, uid: str) -> list[tuple[str, str, str]]:
        """Return kind, namespace and name of everything that names `uid` among its owners."""
        return list(self._owned.get(uid, ()))

    def orphans(self, kind: str, namespace: str) -> list[KubernetesObject]:
        """Return the objects that no owner controls."""
        found = (self.get(kind, namespace, name) for name in self._orphans.get((kind, namespace), ()))
        return [item for item in found if item is not None]

    def encoded(self, kind: str, stored: KubernetesObject) -> bytes:
        """Return a stored object as JSON; encoded once per version."""
        metadata = stored["metadata"]
        key = (kind, metadata.get("namespace", ""), metadata["name"])
        known = self._encoded.get(key)
        if known is not None and known[0] is stored:
            return known[1]
        text = json.dumps(stored, ensure_ascii=False, separators=(",", ":")).encode()
        self._encoded[key] = (stored, text)
        return text

    def changes_since(self, version: int) -> list[Change] | None:
        """Return the writes after `version`, or None when they are no longer all known."""
        if version < self._forgotten:
            return None
        if not self._history or self._history[-1].version <= version:
            return []
        history = list(self._history)
        return history[bisect_right(history, version, key=lambda change: change.version) :]

    # Writing

    def create(self, kind: str, new: KubernetesObject) -> KubernetesObject:
        """Store a new object, giving it uid, creation time and resource version; return it as stored."""
        metadata = {
            **new["metadata"],
            "uid": self._identifiers.uid(),
            "creationTimestamp": to_text(self._simulation.now),
        }
        stored = self._stamped(new, metadata)
        self._place(kind, stored)
        self._index(kind, stored, None)
        self._tell(Change(self.version, "ADDED", kind, stored, None))
        return stored

    def replace(self, kind: str, new: KubernetesObject) -> KubernetesObject:
        """Store a new state of an existing object; return it as stored."""
        metadata = new["metadata"]
        previous = self._objects[kind][metadata.get("namespace", "")][metadata["name"]]
        stored = self._stamped(new, metadata)
        self._place(kind, stored)
        if metadata.get("ownerReferences") != previous["metadata"].get("ownerReferences"):
            self._index(kind, stored, previous)
        self._tell(Change(self.version, "MODIFIED", kind, stored, previous))
        return stored

    def remove(self, kind: str, namespace: str, name: str) -> KubernetesObject | None:
        """Take an object out at once; return its last state, or None when there was none."""
        previous = self._objects.get(kind, {}).get(namespace, {}).pop(name, None)
        if previous is None:
            return None
        if not self._objects[kind][namespace]:
            del self._objects[kind][namespace]
        self._encoded.pop((kind, namespace, name), None)
        self._index(kind, None, previous)
        last = self._stamped(previous, previous["metadata"])
        self._tell(Change(self.version, "DELETED", kind, last, previous))
        return last

    def _stamped(self, new: KubernetesObject, metadata: KubernetesObject) -> KubernetesObject:
        self.version += 1
        return {**new, "metadata": {**metadata, "resourceVersion": str(self.version)}}

    def _place(self, kind: str, stored: KubernetesObject) -> None:
        metadata = stored["metadata"]
        namespaces = self._objects.setdefault(kind, {})
        namespaces.setdefault(metadata.get("namespace", ""), {})[metadata["name"]] = stored

    def _index(self, kind: str, now: KubernetesObject | None, before: KubernetesObject | None) -> None:
        metadata = (now or before or {})["metadata"]
        key = (kind, metadata.get("namespace", ""), metadata["name"])
        if before is not None:
            for owner in before["metadata"].get("ownerReferences") or ():
                owned = self._owned.get(owner["uid"], {})
                owned.pop(key, None)
                if not owned:
                    self._owned.pop(owner["uid"], None)
            self._orphans.get(key[:2], {}).pop(key[2], None)
        if now is not None:
            owners = now["metadata"].get("ownerReferences") or ()
            for owner in owners:
                self._owned.setdefault(owner["uid"], {})[key] = None
            if kind in {"Pod", "ReplicaSet", "ControllerRevision"} and not any(
                owner.get("controller") for owner in owners
            ):
                self._orphans.setdefault(key[:2], {})[key[2]] = None

    def _tell(self, change: Change) -> None:
        if len(self._history) == _HISTORY_LENGTH:
            self._forgotten = self._history[0].version
        self._history.append(change)
        for observer in self._observers:
            observer(change)


def controller_of(subject: KubernetesObject) -> KubernetesObject | None:
    """Return the owner reference of the object's controller, or None."""
    for owner in subject["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return dict(owner)
    return None


def owner_reference(owner: KubernetesObject) -> KubernetesObject:
    """Return the reference by which `owner` controls an object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
