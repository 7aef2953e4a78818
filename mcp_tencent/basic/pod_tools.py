"""Tools for pods and events: how they are, and what the cluster says of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.health import is_failed, is_restarting, is_well, worst_first
from mcp_tencent.basic.lookup import Gathered, cluster_words, gathered, in_clusters
from mcp_tencent.basic.ownership import objects_of
from mcp_tencent.basic.paging import Cursor, cut, page_of
from mcp_tencent.basic.parameters import ClusterName, NamespaceName, PeriodText, WorkloadName
from mcp_tencent.basic.wording import reason_in_words, some
from mcp_tencent.basic.workload_answers import EventLine, EventsAnswer, PodLine, PodsAnswer
from mcp_tencent.models.clusters import Cluster
from mcp_tencent.models.workloads import Event, EventKind, Pod, PodPhase
from mcp_tencent.periods import Period
from mcp_tencent.serving.declare import ToolSet

PodStatus = Literal["all", "running", "pending", "failed", "restarting"]
_STATUS_WORDS = {"running": "在运行", "pending": "在等待", "failed": "有故障", "restarting": "在重启"}


def pod_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="kubernetes")
    _declare_pods(tools, desk)
    _declare_events(tools, desk)
    return tools


def _declare_pods(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("列出 Pod", cache_s=3.0)
    async def list_pods(
        workload: WorkloadName | None = None,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        status: Annotated[
            PodStatus,
            Field(
                description="running: containers run; pending: not started yet; failed: ended or cannot "
                "start; restarting: a container ended within the past hour, or waits to be started again."
            ),
        ] = "all",
        cursor: Cursor = None,
    ) -> PodsAnswer:
        """List pods, those in trouble first, with counts of what is wrong.

        For “订单服务有几个 pod”, “有没有在重启的 pod”. For what a pod wrote use pod_logs; for a workload as a
        whole describe_workload.

        Example: list_pods(workload="订单服务", status="restarting").
        """
        if workload is not None:
            found = await desk.naming.workload(workload, namespace=namespace, cluster=cluster)
            pods = await desk.inside(found.cluster).pods(workload=found.workload.ref)
            answers = Gathered(found=[(found.cluster, pod) for pod in pods], silent=[])
            where, preface = found.alias, found.preface
        else:
            scopes = await in_clusters(desk, cluster, namespace)
            answers = await gathered(scopes, lambda one, place: desk.inside(one).pods(namespace=place))
            where, preface = cluster_words(scopes), ""
        return _pods_answer(desk, answers, status, cursor, where, preface)


def _declare_events(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("列出事件", cache_s=5.0)
    async def list_events(
        workload: WorkloadName | None = None,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        period: PeriodText = "1h",
        type: Annotated[  # noqa: A002 - the contract's name
            Literal["all", "warning"], Field(description="warning: only those that report trouble.")
        ] = "all",
        cursor: Cursor = None,
    ) -> EventsAnswer:
        """List what the cluster reports: scheduling, pulling images, probes, restarts, scaling; latest first.

        For “订单服务有什么事件”. Kubernetes forgets events after about an hour: for older ones search
        the event topic with search_logs. Not for log lines of the programs.

        Example: list_events(workload="订单服务", period="1h", type="warning").
        """
        meant = desk.period(period)
        if workload is not None:
            found = await desk.naming.workload(workload, namespace=namespace, cluster=cluster)
            ref, inside = found.workload.ref, desk.inside(found.cluster)
            events, neighbours = await asyncio.gather(
                inside.events(namespace=ref.namespace, since=meant.start),
                inside.workloads(namespace=ref.namespace),
            )
            own = objects_of(ref, [one.ref for one in neighbours])
            own_events = [(found.cluster, one) for one in events if own(one.object_kind, one.object_name)]
            answers = Gathered(found=own_events, silent=[])
            where, preface = found.alias, found.preface
        else:
            scopes = await in_clusters(desk, cluster, namespace)
            answers = await gathered(
                scopes, lambda one, place: desk.inside(one).events(namespace=place, since=meant.start)
            )
            where, preface = cluster_words(scopes), ""
        return _events_answer(desk, answers, meant, type == "warning", cursor, where, preface)


def _status_test(status: PodStatus, now: datetime) -> Callable[[Pod], bool]:
    tests: dict[PodStatus, Callable[[Pod], bool]] = {
        "all": lambda _: True,
        "running": lambda pod: pod.phase is PodPhase.RUNNING,
        "pending": lambda pod: pod.phase is PodPhase.PENDING,
        "failed": is_failed,
        "restarting": lambda pod: is_restarting(pod, now),
    }
    return tests[status]


def _pods_answer(
    desk: BasicDesk,
    answers: Gathered[Pod],
    status: PodStatus,
    cursor: str | None,
    where: str,
    preface: str,
) -> PodsAnswer:
    wanted, everything = _status_test(status, desk.now()), answers.found
    of = {id(pod): cluster for cluster, pod in everything}
    matching = worst_first([pod for _, pod in everything if wanted(pod)])
    page = page_of(matching, lambda pod: pod_line(desk, of[id(pod)], pod), cursor=cursor, budget_bytes=3000)
    reasons = Counter(pod.reason for pod in matching if pod.reason)
    return PodsAnswer(
        summary=preface + answers.told(_pods_summary(where, matching, len(everything), status)),
        silent=answers.silent,
        total=len(everything),
        matching=len(matching),
        well=sum(is_well(pod) for pod in matching),
        reasons=dict(reasons.most_common(8)),
        pods=page.items,
        left_out=page.left_out,
        cursor=page.cursor,
    )


def _pods_summary(where: str, matching: Sequence[Pod], total: int, status: PodStatus) -> str:
    if not total:
        return f"{where}没有Pod。"
    bad = [pod for pod in matching if not is_well(pod)]
    reasons = Counter(reason_in_words(pod.reason) if pod.reason else "没就绪" for pod in bad)
    trouble = some([f"{count}个{reason}" for reason, count in reasons.most_common(4)])
    worst = matching[0] if matching else None
    restarts = f"，{worst.name}重启了{worst.restarts}次" if worst is not None and worst.restarts else ""
    if status == "all":
        return f"{where}的{total}个Pod{f'里有{trouble}' if bad else '都正常'}{restarts if bad else ''}。"
    if not matching:
        return f"{where}的{total}个Pod里没有{_STATUS_WORDS[status]}的。"
    among = f"，其中{trouble}" if bad else ""
    return f"{where}的{total}个Pod里有{len(matching)}个{_STATUS_WORDS[status]}{among}{restarts}。"


def _events_answer(
    desk: BasicDesk,
    answers: Gathered[Event],
    meant: Period,
    warnings_only: bool,
    cursor: str | None,
    where: str,
    preface: str,
) -> EventsAnswer:
    inside = [one for _, one in answers.found if one.last_at is None or one.last_at < meant.end]
    warnings = [one for one in inside if one.kind is EventKind.WARNING]
    shown = sorted(
        warnings if warnings_only else inside,
        key=lambda one: one.last_at.timestamp() if one.last_at else 0.0,
        reverse=True,
    )
    page = page_of(shown, lambda event: event_line(desk, event), cursor=cursor)
    return EventsAnswer(
        summary=preface + answers.told(_events_summary(where, inside, warnings)),
        silent=answers.silent,
        total=len(inside),
        warnings=len(warnings),
        events=page.items,
        left_out=page.left_out,
        cursor=page.cursor,
    )


def _events_summary(where: str, events: Sequence[Event], warnings: Sequence[Event]) -> str:
    if not events:
        return f"{where}这段时间没有事件。"
    if not warnings:
        return f"{where}这段时间有{len(events)}条事件，没有警告。"
    times: Counter[str] = Counter()
    for event in warnings:
        times[_event_in_words(event)] += event.count
    most = some([f"{reason}{count}次" for reason, count in times.most_common(3)])
    return f"{where}这段时间有{len(events)}条事件，{len(warnings)}条是警告：{most}。"


def _event_in_words(event: Event) -> str:
    if event.reason == "Failed" and "image" in event.message.lower():
        # The kubelet reports all that goes wrong with a container under one reason.
        return reason_in_words("ErrImagePull")
    return reason_in_words(event.reason)


def pod_line(desk: BasicDesk, cluster: Cluster, pod: Pod) -> PodLine:
    """Return a pod as a line of an answer."""
    return PodLine(
        name=pod.name,
        namespace=pod.namespace,
        cluster=cluster.name,
        ready=f"{pod.containers_ready}/{pod.containers}",
        phase=pod.phase.value,
        reason=pod.reason,
        restarts=pod.restarts,
        last_end=pod.last_end.reason if pod.last_end else "",
        node=pod.node,
        created_at=desk.told(pod.created_at),
    )


def event_line(desk: BasicDesk, event: Event, *, longest: int = 240) -> EventLine:
    """Return an event as a line of an answer, its message cut to `longest` characters."""
    return EventLine(
        at=desk.told(event.last_at),
        type=event.kind.value,
        reason=event.reason,
        object=f"{event.object_kind}/{event.object_name}",
        namespace=event.namespace,
        count=event.count,
        message=cut(event.message, longest),
    )
