"""Causes of load and resources: memory, traffic, quotas, caches, locks, disks (pure)."""

from __future__ import annotations

from mcp_tencent.devops.diagnosis.causes import CauseKind, Suspicion
from mcp_tencent.devops.diagnosis.evidence import Comparison, MemoryTrend
from mcp_tencent.devops.diagnosis.log_signs import LogSign
from mcp_tencent.devops.diagnosis.picture import Picture, percent

_GIB = 2**30
_MIB = 2**20
MORE_TRAFFIC = 1.5
"""Times as much as usual at that time of day."""
LESS_CPU = 0.7


def memory_leak(picture: Picture) -> Suspicion:
    """Memory grows until containers are killed."""
    suspicion = Suspicion(CauseKind.MEMORY_LEAK)
    usage = picture.evidence.usage
    limit = usage.memory_limit_bytes if usage is not None else None
    if killed := picture.killed:
        restarts = sum(pod.restarts for pod in killed)
        suspicion.add(0.7, f"{len(killed)}个副本因为内存超限被杀过，一共重启了{restarts}次")
    if trend := _steepest(usage.memory if usage is not None else (), limit):
        suspicion.add(0.75, f"副本内存每小时涨{_size(trend.bytes_per_hour)}，一直没有回落")
        if limit and trend.bytes_now > 0.8 * limit:
            suspicion.add(0.3, f"内存已用到上限的{percent(trend.bytes_now / limit)}")
    if suspicion.signs and picture.share(LogSign.MEMORY) > 0.05:
        suspicion.add(0.35, "日志里有内存不足或者频繁垃圾回收")
    return suspicion


def _steepest(trends: tuple[MemoryTrend, ...], limit: float | None) -> MemoryTrend | None:
    """Return the steepest steady rise; a rise is one that would fill a quarter of the pod within a day."""
    rising = [
        trend
        for trend in trends
        if trend.hours >= 0.4
        and trend.fit >= 0.6
        and trend.bytes_per_hour * 24 > 0.25 * (limit or max(trend.bytes_now, 1.0))
    ]
    return max(rising, key=lambda trend: trend.bytes_per_hour, default=None)


def overload(picture: Picture) -> Suspicion:
    """More requests come in than the pods can serve."""
    suspicion = Suspicion(CauseKind.OVERLOAD)
    usage = picture.evidence.usage
    if usage is None or not picture.troubled:
        return suspicion
    traffic, cpu = usage.traffic_bytes_per_second, usage.cpu_cores
    if traffic is not None and traffic.ratio >= MORE_TRAFFIC:
        suspicion.add(0.8 if traffic.ratio >= 1.8 else 0.6, f"流量是平时同一时段的{_times(traffic)}")
    if cpu is not None and cpu.ratio >= 1.25:
        suspicion.add(0.3, f"CPU 用量是平时的{_times(cpu)}")
    if picture.share(LogSign.OVERLOAD) > 0.1:
        suspicion.add(0.5, "日志里有限流、排队或者请求过多")
    if traffic is not None and traffic.ratio < 1.25:
        suspicion.doubt(0.8, "流量和平时差不多")
    if picture.errors.current is None:
        suspicion.doubt(0.5, "错误没有增加")
    return suspicion


def quota_exhausted(picture: Picture) -> Suspicion:
    """Too much load, and a quota lets no further pod in."""
    suspicion = Suspicion(CauseKind.QUOTA_EXHAUSTED)
    evidence = picture.evidence
    refused = [event for event in evidence.events if "exceeded quota" in event.message]
    if refused:
        suspicion.add(0.8, f"集群{len(refused)}次因为配额用完拒绝新建副本")
    full = [(quota, limit) for quota in evidence.quotas for limit in quota.limits if limit.exhausted]
    load = overload(picture).confidence
    if full and (refused or load >= 0.5):
        quota, limit = full[0]
        suspicion.add(0.6, f"命名空间的配额 {quota.name} 已用满，{limit.resource} {limit.used}/{limit.most}")
    if suspicion.signs:
        suspicion.add(load, "流量超过了现有副本能承受的")
    return suspicion


