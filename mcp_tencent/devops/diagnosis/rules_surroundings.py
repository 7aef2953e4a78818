"""Causes outside of the workload, and troubles that come and go (pure)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

from mcp_tencent.devops.diagnosis.bursts import Burst
from mcp_tencent.devops.diagnosis.causes import CauseKind, Suspicion
from mcp_tencent.devops.diagnosis.evidence import Evidence, NeighbourEvidence
from mcp_tencent.devops.diagnosis.log_signs import LogSign, called_by
from mcp_tencent.devops.diagnosis.picture import ChangeKind, Picture, last_burst, percent, spoken_length
from mcp_tencent.models.workloads import Node, ObjectCondition

WORTH_ASKING_PERCENT = 35.0
"""CPU use of a node from which on it is asked who uses it."""
BUSY_NODE_PERCENT = 60.0
LOUD_CORES = 0.5
LOUD_TIMES = 2.5
NODE_EVENTS = frozenset({"NodeNotReady", "TaintManagerEviction", "NodeLost"})
UNHEALTHY = "Unhealthy"
FLAPS = 3
CALM_FOR_RECOVERY = timedelta(minutes=10)
CALM_AT_ALL = timedelta(minutes=4)


def dependency_down(picture: Picture) -> Suspicion:
    """Something that the workload calls does not answer."""
    suspicion = Suspicion(CauseKind.DEPENDENCY_DOWN)
    share = picture.share(LogSign.DEPENDENCY)
    name = dependency_blamed(picture)
    troubled = picture.errors.current is not None or (not picture.seen and share > 0)
    if not troubled:
        return suspicion
    if share > 0.1:
        named = f" {name} " if name else "下游"
        suspicion.add(min(0.8, 0.5 + share), f"{percent(share)}的异常日志说调用{named}失败")
    for dependency in picture.evidence.dependencies:
        if dependency.down and (dependency.declared or dependency.name == name):
            suspicion.add(0.85, f"它依赖的 {dependency.name} 一个副本都不可用")
        elif dependency.down:
            suspicion.add(0.45, f"同一命名空间的 {dependency.name} 一个副本都不可用，它可能依赖这个")
    if suspicion.signs and picture.onset is not None:
        kinds = (ChangeKind.RELEASE, ChangeKind.CONFIGURATION)
        if any(picture.change_before(k, picture.onset, within=timedelta(minutes=25)) for k in kinds):
            suspicion.doubt(0.15, "故障前自己也有改动")
        else:
            suspicion.add(0.2, "故障前自己没有改动")
    return suspicion


def dependency_blamed(picture: Picture) -> str:
    """Return the dependency that is most likely down; empty when nothing names one."""
    logs = picture.evidence.logs
    named = Counter(name for line in (logs.recent if logs else ()) if (name := called_by(line)))
    if named:
        return named.most_common(1)[0][0]
    return next((d.name for d in picture.evidence.dependencies if d.down), "")


def noisy_neighbour(picture: Picture) -> Suspicion:
    """Another workload takes the CPU of the nodes that this one runs on."""
    suspicion = Suspicion(CauseKind.NOISY_NEIGHBOUR)
    if not picture.troubled:
        return suspicion
    loud = loudest_neighbour(picture.evidence)
    busiest = max(picture.evidence.node_cpu_percent.values(), default=0.0)
    if loud is not None and busiest >= WORTH_ASKING_PERCENT:
        use = loud.cpu_cores
        suspicion.add(0.7, f"同节点的 {loud.workload.name} CPU 从 {use.before:.1f} 核涨到 {use.after:.1f} 核")
        if busiest >= BUSY_NODE_PERCENT:
            suspicion.add(0.3, f"节点 CPU 用到{busiest:.0f}%")
    if picture.share(LogSign.CPU_STARVED) > 0.1:
        suspicion.add(0.4, "日志里说 CPU 被限或者不足")
    own = picture.evidence.usage.traffic_bytes_per_second if picture.evidence.usage is not None else None
    if suspicion.signs and own is not None and own.ratio >= 1.5:
        suspicion.doubt(0.4, "自己的流量也涨了")
    if suspicion.signs and picture.changed_nearby:
        suspicion.doubt(0.4, "故障前自己也有改动")
    return suspicion


def loudest_neighbour(evidence: Evidence) -> NeighbourEvidence | None:
    """Return the neighbour whose use of CPU grew most, if it grew a lot."""
    loud = [
        neighbour
        for neighbour in evidence.neighbours
        if neighbour.cpu_cores.ratio >= LOUD_TIMES
        and neighbour.cpu_cores.after - neighbour.cpu_cores.before >= LOUD_CORES
    ]
    return max(loud, key=lambda n: n.cpu_cores.after - n.cpu_cores.before, default=None)


def node_down(picture: Picture) -> Suspicion:
    """A node that carried pods of the workload does not answer."""
    suspicion = Suspicion(CauseKind.NODE_DOWN)
    evidence = picture.evidence
    for node in evidence.nodes:
        if node.ready:
            continue
        lost = [pod for pod in evidence.pods if pod.node == node.name]
        since = _ready_condition(node)
        when = picture.ago(since.changed_at) if since is not None and since.changed_at else ""
        if lost:
            suspicion.add(0.9, f"节点 {node.name} {when}失联，上面有它的{len(lost)}个副本")
        elif since is not None and since.changed_at is not None and _moved_since(evidence, since):
            suspicion.add(0.7, f"节点 {node.name} {when}失联，副本在那以后换了节点")
    told = [event for event in evidence.events if event.reason in NODE_EVENTS]
    if told:
        suspicion.add(0.5, f"集群报告了{len(told)}次节点失联或者副本被驱逐")
    return suspicion


def node_blamed(picture: Picture) -> str:
    """Return the node that is down; empty when all answer."""
    return next((node.name for node in picture.evidence.nodes if not node.ready), "")


def _ready_condition(node: Node) -> ObjectCondition | None:
    return next((condition for condition in node.conditions if condition.kind == "Ready"), None)


def _moved_since(evidence: Evidence, since: ObjectCondition) -> bool:
    """Tell whether some pods, but not all, were replaced within ten minutes of a node's failure."""
    if since.changed_at is None:
        return False
    fresh = [
        pod.created_at is not None
        and timedelta(minutes=-2) <= pod.created_at - since.changed_at <= timedelta(minutes=15)
        for pod in evidence.pods
    ]
    return any(fresh) and not all(fresh)


