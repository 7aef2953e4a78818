"""metrics.k8s.io: what nodes and pods use now, as `kubectl top` reads it."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.api.reading import encode, find, select
from mcp_tencent.local_cloud.kubernetes.api.request import ApiRequest, Target
from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.kubernetes.errors import NotFoundError, Subject
from mcp_tencent.local_cloud.kubernetes.instants import to_text

_VERSION = "metrics.k8s.io/v1beta1"
_SYSTEM_CPU_CORES = 0.12
_SYSTEM_MEMORY_BYTES = 700 * 2**20


def usage(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> bytes:
    """Answer a request for the metrics of nodes or pods; `target` names them in the core group."""
    measure = _pod if target.resource.kind == "Pod" else _node
    if target.name:
        found = measure(cluster, find(cluster, target))
        if found is None:
            raise NotFoundError(
                Subject(
                    kind=f"{target.resource.kind.lower()}metrics", group="metrics.k8s.io", name=target.name
                )
            )
        return encode(found)
    items = [
        found for item in select(cluster, request, target) if (found := measure(cluster, item)) is not None
    ]
    kind = f"{target.resource.kind}MetricsList"
    return encode({"kind": kind, "apiVersion": _VERSION, "metadata": {}, "items": items})


def _measured(cluster: KubernetesCluster, item: KubernetesObject, kind: str) -> KubernetesObject:
    metadata = {
        key: item["metadata"][key] for key in ("name", "namespace", "labels") if key in item["metadata"]
    }
    now = to_text(cluster.simulation.now)
    return {
        "kind": kind,
        "apiVersion": _VERSION,
        "metadata": {**metadata, "creationTimestamp": now},
        "timestamp": now,
        "window": "15s",
    }


def _amounts(cores: float, size_bytes: float) -> dict[str, str]:
    return {"cpu": f"{round(cores * 1e9)}n", "memory": f"{round(size_bytes / 1024)}Ki"}


def _pod(cluster: KubernetesCluster, pod: KubernetesObject) -> KubernetesObject | None:
    used = cluster.kubelet.usage(pod)
    if used is None:
        return None
    containers = [{"name": name, "usage": _amounts(cores, size)} for name, cores, size in used]
    return {**_measured(cluster, pod, "PodMetrics"), "containers": containers}


def _node(cluster: KubernetesCluster, node: KubernetesObject) -> KubernetesObject | None:
    name = node["metadata"]["name"]
    if name in cluster.controllers.nodes.silent:
        return None
    cores, size = _SYSTEM_CPU_CORES, float(_SYSTEM_MEMORY_BYTES)
    for pod in cluster.store.each("Pod"):
        if pod["spec"].get("nodeName") == name:
            for _, pod_cores, pod_bytes in cluster.kubelet.usage(pod) or ():
                cores += pod_cores
                size += pod_bytes
    return {**_measured(cluster, node, "NodeMetrics"), "usage": _amounts(cores, size)}
