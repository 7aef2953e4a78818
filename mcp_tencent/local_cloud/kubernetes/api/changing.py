"""POST, PUT, PATCH and DELETE of objects."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.api.bodies import (
    decode_object,
    read_body,
    read_json,
    read_json_or_yaml,
)
from mcp_tencent.local_cloud.kubernetes.api.conversion import to_served, to_stored
from mcp_tencent.local_cloud.kubernetes.api.reading import encode, find, select, written
from mcp_tencent.local_cloud.kubernetes.api.request import ApiRequest, Target
from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.kubernetes.errors import (
    ApiError,
    BadRequestError,
    Cause,
    ConflictError,
    InvalidError,
    NotFoundError,
    Subject,
    UnsupportedMediaTypeError,
)
from mcp_tencent.local_cloud.kubernetes.kinds import BY_KIND
from mcp_tencent.local_cloud.kubernetes.patching.errors import FailedPatchError, MalformedPatchError
from mcp_tencent.local_cloud.kubernetes.patching.json_patch import apply_json_patch
from mcp_tencent.local_cloud.kubernetes.patching.merge_patch import merge
from mcp_tencent.local_cloud.kubernetes.patching.server_side_apply import conflicts, removals
from mcp_tencent.local_cloud.kubernetes.patching.strategic import strategic_merge
from mcp_tencent.local_cloud.kubernetes.schema.shapes import Decoding
from mcp_tencent.local_cloud.kubernetes.writes import Deletion

_APPLY = "application/apply-patch+yaml"
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    _APPLY,
)
_PROPAGATIONS = ("Background", "Foreground", "Orphan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The answer to a change."""

    status: int
    body: bytes
    warnings: tuple[str, ...] = ()


