"""Tools that act on workloads and pods. Each waits for what really came of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_tencent.basic.action_answers import (
    PodActionAnswer,
    WorkloadActionAnswer,
    field_lines,
    fields_left_out,
    rollout_line,
)
from mcp_tencent.basic.desk import BasicDesk, Bounds
from mcp_tencent.basic.errors import OverLimit
from mcp_tencent.basic.following import follow_rollout, outcome_in_words
from mcp_tencent.basic.parameters import ClusterName, NamespaceName, PodName, WorkloadName
from mcp_tencent.errors import CloudError, Unsupported
from mcp_tencent.gateway.call import Arguments, NamespaceOf
from mcp_tencent.models.changes import Change, ChangeKind, RolloutState, RolloutStatus
from mcp_tencent.models.workloads import Pod, WorkloadKind, WorkloadRef
from mcp_tencent.naming.located import Located, LocatedPod
from mcp_tencent.ports import Workloads
from mcp_tencent.serving.declare import DryRun, ToolSet

_MOST_REPLICAS = 10_000  # beyond that a number was misheard; the house's own limit is in Bounds


def workload_actions(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="kubernetes", namespace_of=namespace_of_call(desk))
    _declare_scale(tools, desk)
    _declare_restart(tools, desk)
    _declare_delete_pod(tools, desk)
    return tools


def check_replicas(replicas: int, bounds: Bounds) -> None:
    """Refuse more pods than the house allows.

    Raises:
        OverLimit: It is more.
    """
    if replicas > bounds.replicas_max:
        raise OverLimit(
            f"a workload may have {bounds.replicas_max} replicas at most, not {replicas}",
            limit=bounds.replicas_max,
            what="副本",
        )


def _declare_scale(tools: ToolSet, desk: BasicDesk) -> None:
    def read_back(arguments: Arguments) -> str:
        replicas = arguments["replicas"]
        assert isinstance(replicas, int)  # noqa: S101 - the arguments have been checked before
        check_replicas(replicas, desk.bounds)
        return f"把{place_read_back(arguments)}{arguments['workload']}调整到{replicas}个副本"

    @tools.dangerous("扩缩工作负载", read_back=read_back, naturally_idempotent=True)
    async def scale_workload(
        context: Context[Any, Any],
        workload: WorkloadName,
        replicas: Annotated[
            int, Field(description="How many pods it shall have.", ge=0, le=_MOST_REPLICAS, strict=True)
        ],
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        dry_run: DryRun = False,
    ) -> WorkloadActionAnswer:
        """Set how many pods a Deployment or StatefulSet has, and wait until they are ready.

        For “订单服务扩到六个副本”. Not for nodes: that is resize_node_pool. Undone by scaling back: the
        answer says how many there were.

        Example: scale_workload(workload="订单服务", replicas=6).
        """
        check_replicas(replicas, desk.bounds)
        found = await _certain(desk, workload, namespace, cluster)
        inside, ref = desk.inside(found.cluster), found.workload.ref
        if ref.kind is WorkloadKind.DAEMON_SET:
            raise Unsupported(f"{ref} runs one pod on every node: it has no number of replicas")
        before = (await inside.workload(ref)).replicas_wanted
        scalers = await inside.autoscalers(namespace=ref.namespace)
        scaler = next((one for one in scalers if one.target == ref), None)
        warning = (
            f"它有自动伸缩（{scaler.replicas_min}到{scaler.replicas_max}个），数量可能还会变"
            if scaler
            else ""
        )
        change = await inside.scale(ref, replicas, dry_run=dry_run, idempotency_key=desk.new_key())
        rollout = None if dry_run else await follow_rollout(desk, context, inside, ref)
        if dry_run:
            said = f"试运行：{found.alias}会从{before}个副本调整到{replicas}个，没有改动"
        elif change.kind is ChangeKind.UNCHANGED:
            said = f"{found.alias}本来就是{replicas}个副本"
        else:
            said = f"{found.alias}已经从{before}个副本调整到{replicas}个"
        return await _answer(found, inside, change, rollout, said, before=before, warning=warning)


def _declare_restart(tools: ToolSet, desk: BasicDesk) -> None:
    def read_back(arguments: Arguments) -> str:
        return f"重启{place_read_back(arguments)}{arguments['workload']}"

    @tools.dangerous("重启工作负载", read_back=read_back, knows_its_key=True)
    async def restart_workload(
        context: Context[Any, Any],
        workload: WorkloadName,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        dry_run: DryRun = False,
    ) -> WorkloadActionAnswer:
        """Replace all pods of a workload, a few at a time, by new ones of the same revision; wait for them.

        For “重启订单服务”, and after update_config. Helps when a program hangs or must read its configuration
        again; not when the image or revision is bad: that is roll_back. For a single pod use delete_pod.

        Example: restart_workload(workload="订单服务").
        """
        found = await _certain(desk, workload, namespace, cluster)
        inside, ref = desk.inside(found.cluster), found.workload.ref
        before = (await inside.workload(ref)).replicas_wanted
        change = await inside.restart(ref, desk.now(), dry_run=dry_run, idempotency_key=desk.new_key())
        rollout = None if dry_run else await follow_rollout(desk, context, inside, ref)
        if rollout is None:
            said = f"试运行：会重启{found.alias}的{before}个Pod，没有改动"
        else:
            said = f"{found.alias}{'已经' if rollout.state is RolloutState.COMPLETE else '开始'}重启"
        return await _answer(found, inside, change, rollout, said, before=before)


def _declare_delete_pod(tools: ToolSet, desk: BasicDesk) -> None:
    def read_back(arguments: Arguments) -> str:
        return f"删除{place_read_back(arguments)}Pod {arguments['pod']}"

    @tools.dangerous("删除 Pod", read_back=read_back)
    async def delete_pod(
        context: Context[Any, Any],
        pod: PodName,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        dry_run: DryRun = False,
    ) -> PodActionAnswer:
        """Delete one pod; its workload puts a new one in its place, for which this waits.

        For a single pod that hangs or sits on a bad node. For all pods of a workload use restart_workload. A
        pod that belongs to nothing is gone for good.

        Example: delete_pod(pod="order-service-7d9f8b6c5d-x2x9z", namespace="trade").
        """
        found = await desk.naming.pod(pod, namespace=namespace, cluster=cluster, certain=True)
        desk.bounds.check_namespace(found.pod.namespace)
        inside = desk.inside(found.cluster)
        ref = await _owner(desk, found)
        change = await inside.delete_pod(
            found.pod.namespace, found.pod.name, dry_run=dry_run, idempotency_key=desk.new_key()
        )
        seen = _Seen()
        if not dry_run:
            seen = await _followed(desk, context, inside, found.pod, ref)
        return PodActionAnswer(
            summary=_deleted_summary(found.pod, ref, seen, dry_run=dry_run),
            dry_run=dry_run,
            cluster=found.cluster.cluster_id,
            namespace=found.pod.namespace,
            kind="Pod",
            name=found.pod.name,
            change=change.kind.value,
            fields=[],
            owner=found.pod.owner,
            gone=seen.gone,
            replaced=seen.replaced,
            waited_seconds=round(seen.waited_seconds, 1),
        )


async def _certain(desk: BasicDesk, workload: str, namespace: str | None, cluster: str | None) -> Located:
    found = await desk.naming.workload(workload, namespace=namespace, cluster=cluster, certain=True)
    desk.bounds.check_namespace(found.workload.ref.namespace)
    return found


async def _answer(
    found: Located,
    inside: Workloads,
    change: Change,
    rollout: RolloutStatus | None,
    said: str,
    *,
    before: int,
    warning: str = "",
) -> WorkloadActionAnswer:
    parts = [said]
    if rollout is not None:
        parts.append(await outcome_in_words(inside, found.workload.ref, rollout))
    if warning:
        parts.append(warning)
    ref = found.workload.ref
    return WorkloadActionAnswer(
        summary=f"{'，'.join(parts)}。",
        dry_run=change.dry_run,
        cluster=found.cluster.cluster_id,
        namespace=ref.namespace,
        kind=ref.kind.value,
        name=ref.name,
        change=change.kind.value,
        fields=field_lines(change),
        fields_left_out=fields_left_out(change),
        replicas_before=before,
        rollout=None if rollout is None else rollout_line(rollout),
        warning=warning,
    )


async def _owner(desk: BasicDesk, found: LocatedPod) -> WorkloadRef | None:
    refs = await desk.naming.aliases_of_workloads(found.cluster)
    return next(
        (ref for ref in refs if ref.namespace == found.pod.namespace and ref.name == found.pod.owner),
        None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What was seen of a deleted pod and its successor."""

    gone: bool = False
    replaced: bool = False
    watched: bool = True
    """False when the cluster did not answer while we waited."""
    waited_seconds: float = 0.0