def flapping(picture: Picture) -> Suspicion:
    """Pods lose their readiness and regain it, again and again, by themselves."""
    suspicion = Suspicion(CauseKind.FLAPPING)
    bursts = _flaps(picture)
    if bursts:
        suspicion.add(0.75, f"异常日志来了又走，一共{len(bursts)}次，每次约{spoken_length(bursts[0].length)}")
    probes = [e for e in picture.evidence.events if e.reason == UNHEALTHY and "eadiness" in e.message]
    failures = sum(event.count for event in probes)
    if failures >= 2 * FLAPS and not picture.crashing:
        suspicion.add(0.4, f"就绪检查失败了{failures}次")
    if suspicion.signs and picture.share(LogSign.PROBE) > 0.05:
        suspicion.add(0.35, "日志里有健康检查失败")
    if suspicion.signs and picture.killed:
        suspicion.doubt(0.6, "副本是因为内存超限重启的")
    return suspicion


def _flaps(picture: Picture) -> tuple[Burst, ...]:
    """Return the bursts that come and go, of errors or of failing probes; empty when too few do."""
    series = [picture.errors.found]
    if picture.signs.get(LogSign.PROBE, 0.0) > 0.3:
        series.append(picture.warnings.found)
    longest = max(series, key=len)
    return longest if len(longest) >= FLAPS and _apart(longest) else ()


def _apart(bursts: tuple[Burst, ...]) -> bool:
    """Tell whether the calm between bursts is long against them."""
    gaps = [later.start - earlier.end for earlier, later in pairwise(bursts)]
    calm = sum(gaps, timedelta())
    loud = sum((burst.length for burst in bursts[:-1]), timedelta())
    return calm >= loud * 0.5


def crashing(picture: Picture) -> Suspicion:
    """Containers end again and again, and nothing better explains why."""
    suspicion = Suspicion(CauseKind.CRASHING)
    if pods := picture.crashing:
        end = pods[0].last_end
        code = f"，退出码 {end.exit_code}" if end is not None else ""
        suspicion.add(0.5, f"{len(pods)}个副本反复崩溃{code}")
    return suspicion


def isolated(picture: Picture) -> Suspicion:
    """We have cut it off from the network ourselves."""
    suspicion = Suspicion(CauseKind.ISOLATED)
    if picture.evidence.isolated:
        suspicion.add(0.9, "它正被隔离，网络是切断的")
    return suspicion


def unusual_logs(picture: Picture) -> Suspicion:
    """Warnings that were not there before, without failing requests."""
    suspicion = Suspicion(CauseKind.UNUSUAL_LOGS)
    burst = last_burst(picture.warnings)
    if burst is None or picture.errors.found or picture.troubled or _flaps(picture):
        return suspicion
    state = "还在继续" if burst.ongoing else f"{picture.ago(burst.end)}停止"
    suspicion.add(0.75, f"{picture.ago(burst.start)}起出现平时没有的告警日志{burst.bad}条，{state}")
    suspicion.add(0.3, "错误没有增加，副本都正常")
    return suspicion


def already_recovered(picture: Picture) -> Suspicion:
    """There was a trouble, and it has passed by itself."""
    suspicion = Suspicion(CauseKind.ALREADY_RECOVERED)
    burst = last_burst(picture.errors)
    if burst is None or picture.troubled:
        return suspicion
    calm = picture.evidence.at - burst.end
    if calm >= CALM_FOR_RECOVERY:
        length = spoken_length(burst.length)
        suspicion.add(
            0.85, f"{picture.ago(burst.start)}错误增多，持续{length}，之后{spoken_length(calm)}都正常"
        )
        suspicion.add(0.3, "现在所有副本都就绪")
        if _flaps(picture):
            suspicion.doubt(0.6, "这样的异常日志来了又走好几次，还会再来")
    return suspicion


def nothing_wrong(picture: Picture) -> Suspicion:
    """All is well."""
    suspicion = Suspicion(CauseKind.NOTHING_WRONG)
    if not picture.troubled and not picture.errors.found and picture.evidence.workload.healthy:
        suspicion.add(0.6 if picture.seen else 0.3, "所有副本都就绪，没有重启，没有明显的错误")
    return suspicion
