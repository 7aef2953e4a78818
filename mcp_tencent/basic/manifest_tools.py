"""The tool that applies a manifest."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_tencent.basic.action_answers import (
    ManifestActionAnswer,
    field_lines,
    fields_left_out,
    rollout_line,
)
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.errors import ManifestRefused
from mcp_tencent.basic.following import follow_rollout, outcome_in_words
from mcp_tencent.basic.manifests import LARGEST_BYTES, Manifest, read_manifest
from mcp_tencent.basic.parameters import ClusterName, NamespaceName
from mcp_tencent.gateway.call import Arguments, NamespaceOf
from mcp_tencent.models.changes import ChangeKind
from mcp_tencent.models.clusters import Cluster
from mcp_tencent.models.workloads import WorkloadKind, WorkloadRef
from mcp_tencent.serving.declare import DryRun, ToolSet

_DEFAULT_NAMESPACE = "default"
_DONE = {
    ChangeKind.CREATED: "已经创建",
    ChangeKind.UPDATED: "已经更新",
    ChangeKind.DELETED: "已经删除",
    ChangeKind.UNCHANGED: "本来就是这样，没有改动",
}
_WOULD = {
    ChangeKind.CREATED: "会新建",
    ChangeKind.UPDATED: "会更新",
    ChangeKind.DELETED: "会删除",
    ChangeKind.UNCHANGED: "不会有变化",
}


def manifest_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tool."""
    tools = ToolSet(outside="kubernetes", namespace_of=_namespace_of(desk))

    def read_back(arguments: Arguments) -> str:
        manifest = read_manifest(str(arguments["manifest"]), desk.bounds)
        place = arguments.get("namespace") or manifest.namespace or _DEFAULT_NAMESPACE
        where = f"{arguments['cluster']}的" if arguments.get("cluster") else ""
        return f"把{manifest.kind} {manifest.name}的清单应用到{where}{place}命名空间"

    @tools.dangerous("应用清单", read_back=read_back, naturally_idempotent=True)
    async def apply_manifest(
        context: Context[Any, Any],
        manifest: Annotated[
            str,
            Field(description="One object as YAML or JSON, as for kubectl apply.", max_length=LARGEST_BYTES),
        ],
        cluster: ClusterName = None,
        namespace: NamespaceName = None,
        dry_run: DryRun = False,
    ) -> ManifestActionAnswer:
        """Create or change one object by a manifest (server-side apply), and wait for its pods.

        For somebody who brings a manifest. Applied are workloads, jobs, services, ingresses, ConfigMaps,
        autoscalers, disruption budgets, network policies and volume claims; nothing in system namespaces,
        nothing that grants rights, no Secrets. To change only a number of replicas use scale_workload; only
        keys of a ConfigMap, update_config. Try it with dry_run first: the cluster checks it then.

        Example: apply_manifest(manifest="{apiVersion: v1, kind: ConfigMap, metadata: {name: demo, namespace:
        trade}, data: {mode: fast}}", dry_run=true).
        """
        wanted = read_manifest(manifest, desk.bounds)
        where = await desk.naming.cluster(cluster, certain=True)
        place = await _place(desk, where, wanted, namespace)
        inside = desk.inside(where)
        change = await inside.apply(
            wanted.content_json, namespace=place, dry_run=dry_run, idempotency_key=desk.new_key()
        )
        said = f"{wanted.kind} {wanted.name}{(_WOULD if dry_run else _DONE)[change.kind]}"
        rollout = None
        if wanted.rolled_out and not dry_run:
            ref = WorkloadRef(namespace=place, kind=WorkloadKind(wanted.kind), name=wanted.name)
            rollout = await follow_rollout(desk, context, inside, ref)
            said = f"{said}，{await outcome_in_words(inside, ref, rollout)}"
        return ManifestActionAnswer(
            summary=f"试运行：{said}，没有改动。" if dry_run else f"{said}。",
            dry_run=dry_run,
            cluster=where.cluster_id,
            namespace=place,
            kind=wanted.kind,
            name=wanted.name,
            change=change.kind.value,
            fields=field_lines(change),
            fields_left_out=fields_left_out(change),
            rollout=None if rollout is None else rollout_line(rollout),
        )

    return tools


async def _place(desk: BasicDesk, cluster: Cluster, manifest: Manifest, said: str | None) -> str:
    """Return the namespace that is meant by the manifest, the parameter, or neither: default."""
    named = await desk.naming.namespace(said, cluster, certain=True) if said else ""
    if named and manifest.namespace and named != manifest.namespace:
        raise ManifestRefused(f"the manifest is for the namespace {manifest.namespace}, not {named}")
    place = manifest.namespace or named or _DEFAULT_NAMESPACE
    desk.bounds.check_namespace(place)
    return place


def _namespace_of(desk: BasicDesk) -> NamespaceOf:
    async def namespace_of(arguments: Arguments) -> str | None:
        text, said, cluster = (arguments.get(name) for name in ("manifest", "namespace", "cluster"))
        if not isinstance(text, str):
            return None
        manifest = read_manifest(text, desk.bounds)
        if manifest.namespace or not isinstance(said, str):
            return manifest.namespace or _DEFAULT_NAMESPACE
        where = await desk.naming.cluster(cluster if isinstance(cluster, str) else None, certain=True)
        return await desk.naming.namespace(said, where, certain=True)

    return namespace_of