async def _followed(
    desk: BasicDesk, context: Context[Any, Any], inside: Workloads, pod: Pod, ref: WorkloadRef | None
) -> _Seen:
    """Look until the pod is gone and replaced, or patience ends."""
    began = time.monotonic()
    longest, pause = desk.patience.rollout.total_seconds(), desk.patience.look_every.total_seconds()
    while True:
        try:
            gone, replaced = await _look(inside, pod, ref)
        except CloudError:
            # The pod has been deleted: an error here would say that it has not.
            return _Seen(watched=False, waited_seconds=time.monotonic() - began)
        waited = time.monotonic() - began
        if (gone and (replaced or ref is None)) or waited + pause > longest:
            return _Seen(gone=gone, replaced=replaced, waited_seconds=waited)
        await context.report_progress(waited, longest, "等待新的 Pod 就绪" if gone else "等待旧的 Pod 退出")
        await asyncio.sleep(pause)


async def _look(inside: Workloads, pod: Pod, ref: WorkloadRef | None) -> tuple[bool, bool]:
    """Return whether the pod is gone, and whether as many pods are ready as are wanted."""
    present = await inside.pods(namespace=pod.namespace, workload=ref)
    # A StatefulSet gives the successor the same name.
    gone = not any(one.name == pod.name and one.created_at == pod.created_at for one in present)
    if ref is None or not gone:
        return gone, False
    workload = await inside.workload(ref)
    return gone, workload.replicas_ready >= workload.replicas_wanted


