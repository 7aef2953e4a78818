"""Acting on one cluster through lightkube.

How a write is made safe to repeat under its key: the key is written, in the same request, as an annotation of
the object that is changed; before each sending the object is looked up, and one that carries the key has been
changed already. Deletions and isolation are safe by their nature: what is gone is gone, and the isolating
NetworkPolicy has one name.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import httpx2
from lightkube.generic_resource import GenericNamespacedResource
from lightkube.types import PatchType

from mcp_tencent.cloud.lightkube.connection import (
    FIELD_MANAGER,
    ClusterConnection,
    Opened,
    checked,
    checked_name,
    raw_resource,
)
from mcp_tencent.cloud.lightkube.differences import IDEMPOTENCY_KEY, KubernetesJson, differences
from mcp_tencent.cloud.lightkube.object_parts import CHANGE_CAUSE, RESTARTED_AT
from mcp_tencent.cloud.lightkube.views import RAW_WORKLOADS, LightkubeViews
from mcp_tencent.errors import InvalidRequest, NotFound, Unsupported, WrongState
from mcp_tencent.models.changes import Change, ChangeKind, ObjectRef
from mcp_tencent.models.workloads import ConfigKind, Revision, WorkloadKind, WorkloadRef

RawClass = type[GenericNamespacedResource]

MOST_REPLICAS = 10_000
LARGEST_MANIFEST_BYTES = 1 << 20
RAW_CONFIGS = {
    ConfigKind.CONFIG_MAP: raw_resource("v1", "ConfigMap", "configmaps"),
    ConfigKind.SECRET: raw_resource("v1", "Secret", "secrets"),
}
RAW_POD = raw_resource("v1", "Pod", "pods")
RAW_NETWORK_POLICY = raw_resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")


def isolation_name(ref: WorkloadRef) -> str:
    """Return the name of the NetworkPolicy that isolates a workload."""
    return f"xiaozhi-isolate-{ref.kind.lower()}-{ref.name}"[:253].rstrip("-.")


class LightkubeActions:
    """Implements `WorkloadActions`, except what follows a rollout."""

    def __init__(self, connection: ClusterConnection, views: LightkubeViews) -> None:
        self._connection = connection
        self._views = views

    async def scale(
        self, ref: WorkloadRef, replicas: int, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """See `WorkloadActions.scale`."""
        if ref.kind is WorkloadKind.DAEMON_SET:
            raise Unsupported(f"{ref} runs one pod per node: it cannot be scaled")
        if not 0 <= replicas <= MOST_REPLICAS:
            raise InvalidRequest(f"replicas must be 0 to {MOST_REPLICAS}, got {replicas}")
        return await self._merge(
            ref, {"spec": {"replicas": replicas}}, dry_run=dry_run, key=idempotency_key, what="scale"
        )

    async def restart(
        self, ref: WorkloadRef, at: datetime, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """See `WorkloadActions.restart`."""
        await self._refuse_paused(ref)
        annotations = {RESTARTED_AT: at.isoformat(timespec="seconds")}
        return await self._merge(
            ref,
            {"spec": {"template": {"metadata": {"annotations": annotations}}}},
            dry_run=dry_run,
            key=idempotency_key,
            what="restart",
        )

    async def roll_back(
        self,
        ref: WorkloadRef,
        revision: int | None = None,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Change:
        """See `WorkloadActions.roll_back`."""
        await self._refuse_paused(ref)
        kind, name, namespace = RAW_WORKLOADS[ref.kind], ref.name, ref.namespace

        async def send(opened: Opened, key: str | None) -> Change:
            before = await opened.kube.get(kind, name, namespace=namespace)
            chosen = _chosen(await self._views.revisions(before, ref), revision, ref)
            if chosen.current:
                return change_between(_ref_of(before), before, before, dry_run=dry_run)
            annotations = dict(before["metadata"].get("annotations") or {})
            annotations.pop(CHANGE_CAUSE, None)
            if chosen.change_cause:
                annotations[CHANGE_CAUSE] = chosen.change_cause
            if key is not None:
                annotations[IDEMPOTENCY_KEY] = key
            patch = [
                {"op": "replace", "path": "/spec/template", "value": json.loads(chosen.template_json)},
                {"op": "add", "path": "/metadata/annotations", "value": annotations},
            ]
            after = await opened.kube.patch(
                kind, name, patch, namespace=namespace, patch_type=PatchType.JSON, dry_run=dry_run
            )
            return change_between(_ref_of(after), before, after, dry_run=dry_run)

        return await self._write(
            f"roll back {ref}", kind, namespace, name, send, dry_run=dry_run, key=idempotency_key
        )

    async def apply(
        self,
        manifest_json: str,
        *,
        namespace: str = "",
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Change:
        """See `WorkloadActions.apply`."""
        manifest = _read_manifest(manifest_json)
        kind, namespaced = await self._connection.resource(manifest["apiVersion"], manifest["kind"])
        if not namespaced:
            raise Unsupported(f"{manifest['kind']} {manifest['metadata']['name']} stands outside namespaces")
        meta = manifest["metadata"]
        place = checked_name(meta.get("namespace") or namespace or "default")
        if namespace and place != namespace:
            raise InvalidRequest(f"the manifest is for namespace {place}, not {namespace}")
        name = checked_name(meta["name"])
        meta["namespace"] = place

        async def send(opened: Opened, key: str | None) -> Change:
            before = await present(opened, kind, place, name)
            wanted = {**manifest, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {})}}}
            if key is not None:
                wanted["metadata"]["annotations"][IDEMPOTENCY_KEY] = key
            after = await opened.kube.patch(
                kind,
                name,
                wanted,
                namespace=place,
                patch_type=PatchType.APPLY,
                field_manager=FIELD_MANAGER,
                force=True,
                dry_run=dry_run,
            )
            return change_between(_ref_of(after), before, after, dry_run=dry_run)

        return await self._write(
            f"apply {manifest['kind']} {place}/{name}",
            kind,
            place,
            name,
            send,
            dry_run=dry_run,
            key=idempotency_key,
        )

    async def update_config(
        self,
        kind: ConfigKind,
        namespace: str,
        name: str,
        changes: Mapping[str, str | None],
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Change:
        """See `WorkloadActions.update_config`."""
        if not changes:
            raise InvalidRequest(f"nothing to change in {kind} {namespace}/{name}")
        data = {
            key: base64.b64encode(value.encode()).decode()
            if value is not None and kind is ConfigKind.SECRET
            else value
            for key, value in changes.items()
        }
        return await self._merge_raw(
            RAW_CONFIGS[kind],
            namespace,
            name,
            {"data": data},
            dry_run=dry_run,
            key=idempotency_key,
            what=f"update {kind}",
        )

    async def delete_pod(
        self, namespace: str, pod: str, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """See `WorkloadActions.delete_pod`.

        The request names the pod's uid, so that a successor of the same name is never hit. A key protects
        against faults within this call; a repetition by another process is the gateway's to recognise.
        """
        place, name = checked_name(namespace), checked_name(pod)
        ref = ObjectRef(api_version="v1", kind="Pod", namespace=place, name=name)

        async def look(opened: Opened) -> KubernetesJson | None:
            return await present(opened, RAW_POD, place, name)

        before = await self._connection.read(f"pod {place}/{name}", look)
        if before is None:
            raise NotFound(f"there is no pod {place}/{name}")
        uid = before["metadata"]["uid"]
        done = Change(ref=ref, kind=ChangeKind.DELETED, dry_run=dry_run, fields=())

        async def gone() -> Change | None:
            now = await self._connection.once(look)
            return done if now is None or now["metadata"]["uid"] != uid else None

        async def delete(opened: Opened) -> Change:
            options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}}
            checked(
                await opened.http.request(
                    "DELETE",
                    f"/api/v1/namespaces/{place}/pods/{name}",
                    params={"dryRun": "All"} if dry_run else None,
                    json=options,
                )
            )
            return done

        async def send() -> Change:
            return await self._connection.once(delete)

        return await self._connection.calling.write(
            f"delete pod {place}/{name}", send, key=idempotency_key, done=gone
        )

    async def isolate(
        self, ref: WorkloadRef, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """See `WorkloadActions.isolate`."""
        selector = (await self._views.workload(ref)).selector
        if not selector:
            raise Unsupported(f"{ref} selects its pods by expressions, which is not supported here")
        name, place = isolation_name(ref), ref.namespace
        policy = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {
                "name": name,
                "namespace": place,
                "labels": {"app.kubernetes.io/managed-by": FIELD_MANAGER},
            },
            # No rule at all: nothing comes in and nothing goes out.
            "spec": {"podSelector": {"matchLabels": dict(selector)}, "policyTypes": ["Ingress", "Egress"]},
        }

        async def found(opened: Opened) -> Change | None:
            now = await present(opened, RAW_NETWORK_POLICY, place, name)
            return None if now is None else change_between(_ref_of(now), now, now, dry_run=dry_run)

        async def create(opened: Opened) -> Change:
            there = await found(opened)
            if there is not None:
                return there
            after = await opened.kube.create(
                RAW_NETWORK_POLICY.from_dict(policy), namespace=place, dry_run=dry_run
            )
            return change_between(_ref_of(after), None, after, dry_run=dry_run)

        return await self._connection.calling.write(
            f"isolate {ref}",
            lambda: self._connection.once(create),
            key=idempotency_key,
            done=lambda: self._connection.once(found),
        )

    async def release(
        self, ref: WorkloadRef, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """See `WorkloadActions.release`."""
        name, place = checked_name(isolation_name(ref)), checked_name(ref.namespace)
        policy = ObjectRef(
            api_version="networking.k8s.io/v1", kind="NetworkPolicy", namespace=place, name=name
        )
        free = Change(ref=policy, kind=ChangeKind.UNCHANGED, dry_run=dry_run, fields=())

        async def absent(opened: Opened) -> Change | None:
            return free if await present(opened, RAW_NETWORK_POLICY, place, name) is None else None

        async def delete(opened: Opened) -> Change:
            before = await present(opened, RAW_NETWORK_POLICY, place, name)
            if before is None:
                return free
            await opened.kube.delete(RAW_NETWORK_POLICY, name, namespace=place, dry_run=dry_run)
            return change_between(policy, before, None, dry_run=dry_run)

        return await self._connection.calling.write(
            f"release {ref}",
            lambda: self._connection.once(delete),
            key=idempotency_key,
            done=lambda: self._connection.once(absent),
        )

    async def _refuse_paused(self, ref: WorkloadRef) -> None:
        if (await self._views.workload(ref)).paused:
            raise WrongState(f"the rollout of {ref} is paused: resume it first")

    async def _merge(
        self, ref: WorkloadRef, patch: KubernetesJson, *, dry_run: bool, key: str | None, what: str
    ) -> Change:
        return await self._merge_raw(
            RAW_WORKLOADS[ref.kind], ref.namespace, ref.name, patch, dry_run=dry_run, key=key, what=what
        )

    async def _merge_raw(
        self,
        kind: RawClass,
        namespace: str,
        name: str,
        patch: KubernetesJson,
        *,
        dry_run: bool,
        key: str | None,
        what: str,
    ) -> Change:
        place, checked_to = checked_name(namespace), checked_name(name)

        async def send(opened: Opened, own_key: str | None) -> Change:
            before = await opened.kube.get(kind, checked_to, namespace=place)
            marked = (
                patch
                if own_key is None
                else {**patch, "metadata": {"annotations": {IDEMPOTENCY_KEY: own_key}}}
            )
            after = await opened.kube.patch(
                kind, checked_to, marked, namespace=place, patch_type=PatchType.MERGE, dry_run=dry_run
            )
            return change_between(_ref_of(after), before, after, dry_run=dry_run)

        return await self._write(
            f"{what} {place}/{checked_to}", kind, place, checked_to, send, dry_run=dry_run, key=key
        )

    async def _write(
        self,
        what: str,
        kind: RawClass,
        namespace: str,
        name: str,
        send: Callable[[Opened, str | None], Awaitable[Change]],
        *,
        dry_run: bool,
        key: str | None,
    ) -> Change:
        """Send a write that marks its object with the key, at most once per key."""
        if dry_run:
            return await self._connection.read(what, lambda opened: send(opened, None))

        async def marked(opened: Opened) -> Change | None:
            now = await present(opened, kind, namespace, name)
            if now is None or (now["metadata"].get("annotations") or {}).get(IDEMPOTENCY_KEY) != key:
                return None
            return Change(
                ref=_ref_of(now), kind=ChangeKind.UNCHANGED, dry_run=False, fields=(), repeated=True
            )

        return await self._connection.calling.write(
            what,
            lambda: self._connection.once(lambda opened: send(opened, key)),
            key=key,
            done=lambda: self._connection.once(marked),
        )


async def present(opened: Opened, kind: RawClass, namespace: str, name: str) -> KubernetesJson | None:
    """Return an object, None when there is none."""
    try:
        return await opened.kube.get(kind, name, namespace=namespace)
    except httpx2.HTTPStatusError as exc:
        if exc.response.status_code == httpx2.codes.NOT_FOUND:
            return None
        raise


def _chosen(history: list[Revision], wanted: int | None, ref: WorkloadRef) -> Revision:
    if wanted is None:
        earlier = [revision for revision in history if not revision.current]
        if not earlier:
            raise NotFound(f"{ref} has no earlier revision to return to")
        return earlier[0]
    for revision in history:
        if revision.number == wanted:
            return revision
    kept = ", ".join(str(revision.number) for revision in history)
    raise NotFound(f"{ref} keeps no revision {wanted}; it keeps {kept or 'none'}")


def _read_manifest(text: str) -> KubernetesJson:
    if len(text.encode()) > LARGEST_MANIFEST_BYTES:
        raise InvalidRequest(f"a manifest has at most {LARGEST_MANIFEST_BYTES} bytes")
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidRequest("the manifest is not JSON") from exc
    if not isinstance(manifest, dict) or not isinstance(manifest.get("metadata"), dict):
        raise InvalidRequest("the manifest is no single object with metadata")
    for field, value in (
        ("apiVersion", manifest.get("apiVersion")),
        ("kind", manifest.get("kind")),
        ("metadata.name", manifest["metadata"].get("name")),
    ):
        if not isinstance(value, str) or not value:
            raise InvalidRequest(f"the manifest lacks {field}")
    manifest["metadata"] = dict(manifest["metadata"])
    return manifest


def _ref_of(item: KubernetesJson) -> ObjectRef:
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
    if before is None:
        kind = ChangeKind.CREATED
    elif after is None:
        kind = ChangeKind.DELETED
    else:
        kind = ChangeKind.UPDATED if fields else ChangeKind.UNCHANGED
    return Change(ref=ref, kind=kind, dry_run=dry_run, fields=fields)
