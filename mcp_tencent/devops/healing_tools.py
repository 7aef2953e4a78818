"""Tools that heal: roll back, cut off, let back. Each makes a checkpoint first and waits for its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_tencent.basic.action_answers import (
    WorkloadActionAnswer,
    field_lines,
    fields_left_out,
    rollout_line,
)
from mcp_tencent.basic.following import outcome_in_words
from mcp_tencent.basic.parameters import ClusterName, NamespaceName, WorkloadName
from mcp_tencent.basic.workload_actions import namespace_of_call, place_read_back
from mcp_tencent.devops.diagnosis.revisions import last_good, version_of
from mcp_tencent.devops.healing.acting import Intent, Outcome, acted
from mcp_tencent.devops.healing.checkpoints import Checkpoints
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.errors import NotFound
from mcp_tencent.gateway.call import Arguments
from mcp_tencent.models.changes import ChangeKind
from mcp_tencent.models.workloads import Revision, WorkloadRef
from mcp_tencent.naming.located import Located
from mcp_tencent.ports import Workloads
from mcp_tencent.serving.declare import DeclaredTool, DryRun, ToolSet

IncidentId = Annotated[
    str | None,
    Field(description="The incident that this belongs to, e.g. inc-3f9a0c1d2b4e.", max_length=64),
]


class HealingAnswer(WorkloadActionAnswer):
    """What an act that heals came to."""

    checkpoint: str | None = Field(
        description="Made right before; restore_checkpoint brings everything back. null: nothing was changed."
    )


class RollBackAnswer(HealingAnswer):
    """What a roll-back came to."""

    from_revision: int | None
    to_revision: int | None
    to_version: str = Field(description="Image tag or change cause of the revision returned to.")


def healing_tools(desk: HealingDesk) -> list[DeclaredTool]:
    """Return the declared tools."""
    tools = ToolSet(outside="kubernetes", namespace_of=namespace_of_call(desk.basic))
    _declare_roll_back(tools, desk)
    _declare_isolate(tools, desk)
    _declare_release(tools, desk)
    return list(tools.tools)


def _declare_roll_back(tools: ToolSet, desk: HealingDesk) -> None:
    def read_back(arguments: Arguments) -> str:
        revision = arguments.get("revision")
        target = f"第{revision}版" if revision is not None else "上一个版本"
        return f"把{place_read_back(arguments)}{arguments['workload']}回滚到{target}"

    @tools.dangerous("回滚工作负载", read_back=read_back, knows_its_key=True)
    async def roll_back(
        context: Context[Any, Any],
        workload: WorkloadName,
        revision: Annotated[
            int | None,
            Field(
                description="Number from rollout_history. Left out: the latest older version that ran "
                "something else.",
                ge=1,
                strict=True,
            ),
        ] = None,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        incident: IncidentId = None,
        dry_run: DryRun = False,
    ) -> RollBackAnswer:
        """Return a workload to an earlier revision, and wait until its pods run it.

        For “把订单服务回滚到上一版”, when a release brought the trouble or its image cannot be pulled. Not
        when a configuration or a dependency is to blame: diagnose tells. A checkpoint is made first;
        restore_checkpoint with its id undoes the roll-back.

        Example: roll_back(workload="订单服务").
        """
        found = await desk.certain(workload, namespace, cluster)
        inside, ref = desk.basic.inside(found.cluster), found.workload.ref
        history = await inside.history(ref)
        target = await _wanted(desk, history, revision, ref)
        outcome = await acted(
            desk,
            context,
            found,
            Intent(
                reason=f"回滚到{version_of(target)}之前",
                rolls_out=True,
                incident_id=incident,
                dry_run=dry_run,
            ),
            lambda *, dry_run, key: inside.roll_back(
                ref, target.number, dry_run=dry_run, idempotency_key=key
            ),
        )
        version = version_of(target)
        said = {
            True: f"试运行：会把{found.alias}回滚到{version}，没有改动",
            False: f"{found.alias}已经回滚到{version}",
        }[dry_run]
        if outcome.change.kind is ChangeKind.UNCHANGED and not outcome.change.repeated:
            said = f"{found.alias}本来就是{version}，没有改动"
        current = next((one.number for one in history if one.current), None)
        frame = await _frame(found, inside, outcome, said)
        return RollBackAnswer(
            **frame.model_dump(), from_revision=current, to_revision=target.number, to_version=version
        )


async def _wanted(
    desk: HealingDesk, history: Sequence[Revision], wanted: int | None, ref: WorkloadRef
) -> Revision:
    """Return the revision to go back to; one that is current after a crash in the middle of going back."""
    try:
        return _target(history, wanted, ref)
    except NotFound:
        current = next((one for one in history if one.current), None)
        if current is None or await Checkpoints(desk).begun() is None:
            raise
        return current


def _target(history: Sequence[Revision], wanted: int | None, ref: WorkloadRef) -> Revision:
    if wanted is None:
        found = last_good(history)
        if found is None:
            raise NotFound(f"{ref} keeps no older revision that ran something else", wanted="更早的版本")
        return found
    for revision in history:
        if revision.number == wanted:
            return revision
    kept = ", ".join(str(revision.number) for revision in history)
    raise NotFound(f"{ref} keeps no revision {wanted}; it keeps {kept or 'none'}", wanted=f"第{wanted}版")


def _declare_isolate(tools: ToolSet, desk: HealingDesk) -> None:
    def read_back(arguments: Arguments) -> str:
        return f"隔离{place_read_back(arguments)}{arguments['workload']}，切断它的全部网络"

    @tools.dangerous("隔离工作负载", read_back=read_back, naturally_idempotent=True)
    async def isolate_workload(
        context: Context[Any, Any],
        workload: WorkloadName,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        incident: IncidentId = None,
        dry_run: DryRun = False,
    ) -> HealingAnswer:
        """Cut all network traffic to and from a workload's pods; they go on running.

        For “把报表任务隔离掉”: a workload that harms others. Nothing can call it until release_workload. Not
        a cure for a workload that is itself needed. A checkpoint is made first.

        Example: isolate_workload(workload="报表任务").
        """
        found = await desk.certain(workload, namespace, cluster)
        inside, ref = desk.basic.inside(found.cluster), found.workload.ref
        outcome = await acted(
            desk,
            context,
            found,
            Intent(reason="隔离之前", rolls_out=False, incident_id=incident, dry_run=dry_run),
            lambda *, dry_run, key: inside.isolate(ref, dry_run=dry_run, idempotency_key=key),
        )
        if outcome.change.kind is ChangeKind.UNCHANGED and not outcome.change.repeated:
            said = f"{found.alias}已经是隔离状态，没有改动"
        elif dry_run:
            said = f"试运行：会切断{found.alias}的全部网络，没有改动"
        else:
            said = f"{found.alias}已经隔离，进出的网络都切断了，解除隔离就能恢复"
        return await _frame(found, inside, outcome, said)


def _declare_release(tools: ToolSet, desk: HealingDesk) -> None:
    def read_back(arguments: Arguments) -> str:
        return f"解除{place_read_back(arguments)}{arguments['workload']}的隔离"

    @tools.dangerous("解除隔离", read_back=read_back, naturally_idempotent=True)
    async def release_workload(
        context: Context[Any, Any],
        workload: WorkloadName,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        incident: IncidentId = None,
        dry_run: DryRun = False,
    ) -> HealingAnswer:
        """Let a workload that isolate_workload cut off back to the network.

        For “解除报表任务的隔离”. Only takes away our own isolation; other network policies stay.

        Example: release_workload(workload="报表任务").
        """
        found = await desk.certain(workload, namespace, cluster)
        inside, ref = desk.basic.inside(found.cluster), found.workload.ref
        outcome = await acted(
            desk,
            context,
            found,
            Intent(reason="解除隔离之前", rolls_out=False, incident_id=incident, dry_run=dry_run),
            lambda *, dry_run, key: inside.release(ref, dry_run=dry_run, idempotency_key=key),
        )
        if outcome.change.kind is ChangeKind.UNCHANGED and not outcome.change.repeated:
            said = f"{found.alias}没有被隔离，不用解除"
        elif dry_run:
            said = f"试运行：会解除{found.alias}的隔离，没有改动"
        else:
            said = f"{found.alias}已经解除隔离，网络恢复了"
        return await _frame(found, inside, outcome, said)


async def _frame(found: Located, inside: Workloads, outcome: Outcome, said: str) -> HealingAnswer:
    ref, rollout, change = found.workload.ref, outcome.rollout, outcome.change
    parts = [said]
    if rollout is not None:
        parts.append(await outcome_in_words(inside, ref, rollout))
    return HealingAnswer(
        summary=f"{'，'.join(parts)}。",
        dry_run=change.dry_run and outcome.checkpoint is None,
        cluster=found.cluster.cluster_id,
        namespace=ref.namespace,
        kind=ref.kind.value,
        name=ref.name,
        change=change.kind.value,
        fields=field_lines(change),
        fields_left_out=fields_left_out(change),
        replicas_before=found.workload.replicas_wanted,
        rollout=None if rollout is None else rollout_line(rollout),
        checkpoint=None if outcome.checkpoint is None else outcome.checkpoint.id,
    )