def _deleted_summary(pod: Pod, ref: WorkloadRef | None, seen: _Seen, *, dry_run: bool) -> str:
    alone = "" if ref is not None else "，它不属于任何工作负载，不会自动重建"
    if dry_run:
        return f"试运行：会删除{pod.name}{alone}，没有改动。"
    if not seen.watched:
        return f"已经要求删除{pod.name}，但现在查不到进展{alone}。"
    if not seen.gone:
        return f"已经要求删除{pod.name}，但它还没有退出{alone}。"
    if ref is None:
        return f"{pod.name}已经删除{alone}。"
    return f"{pod.name}已经删除，{'新的Pod已经就绪' if seen.replaced else f'但{ref.name}的新Pod还没有就绪'}。"


def place_read_back(arguments: Arguments) -> str:
    """Return cluster and namespace, as far as they were named, for reading back."""
    places = [str(arguments[key]) for key in ("cluster", "namespace") if arguments.get(key)]
    return f"{'的'.join(places)}的" if places else ""


def namespace_of_call(desk: BasicDesk) -> NamespaceOf:
    """Tell which namespace a call means; arguments that cannot be right mean none."""

    async def namespace_of(arguments: Arguments) -> str | None:
        named = {key: value for key, value in arguments.items() if isinstance(value, str)}
        namespace, cluster = named.get("namespace"), named.get("cluster")
        if "workload" in named:
            workload = await desk.naming.workload(
                named["workload"], namespace=namespace, cluster=cluster, certain=True
            )
            return workload.workload.ref.namespace
        if "pod" in named:
            pod = await desk.naming.pod(named["pod"], namespace=namespace, cluster=cluster, certain=True)
            return pod.pod.namespace
        return None

    return namespace_of
