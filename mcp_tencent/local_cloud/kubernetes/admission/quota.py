"""What the pods of each namespace use of its ResourceQuotas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.errors import ForbiddenError, Subject
from mcp_tencent.local_cloud.kubernetes.kinds import BY_KIND
from mcp_tencent.local_cloud.kubernetes.quantities import format_cpu, format_memory, parse_quantity
from mcp_tencent.local_cloud.kubernetes.store import Change, Store

_COMPUTE = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
_PLAIN = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}
_COUNTED = {
    (f"count/{entry.plural}.{entry.group}" if entry.group else f"count/{entry.plural}"): kind
    for kind, entry in BY_KIND.items()
} | {
    "configmaps": "ConfigMap",
    "secrets": "Secret",
    "services": "Service",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "resourcequotas": "ResourceQuota",
}


class QuotaLedger:
    """Keeps the sums up to date by following the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        store.observe(self._follow)

    def used(self, namespace: str, hard: Mapping[str, str]) -> dict[str, str]:
        """Return how much of each limit in `hard` is used."""
        return {name: _written(name, self._amount(namespace, name)) for name in hard}

    def admit(self, kind: str, namespace: str, new: KubernetesObject) -> None:
        """Raise ForbiddenError when a new object would exceed a quota of its namespace."""
        for quota in self._store.each("ResourceQuota", namespace):
            hard = quota.get("spec", {}).get("hard") or {}
            asked = self._asked(kind, new, hard, quota["metadata"]["name"])
            over = [
                name
                for name in sorted(asked)
                if self._amount(namespace, name) + asked[name] > parse_quantity(hard[name]) + 1e-9
            ]
            if asked and over:
                subject = Subject(
                    kind=BY_KIND[kind].plural, group=BY_KIND[kind].group, name=new["metadata"]["name"]
                )
                told = [
                    ",".join(f"{name}={_written(name, asked[name])}" for name in over),
                    ",".join(f"{name}={_written(name, self._amount(namespace, name))}" for name in over),
                    ",".join(f"{name}={hard[name]}" for name in over),
                ]
                raise ForbiddenError(
                    f'{subject.qualified} "{subject.name}" is forbidden: exceeded quota: '
                    f"{quota['metadata']['name']}, "
                    f"requested: {told[0]}, used: {told[1]}, limited: {told[2]}",
                    subject=subject,
                )

    def _asked(
        self, kind: str, new: KubernetesObject, hard: Mapping[str, str], quota: str
    ) -> dict[str, float]:
        if kind != "Pod":
            return {name: 1.0 for name in hard if _COUNTED.get(name) == kind}
        needs = pod_needs(new)
        missing = sorted(
            name
            for name in hard
            if _PLAIN.get(name, name) in _COMPUTE and _PLAIN.get(name, name) not in needs
        )
        if missing:
            containers = ",".join(container["name"] for container in new["spec"]["containers"])
            raise ForbiddenError(
                f'pods "{new["metadata"]["name"]}" is forbidden: failed quota: {quota}: must specify '
                + "; ".join(f"{name} for: {containers}" for name in missing),
                subject=Subject(kind="pods", name=new["metadata"]["name"]),
            )
        return {name: needs[_PLAIN.get(name, name)] for name in hard if _PLAIN.get(name, name) in needs}

    def _amount(self, namespace: str, name: str) -> float:
        kind = _COUNTED.get(name)
        if kind is not None and kind != "Pod":
            return float(sum(1 for _ in self._store.each(kind, namespace)))
        return self._sums[namespace][_PLAIN.get(name, name)]

    def _follow(self, change: Change) -> None:
        if change.kind != "Pod":
            return
        before = change.previous if change.previous is not None and _counts(change.previous) else None
        now = change.object if change.type != "DELETED" and _counts(change.object) else None
        if (before is None) == (now is None):
            return
        sums = self._sums[change.namespace]
        sign = 1 if now is not None else -1
        for name, amount in pod_needs(now or before or {}).items():
            sums[name] += sign * amount


def _counts(pod: KubernetesObject) -> bool:
    return pod.get("status", {}).get("phase") not in {"Succeeded", "Failed"}


def pod_needs(pod: KubernetesObject) -> dict[str, float]:
    """Return what one pod takes of a quota; a limit is absent when a container does not state it."""
    needs: dict[str, float] = {"pods": 1.0}
    containers = pod["spec"].get("containers") or ()
    for name in _COMPUTE:
        part, _, resource = name.partition(".")
        amounts = [(container.get("resources", {}).get(part) or {}).get(resource) for container in containers]
        if all(amount is not None for amount in amounts):
            needs[name] = sum(parse_quantity(amount) for amount in amounts if amount is not None)
    return needs


def _written(name: str, amount: float) -> str:
    if name.endswith("cpu"):
        return format_cpu(amount)
    return format_memory(amount) if name.endswith("memory") else str(round(amount))
