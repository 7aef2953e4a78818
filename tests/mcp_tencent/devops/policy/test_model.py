"""The policy's defaults are the design's, and its questions are answered as written."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mcp_tencent.devops.incidents import Rung
from mcp_tencent.devops.policy.guards import DayWindow, ForbiddenWindow, Maintenance
from mcp_tencent.devops.policy.model import (
    Dependency,
    Manner,
    Policy,
    Priority,
    Tier,
    Weights,
    WorkloadImportance,
    version_of,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
POLICY = Policy()


@pytest.mark.parametrize(
    ("score", "attempts", "manner", "priority"),
    [
        (100, 6, "aggressive", "P0"),
        (90, 6, "aggressive", "P0"),
        (89.9, 4, "standard", "P1"),
        (70, 4, "standard", "P1"),
        (69.9, 3, "conservative", "P2"),
        (50, 3, "conservative", "P2"),
        (49.9, 2, "brief", "P2"),
        (30, 2, "brief", "P2"),
        (29.9, 1, "digest", "P2"),
        (0, 1, "digest", "P2"),
    ],
)
def test_the_default_tiers_are_those_of_the_design(score, attempts, manner, priority):
    assert POLICY.tier(score).attempts == attempts
    assert POLICY.tier(score).manner is Manner(manner)
    assert POLICY.notices.priority(score) is Priority(priority)


def test_the_default_ladder_is_that_of_the_design():
    assert [rung.value for rung in POLICY.rungs] == [
        "restart", "scale", "roll_back", "isolate", "restore", "hand_over",
    ]  # fmt: skip


def test_the_default_weights_and_breakers_are_those_of_the_design():
    assert POLICY.weights.model_dump() == {"impact": 0.4, "severity": 0.3, "importance": 0.2, "urgency": 0.1}
    assert POLICY.guards.loop_breaker.model_dump() == {"times": 3, "within_hours": 24}
    assert POLICY.guards.failure_breaker.failed_percent == 20
    assert (POLICY.grouping.near_minutes, POLICY.grouping.far_minutes) == (10, 60)


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "tke-monitor", "istio-system"])
def test_system_namespaces_are_protected(namespace):
    assert POLICY.is_protected(namespace)


def test_kube_system_cannot_be_taken_out_of_protection():
    bare = Policy(guards=POLICY.guards.model_copy(update={"protected_namespaces": ()}))
    assert bare.is_protected("kube-system")
    assert not bare.is_protected("trade")


def test_the_first_fitting_importance_counts():
    policy = Policy(
        importance=(
            WorkloadImportance(workload="cls-1/trade/order-service", importance=95),
            WorkloadImportance(workload="trade/*", importance=70),
            WorkloadImportance(workload="*-job", importance=10),
        ),
        default_importance=40,
    )
    assert policy.importance_of("cls-1", "trade", "order-service") == 95
    assert policy.importance_of("cls-2", "trade", "order-service") == 70
    assert policy.importance_of("cls-2", "bigdata", "report-job") == 10
    assert policy.importance_of("cls-2", "bigdata", "web") == 40


def test_dependencies_of_a_workload_are_gathered_from_all_rules():
    policy = Policy(
        dependencies=(
            Dependency(workload="trade/order-service", needs=("stock-service",)),
            Dependency(workload="trade/*", needs=("order-db", "redis-cache")),
        )
    )
    assert policy.dependencies_of("c", "trade", "order-service") == (
        "stock-service",
        "order-db",
        "redis-cache",
    )
    assert policy.dependencies_of("c", "pay", "order-service") == ()


def test_a_window_past_midnight_belongs_to_the_day_on_which_it_begins():
    window = DayWindow(days=("fri",), start="22:00", end="02:00")
    friday = datetime(2026, 11, 20, tzinfo=SHANGHAI)
    assert not window.holds(friday + timedelta(hours=1), SHANGHAI)
    assert window.holds(friday + timedelta(hours=23), SHANGHAI)
    assert window.holds(friday + timedelta(hours=25), SHANGHAI)
    assert not window.holds(friday + timedelta(hours=26), SHANGHAI)


@given(at=st.datetimes(timezones=st.just(UTC)), start=st.times(), end=st.times())
def test_a_window_and_the_rest_of_the_day_never_hold_together(at, start, end):
    first, second = start.strftime("%H:%M"), end.strftime("%H:%M")
    if first == second:
        return
    inside = DayWindow(start=first, end=second).holds(at, SHANGHAI)
    outside = DayWindow(start=second, end=first).holds(at, SHANGHAI)
    assert inside != outside


def test_forbidden_windows_and_maintenance_close_what_they_name_and_no_more():
    policy = Policy(
        forbidden=(ForbiddenWindow(start="09:00", end="12:00", namespaces=("pay",), reason="支付高峰"),),
        maintenance=(
            Maintenance(
                start=datetime(2026, 11, 20, 5, tzinfo=SHANGHAI),
                end=datetime(2026, 11, 20, 6, tzinfo=SHANGHAI),
                workloads=("trade/order-*",),
                reason="订单库迁移",
            ),
        ),
    )

    def closed(hour, namespace, workload):
        at = datetime(2026, 11, 20, hour, tzinfo=SHANGHAI)
        return policy.closed_because(at, SHANGHAI, cluster_id="c", namespace=namespace, workload=workload)

    assert closed(10, "pay", "risk-service") == "支付高峰"
    assert closed(12, "pay", "risk-service") is None
    assert closed(10, "trade", "order-service") is None
    assert closed(5, "trade", "order-service") == "订单库迁移"
    assert closed(6, "trade", "order-service") is None
    assert closed(5, "trade", "cart-service") is None


def test_business_hours_follow_the_local_clock():
    noon_in_shanghai = datetime(2026, 11, 20, 4, tzinfo=UTC)
    assert POLICY.in_business_hours(noon_in_shanghai, SHANGHAI)
    assert not POLICY.in_business_hours(noon_in_shanghai + timedelta(hours=12), SHANGHAI)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": {"impact": 0.5}},
        {"tiers": [{"from_score": 50, "attempts": 3, "manner": "standard"}]},
        {"tiers": []},
        {
            "tiers": [
                {"from_score": 50, "attempts": 1, "manner": "standard"},
                {"from_score": 0, "attempts": 2, "manner": "digest"},
            ]
        },
        {"rungs": ["restart", "scale"]},
        {"rungs": ["restart", "restart", "hand_over"]},
        {"notices": {"p0": 60, "p1": 70}},
        {"grouping": {"near_minutes": 90}},
        {"guards": {"replicas": {"least": 5, "most": 2}}},
        {"verification": {"checks": 2, "failures_allowed": 2}},
        {"learning": {"bound": 0.2}},
        {"default_importance": 101},
        {"importance": [{"workload": "a/b/c/d", "importance": 1}]},
        {"business_hours": [{"start": "09:00", "end": "09:00"}]},
        {"nonsense": 1},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    import json

    with pytest.raises(ValidationError):
        Policy.model_validate_json(json.dumps(wrong))


def test_a_shorter_ladder_is_allowed_when_it_ends_with_a_person():
    assert Policy(rungs=(Rung.ROLL_BACK, Rung.HAND_OVER)).rungs[0] is Rung.ROLL_BACK


def test_the_version_follows_the_content():
    same = Policy(tiers=tuple(Tier(**tier.model_dump()) for tier in POLICY.tiers))
    other = Policy(weights=Weights(impact=0.39, severity=0.31))
    assert version_of(same) == version_of(POLICY)
    assert version_of(other) != version_of(POLICY)
