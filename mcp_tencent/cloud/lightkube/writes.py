"""Writes that mark their object with the idempotency key, so that they take effect once.

The key is written, in the same request, as an annotation of the object that is changed. Before each sending
the object is looked up, and one that carries the key has been changed already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx2
from lightkube.generic_resource import GenericNamespacedResource
from lightkube.types import PatchType

from mcp_tencent.cloud.lightkube.connection import ClusterConnection, Opened, checked_name
from mcp_tencent.cloud.lightkube.differences import IDEMPOTENCY_KEY, KubernetesJson, differences
from mcp_tencent.models.changes import Change, ChangeKind, ObjectRef

RawClass = type[GenericNamespacedResource]


async def present(opened: Opened, kind: RawClass, namespace: str, name: str) -> KubernetesJson | None:
    """Return an object, None when there is none."""
    try:
        return await opened.kube.get(kind, name, namespace=namespace)
    except httpx2.HTTPStatusError as exc:
        if exc.response.status_code == httpx2.codes.NOT_FOUND:
            return None
        raise


def ref_of_json(item: KubernetesJson) -> ObjectRef:
    """Return the name of an object given as plain JSON."""
    meta = item["metadata"]
    return ObjectRef(
        api_version=item.get("apiVersion", ""),
        kind=item.get("kind", ""),
        namespace=meta.get("namespace", ""),
        name=meta["name"],
    )


def change_between(
    ref: ObjectRef, before: KubernetesJson | None, after: KubernetesJson | None, *, dry_run: bool
) -> Change:
    """Return what a write did, from the object before and after it; None for one that is not there."""
    fields = differences(before, after)
    if before is None and after is None:
        kind = ChangeKind.UNCHANGED
    elif before is None:
        kind = ChangeKind.CREATED
    elif after is None:
        kind = ChangeKind.DELETED
    else:
        kind = ChangeKind.UPDATED if fields else ChangeKind.UNCHANGED
    return Change(ref=ref, kind=kind, dry_run=dry_run, fields=fields)


async def create(opened: Opened, kind: RawClass, item: KubernetesJson, *, dry_run: bool) -> KubernetesJson:
    """Create an object in the namespace that it names, and return it as the cluster keeps it."""
    created: KubernetesJson = await opened.kube.create(kind.from_dict(item), dry_run=dry_run)
    return created


async def send_marked(
    connection: ClusterConnection,
    what: str,
    kind: RawClass,
    namespace: str,
    name: str,
    send: Callable[[Opened, str | None], Awaitable[Change]],
    *,
    dry_run: bool,
    key: str | None,
) -> Change:
    """Send a write that marks its object with the key, at most once per key.

    Args:
        connection: To the cluster.
        what: Names the write in errors.
        kind: Of the object.
        namespace: Of the object.
        name: Of the object.
        send: Sends the write, with the key as the annotation `IDEMPOTENCY_KEY` unless that is None.
        dry_run: Only asks the cluster what would happen, which is a read.
        key: The idempotency key.
    """

    async def marked(opened: Opened) -> Change | None:
        now = await present(opened, kind, namespace, name)
        if now is None or (now["metadata"].get("annotations") or {}).get(IDEMPOTENCY_KEY) != key:
            return None
        ref = ref_of_json(now)
        return Change(ref=ref, kind=ChangeKind.UNCHANGED, dry_run=False, fields=(), repeated=True)

    return await connection.write(
        what, lambda opened: send(opened, None if dry_run else key), marked, dry_run=dry_run, key=key
    )


async def merge_marked(
    connection: ClusterConnection,
    what: str,
    kind: RawClass,
    namespace: str,
    name: str,
    patch: KubernetesJson,
    *,
    dry_run: bool,
    key: str | None,
) -> Change:
    """Send a JSON merge patch that marks its object with the key, at most once per key."""
    place, object_name = checked_name(namespace), checked_name(name)

    async def send(opened: Opened, own_key: str | None) -> Change:
        before = await opened.kube.get(kind, object_name, namespace=place)
        mark = {} if own_key is None else {"metadata": {"annotations": {IDEMPOTENCY_KEY: own_key}}}
        after = await opened.kube.patch(
            kind, object_name, {**patch, **mark}, namespace=place, patch_type=PatchType.MERGE, dry_run=dry_run
        )
        return change_between(ref_of_json(after), before, after, dry_run=dry_run)

    return await send_marked(
        connection, f"{what} {place}/{object_name}", kind, place, object_name, send, dry_run=dry_run, key=key
    )
