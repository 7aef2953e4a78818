"""GET: one object, a list, in pages, as a table."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.api.conversion import is_stored_as_served, to_served
from mcp_tencent.local_cloud.kubernetes.api.request import AnswerForm, ApiRequest, Target, answer_form
from mcp_tencent.local_cloud.kubernetes.api.tables import table
from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError, NotFoundError
from mcp_tencent.local_cloud.kubernetes.selectors import (
    SelectorError,
    parse_field_selector,
    parse_label_selector,
)

Chosen = Callable[[KubernetesObject], bool]


def chosen_by(request: ApiRequest, target: Target) -> Chosen:
    """Return the test that the request's selectors (and name, for a single object) make.

    Raises:
        BadRequestError: a selector cannot be read.
    """
    label_text, field_text = request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    try:
        labels = parse_label_selector(label_text) if label_text else None
        fields = parse_field_selector(field_text, target.resource.kind) if field_text else None
    except SelectorError as error:
        raise BadRequestError(str(error)) from None

    def test(item: KubernetesObject) -> bool:
        return (
            (not target.name or item["metadata"]["name"] == target.name)
            and (labels is None or labels.matches(item["metadata"].get("labels")))
            and (fields is None or fields(item))
        )

    return test


def find(cluster: KubernetesCluster, target: Target) -> KubernetesObject:
    """Return the object that `target` names, as stored; raise NotFoundError when there is none."""
    if target.resource.kind == "Event":
        cluster.expire_events()
    found = cluster.get(target.resource.kind, target.namespace, target.name)
    if found is None:
        raise NotFoundError(target.subject)
    return found


def select(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> list[KubernetesObject]:
    """Return the stored objects that a list request means, in the order of namespace and name."""
    kind = target.resource.kind
    if kind == "Event":
        cluster.expire_events()
    chosen = chosen_by(request, target)
    items = [item for item in cluster.store.each(kind, target.namespace or None) if chosen(item)]
    items.sort(key=lambda item: (item["metadata"].get("namespace", ""), item["metadata"]["name"]))
    return items


def get(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> bytes:
    """Return one object as JSON."""
    return written(cluster, request, target, find(cluster, target))


def written(
    cluster: KubernetesCluster, request: ApiRequest, target: Target, stored: KubernetesObject
) -> bytes:
    """Return a stored object as JSON in the version and form that the request asks for."""
    form = answer_form(request.headers.get("accept", ""))
    if form.kind == "Table":
        whole = request.query.get("includeObject", "Metadata")
        version = {"resourceVersion": stored["metadata"].get("resourceVersion", "")}
        rows = table(target.resource.kind, [stored], cluster.simulation.now, version, whole=whole)
        return encode(rows)
    return _encoded(cluster, target, stored, form)


def list_objects(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> bytes:
    """Return a list, or one page of it, as JSON."""
    form = answer_form(request.headers.get("accept", ""))
    items = select(cluster, request, target)
    metadata: KubernetesObject = {"resourceVersion": str(cluster.store.version)}
    items = _page(request, items, metadata)
    if form.kind == "Table":
        whole = request.query.get("includeObject", "Metadata")
        return encode(table(target.resource.kind, items, cluster.simulation.now, metadata, whole=whole))
    kind, version = f"{target.resource.kind}List", target.resource.api_version
    if form.kind:
        kind, version = "PartialObjectMetadataList", "meta.k8s.io/v1"
    head = encode({"kind": kind, "apiVersion": version, "metadata": metadata})
    rows = b",".join([_encoded(cluster, target, item, form) for item in items])
    return head[:-1] + b',"items":[' + rows + b"]}"


def encode(value: KubernetesObject) -> bytes:
    """Return JSON without needless spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _encoded(cluster: KubernetesCluster, target: Target, stored: KubernetesObject, form: AnswerForm) -> bytes:
    if form.kind:
        return encode(
            {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": stored["metadata"]}
        )
    kind = target.resource.kind
    current = cluster.get(kind, stored["metadata"].get("namespace", ""), stored["metadata"]["name"])
    if current is stored and is_stored_as_served(target.resource):
        return cluster.store.encoded(kind, stored)
    return encode(to_served(target.resource, stored))


def _page(
    request: ApiRequest, items: list[KubernetesObject], metadata: KubernetesObject
) -> list[KubernetesObject]:
    """Return the page that the request asks for, and note in `metadata` how to go on."""
    token, limit = request.query.get("continue", ""), request.number("limit")
    if token:
        version, after = _read_token(token)
        metadata["resourceVersion"] = version
        items = [item for item in items if _key(item) > after]
    if limit and len(items) > limit:
        left = len(items) - limit
        items = items[:limit]
        start = [metadata["resourceVersion"], *_key(items[-1])]
        metadata["continue"] = base64.urlsafe_b64encode(json.dumps(start).encode()).decode()
        if not request.query.get("labelSelector") and not request.query.get("fieldSelector"):
            metadata["remainingItemCount"] = left
    return items


def _key(item: KubernetesObject) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _read_token(token: str) -> tuple[str, tuple[str, str]]:
    try:
        version, namespace, name = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise BadRequestError("continue key is not valid: illegal base64 data") from None
    if not all(isinstance(part, str) for part in (version, namespace, name)):
        raise BadRequestError("continue key is not valid")
    return version, (namespace, name)
