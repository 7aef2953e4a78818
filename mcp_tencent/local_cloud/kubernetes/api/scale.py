"""The scale subresource."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.api.bodies import read_body
from mcp_tencent.local_cloud.kubernetes.api.changing import Changed, apply_patch, check_patch_type
from mcp_tencent.local_cloud.kubernetes.api.reading import encode, find
from mcp_tencent.local_cloud.kubernetes.api.request import ApiRequest, Target
from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError, Cause, InvalidError, Subject
from mcp_tencent.local_cloud.kubernetes.kinds import BY_KIND, ResourceKind
from mcp_tencent.local_cloud.kubernetes.schema.shapes import Decoding

_SCALE = ResourceKind(kind="Scale", plural="scales", group="autoscaling")


def read_scale(cluster: KubernetesCluster, target: Target) -> bytes:
    """Return a workload's Scale."""
    return encode(_scale(find(cluster, target)))


def write_scale(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> Changed:
    """Change how many pods a workload wants, by PUT or PATCH of its Scale."""
    workload = find(cluster, target)
    if request.method == "PATCH":
        media = request.headers.get("content-type", "").partition(";")[0].strip()
        check_patch_type(media)
        shaped = Target(resource=_SCALE, namespace=target.namespace, name=target.name)
        if media == "application/apply-patch+yaml":
            media = "application/merge-patch+json"
        body = apply_patch(media, _scale(workload), request.body, shaped)
    else:
        body = read_body(request.body, request.headers.get("content-type", ""))
    if body.get("kind", "Scale") != "Scale":
        raise BadRequestError(f"{body.get('kind')!s:.60} cannot be handled as a Scale")
    wanted = Decoding("Scale", "v1").decode(body, _SCALE.shape)
    metadata = wanted.get("metadata") or {}
    if metadata.get("name", target.name) != target.name:
        raise BadRequestError(
            f"the name of the object ({metadata['name'][:260]}) does not match the name on "
            f"the URL ({target.name})"
        )
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        cause = Cause(
            field="spec.replicas",
            reason="FieldValueInvalid",
            message=f"Invalid value: {replicas}: must be greater than or equal to 0",
        )
        raise InvalidError(Subject(kind="Scale", group="autoscaling", name=target.name), [cause])
    kept = {**workload["metadata"]}
    for key in ("resourceVersion", "uid"):
        if metadata.get(key):
            kept[key] = metadata[key]
    new = {**workload, "metadata": kept, "spec": {**workload["spec"], "replicas": replicas}}
    stored = cluster.writes.update(BY_KIND[target.resource.kind], new, dry_run=request.dry_run)
    return Changed(status=200, body=encode(_scale(stored)))


def _scale(workload: KubernetesObject) -> KubernetesObject:
    metadata, selector = workload["metadata"], workload["spec"].get("selector") or {}
    labels = ",".join(f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items()))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            key: metadata[key]
            for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
            if key in metadata
        },
        "spec": {"replicas": workload["spec"].get("replicas", 0)},
        "status": {"replicas": (workload.get("status") or {}).get("replicas", 0), "selector": labels},
    }
