"""Applying a manifest: server-side apply, so that the cluster merges and only what is said is owned."""

from __future__ import annotations

import json

from lightkube.types import PatchType

from mcp_tencent.cloud.lightkube.connection import FIELD_MANAGER, ClusterConnection, Opened, checked_name
from mcp_tencent.cloud.lightkube.differences import IDEMPOTENCY_KEY, KubernetesJson, restorable
from mcp_tencent.cloud.lightkube.writes import change_between, present, ref_of_json, send_marked
from mcp_tencent.errors import InvalidRequest, Unsupported
from mcp_tencent.models.changes import Change

LARGEST_MANIFEST_BYTES = 1 << 20


class LightkubeManifests:
    """Implements applying of `WorkloadActions`."""

    def __init__(self, connection: ClusterConnection) -> None:
        self._connection = connection

    async def apply(
        self,
        manifest_json: str,
        *,
        namespace: str = "",
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Change:
        """See `WorkloadActions.apply`."""
        # What a manifest that was taken from a cluster carries of that cluster's bookkeeping is left out.
        manifest = restorable(_read_manifest(manifest_json))
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
            return change_between(ref_of_json(after), before, after, dry_run=dry_run)

        return await send_marked(
            self._connection,
            f"apply {manifest['kind']} {place}/{name}",
            kind,
            place,
            name,
            send,
            dry_run=dry_run,
            key=idempotency_key,
        )


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
    return manifest