def create(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> Changed:
    """Create an object from the body."""
    body = read_body(request.body, request.headers.get("content-type", ""))
    new, warnings = decode_object(body, target.resource, request.query.get("fieldValidation", "Warn"))
    new = _placed(new, target)
    stored = cluster.writes.create(
        BY_KIND[target.resource.kind], to_stored(target.resource, new, None), dry_run=request.dry_run
    )
    return Changed(status=201, body=written(cluster, request, target, stored), warnings=tuple(warnings))


def replace(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> Changed:
    """Put the body in the place of an object."""
    old = find(cluster, target)
    body = read_body(request.body, request.headers.get("content-type", ""))
    return _update(cluster, request, target, old, body)


def patch(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> Changed:
    """Change an object by a patch; a server-side apply may also create it."""
    media = request.headers.get("content-type", "").partition(";")[0].strip()
    check_patch_type(media)
    if media == _APPLY:
        return _apply(cluster, request, target)
    old = find(cluster, target)
    patched = apply_patch(media, to_served(target.resource, old), request.body, target)
    return _update(cluster, request, target, old, patched)


def delete(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> Changed:
    """Delete one object."""
    how = read_deletion(request)
    find(cluster, target)
    last, gone = cluster.writes.delete(
        BY_KIND[target.resource.kind], target.namespace, target.name, how, dry_run=request.dry_run
    )
    if not gone and not request.dry_run:
        return Changed(status=200, body=written(cluster, request, target, last))
    return Changed(status=200, body=encode(_success(target, last)))


def delete_all(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> Changed:
    """Delete the objects that a list request would return."""
    how = read_deletion(request)
    items = select(cluster, request, target)
    for item in items:
        metadata = item["metadata"]
        namespace = metadata.get("namespace", "")
        if cluster.get(target.resource.kind, namespace, metadata["name"]) is not None:
            cluster.writes.delete(
                BY_KIND[target.resource.kind], namespace, metadata["name"], how, dry_run=request.dry_run
            )
    answer = {
        "kind": f"{target.resource.kind}List",
        "apiVersion": target.resource.api_version,
        "metadata": {"resourceVersion": str(cluster.store.version)},
        "items": [to_served(target.resource, item) for item in items],
    }
    return Changed(status=200, body=encode(answer))


def read_deletion(request: ApiRequest) -> Deletion:
    """Return how to delete, from the body (DeleteOptions or Eviction) and the parameters.

    Raises:
        BadRequestError: a value is of the wrong type or unknown.
    """
    options: KubernetesObject = {}
    if request.body:
        body = read_body(request.body, request.headers.get("content-type", ""))
        if body.get("kind", "DeleteOptions") == "Eviction":
            body = body.get("deleteOptions") or {}
            if not isinstance(body, dict):
                raise BadRequestError(
                    "json: cannot unmarshal deleteOptions into Go value of type v1.DeleteOptions"
                )
        options = Decoding("DeleteOptions", "v1").decode(body, "meta.v1.DeleteOptions")
    grace = options.get("gracePeriodSeconds", request.number("gracePeriodSeconds"))
    orphan = options.get(
        "orphanDependents", request.flag("orphanDependents") if "orphanDependents" in request.query else None
    )
    propagation = (
        options.get("propagationPolicy")
        or request.query.get("propagationPolicy")
        or ("Orphan" if orphan else "Background")
    )
    if propagation not in _PROPAGATIONS:
        cause = Cause(
            field="propagationPolicy",
            reason="FieldValueNotSupported",
            message=f'Unsupported value: "{propagation[:40]}": supported values: "Background", '
            f'"Foreground", "Orphan"',
        )
        raise InvalidError(Subject(kind="DeleteOptions", group="meta.k8s.io"), [cause])
    if isinstance(grace, int) and grace < 0:
        grace = 1
    conditions = options.get("preconditions") or {}
    return Deletion(
        grace_seconds=grace,
        propagation=propagation,
        uid=conditions.get("uid"),
        resource_version=conditions.get("resourceVersion"),
    )


def check_patch_type(media: str) -> None:
    """Raise UnsupportedMediaTypeError when no patch is of this type."""
    if media not in _PATCHES:
        raise UnsupportedMediaTypeError(
            f"the body of the request was in an unknown format - accepted media types "
            f"include: {', '.join(_PATCHES)}"
        )


def apply_patch(media: str, subject: KubernetesObject, body: bytes, target: Target) -> KubernetesObject:
    """Return `subject` changed by the patch in `body`.

    Raises:
        BadRequestError: it is no patch of its type.
        InvalidError: it is one, but does not fit the object.
    """
    change = read_json(body)
    try:
        if media == "application/json-patch+json":
            patched = apply_json_patch(subject, change)
        elif not isinstance(change, dict):
            raise BadRequestError(
                "json: cannot unmarshal a value that is no object into Go value of type "
                "map[string]interface {}"
            )
        elif media == "application/merge-patch+json":
            patched = merge(subject, change)
        else:
            patched = strategic_merge(subject, change, target.resource.shape)
    except MalformedPatchError as error:
        raise BadRequestError(f"error decoding patch: {error}") from error
    except FailedPatchError as error:
        failure = InvalidError(Subject(), [])
        failure.message = f"the server rejected our request due to an error in our request: {error}"
        raise failure from error
    if not isinstance(patched, dict):
        raise BadRequestError("the patched object is no object")
    return patched


def _update(
    cluster: KubernetesCluster,
    request: ApiRequest,
    target: Target,
    old: KubernetesObject,
    body: KubernetesObject,
) -> Changed:
    new, warnings = decode_object(body, target.resource, request.query.get("fieldValidation", "Warn"))
    new = _placed(new, target)
    name = new["metadata"].get("name", "")
    if name != target.name:
        raise BadRequestError(
            f"the name of the object ({name[:260]}) does not match the name on the URL ({target.name})"
        )
    if target.resource.kind == "Event":
        new.setdefault("involvedObject", {})
    stored = cluster.writes.update(
        BY_KIND[target.resource.kind],
        to_stored(target.resource, new, old),
        part=target.subresource,
        dry_run=request.dry_run,
    )
    return Changed(status=200, body=written(cluster, request, target, stored), warnings=tuple(warnings))


def _apply(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> Changed:
    """Server-side apply."""
    manager = request.query.get("fieldManager", "")
    if not manager:
        cause = Cause(
            field="fieldManager",
            reason="FieldValueRequired",
            message="Required value: is required for apply patch",
        )
        raise InvalidError(Subject(kind="PatchOptions", group="meta.k8s.io"), [cause])
    body = read_json_or_yaml(request.body)
    if not isinstance(body, dict):
        raise BadRequestError("error decoding YAML: the patch must be an object")
    for key in ("apiVersion", "kind"):
        if key not in body:
            raise BadRequestError(f"invalid object type: {key} must be set in an apply patch")
    wanted, warnings = decode_object(body, target.resource, request.query.get("fieldValidation", "Warn"))
    if (wanted.get("metadata") or {}).get("managedFields"):
        raise BadRequestError("metadata.managedFields must be nil")
    wanted = _placed({**wanted, "metadata": {"name": target.name, **(wanted.get("metadata") or {})}}, target)
    resource, old = (
        BY_KIND[target.resource.kind],
        cluster.get(target.resource.kind, target.namespace, target.name),
    )
    if old is None:
        if target.subresource:
            raise NotFoundError(target.subject)
        stored = cluster.writes.create(
            resource, to_stored(target.resource, wanted, None), dry_run=request.dry_run
        )
        status = 201
    else:
        merged = _apply_to(cluster, request, target, old, wanted, manager)
        stored = cluster.writes.update(
            resource,
            to_stored(target.resource, merged, old),
            part=target.subresource,
            dry_run=request.dry_run,
        )
        status = 200
    if not request.dry_run:
        cluster.applied[(stored["metadata"]["uid"], manager)] = wanted
    return Changed(status=status, body=written(cluster, request, target, stored), warnings=tuple(warnings))


def _apply_to(
    cluster: KubernetesCluster,
    request: ApiRequest,
    target: Target,
    old: KubernetesObject,
    wanted: KubernetesObject,
    manager: str,
) -> KubernetesObject:
    uid, shape = old["metadata"]["uid"], target.resource.shape
    current = to_served(target.resource, old)
    others = {
        name: applied
        for (owner, name), applied in cluster.applied.items()
        if owner == uid and name != manager
    }
    if not request.flag("force"):
        found = conflicts(current, wanted, others, shape)
        if found:
            raise _apply_conflict(found)
    before = cluster.applied.get((uid, manager))
    gone = removals(before, wanted, f"#{shape}") if before is not None else None
    try:
        merged = strategic_merge(current, gone, shape) if gone else current
        return strategic_merge(merged, wanted, shape)
    except MalformedPatchError as error:
        raise BadRequestError(f"error applying: {error}") from error


def _apply_conflict(found: list[tuple[str, str]]) -> ApiError:
    causes = [
        Cause(field=field, reason="FieldManagerConflict", message=f'conflict with "{name}"')
        for name, field in found[:50]
    ]
    count = "1 conflict" if len(found) == 1 else f"{len(found)} conflicts"
    told = ", ".join(f'"{name}": {field}' for name, field in found[:10])
    error = ConflictError(Subject(), "", causes)
    error.message = f"Apply failed with {count}: conflict{'s' if len(found) > 1 else ''} with {told}"
    return error


def _placed(new: KubernetesObject, target: Target) -> KubernetesObject:
    """Return a body whose namespace is that of the path."""
    metadata = dict(new.get("metadata") or {})
    if target.resource.namespaced:
        if metadata.get("namespace") not in (None, "", target.namespace):
            raise BadRequestError(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        metadata["namespace"] = target.namespace
    else:
        metadata.pop("namespace", None)
    return {**new, "metadata": metadata}


def _success(target: Target, last: KubernetesObject) -> KubernetesObject:
    details = {
        "name": target.name,
        "group": target.resource.group,
        "kind": target.resource.plural,
        "uid": last["metadata"]["uid"],
    }
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }
