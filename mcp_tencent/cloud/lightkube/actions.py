"""Acting on workloads, pods and configuration through lightkube."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime

from lightkube.types import PatchType

from mcp_tencent.cloud.lightkube.connection import (
    ClusterConnection,
    Opened,
    checked,
    checked_name,
    raw_resource,
)
from mcp_tencent.cloud.lightkube.differences import IDEMPOTENCY_KEY, KubernetesJson
from mcp_tencent.cloud.lightkube.object_parts import CHANGE_CAUSE, RESTARTED_AT
from mcp_tencent.cloud.lightkube.views import RAW_WORKLOADS, LightkubeViews
from mcp_tencent.cloud.lightkube.writes import (
    change_between,
    merge_marked,
    present,
    ref_of_json,
    send_marked,
)
from mcp_tencent.errors import InvalidRequest, NotFound, Unsupported, WrongState
from mcp_tencent.models.changes import Change, ChangeKind, ObjectRef
from mcp_tencent.models.workloads import ConfigKind, Revision, WorkloadKind, WorkloadRef

MOST_REPLICAS = 10_000
RAW_CONFIGS = {
    ConfigKind.CONFIG_MAP: raw_resource("v1", "ConfigMap", "configmaps"),
    ConfigKind.SECRET: raw_resource("v1", "Secret", "secrets"),
}
RAW_POD = raw_resource("v1", "Pod", "pods")


class LightkubeActions:
    """Implements most of `WorkloadActions`."""

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
        patch = {"spec": {"replicas": replicas}}
        return await self._merge("scale", ref, patch, dry_run=dry_run, key=idempotency_key)

    async def restart(
        self, ref: WorkloadRef, at: datetime, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """See `WorkloadActions.restart`."""
        await self._refuse_paused(ref)
        annotations = {RESTARTED_AT: at.isoformat(timespec="seconds")}
        patch = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
        return await self._merge("restart", ref, patch, dry_run=dry_run, key=idempotency_key)

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
                return change_between(ref_of_json(before), before, before, dry_run=dry_run)
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
            return change_between(ref_of_json(after), before, after, dry_run=dry_run)

        return await send_marked(
            self._connection,
            f"roll back {ref}",
            kind,
            namespace,
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
        return await merge_marked(
            self._connection,
            f"update {kind}",
            RAW_CONFIGS[kind],
            namespace,
            name,
            {"data": data},
            dry_run=dry_run,
            key=idempotency_key,
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

        async def gone(opened: Opened) -> Change | None:
            now = await look(opened)
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

        return await self._connection.write(
            f"delete pod {place}/{name}", delete, gone, dry_run=dry_run, key=idempotency_key
        )

    async def _refuse_paused(self, ref: WorkloadRef) -> None:
        if (await self._views.workload(ref)).paused:
            raise WrongState(f"the rollout of {ref} is paused: resume it first")

    async def _merge(
        self, what: str, ref: WorkloadRef, patch: KubernetesJson, *, dry_run: bool, key: str | None
    ) -> Change:
        kind = RAW_WORKLOADS[ref.kind]
        return await merge_marked(
            self._connection, what, kind, ref.namespace, ref.name, patch, dry_run=dry_run, key=key
        )


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
