"""The tool that shows what a pod wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.errors import Incomplete
from mcp_tencent.basic.health import worst_first
from mcp_tencent.basic.paging import cut
from mcp_tencent.basic.parameters import ClusterName, NamespaceName, PodName, WorkloadName
from mcp_tencent.basic.workload_answers import LogLineOut, PodLogAnswer
from mcp_tencent.errors import NotFound
from mcp_tencent.models.clusters import Cluster
from mcp_tencent.models.workloads import Pod, PodLog, PodLogLine
from mcp_tencent.ports import Workloads
from mcp_tencent.serving.declare import ToolSet

_ERROR = re.compile(
    r"\b(ERROR|FATAL|CRITICAL|PANIC|SEVERE)\b|Exception|Traceback|panic:|错误|异常|失败", re.IGNORECASE
)
_FRAME_BYTES = 800
"""What of an answer is not lines."""
_LONGEST_LINE = 600
_KB = 1000


def pod_log_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tool."""
    tools = ToolSet(outside="kubernetes")

    @tools.read("查看 Pod 日志")
    async def pod_logs(
        workload: WorkloadName | None = None,
        pod: PodName | None = None,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        tail: Annotated[
            int, Field(description="Lines to read from the end.", ge=1, le=5000, strict=True)
        ] = 100,
        previous: Annotated[
            bool, Field(description="The container before its last restart: why it crashed.")
        ] = False,
        contains: Annotated[
            str | None,
            Field(
                description="Only lines with this text, upper or lower case.", min_length=1, max_length=200
            ),
        ] = None,
        container: Annotated[
            str | None, Field(description="Left out: the main one.", min_length=1, max_length=63)
        ] = None,
        max_kb: Annotated[int, Field(description="Size of the answer.", ge=1, le=64, strict=True)] = 4,
    ) -> PodLogAnswer:
        """Show the last lines that a pod's main container wrote, as kubectl logs does.

        For “看看订单服务的日志”. Give a pod, or a workload: then the pod in the worst state is taken. For all
        pods at once, for older lines, or for counting use search_logs or analyze_logs.

        Example: pod_logs(workload="订单服务", tail=200, contains="timeout").
        """
        where, chosen, preface = await _chosen(desk, workload, pod, namespace, cluster)
        log = await _read(desk.inside(where), chosen, container or "", tail, previous)
        matching = [
            line for line in log.lines if contains is None or contains.casefold() in line.text.casefold()
        ]
        lines = _fitting(desk, matching, max_kb * _KB - _FRAME_BYTES)
        errors = [line for line in matching if _ERROR.search(line.text)]
        return PodLogAnswer(
            summary=preface + _summary(log, matching, errors, contains),
            pod=chosen.name,
            namespace=chosen.namespace,
            cluster=where.cluster_id,
            container=log.container,
            previous=previous,
            read=len(log.lines),
            matching=len(matching),
            errors=len(errors),
            left_out=len(matching) - len(lines),
            lines=lines,
        )

    return tools


async def _read(inside: Workloads, pod: Pod, container: str, tail: int, previous: bool) -> PodLog:
    try:
        return await inside.pod_log(
            pod.namespace, pod.name, container=container, tail=tail, previous=previous
        )
    except NotFound as exc:
        if not previous or pod.restarts:
            raise
        wanted = f"{pod.name}上一次运行的日志，它没有重启过"
        raise NotFound(f"{pod.name} has not been restarted: {exc.detail}", wanted=wanted) from exc


async def _chosen(
    desk: BasicDesk, workload: str | None, pod: str | None, namespace: str | None, cluster: str | None
) -> tuple[Cluster, Pod, str]:
    """Return the cluster and pod that are meant, and what the summary begins with."""
    if pod is not None:
        named = await desk.naming.pod(pod, namespace=namespace, cluster=cluster)
        return named.cluster, named.pod, named.preface
    if workload is None:
        raise Incomplete("give workload or pod")
    found = await desk.naming.workload(workload, namespace=namespace, cluster=cluster)
    pods = await desk.inside(found.cluster).pods(workload=found.workload.ref)
    if not pods:
        raise NotFound(f"{found.workload.ref} has no pods now", wanted=f"{found.alias}的 Pod")
    return found.cluster, worst_first(pods)[0], found.preface


def _fitting(desk: BasicDesk, lines: Sequence[PodLogLine], budget_bytes: int) -> list[LogLineOut]:
    """Return the latest lines that fit, oldest first; at least one."""
    taken: list[LogLineOut] = []
    for line in reversed(lines):
        out = LogLineOut(at=desk.told(line.at), text=cut(line.text, _LONGEST_LINE))
        budget_bytes -= len(out.model_dump_json().encode()) + 1
        if taken and budget_bytes < 0:
            break
        taken.append(out)
    return taken[::-1]


def _summary(
    log: PodLog, matching: Sequence[PodLogLine], errors: Sequence[PodLogLine], contains: str | None
) -> str:
    which = "上一次运行的" if log.previous else ""
    if not log.lines:
        return f"{log.pod}{which}没有日志。"
    if not matching:
        return f"{log.pod}{which}最近{len(log.lines)}行日志里没有“{contains}”。"
    what = f"有{len(matching)}行“{contains}”" if contains else "读完了"
    if not errors:
        return f"{log.pod}{which}最近{len(log.lines)}行日志{what}，没有看到错误。"
    last = cut(errors[-1].text, 80)
    return f"{log.pod}{which}最近{len(log.lines)}行日志{what}，{len(errors)}行像是错误，最后一条：{last}"
