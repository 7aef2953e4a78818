"""Tools for looking at workloads: what there is, how one is, and how it came to be so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.health import badness, workload_trouble, worst_first
from mcp_tencent.basic.lookup import cluster_words, gathered, in_clusters
from mcp_tencent.basic.ownership import objects_of
from mcp_tencent.basic.paging import Cursor, cut, page_of
from mcp_tencent.basic.parameters import ClusterName, NamespaceName, WorkloadName
from mcp_tencent.basic.pod_tools import event_line, pod_line
from mcp_tencent.basic.wording import ago, reason_in_words, some
from mcp_tencent.basic.workload_answers import (
    ConfigUseLine,
    HistoryAnswer,
    RevisionLine,
    WorkloadAnswer,
    WorkloadLine,
    WorkloadsAnswer,
)
from mcp_tencent.models.changes import RolloutState, RolloutStatus
from mcp_tencent.models.clusters import Cluster
from mcp_tencent.models.workloads import (
    Autoscaler,
    Config,
    EventKind,
    Pod,
    Revision,
    Workload,
    WorkloadKind,
    WorkloadRef,
)
from mcp_tencent.naming.located import Located
from mcp_tencent.ports import Workloads
from mcp_tencent.serving.declare import ToolSet

_KINDS = {kind.value.lower(): kind.value for kind in WorkloadKind}
_FEW = 5
_RECENT = timedelta(hours=1)
_ROLLOUT_WORDS = {
    RolloutState.PROGRESSING: "正在发布",
    RolloutState.COMPLETE: "发布已完成",
    RolloutState.FAILED: "发布失败",
    RolloutState.TIMED_OUT: "发布超时",
    RolloutState.GONE: "已经不在了",
}


def _kind_of(said: object) -> object:
    return _KINDS.get(said.lower(), said) if isinstance(said, str) else said


KindName = Annotated[
    Literal["Deployment", "StatefulSet", "DaemonSet"] | None,
    BeforeValidator(_kind_of),
    Field(description="Only workloads of this kind."),
]


def workload_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="kubernetes")
    _declare_list(tools, desk)
    _declare_one(tools, desk)
    return tools


def _declare_list(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("列出工作负载", cache_s=5.0)
    async def list_workloads(
        cluster: ClusterName = None,
        namespace: NamespaceName = None,
        kind: KindName = None,
        status: Annotated[
            Literal["all", "unhealthy"],
            Field(
                description="unhealthy: pods missing, not ready, or a rollout that does not come to an end."
            ),
        ] = "all",
        cursor: Cursor = None,
    ) -> WorkloadsAnswer:
        """List workloads (Deployments, StatefulSets, DaemonSets), unhealthy ones first.

        For “有哪些服务”, “哪些服务不正常”. For one workload use describe_workload; for its pods list_pods.

        Example: list_workloads(namespace="trade", status="unhealthy").
        """
        scopes = await in_clusters(desk, cluster, namespace)
        answers = await gathered(scopes, lambda one, place: desk.inside(one).workloads(namespace=place))
        names = await _spoken_names(desk, dict.fromkeys(one for one, _ in answers.found))
        everything = [pair for pair in answers.found if kind is None or pair[1].ref.kind.value == kind]
        everything.sort(key=lambda pair: badness(pair[1]))
        bad = [pair for pair in everything if not pair[1].healthy]
        shown = bad if status == "unhealthy" else everything
        page = page_of(shown, lambda pair: _line(pair[1], pair[0], _name(names, *pair)), cursor=cursor)
        where = cluster_words(scopes)
        return WorkloadsAnswer(
            summary=answers.told(
                _list_summary(where, [(_name(names, *pair), pair[1]) for pair in bad], len(everything))
            ),
            silent=answers.silent,
            total=len(everything),
            unhealthy=len(bad),
            workloads=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )


def _declare_one(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("查看工作负载", cache_s=3.0)
    async def describe_workload(
        workload: WorkloadName, namespace: NamespaceName = None, cluster: ClusterName = None
    ) -> WorkloadAnswer:
        """Tell how one workload is: pods, rollout, last change, configuration, autoscaling, recent warnings.

        For “订单服务怎么样”. For ranked causes of a failure use diagnose; for earlier revisions
        rollout_history; for log lines pod_logs or search_logs.

        Example: describe_workload(workload="订单服务").
        """
        found = await desk.naming.workload(workload, namespace=namespace, cluster=cluster)
        return await _described(desk, found)

    @tools.read("查看发布历史", cache_s=5.0)
    async def rollout_history(
        workload: WorkloadName,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        cursor: Cursor = None,
    ) -> HistoryAnswer:
        """List the revisions of a workload that are kept, latest first: when, which image, why.

        For “订单服务最近发布过什么”. To return to one of them use roll_back.

        Example: rollout_history(workload="订单服务").
        """
        found = await desk.naming.workload(workload, namespace=namespace, cluster=cluster)
        ref = found.workload.ref
        history = await desk.inside(found.cluster).history(ref)
        page = page_of(history, lambda one: _revision_line(desk, one), cursor=cursor)
        return HistoryAnswer(
            summary=_history_summary(desk, found, history),
            workload=ref.name,
            namespace=ref.namespace,
            cluster=found.cluster.cluster_id,
            revisions=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )


async def _described(desk: BasicDesk, found: Located) -> WorkloadAnswer:
    inside, ref = desk.inside(found.cluster), found.workload.ref
    place = ref.namespace
    own_facts, around = await asyncio.gather(
        asyncio.gather(
            inside.workload(ref),
            inside.rollout_status(ref),
            inside.pods(workload=ref),
            inside.history(ref),
            _configs(inside, found.workload),
        ),
        asyncio.gather(
            inside.autoscalers(namespace=place),
            inside.disruption_budgets(namespace=place),
            inside.services(namespace=place),
            inside.events(namespace=place, since=desk.now() - _RECENT),
            inside.workloads(namespace=place),
        ),
    )
    workload, rollout, pods, history, used = own_facts
    scalers, budgets, services, events, neighbours = around
    current = next((one for one in history if one.current), None)
    scaler = next((one for one in scalers if one.target == ref), None)
    budget = next((one for one in budgets if one.selector and _selects(one.selector, workload)), None)
    own = objects_of(ref, [one.ref for one in neighbours])
    warnings = [
        one for one in events if one.kind is EventKind.WARNING and own(one.object_kind, one.object_name)
    ]
    alias = found.alias if found.alias != ref.name else ""
    changed_at = current.created_at if current else None
    return WorkloadAnswer(
        summary=found.preface + _one_summary(desk, found.alias, workload, rollout, pods, current),
        workload=_line(workload, found.cluster, alias),
        cluster_id=found.cluster.cluster_id,
        rollout=rollout.state.value,
        rollout_reason=cut(rollout.reason, 200),
        updated=workload.replicas_updated,
        available=workload.replicas_available,
        paused=workload.paused,
        revision=workload.revision if workload.revision is not None else current.number if current else None,
        change_cause=cut(workload.change_cause, 200),
        changed_at=desk.told(changed_at),
        restarted_at=desk.told(workload.restarted_at),
        images=[cut(one.image, 160) for one in workload.images[:_FEW]],
        config=[
            ConfigUseLine(kind=one.kind.value, name=one.name, changed_at=desk.told(one.changed_at))
            for one in used[:_FEW]
        ],
        autoscaler=_autoscaler_words(scaler),
        disruptions_allowed=budget.disruptions_allowed if budget else None,
        services=[one.name for one in services if one.selector and _selects(one.selector, workload)][:_FEW],
        pods=[pod_line(desk, found.cluster, pod) for pod in worst_first(pods)[:_FEW]],
        warnings=[event_line(desk, event, longest=120) for event in warnings[:_FEW]],
    )


async def _configs(inside: Workloads, workload: Workload) -> list[Config]:
    """Return the configuration that a workload reads, latest change first, without what does not exist."""
    kinds = {use.kind for use in workload.config}
    lists = await asyncio.gather(
        *(inside.configs(kind, namespace=workload.ref.namespace) for kind in sorted(kinds))
    )
    wanted = {(use.kind, use.name) for use in workload.config}
    found = [one for configs in lists for one in configs if (one.kind, one.name) in wanted]
    return sorted(found, key=lambda one: one.changed_at.timestamp() if one.changed_at else 0.0, reverse=True)


def _selects(selector: Mapping[str, str], workload: Workload) -> bool:
    return all(workload.selector.get(key) == value for key, value in selector.items())


def _autoscaler_words(scaler: Autoscaler | None) -> str:
    if scaler is None:
        return ""
    return f"{scaler.replicas_min}-{scaler.replicas_max}, now {scaler.replicas_now}"


async def _spoken_names(
    desk: BasicDesk, clusters: Iterable[Cluster]
) -> Mapping[str, Mapping[WorkloadRef, str]]:
    """Return how to call the workloads of each cluster, by its id."""
    return {one.cluster_id: await desk.naming.aliases_of_workloads(one) for one in clusters}


def _name(names: Mapping[str, Mapping[WorkloadRef, str]], cluster: Cluster, workload: Workload) -> str:
    return names[cluster.cluster_id].get(workload.ref, workload.ref.name)


def _line(workload: Workload, cluster: Cluster, alias: str) -> WorkloadLine:
    ref = workload.ref
    return WorkloadLine(
        name=ref.name,
        alias="" if alias == ref.name else alias,
        namespace=ref.namespace,
        cluster=cluster.name,
        kind=ref.kind.value,
        ready=f"{workload.replicas_ready}/{workload.replicas_wanted}",
        healthy=workload.healthy,
        trouble="" if workload.healthy else workload_trouble(workload),
        image=cut(workload.images[0].image.rpartition("/")[2], 80) if workload.images else "",
    )


def _revision_line(desk: BasicDesk, revision: Revision) -> RevisionLine:
    return RevisionLine(
        revision=revision.number,
        current=revision.current,
        created_at=desk.told(revision.created_at),
        cause=cut(revision.change_cause, 200),
        images=[cut(one.image, 160) for one in revision.images[:_FEW]],
        pods=revision.replicas,
    )


def _list_summary(where: str, bad: Sequence[tuple[str, Workload]], total: int) -> str:
    if not total:
        return f"{where}没有工作负载。"
    if not bad:
        return f"{where}的{total}个工作负载都健康。"
    worst = some([f"{name}（{_state(one)}）" for name, one in bad])
    return f"{where}的{total}个工作负载里有{len(bad)}个不健康：{worst}。"


def _state(workload: Workload) -> str:
    trouble = workload_trouble(workload)
    if workload.replicas_ready >= workload.replicas_wanted and trouble:
        return reason_in_words(trouble)
    return f"{workload.replicas_ready}/{workload.replicas_wanted}就绪"


def _one_summary(
    desk: BasicDesk,
    alias: str,
    workload: Workload,
    rollout: RolloutStatus,
    pods: Sequence[Pod],
    current: Revision | None,
) -> str:
    state = "健康" if workload.healthy else "不健康"
    parts = [f"{alias}{state}，{workload.replicas_ready}/{workload.replicas_wanted}个Pod就绪"]
    reasons = list(dict.fromkeys(reason_in_words(pod.reason) for pod in worst_first(pods) if pod.reason))
    if reasons:
        parts.append(some(reasons))
    restarts = sum(pod.restarts for pod in pods)
    if restarts:
        parts.append(f"累计重启{restarts}次")
    if rollout.state is not RolloutState.COMPLETE:
        parts.append(_ROLLOUT_WORDS[rollout.state])
    if current and current.created_at:
        cause = f"：{cut(current.change_cause, 40)}" if current.change_cause else ""
        parts.append(f"最近一次发布在{ago(desk.now() - current.created_at)}前{cause}")
    return f"{'，'.join(parts)}。"


def _history_summary(desk: BasicDesk, found: Located, history: Sequence[Revision]) -> str:
    current = next((one for one in history if one.current), None)
    if current is None:
        return f"{found.preface}{found.alias}没有保留发布历史。"
    when = f"，{ago(desk.now() - current.created_at)}前发布" if current.created_at else ""
    cause = f"，{cut(current.change_cause, 40)}" if current.change_cause else ""
    return (
        f"{found.preface}{found.alias}保留了{len(history)}个版本，现在是第{current.number}版{when}{cause}。"
    )
