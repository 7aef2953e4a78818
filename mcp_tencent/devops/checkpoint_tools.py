"""Tools for checkpoints: make one, list them, bring one back to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_tencent.basic.action_answers import RolloutLine, rollout_line
from mcp_tencent.basic.cluster_answers import Answer, Line, ListAnswer
from mcp_tencent.basic.following import follow_rollout, outcome_in_words
from mcp_tencent.basic.paging import Cursor, page_of
from mcp_tencent.basic.parameters import ClusterName, NamespaceName, PeriodText, WorkloadName
from mcp_tencent.basic.wording import ago
from mcp_tencent.basic.workload_actions import namespace_of_call
from mcp_tencent.devops.checkpoint_records import Checkpoint
from mcp_tencent.devops.healing.acting import naming
from mcp_tencent.devops.healing.checkpoints import Checkpoints, Restored, ref_of
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.devops.healing_tools import IncidentId
from mcp_tencent.errors import NotFound
from mcp_tencent.gateway.call import Arguments
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.models.changes import RolloutStatus
from mcp_tencent.naming.located import Located
from mcp_tencent.serving.declare import DeclaredTool, DryRun, ToolSet

CheckpointId = Annotated[
    str, Field(description="From list_checkpoints, e.g. cp-3f9a0c1d2b4e.", min_length=1, max_length=64)
]


class CheckpointLine(Line):
    """A checkpoint."""

    id: str
    taken_at: str
    cluster: str
    namespace: str
    kind: str
    workload: str
    reason: str = Field(description="Chinese.")
    created_by: str
    incident: str | None
    restored_at: str | None = Field(description="When it was last brought back; null: never.")


class CheckpointsAnswer(ListAnswer):
    """Checkpoints, newest first."""

    checkpoints: list[CheckpointLine]


class CheckpointAnswer(Answer):
    """A checkpoint that was made, or would be."""

    dry_run: bool
    checkpoint: str | None = Field(description="null in a dry run.")
    cluster: str
    namespace: str
    workload: str
    objects: list[str] = Field(description="What it holds, as Kind/name; contents are kept sealed.")
    absent: list[str] = Field(description="What it records as not there: a restore takes it away again.")


class RestoredLine(Line):
    """What became of one object."""

    object: str
    change: str = Field(description="created, updated, deleted or unchanged.")
    fields: list[str] = Field(description="Paths that differed, at most eight.")


class RestoreAnswer(Answer):
    """What bringing a checkpoint back came to."""

    dry_run: bool
    checkpoint: str
    checkpoint_before: str | None = Field(
        description="Made right before restoring, which undoes the restore. null: nothing was changed."
    )
    objects: list[RestoredLine]
    rollout: RolloutLine | None = Field(description="null in a dry run, or when no pods were replaced.")
    needs_restart: bool = Field(
        description="Configuration came back that running pods only read after restart_workload."
    )


def checkpoint_tools(desk: HealingDesk) -> list[DeclaredTool]:
    """Return the declared tools."""
    named = ToolSet(outside="kubernetes", namespace_of=namespace_of_call(desk.basic))
    _declare_list(named, desk)
    _declare_create(named, desk)

    async def namespace_of(arguments: Arguments) -> str | None:
        wanted = arguments.get("checkpoint")
        if not isinstance(wanted, str):
            return None
        return (await in_store(lambda: desk.checkpoints.get(wanted))).namespace

    by_id = ToolSet(outside="kubernetes", namespace_of=namespace_of)
    _declare_restore(by_id, desk)
    return [*named.tools, *by_id.tools]


def _declare_list(tools: ToolSet, desk: HealingDesk) -> None:
    @tools.read("列出备份点")
    async def list_checkpoints(
        workload: Annotated[
            str | None,
            Field(description="Name or alias of a workload. Left out: of all workloads.", max_length=200),
        ] = None,
        period: PeriodText = "7d",
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        cursor: Cursor = None,
    ) -> CheckpointsAnswer:
        """List the checkpoints of workloads: specification, configuration, isolation as they once were.

        For “订单服务有哪些备份点”. One is made before every act that heals; restore_checkpoint brings one
        back.

        Example: list_checkpoints(workload="订单服务", period="7d").
        """
        stretch = desk.basic.period(period)
        found = await desk.located(workload, namespace, cluster) if workload else None
        kept = await Checkpoints(desk).between(
            stretch.start,
            stretch.end,
            found.workload.ref if found is not None else None,
            found.cluster.cluster_id if found is not None else None,
        )
        page = page_of(kept, lambda checkpoint: _line(desk, checkpoint), cursor=cursor)
        return CheckpointsAnswer(
            summary=_listed(desk, kept, found),
            checkpoints=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )


def _listed(desk: HealingDesk, kept: Sequence[Checkpoint], found: Located | None) -> str:
    whose = f"{found.preface}{found.alias}" if found is not None else ""
    if not kept:
        return f"{whose}这段时间没有备份点。"
    length = ago(desk.basic.now() - kept[0].taken_at)
    return f"{whose}有{len(kept)}个备份点，最近的是{length}前，{kept[0].reason}。"


def _line(desk: HealingDesk, checkpoint: Checkpoint) -> CheckpointLine:
    return CheckpointLine(
        id=checkpoint.id,
        taken_at=desk.basic.told(checkpoint.taken_at) or "",
        cluster=checkpoint.cluster_id,
        namespace=checkpoint.namespace,
        kind=checkpoint.workload_kind,
        workload=checkpoint.workload,
        reason=checkpoint.reason,
        created_by=checkpoint.created_by,
        incident=checkpoint.incident_id,
        restored_at=desk.basic.told(checkpoint.restored_at),
    )


def _declare_create(tools: ToolSet, desk: HealingDesk) -> None:
    @tools.write("创建备份点", knows_its_key=True)
    async def create_checkpoint(
        context: Context[Any, Any],
        workload: WorkloadName,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        reason: Annotated[str, Field(description="Why, Chinese, for the list.", max_length=200)] = "手动备份",
        incident: IncidentId = None,
        dry_run: DryRun = False,
    ) -> CheckpointAnswer:
        """Put a workload's specification, configuration, autoscaler and isolation on record as they are.

        For “给订单服务做个备份点”, before changing something by hand. Nothing in the cluster changes. Acts
        that heal make their own.

        Example: create_checkpoint(workload="订单服务").
        """
        found = await desk.basic.naming.workload(workload, namespace=namespace, cluster=cluster, certain=True)
        checkpoints = Checkpoints(desk)
        await checkpoints.check_incident(incident)
        snapshot = await checkpoints.preview(found)
        checkpoint = None
        if not dry_run:
            checkpoint = await checkpoints.take(
                found, reason=reason, by=desk.who(context), incident_id=incident
            )
        held = [f"{one.ref.kind}/{one.ref.name}" for one in snapshot.objects if one.content_json is not None]
        absent = [f"{one.ref.kind}/{one.ref.name}" for one in snapshot.objects if one.content_json is None]
        done = "试运行：会为" if dry_run else "已经为"
        return CheckpointAnswer(
            summary=f"{done}{found.alias}创建备份点，包含{len(held)}个对象。",
            dry_run=dry_run,
            checkpoint=checkpoint.id if checkpoint is not None else None,
            cluster=found.cluster.cluster_id,
            namespace=found.workload.ref.namespace,
            workload=found.workload.ref.name,
            objects=held,
            absent=absent,
        )


def _declare_restore(tools: ToolSet, desk: HealingDesk) -> None:
    def read_back(arguments: Arguments) -> str:
        return f"恢复备份点{arguments['checkpoint']}，规格、配置和网络隔离都回到当时的样子"

    @tools.dangerous("恢复备份点", read_back=read_back, naturally_idempotent=True)
    async def restore_checkpoint(
        context: Context[Any, Any], checkpoint: CheckpointId, dry_run: DryRun = False
    ) -> RestoreAnswer:
        """Bring all that a checkpoint holds back to what it was, to the byte, and wait for the pods.

        For “恢复到刚才的备份点”: undoes roll_back, isolate_workload, scale_workload, update_config and what
        was changed by hand on workload, configuration, autoscaler and isolation. A new checkpoint is made
        first, so that the restore can be undone as well.

        Example: restore_checkpoint(checkpoint="cp-3f9a0c1d2b4e").
        """
        checkpoints = Checkpoints(desk)
        kept = await checkpoints.get(checkpoint)
        desk.basic.bounds.check_namespace(kept.namespace)
        cluster = await desk.basic.naming.cluster(kept.cluster_id, certain=True)
        rehearsed = await checkpoints.restore(kept, cluster, dry_run=True)
        if dry_run or not rehearsed.changed:
            return _answer(kept, rehearsed, None, None, _rehearsed(rehearsed, dry_run=dry_run), dry_run)
        found = await _present(desk, kept)
        before = None
        if found is not None:
            before = await checkpoints.take(
                found, reason=f"恢复备份点{kept.id}之前", by=desk.who(context), incident_id=kept.incident_id
            )
        with naming(before or kept):
            restored = await checkpoints.restore(kept, cluster, dry_run=False)
        inside, ref = desk.basic.inside(cluster), ref_of(kept)
        rollout = await follow_rollout(desk.basic, context, inside, ref) if restored.pods_replaced else None
        length = ago(desk.basic.now() - kept.taken_at)
        said = f"{kept.workload}已经恢复到{length}前的样子，改回了{len(restored.changed)}个对象"
        if rollout is not None:
            said = f"{said}，{await outcome_in_words(inside, ref, rollout)}"
        if restored.needs_restart:
            said = f"{said}，副本要重启以后才会读到恢复的配置"
        return _answer(kept, restored, before, rollout, f"{said}。", dry_run)


async def _present(desk: HealingDesk, kept: Checkpoint) -> Located | None:
    """Return the workload as it is now; None when it was deleted meanwhile, for a restore creates it anew."""
    try:
        return await desk.basic.naming.workload(
            f"{kept.namespace}/{kept.workload}", cluster=kept.cluster_id, certain=True
        )
    except NotFound:
        return None


def _rehearsed(restored: Restored, *, dry_run: bool) -> str:
    if not restored.changed:
        return "现在的样子和备份点完全一样，不用恢复。"
    names = "、".join(f"{change.ref.kind} {change.ref.name}" for change in restored.changed[:3])
    return f"试运行：会改回{len(restored.changed)}个对象：{names}，没有改动。" if dry_run else names


def _answer(
    kept: Checkpoint,
    restored: Restored,
    before: Checkpoint | None,
    rollout: RolloutStatus | None,
    summary: str,
    dry_run: bool,
) -> RestoreAnswer:
    return RestoreAnswer(
        summary=summary,
        dry_run=dry_run,
        checkpoint=kept.id,
        checkpoint_before=before.id if before is not None else None,
        objects=[
            RestoredLine(
                object=f"{change.ref.kind}/{change.ref.name}",
                change=change.kind.value,
                fields=[field.path for field in change.fields[:8]],
            )
            for change in restored.changes
        ],
        rollout=None if rollout is None else rollout_line(rollout),
        needs_restart=restored.needs_restart,
    )
