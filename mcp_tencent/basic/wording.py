"""Kubernetes' words in spoken Chinese, and the small forms of summaries (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from mcp_tencent.models.workloads import WorkloadKind

_REASONS = {
    "CrashLoopBackOff": "反复崩溃重启",
    "ImagePullBackOff": "镜像拉取失败",
    "ErrImagePull": "镜像拉取失败",
    "InvalidImageName": "镜像名不对",
    "CreateContainerConfigError": "配置引用有误",
    "CreateContainerError": "容器创建失败",
    "RunContainerError": "容器启动失败",
    "OOMKilled": "内存超限被杀",
    "Error": "异常退出",
    "Evicted": "被驱逐",
    "Unschedulable": "调度不上",
    "NodeLost": "节点失联",
    "BackOff": "重试等待",
    "FailedScheduling": "调度失败",
    "FailedCreate": "创建 Pod 失败",
    "Unhealthy": "健康检查失败",
    "Failed": "失败",
    "FailedMount": "挂载失败",
    "NodeNotReady": "节点没就绪",
    "ProgressDeadlineExceeded": "发布超时",
    "Paused": "发布已暂停",
    "Killing": "正在停止",
    "ScalingReplicaSet": "扩缩副本",
}
_KINDS = {
    WorkloadKind.DEPLOYMENT: "无状态",
    WorkloadKind.STATEFUL_SET: "有状态",
    WorkloadKind.DAEMON_SET: "守护进程",
}


def reason_in_words(reason: str) -> str:
    """Return a reason of Kubernetes in Chinese; one that is not known stays as it is."""
    return _REASONS.get(reason, reason)


def kind_in_words(kind: WorkloadKind) -> str:
    """Return how people tell the kinds of workload apart."""
    return _KINDS[kind]


def some(names: Sequence[str], most: int = 3) -> str:
    """Return the first names of a list, and that there are more."""
    shown = "、".join(names[:most])
    return f"{shown}等" if len(names) > most else shown


def ago(length: timedelta) -> str:
    """Return a length of time as people say it, in its largest unit."""
    seconds = max(0, int(length.total_seconds()))
    for size, unit in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}秒"


def size_in_words(size: float) -> str:
    """Return a number of bytes in its largest unit (powers of 1024)."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f}{unit}" if unit == "B" else f"{size:.1f}{unit}"
        size /= 1024
    return f"{size:.1f}TB"
