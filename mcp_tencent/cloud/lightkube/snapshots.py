"""Objects as they were, and back again: the material of checkpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import httpx2
from lightkube.types import CascadeType

from mcp_tencent.cloud.lightkube.connection import ClusterConnection, Opened, checked_name
from mcp_tencent.cloud.lightkube.differences import KubernetesJson, canonical, restorable
from mcp_tencent.cloud.lightkube.isolation import isolation_name
from mcp_tencent.cloud.lightkube.object_parts import REVISION
from mcp_tencent.cloud.lightkube.views import LightkubeViews
from mcp_tencent.cloud.lightkube.writes import RawClass, change_between, create, present
from mcp_tencent.errors import InvalidRequest, Unsupported
from mcp_tencent.models.changes import Change, ObjectRef, SavedObject, Snapshot
from mcp_tencent.models.workloads import WorkloadRef

CONFLICTS = 5
"""How often a restore looks again when a controller wrote in between; such a write had no effect."""


class LightkubeSnapshots:
    """Implements `Snapshots`.

    A restore brings back what `restorable` of an object is: everything but status and the bookkeeping of the
    cluster and of ours. It compares before it writes, so it is safe to repeat with or without a key.
    """

    def __init__(self, connection: ClusterConnection, views: LightkubeViews) -> None:
        self._connection = connection
        self._views = views

    async def snapshot(self, refs: Sequence[ObjectRef], at: datetime) -> Snapshot:
        """See `Snapshots.snapshot`."""
        async with self._connection.calling.operation("snapshot"):
            objects = tuple([await self._save(ref) for ref in refs])
        return Snapshot(cluster_id=self._connection.cluster_id, taken_at=at, objects=objects)

    async def _save(self, ref: ObjectRef) -> SavedObject:
        kind = await self._kind(ref)

        async def ask(opened: Opened) -> KubernetesJson | None:
            return await present(opened, kind, ref.namespace, ref.name)

        found = await self._connection.read(f"{ref}", ask)
        return SavedObject(ref=ref, content_json=None if found is None else canonical(found))

    async def snapshot_workload(self, ref: WorkloadRef, at: datetime) -> Snapshot:
        """See `Snapshots.snapshot_workload`."""
        workload = await self._views.workload(ref)
        scalers = await self._views.autoscalers(namespace=ref.namespace)
        refs = [
            ObjectRef(api_version="apps/v1", kind=ref.kind, namespace=ref.namespace, name=ref.name),
            *(
                ObjectRef(api_version="v1", kind=use.kind, namespace=ref.namespace, name=use.name)
                for use in workload.config
            ),
            *(
                ObjectRef(
                    api_version="autoscaling/v2",
                    kind="HorizontalPodAutoscaler",
                    namespace=ref.namespace,
                    name=scaler.name,
                )
                for scaler in scalers
                if scaler.target == ref
            ),
            ObjectRef(
                api_version="networking.k8s.io/v1",
                kind="NetworkPolicy",
                namespace=ref.namespace,
                name=isolation_name(ref),
            ),
        ]
        return await self.snapshot(refs, at)

    async def restore(
        self, snapshot: Snapshot, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Sequence[Change]:
        """See `Snapshots.restore`. Configuration comes back before the workload that reads it."""
        if snapshot.cluster_id != self._connection.cluster_id:
            raise InvalidRequest(
                f"the checkpoint is of cluster {snapshot.cluster_id}, not {self._connection.cluster_id}"
            )
        in_order = sorted(snapshot.objects, key=lambda saved: saved.ref.api_version == "apps/v1")
        async with self._connection.calling.operation("restore"):
            changes = {
                saved.ref: await self._restore(saved, dry_run=dry_run, key=idempotency_key)
                for saved in in_order
            }
        return [changes[saved.ref] for saved in snapshot.objects]

    async def _restore(self, saved: SavedObject, *, dry_run: bool, key: str | None) -> Change:
        ref, kind = saved.ref, await self._kind(saved.ref)
        wanted = None if saved.content_json is None else _read(saved)

        async def as_it_was(opened: Opened) -> Change | None:
            now = await present(opened, kind, ref.namespace, ref.name)
            return change_between(ref, now, now, dry_run=dry_run) if _same(now, wanted) else None

        async def bring_back(opened: Opened) -> Change:
            for attempt in range(CONFLICTS):
                now = await present(opened, kind, ref.namespace, ref.name)
                if _same(now, wanted):
                    break
                try:
                    return await _put(opened, kind, ref, now, wanted, dry_run=dry_run)
                except httpx2.HTTPStatusError as exc:
                    if exc.response.status_code != httpx2.codes.CONFLICT or attempt == CONFLICTS - 1:
                        raise
            return change_between(ref, wanted, wanted, dry_run=dry_run)

        return await self._connection.write(f"restore {ref}", bring_back, as_it_was, dry_run=dry_run, key=key)

    async def _kind(self, ref: ObjectRef) -> RawClass:
        checked_name(ref.name)
        kind, namespaced = await self._connection.resource(ref.api_version, ref.kind)
        if not namespaced:
            raise Unsupported(f"{ref} stands outside namespaces and is not kept")
        checked_name(ref.namespace)
        return kind


def _read(saved: SavedObject) -> KubernetesJson:
    try:
        content = json.loads(saved.content_json or "")
    except ValueError as exc:
        raise InvalidRequest(f"the checkpoint of {saved.ref} is not JSON") from exc
    meta = content.get("metadata") if isinstance(content, dict) else None
    if not isinstance(meta, dict) or meta.get("name") != saved.ref.name:
        raise InvalidRequest(f"the checkpoint of {saved.ref} holds another object")
    return {str(key): value for key, value in content.items()}


def _same(now: KubernetesJson | None, wanted: KubernetesJson | None) -> bool:
    if now is None or wanted is None:
        return now is wanted
    return canonical(restorable(now)) == canonical(restorable(wanted))


async def _put(
    opened: Opened,
    kind: RawClass,
    ref: ObjectRef,
    now: KubernetesJson | None,
    wanted: KubernetesJson | None,
    *,
    dry_run: bool,
) -> Change:
    """Write the difference between what is and what was; one of the two exists."""
    if wanted is None:
        await opened.kube.delete(
            kind, ref.name, namespace=ref.namespace, cascade=CascadeType.BACKGROUND, dry_run=dry_run
        )
        return change_between(ref, now, None, dry_run=dry_run)
    body = restorable(wanted)
    if now is None:
        after = await create(opened, kind, body, dry_run=dry_run)
        return change_between(ref, None, after, dry_run=dry_run)
    body["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"]
    kept = (now["metadata"].get("annotations") or {}).get(REVISION)
    if kept is not None:
        body["metadata"].setdefault("annotations", {})[REVISION] = kept
    after = await opened.kube.replace(
        kind.from_dict(body), name=ref.name, namespace=ref.namespace, dry_run=dry_run
    )
    return change_between(ref, now, after, dry_run=dry_run)
