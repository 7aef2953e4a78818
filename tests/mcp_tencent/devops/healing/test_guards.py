"""Each guard refuses for its own reason only, and says which it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.healing.guards import (
    Facts,
    Guard,
    History,
    Surroundings,
    fails_too_often,
    judge,
    judge_taking_back,
)
from mcp_tencent.devops.incidents import Rung
from mcp_tencent.devops.policy.guards import DayWindow, ForbiddenWindow, Guards, Maintenance
from mcp_tencent.devops.policy.model import HealingMode, Policy

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 5, 0, tzinfo=ZONE)
POLICY = Policy()
AROUND = Surroundings(cluster_workloads=100, replicas_wanted=3, replicas_ready=3)
FACTS = Facts(
    now=NOW,
    zone=ZONE,
    cluster_id="cls-a",
    namespace="shop",
    workload="order-service",
    rung=Rung.RESTART,
    mode=HealingMode.ACT,
    around=AROUND,
)


def guard_of(policy: Policy = POLICY, **changes) -> Guard | None:
    refusal = judge(policy, replace(FACTS, **changes))
    if refusal is None:
        return None
    assert refusal.reason
    assert refusal.hint
    return refusal.guard


def guarded(**guards) -> Policy:
    return Policy(guards=Guards(**guards))


def test_an_act_that_nothing_speaks_against_passes():
    assert guard_of() is None


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "tkex-system", "monitoring"])
def test_protected_namespaces_are_never_touched(namespace):
    assert guard_of(namespace=namespace) is Guard.PROTECTED_NAMESPACE


@given(st.lists(st.sampled_from(["vault", "a*", "!kube-system", "kube-public"]), max_size=3))
def test_kube_system_cannot_be_taken_out(patterns):
    assert guard_of(guarded(protected_namespaces=tuple(patterns)), namespace="kube-system") is not None


@pytest.mark.parametrize(
    ("mode", "guard"),
    [(HealingMode.OBSERVE, Guard.OBSERVE_MODE), (HealingMode.PROPOSE, Guard.PROPOSE_MODE)],
)
def test_only_the_mode_act_acts(mode, guard):
    assert guard_of(mode=mode) is guard


def test_a_proposal_says_that_it_is_one():
    refusal = judge(POLICY, replace(FACTS, mode=HealingMode.PROPOSE))

    assert refusal is not None
    assert refusal.proposes


def test_a_forbidden_window_holds_in_its_namespaces_and_hours_only():
    window = ForbiddenWindow(start="04:00", end="06:00", namespaces=("shop",), reason="大促")
    policy = Policy(forbidden=(window,))

    assert guard_of(policy) is Guard.CLOSED_WINDOW
    assert guard_of(policy, namespace="pay") is None
    assert guard_of(policy, now=NOW + timedelta(hours=1)) is None


def test_maintenance_keeps_the_device_away_once():
    work = Maintenance(start=NOW, end=NOW + timedelta(hours=1), workloads=("shop/*",))
    policy = Policy(maintenance=(work,))

    assert guard_of(policy) is Guard.CLOSED_WINDOW
    assert guard_of(policy, now=NOW - timedelta(seconds=1)) is None
    assert guard_of(policy, now=NOW + timedelta(hours=1)) is None


def test_business_hours_alone_do_not_forbid_healing():
    policy = Policy(business_hours=(DayWindow(start="00:00", end="23:59"),))

    assert guard_of(policy) is None


def test_so_many_workloads_a_night_and_no_more():
    policy = guarded(workloads_per_night=5)

    assert guard_of(policy, history=History(workloads_tonight=4)) is None
    assert guard_of(policy, history=History(workloads_tonight=5)) is Guard.WORKLOADS_PER_NIGHT


def test_so_much_of_a_cluster_and_no_more():
    policy = guarded(percent_of_cluster=20, workloads_per_night=1000)
    ten = replace(AROUND, cluster_workloads=10)

    assert guard_of(policy, around=ten, history=History(workloads_tonight_in_cluster=1)) is None
    one_more = guard_of(policy, around=ten, history=History(workloads_tonight_in_cluster=2))
    assert one_more is Guard.PERCENT_OF_CLUSTER


def test_one_workload_of_a_small_cluster_is_always_allowed():
    policy = guarded(percent_of_cluster=20)
    three = replace(AROUND, cluster_workloads=3)

    assert guard_of(policy, around=three) is None
    second = guard_of(policy, around=three, history=History(workloads_tonight_in_cluster=1))
    assert second is Guard.PERCENT_OF_CLUSTER


def test_so_many_actions_an_hour_and_no_more():
    policy = guarded(actions_per_hour=10)

    assert guard_of(policy, history=History(actions_last_hour=9)) is None
    assert guard_of(policy, history=History(actions_last_hour=10)) is Guard.ACTIONS_PER_HOUR


def test_a_workload_that_another_incident_holds_waits():
    assert guard_of(history=History(held_by="inc-2")) is Guard.WORKLOAD_BUSY


def test_what_was_healed_three_times_and_breaks_again_is_for_a_person():
    assert guard_of(history=History(healed_lately=2)) is None
    assert guard_of(history=History(healed_lately=3)) is Guard.LOOP_BREAKER


def test_more_than_a_fifth_of_failures_stops_everything():
    assert guard_of(history=History(failures=1, judged=5)) is None
    assert guard_of(history=History(failures=2, judged=9)) is Guard.FAILURE_BREAKER
    assert fails_too_often(POLICY, History(failures=2, judged=9)).startswith("24小时内9次处理有2次失败")


def test_few_attempts_prove_nothing():
    assert guard_of(history=History(failures=4, judged=4)) is None


def test_a_device_that_has_fallen_back_does_nothing():
    assert guard_of(history=History(fallen_back="失败太多")) is Guard.FAILURE_BREAKER


@pytest.mark.parametrize(
    ("rung", "ready", "refused"),
    [
        (Rung.RESTART, 3, True),
        (Rung.RESTART, 1, True),
        (Rung.RESTART, 0, False),
        (Rung.ISOLATE, 1, True),
        (Rung.ROLL_BACK, 3, True),
        (Rung.ROLL_BACK, 2, False),
        (Rung.RESTORE, 3, True),
        (Rung.SCALE, 3, False),
    ],
)
def test_disruption_budgets_are_respected(rung, ready, refused):
    around = replace(AROUND, replicas_ready=ready, disruptions_allowed=0)

    assert guard_of(rung=rung, around=around) is (Guard.DISRUPTION_BUDGET if refused else None)
    assert guard_of(rung=rung, around=replace(around, disruptions_allowed=1)) is None
    unbound = guarded(respect_disruption_budgets=False)
    assert guard_of(unbound, rung=rung, around=around) is None


@pytest.mark.parametrize(
    ("wanted", "before", "allowed"),
    [(6, 3, True), (7, 3, False), (0, 3, False), (20, 15, True), (21, 15, False), (2, 0, True)],
)
def test_replicas_are_bounded(wanted, before, allowed):
    found = guard_of(rung=Rung.SCALE, replicas=wanted, replicas_before=before)

    assert found is (None if allowed else Guard.REPLICAS)


def test_guards_of_a_rung_leave_others_open():
    around = replace(AROUND, disruptions_allowed=0)

    refusal = judge(POLICY, replace(FACTS, around=around))

    assert refusal is not None
    assert refusal.of_rung_only


SPENT = History(
    workloads_tonight=99,
    workloads_tonight_in_cluster=99,
    actions_last_hour=99,
    healed_lately=99,
    failures=99,
    judged=99,
    fallen_back="失败太多",
)


def test_what_the_device_changed_can_be_taken_back_whatever_is_used_up_or_closed():
    policy = Policy(forbidden=(ForbiddenWindow(start="00:00", end="23:59"),))
    facts = replace(FACTS, mode=HealingMode.OBSERVE, history=SPENT)

    assert judge(policy, facts) is not None
    assert judge_taking_back(policy, facts) is None


def test_but_never_in_a_protected_namespace_nor_over_another_incident():
    protected = judge_taking_back(POLICY, replace(FACTS, namespace="kube-system"))
    held = judge_taking_back(POLICY, replace(FACTS, history=History(held_by="inc-2")))

    assert protected is not None
    assert protected.guard is Guard.PROTECTED_NAMESPACE
    assert held is not None
    assert held.guard is Guard.WORKLOAD_BUSY


@given(
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 5),
    st.booleans(),
    st.booleans(),
)
def test_what_more_was_done_never_opens_a_guard(workloads, in_cluster, actions, healed, held, fallen):
    less = History(
        workloads_tonight=workloads,
        workloads_tonight_in_cluster=in_cluster,
        actions_last_hour=actions,
        healed_lately=healed,
        held_by="inc-2" if held else "",
        fallen_back="失败" if fallen else "",
    )
    more = replace(less, workloads_tonight=workloads + 1, actions_last_hour=actions + 1)

    if guard_of(history=less) is not None:
        assert guard_of(history=more) is not None


def test_instants_of_other_zones_are_the_same_instants():
    window = ForbiddenWindow(start="04:00", end="06:00")

    assert guard_of(Policy(forbidden=(window,)), now=NOW.astimezone(UTC)) is Guard.CLOSED_WINDOW
