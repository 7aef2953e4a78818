"""Following an act on a workload to its real outcome, with progress for whoever waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mcp.server.mcpserver import Context

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.health import is_failed, workload_trouble, worst_first
from mcp_tencent.basic.wording import ago, reason_in_words, some
from mcp_tencent.errors import CloudError
from mcp_tencent.models.changes import RolloutState, RolloutStatus
from mcp_tencent.models.workloads import WorkloadRef
from mcp_tencent.ports import Workloads


async def follow_rollout(
    desk: BasicDesk, context: Context[Any, Any], inside: Workloads, ref: WorkloadRef
) -> RolloutStatus:
    """Wait for a rollout to end, or for patience to; whoever called hears how far it is."""
    longest = desk.patience.rollout

    async def seen(status: RolloutStatus) -> None:
        await context.report_progress(
            status.waited_seconds,
            longest.total_seconds(),
            f"{status.replicas_available}/{status.replicas_wanted} 个 Pod 可用",
        )

    try:
        return await inside.wait_for_rollout(
            ref, within=longest, stay_ready=desk.patience.stay_ready, seen=seen
        )
    except CloudError as exc:
        # The act has been done: an error here would say that it has not, and have it done again.
        return RolloutStatus(
            state=RolloutState.PROGRESSING,
            reason=f"the rollout cannot be watched: {exc.detail}",
            replicas_wanted=0,
            replicas_updated=0,
            replicas_ready=0,
            replicas_available=0,
        )


async def outcome_in_words(inside: Workloads, ref: WorkloadRef, status: RolloutStatus) -> str:
    """Say in Chinese how a rollout ended, and what hinders it when it did not end well."""
    if status.state is RolloutState.COMPLETE:
        return f"{status.replicas_ready}个Pod全部就绪" if status.replicas_wanted else "现在没有Pod在运行"
    if status.state is RolloutState.PROGRESSING:
        return "但现在查不到进展，请过一会儿再看"
    if status.state is RolloutState.GONE:
        return "但它已经被删除了"
    reasons = await _hindrances(inside, ref)
    why = f"：{some(reasons)}" if reasons else ""
    counted = f"{status.replicas_ready}/{status.replicas_wanted}个Pod就绪"
    if status.state is RolloutState.FAILED:
        return f"但发布失败，{counted}{why}"
    waited = ago(timedelta(seconds=status.waited_seconds))
    return f"但等了{waited}还没完成，{counted}{why}"


async def _hindrances(inside: Workloads, ref: WorkloadRef) -> list[str]:
    try:
        workload, pods = await inside.workload(ref), await inside.pods(workload=ref)
    except CloudError:
        # The outcome stands without its causes.
        return []
    reasons = [pod.reason or "Failed" for pod in worst_first(pods) if is_failed(pod) or pod.reason]
    found = [*reasons, workload_trouble(workload)]
    return list(dict.fromkeys(reason_in_words(reason) for reason in found if reason))
