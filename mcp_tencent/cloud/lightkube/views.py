"""Looking into one cluster through lightkube."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from lightkube.core.resource import GlobalResource, NamespacedResource
from lightkube.resources.apps_v1 import DaemonSet, Deployment, StatefulSet
from lightkube.resources.autoscaling_v2 import HorizontalPodAutoscaler
from lightkube.resources.core_v1 import ConfigMap, ResourceQuota, Secret
from lightkube.resources.core_v1 import Event as KubeEvent
from lightkube.resources.core_v1 import Namespace as KubeNamespace
from lightkube.resources.core_v1 import Node as KubeNode
from lightkube.resources.core_v1 import Pod as KubePod
from lightkube.resources.core_v1 import Service as KubeService
from lightkube.resources.policy_v1 import PodDisruptionBudget

from mcp_tencent.cloud.answers import reading
from mcp_tencent.cloud.lightkube.cluster_objects import (
    config_of,
    namespace_of,
    node_of,
    quota_of,
    service_of,
)
from mcp_tencent.cloud.lightkube.connection import (
    ClusterConnection,
    Opened,
    checked,
    checked_name,
    raw_resource,
)
from mcp_tencent.cloud.lightkube.object_parts import (
    CHANGE_CAUSE,
    CONTROLLER_HASH,
    DEFAULT_CONTAINER,
    REVISION,
    TEMPLATE_HASH,
)
from mcp_tencent.cloud.lightkube.pod_objects import event_of, pod_of
from mcp_tencent.cloud.lightkube.workload_objects import AnyWorkload, autoscaler_of, budget_of, workload_of
from mcp_tencent.errors import InvalidRequest
from mcp_tencent.models.workloads import (
    Autoscaler,
    Config,
    ConfigKind,
    ContainerImage,
    DisruptionBudget,
    Event,
    Namespace,
    Node,
    Pod,
    PodLog,
    PodLogLine,
    Quota,
    Revision,
    Service,
    Workload,
    WorkloadKind,
    WorkloadRef,
)

N = TypeVar("N", bound=NamespacedResource)
G = TypeVar("G", bound=GlobalResource)

CHUNK = 500
"""Objects of one list request."""
LOG_BYTES = 1 << 20
MOST_TAIL = 10_000
_EVERYWHERE = "*"

WORKLOAD_CLASSES: Mapping[WorkloadKind, type[AnyWorkload]] = {
    WorkloadKind.DEPLOYMENT: Deployment,
    WorkloadKind.STATEFUL_SET: StatefulSet,
    WorkloadKind.DAEMON_SET: DaemonSet,
}
RAW_WORKLOADS = {
    WorkloadKind.DEPLOYMENT: raw_resource("apps/v1", "Deployment", "deployments"),
    WorkloadKind.STATEFUL_SET: raw_resource("apps/v1", "StatefulSet", "statefulsets"),
    WorkloadKind.DAEMON_SET: raw_resource("apps/v1", "DaemonSet", "daemonsets"),
}
RAW_REPLICA_SET = raw_resource("apps/v1", "ReplicaSet", "replicasets")
RAW_CONTROLLER_REVISION = raw_resource("apps/v1", "ControllerRevision", "controllerrevisions")


class LightkubeViews:
    """Implements `WorkloadViews`."""

    def __init__(self, connection: ClusterConnection) -> None:
        self._connection = connection

    async def _all(self, kind: type[N], namespace: str, labels: Mapping[str, str] | None = None) -> list[N]:
        where = checked_name(namespace) if namespace else _EVERYWHERE

        async def ask(opened: Opened) -> list[N]:
            found = opened.kube.list(
                kind, namespace=where, chunk_size=CHUNK, labels=dict(labels) if labels else None
            )
            return [item async for item in found]

        return await self._connection.read(f"list of {kind.__name__}", ask)

    async def _everywhere(self, kind: type[G]) -> list[G]:
        async def ask(opened: Opened) -> list[G]:
            return [item async for item in opened.kube.list(kind, chunk_size=CHUNK)]

        return await self._connection.read(f"list of {kind.__name__}", ask)

    async def namespaces(self) -> Sequence[Namespace]:
        """See `WorkloadViews.namespaces`."""
        return [namespace_of(item) for item in await self._everywhere(KubeNamespace)]

    async def nodes(self) -> Sequence[Node]:
        """See `WorkloadViews.nodes`."""
        return [node_of(item) for item in await self._everywhere(KubeNode)]

    async def workloads(self, *, namespace: str = "") -> Sequence[Workload]:
        """See `WorkloadViews.workloads`."""
        found: list[Workload] = []
        for kind in (Deployment, StatefulSet, DaemonSet):
            items: list[Any] = await self._all(kind, namespace)
            found += [workload_of(item) for item in items]
        return sorted(found, key=lambda workload: (workload.ref.namespace, workload.ref.name))

    async def workload(self, ref: WorkloadRef) -> Workload:
        """See `WorkloadViews.workload`."""
        return workload_of(await self.typed(ref))

    async def typed(self, ref: WorkloadRef) -> AnyWorkload:
        """Return a workload as lightkube reads it."""
        name, namespace = checked_name(ref.name), checked_name(ref.namespace)
        kind: Any = WORKLOAD_CLASSES[ref.kind]

        async def ask(opened: Opened) -> AnyWorkload:
            found: AnyWorkload = await opened.kube.get(kind, name, namespace=namespace)
            return found

        return await self._connection.read(f"{ref}", ask)

    async def _raw_workload(self, ref: WorkloadRef) -> dict[str, Any]:
        name, namespace = checked_name(ref.name), checked_name(ref.namespace)

        async def ask(opened: Opened) -> dict[str, Any]:
            return await opened.kube.get(RAW_WORKLOADS[ref.kind], name, namespace=namespace)

        return await self._connection.read(f"{ref}", ask)

    async def history(self, ref: WorkloadRef) -> Sequence[Revision]:
        """See `WorkloadViews.history`."""
        async with self._connection.calling.operation(f"history of {ref}"):
            return await self.revisions(await self._raw_workload(ref), ref)

    async def revisions(self, workload: dict[str, Any], ref: WorkloadRef) -> list[Revision]:
        """Return the kept revisions of a workload, given as plain JSON, latest first."""
        kept = RAW_REPLICA_SET if ref.kind is WorkloadKind.DEPLOYMENT else RAW_CONTROLLER_REVISION
        labels = workload["spec"].get("selector", {}).get("matchLabels", {})
        owned = [
            item
            for item in await self._all(kept, ref.namespace, labels)
            if any(
                o.get("uid") == workload["metadata"]["uid"]
                for o in item["metadata"].get("ownerReferences", ())
            )
        ]
        with reading(f"history of {ref}"):
            if ref.kind is WorkloadKind.DEPLOYMENT:
                now = workload["metadata"].get("annotations", {}).get(REVISION, "")
                found = [_replica_set_revision(item, now) for item in owned]
            else:
                latest = max((int(item.get("revision", 0)) for item in owned), default=0)
                update = workload.get("status", {}).get("updateRevision", "")
                found = [_controller_revision(item, update, latest) for item in owned]
        return sorted(found, key=lambda revision: revision.number, reverse=True)

    async def pods(self, *, namespace: str = "", workload: WorkloadRef | None = None) -> Sequence[Pod]:
        """See `WorkloadViews.pods`."""
        if workload is None:
            return [pod_of(item) for item in await self._all(KubePod, namespace)]
        async with self._connection.calling.operation(f"pods of {workload}"):
            selector = workload_of(await self.typed(workload)).selector
            found = await self._all(KubePod, workload.namespace, selector)
        return [pod for pod in map(pod_of, found) if pod.owner == workload.name]

    async def pod_log(
        self,
        namespace: str,
        pod: str,
        *,
        container: str = "",
        tail: int = 100,
        previous: bool = False,
        since: timedelta | None = None,
    ) -> PodLog:
        """See `WorkloadViews.pod_log`."""
        if not 1 <= tail <= MOST_TAIL:
            raise InvalidRequest(f"tail must be 1 to {MOST_TAIL} lines, got {tail}")
        path = f"/api/v1/namespaces/{checked_name(namespace)}/pods/{checked_name(pod)}"
        chosen = checked_name(container) if container else await self._main_container(namespace, pod)
        wanted = {
            "container": chosen,
            "tailLines": str(tail),
            "previous": "true" if previous else "false",
            "timestamps": "true",
            "limitBytes": str(LOG_BYTES),
        }
        if since is not None:
            wanted["sinceSeconds"] = str(max(1, int(since.total_seconds())))

        async def ask(opened: Opened) -> str:
            return checked(await opened.http.get(f"{path}/log", params=wanted)).text

        text = await self._connection.read(f"log of {namespace}/{pod}", ask)
        lines = tuple(_log_line(line) for line in text.split("\n") if line)
        return PodLog(namespace=namespace, pod=pod, container=chosen, previous=previous, lines=lines)

    async def _main_container(self, namespace: str, pod: str) -> str:
        async def ask(opened: Opened) -> KubePod:
            return await opened.kube.get(KubePod, pod, namespace=namespace)

        found = await self._connection.read(f"pod {namespace}/{pod}", ask)
        annotations = (found.metadata.annotations or {}) if found.metadata else {}
        first = found.spec.containers[0].name if found.spec and found.spec.containers else ""
        return annotations.get(DEFAULT_CONTAINER) or first

    async def events(self, *, namespace: str = "", since: datetime | None = None) -> Sequence[Event]:
        """See `WorkloadViews.events`."""
        oldest = datetime.min.replace(tzinfo=UTC)
        found = [event_of(item) for item in await self._all(KubeEvent, namespace)]
        recent = [event for event in found if since is None or (event.last_at or oldest) >= since]
        return sorted(recent, key=lambda event: event.last_at or oldest, reverse=True)

    async def services(self, *, namespace: str = "") -> Sequence[Service]:
        """See `WorkloadViews.services`."""
        return [service_of(item) for item in await self._all(KubeService, namespace)]

    async def config(self, kind: ConfigKind, namespace: str, name: str) -> Config:
        """See `WorkloadViews.config`."""
        where, what = checked_name(namespace), checked_name(name)

        async def ask(opened: Opened) -> Config:
            if kind is ConfigKind.SECRET:
                return config_of(await opened.kube.get(Secret, what, namespace=where))
            return config_of(await opened.kube.get(ConfigMap, what, namespace=where))

        return await self._connection.read(f"{kind} {namespace}/{name}", ask)

    async def configs(self, kind: ConfigKind, *, namespace: str = "") -> Sequence[Config]:
        """See `WorkloadViews.configs`."""
        if kind is ConfigKind.SECRET:
            return [config_of(item) for item in await self._all(Secret, namespace)]
        return [config_of(item) for item in await self._all(ConfigMap, namespace)]

    async def autoscalers(self, *, namespace: str = "") -> Sequence[Autoscaler]:
        """See `WorkloadViews.autoscalers`."""
        return [autoscaler_of(item) for item in await self._all(HorizontalPodAutoscaler, namespace)]

    async def disruption_budgets(self, *, namespace: str = "") -> Sequence[DisruptionBudget]:
        """See `WorkloadViews.disruption_budgets`."""
        return [budget_of(item) for item in await self._all(PodDisruptionBudget, namespace)]

    async def quotas(self, *, namespace: str = "") -> Sequence[Quota]:
        """See `WorkloadViews.quotas`."""
        return [quota_of(item) for item in await self._all(ResourceQuota, namespace)]


def _replica_set_revision(item: dict[str, Any], now: str) -> Revision:
    meta = item["metadata"]
    number = meta.get("annotations", {}).get(REVISION, "0")
    return _revision(
        meta,
        item["spec"]["template"],
        number=int(number) if number.isdecimal() else 0,
        replicas=item.get("status", {}).get("replicas", 0),
        current=number == now,
    )


def _controller_revision(item: dict[str, Any], update: str, latest: int) -> Revision:
    number = int(item.get("revision", 0))
    template = {k: v for k, v in item["data"]["spec"]["template"].items() if k != "$patch"}
    return _revision(
        item["metadata"],
        template,
        number=number,
        replicas=0,
        current=item["metadata"]["name"] == update if update else number == latest,
    )


def _revision(
    meta: dict[str, Any], template: dict[str, Any], *, number: int, replicas: int, current: bool
) -> Revision:
    labels = template.get("metadata", {}).get("labels", {})
    # The hash is the controller's own mark, and would tie a restored template to the old pods.
    own = {name: value for name, value in labels.items() if name not in (TEMPLATE_HASH, CONTROLLER_HASH)}
    clean = {**template, "metadata": {**template.get("metadata", {}), "labels": own}}
    created = meta.get("creationTimestamp")
    return Revision(
        number=number,
        created_at=datetime.fromisoformat(created) if created else None,
        change_cause=meta.get("annotations", {}).get(CHANGE_CAUSE, ""),
        images=tuple(
            ContainerImage(container=c["name"], image=c.get("image", ""))
            for c in template.get("spec", {}).get("containers", ())
        ),
        replicas=replicas,
        current=current,
        template_json=json.dumps(clean, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
    )


def _log_line(line: str) -> PodLogLine:
    stamp, _, rest = line.partition(" ")
    try:
        # Nanoseconds, of which Python keeps six digits.
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return PodLogLine(at=None, text=line)
    return PodLogLine(at=at, text=rest) if at.tzinfo else PodLogLine(at=None, text=line)
