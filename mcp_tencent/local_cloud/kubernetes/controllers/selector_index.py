"""Finds quickly which pods a selector means, and which selectors mean a pod."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.selectors import LabelSelector, Requirement
from mcp_tencent.local_cloud.kubernetes.store import Change, Store

_Pair = tuple[str, str, str]
"""Namespace, label, value."""


class SelectorIndex:
    """Pods by each of their labels."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: dict[_Pair, dict[str, None]] = defaultdict(dict)
        store.observe(self._follow)

    def matching(self, namespace: str, labels: Mapping[str, str]) -> list[KubernetesObject]:
        """Return the pods of a namespace that have all these labels, oldest first."""
        pairs = [(namespace, key, value) for key, value in labels.items()]
        names = min((self._names.get(pair, {}) for pair in pairs), key=len, default={})
        pods = (self._store.get("Pod", namespace, name) for name in names)
        selector = LabelSelector(tuple(Requirement(key, "In", (value,)) for key, value in labels.items()))
        return [pod for pod in pods if pod is not None and selector.matches(pod["metadata"].get("labels"))]

    def _follow(self, change: Change) -> None:
        if change.kind != "Pod":
            return
        before = (change.previous or {"metadata": {}})["metadata"].get("labels") or {}
        now = {} if change.type == "DELETED" else change.object["metadata"].get("labels") or {}
        if before is now and change.previous is not None:
            return
        for key, value in before.items():
            self._names[(change.namespace, key, value)].pop(change.name, None)
        for key, value in now.items():
            self._names[(change.namespace, key, value)][change.name] = None


class SelectingIndex:
    """Objects of one kind by the first label that their selector asks for."""

    def __init__(
        self, store: Store, kind: str, labels: Callable[[KubernetesObject], Mapping[str, str]]
    ) -> None:
        """`labels` returns the equality part of an object's selector."""
        self._kind = kind
        self._labels = labels
        self._by_pair: dict[_Pair, dict[str, None]] = defaultdict(dict)
        self._unkeyed: dict[str, dict[str, None]] = defaultdict(dict)
        store.observe(self._follow)

    def candidates(self, namespace: str, labels: Mapping[str, str]) -> list[str]:
        """Return the names of the objects whose selector may mean a pod with these labels."""
        found: dict[str, None] = dict(self._unkeyed.get(namespace, {}))
        for key, value in labels.items():
            found |= self._by_pair.get((namespace, key, value), {})
        return list(found)

    def _follow(self, change: Change) -> None:
        if change.kind != self._kind:
            return
        if change.previous is not None:
            self._bucket(change.namespace, change.previous).pop(change.name, None)
        if change.type != "DELETED":
            self._bucket(change.namespace, change.object)[change.name] = None

    def _bucket(self, namespace: str, subject: KubernetesObject) -> dict[str, None]:
        for key, value in self._labels(subject).items():
            return self._by_pair[(namespace, key, value)]
        return self._unkeyed[namespace]
