"""What holds an act back at the moment of the act (pure): policy and facts in, nothing or a refusal out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum

from mcp_tencent.devops.incidents import Rung
from mcp_tencent.devops.policy.model import HealingMode, Policy

_REPLACES_PODS = frozenset({Rung.ROLL_BACK, Rung.RESTORE})
_TAKES_PODS_AWAY = frozenset({Rung.RESTART, Rung.ISOLATE})


class Guard(StrEnum):
    """Who refuses; the audit names it."""

    PLAN = "plan"
    """There is no such plan, or the call is not in it."""
    INCIDENT = "incident"
    """The incident is not open any more, or the attempt has ended."""
    UNREADABLE = "unreadable"
    """Policy, records or cluster cannot be read, and what is not known is not allowed."""
    PROTECTED_NAMESPACE = "protected_namespace"
    OBSERVE_MODE = "observe_mode"
    PROPOSE_MODE = "propose_mode"
    CLOSED_WINDOW = "closed_window"
    LOOP_BREAKER = "loop_breaker"
    FAILURE_BREAKER = "failure_breaker"
    WORKLOAD_BUSY = "workload_busy"
    ACTIONS_PER_HOUR = "actions_per_hour"
    WORKLOADS_PER_NIGHT = "workloads_per_night"
    PERCENT_OF_CLUSTER = "percent_of_cluster"
    DISRUPTION_BUDGET = "disruption_budget"
    REPLICAS = "replicas"


OF_RUNG_ONLY = frozenset({Guard.DISRUPTION_BUDGET, Guard.REPLICAS})
"""Guards that refuse a rung, while another rung may pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """No, and why."""

    guard: Guard
    reason: str
    """In Chinese, fit to be spoken."""
    hint: str
    """In English, for the console."""

    @property
    def of_rung_only(self) -> bool:
        """Whether another rung may pass."""
        return self.guard in OF_RUNG_ONLY

    @property
    def proposes(self) -> bool:
        """Whether the act is to be proposed to a person instead."""
        return self.guard is Guard.PROPOSE_MODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the cluster says at the moment of the act.

    Args:
        cluster_workloads: Workloads in the whole cluster.
        replicas_wanted: Of the workload, now.
        replicas_ready: Of the workload, now.
        disruptions_allowed: Pods that its disruption budgets let go; None when it has none.
    """

    cluster_workloads: int
    replicas_wanted: int
    replicas_ready: int
    disruptions_allowed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the records say at the moment of the act; this attempt itself is never counted.

    Args:
        workloads_tonight: Other workloads acted on this night.
        workloads_tonight_in_cluster: Those of them in the same cluster.
        actions_last_hour: By the device, everywhere.
        healed_lately: How often the same trouble was healed within the loop breaker's hours.
        held_by: Another incident that holds the workload now; empty when none does.
        failures: Attempts that did not help within the failure breaker's hours.
        judged: Attempts that helped or did not within the same hours.
        fallen_back: Why the device has been put back to observing, in Chinese; empty when it has not.
    """

    workloads_tonight: int = 0
    workloads_tonight_in_cluster: int = 0
    actions_last_hour: int = 0
    healed_lately: int = 0
    held_by: str = ""
    failures: int = 0
    judged: int = 0
    fallen_back: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the guards judge by.

    Args:
        now: The present, timezone-aware.
        zone: In which the windows of the policy are meant.
        cluster_id: Where the workload is.
        namespace: Where the workload is.
        workload: Its name.
        rung: What is about to be done.
        mode: Chosen for the namespace.
        around: What the cluster says.
        history: What the records say.
        replicas: For scaling: how many pods it shall have.
        replicas_before: For scaling: how many it had before the incident; None: as many as now.
    """

    now: datetime
    zone: tzinfo
    cluster_id: str
    namespace: str
    workload: str
    rung: Rung
    mode: HealingMode
    around: Surroundings
    history: History = field(default_factory=History)
    replicas: int | None = None
    replicas_before: int | None = None


def judge(policy: Policy, facts: Facts) -> Refusal | None:
    """Return the first guard that says no; None when all let the act pass."""
    for guard in _GUARDS:
        refusal = guard(policy, facts)
        if refusal is not None:
            return refusal
    return None


def judge_taking_back(policy: Policy, facts: Facts) -> Refusal | None:
    """Return what forbids to take back a change that the device has made itself.

    Budgets, windows, modes and breakers do not count: what it left half done would be worse.
    """
    return _protected(policy, facts) or _busy(policy, facts)


def fails_too_often(policy: Policy, history: History) -> str:
    """Return, in Chinese, that healing fails too often to go on; empty when it does not."""
    breaker = policy.guards.failure_breaker
    if history.judged < breaker.at_least_attempts:
        return ""
    if 100 * history.failures <= breaker.failed_percent * history.judged:
        return ""
    return f"{breaker.within_hours}小时内{history.judged}次处理有{history.failures}次失败，全部转为只观察"


def _protected(policy: Policy, facts: Facts) -> Refusal | None:
    if not policy.is_protected(facts.namespace):
        return None
    return Refusal(
        guard=Guard.PROTECTED_NAMESPACE,
        reason=f"{facts.namespace}是受保护的命名空间，不自动处理",
        hint="guards.protected_namespaces of the policy names it; kube-system always is protected.",
    )


def _failing(policy: Policy, facts: Facts) -> Refusal | None:
    why = facts.history.fallen_back or fails_too_often(policy, facts.history)
    if not why:
        return None
    hint = "Find out why healing fails, then choose a mode again with set_healing_mode."
    return Refusal(guard=Guard.FAILURE_BREAKER, reason=why, hint=hint)


def _mode(policy: Policy, facts: Facts) -> Refusal | None:
    hint = f"Choose act for {facts.namespace} with set_healing_mode to let the device heal there."
    if facts.mode is HealingMode.ACT:
        return None
    if facts.mode is HealingMode.PROPOSE:
        reason = f"{facts.namespace}设为先提建议，等您同意再处理"
        return Refusal(guard=Guard.PROPOSE_MODE, reason=reason, hint=hint)
    reason = f"{facts.namespace}设为只观察，不自动处理"
    return Refusal(guard=Guard.OBSERVE_MODE, reason=reason, hint=hint)


def _closed(policy: Policy, facts: Facts) -> Refusal | None:
    why = policy.closed_because(
        facts.now,
        facts.zone,
        cluster_id=facts.cluster_id,
        namespace=facts.namespace,
        workload=facts.workload,
    )
    if why is None:
        return None
    return Refusal(
        guard=Guard.CLOSED_WINDOW,
        reason=f"现在是{why}，不自动处理",
        hint="A window under `forbidden` or `maintenance` of the policy holds now.",
    )


def _looping(policy: Policy, facts: Facts) -> Refusal | None:
    breaker = policy.guards.loop_breaker
    if facts.history.healed_lately < breaker.times:
        return None
    return Refusal(
        guard=Guard.LOOP_BREAKER,
        reason=f"{breaker.within_hours}小时内好了又坏{facts.history.healed_lately}次，要请人来看",
        hint="The same trouble comes back after each healing: find its root cause.",
    )


def _busy(policy: Policy, facts: Facts) -> Refusal | None:
    if not facts.history.held_by:
        return None
    return Refusal(
        guard=Guard.WORKLOAD_BUSY,
        reason=f"{facts.workload}正在处理另一个故障",
        hint=f"Incident {facts.history.held_by} holds the workload until it ends or its lease expires.",
    )


def _hourly(policy: Policy, facts: Facts) -> Refusal | None:
    most = policy.guards.actions_per_hour
    if facts.history.actions_last_hour < most:
        return None
    return Refusal(
        guard=Guard.ACTIONS_PER_HOUR,
        reason=f"一小时内已经处理了{facts.history.actions_last_hour}次，到上限了",
        hint=f"guards.actions_per_hour of the policy is {most}.",
    )


def _nightly(policy: Policy, facts: Facts) -> Refusal | None:
    most = policy.guards.workloads_per_night
    if facts.history.workloads_tonight < most:
        return None
    return Refusal(
        guard=Guard.WORKLOADS_PER_NIGHT,
        reason=f"这一夜已经处理了{facts.history.workloads_tonight}个工作负载，到上限了",
        hint=f"guards.workloads_per_night of the policy is {most}.",
    )


def _share_of_cluster(policy: Policy, facts: Facts) -> Refusal | None:
    share = policy.guards.percent_of_cluster
    most = max(1, int(share * facts.around.cluster_workloads / 100))
    if facts.history.workloads_tonight_in_cluster < most:
        return None
    return Refusal(
        guard=Guard.PERCENT_OF_CLUSTER,
        reason=f"这个集群这一夜最多处理{most}个工作负载，已经到上限了",
        hint=f"guards.percent_of_cluster of the policy is {share:g}.",
    )


def _disruption(policy: Policy, facts: Facts) -> Refusal | None:
    around = facts.around
    if not policy.guards.respect_disruption_budgets or around.disruptions_allowed is None:
        return None
    # A roll-out replaces pods that are not ready first: while some are not, it need not touch those that are.
    touched = facts.rung in _TAKES_PODS_AWAY and around.replicas_ready > 0
    touched |= facts.rung in _REPLACES_PODS and around.replicas_ready >= around.replicas_wanted > 0
    if not touched or around.disruptions_allowed > 0:
        return None
    return Refusal(
        guard=Guard.DISRUPTION_BUDGET,
        reason=f"{facts.workload}的中断预算不允许现在停掉副本",
        hint="Its PodDisruptionBudget allows no disruption now.",
    )


def _replicas(policy: Policy, facts: Facts) -> Refusal | None:
    if facts.replicas is None:
        return None
    bounds = policy.guards.replicas
    before = facts.replicas_before if facts.replicas_before is not None else facts.around.replicas_wanted
    most = min(bounds.most, int(bounds.factor_at_most * max(1, before)))
    if bounds.least <= facts.replicas <= most:
        return None
    return Refusal(
        guard=Guard.REPLICAS,
        reason=f"{facts.workload}自动调副本只能在{bounds.least}到{most}个之间，不能调到{facts.replicas}个",
        hint="guards.replicas of the policy bounds it.",
    )


_GUARDS: Sequence[Callable[[Policy, Facts], Refusal | None]] = (
    _protected,
    _failing,
    _mode,
    _closed,
    _looping,
    _busy,
    _hourly,
    _nightly,
    _share_of_cluster,
    _disruption,
    _replicas,
)