def no_room(picture: Picture) -> Suspicion:
    """Pods cannot be scheduled: no node has room for them."""
    suspicion = Suspicion(CauseKind.NO_ROOM)
    waiting = [
        pod for pod in picture.unready if pod.reason == "Unschedulable" or _unscheduled(picture, pod.name)
    ]
    if waiting:
        suspicion.add(0.85, f"{len(waiting)}个副本排不上节点，资源不够")
    return suspicion


def _unscheduled(picture: Picture, pod: str) -> bool:
    return any(
        event.object_name == pod and event.reason == "FailedScheduling" for event in picture.evidence.events
    ) and any(p.name == pod and not p.node for p in picture.unready)


def cold_cache(picture: Picture) -> Suspicion:
    """A cache was lost and refills: requests go through to what is behind it."""
    suspicion = Suspicion(CauseKind.COLD_CACHE)
    share = picture.share(LogSign.COLD_CACHE)
    if share <= 0.1 or not picture.troubled:
        return suspicion
    suspicion.add(min(0.75, 0.5 + share), f"{percent(share)}的异常日志说缓存没有命中、在回源")
    if not picture.changed_nearby:
        suspicion.add(0.2, "故障前没有发布，也没有改配置")
    usage = picture.evidence.usage
    traffic = usage.traffic_bytes_per_second if usage is not None else None
    if traffic is not None and traffic.ratio < MORE_TRAFFIC:
        suspicion.add(0.2, "流量和平时差不多")
    return suspicion


def stuck(picture: Picture) -> Suspicion:
    """Processes look alive but answer no more: requests fail while the CPU idles."""
    suspicion = Suspicion(CauseKind.STUCK)
    usage = picture.evidence.usage
    if picture.errors.current is None or picture.crashing:
        return suspicion
    cpu = usage.cpu_cores if usage is not None else None
    traffic = usage.traffic_bytes_per_second if usage is not None else None
    if cpu is not None and cpu.ratio <= LESS_CPU:
        if traffic is None or traffic.ratio > cpu.ratio * 1.3:
            suspicion.add(0.7, f"CPU 掉到平时的{percent(cpu.ratio)}，请求却没有少")
        else:
            suspicion.doubt(0.5, "流量也一起掉了")
    if picture.share(LogSign.STUCK) > 0.1:
        suspicion.add(0.5, "日志里有等锁、死锁或者线程池耗尽")
    if not suspicion.signs:
        return suspicion
    if not picture.unready:
        suspicion.add(0.15, "副本都显示就绪，但是请求在失败")
    if picture.changed_nearby:
        suspicion.doubt(0.3, "故障前有过改动")
    else:
        suspicion.add(0.2, "故障前没有发布，也没有改配置")
    return suspicion


def storage_full(picture: Picture) -> Suspicion:
    """A disk is full."""
    suspicion = Suspicion(CauseKind.STORAGE_FULL)
    share = max(picture.share(LogSign.STORAGE), picture.signs.get(LogSign.STORAGE, 0.0) * 0.8)
    pressure = [
        node.name
        for node in picture.evidence.nodes
        if any(c.kind == "DiskPressure" and c.status == "True" for c in node.conditions)
        and any(pod.node == node.name for pod in picture.evidence.pods)
    ]
    if share > 0.05:
        suspicion.add(0.75, "日志里有磁盘写满的报错")
    if pressure:
        suspicion.add(0.6, f"节点 {pressure[0]} 磁盘吃紧")
    if suspicion.signs and picture.crashing:
        suspicion.add(0.3, "容器因此反复崩溃")
    return suspicion


def _times(comparison: Comparison) -> str:
    return f"{comparison.ratio:.1f}倍" if comparison.ratio < 100 else "上百倍"


def _size(size_bytes: float) -> str:
    return f"{size_bytes / _GIB:.1f} GB" if size_bytes >= _GIB else f"{size_bytes / _MIB:.0f} MB"
