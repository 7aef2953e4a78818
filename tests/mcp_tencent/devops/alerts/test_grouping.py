"""Alerts of one root cause come into one group, and others do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.alerts.alert import Alert, GroupState, Subject, Topology
from mcp_tencent.devops.alerts.grouping import group_alerts
from mcp_tencent.devops.alerts.subjects import Subjects
from mcp_tencent.devops.policy.model import Grouping
from mcp_tencent.models.alarms import AlarmStatus
from tests.mcp_tencent.devops.alerts.labelled import (
    ALARMS,
    DAY,
    PLACE,
    ROSTER,
    TOPOLOGY,
    Day,
    PairwiseQuality,
    quality,
    workload,
    written,
    wrong_groups,
)

WINDOWS = Grouping()


def grouped(day: Day, topology: Topology = TOPOLOGY):
    finder = Subjects(PLACE, ROSTER, ALARMS.values())
    return group_alerts([finder.alert(one) for one in day.records], windows=WINDOWS, topology=topology)


def test_alerts_of_written_days_and_of_all_scenarios_are_grouped_as_their_causes_say(scenario_alerts):
    alerts, labels = written()
    groups = group_alerts(alerts, windows=WINDOWS, topology=TOPOLOGY)
    by_story = quality(groups, labels)
    wrong = wrong_groups(groups, labels)
    total, causes, by_scenarios = len(alerts), len(set(labels.values())), PairwiseQuality(0, 0, 0)
    for day in scenario_alerts:
        found = group_alerts(day.alerts, windows=WINDOWS, topology=day.topology)
        by_scenarios += quality(found, day.labels)
        wrong += [f"{day.scenario} {one}" for one in wrong_groups(found, day.labels)]
        total += len(day.alerts)
        causes += len(set(day.labels.values()))
    both = by_story + by_scenarios
    print(
        f"{total} labelled alerts of {causes} causes: precision {both.precision:.4f}, "
        f"recall {both.recall:.4f}, F1 {both.f1:.4f} "
        f"(written {by_story.f1:.4f}, scenarios {by_scenarios.f1:.4f}); wrong: {wrong}"
    )
    assert total >= 300
    assert both.f1 >= 0.95
    assert by_story.f1 >= 0.95
    assert by_scenarios.f1 >= 0.95


def test_order_of_arrival_does_not_matter():
    alerts, _ = written()
    mixed = list(alerts)
    Random(7).shuffle(mixed)
    assert group_alerts(mixed, windows=WINDOWS, topology=TOPOLOGY) == group_alerts(
        alerts, windows=WINDOWS, topology=TOPOLOGY
    )


def test_a_record_that_comes_twice_counts_once():
    day = Day(DAY)
    day.raised("a", "慢查询增多", 10)
    day.records *= 2
    assert [len(group.alerts) for group in grouped(day)] == [1]


def test_repeats_while_it_is_open_are_one_episode_however_far_apart():
    day = Day(DAY)
    day.raised("a", "支付服务错误率过高", 0, lasts=1200, every=360, times=4, until_open=True)
    (group,) = grouped(day)
    assert (len(group.alerts), group.episodes, group.state) == (4, 1, GroupState.OPEN)


def test_a_recovery_pairs_with_its_alarm_and_closes_the_group():
    day = Day(DAY)
    day.raised("a", "支付服务错误率过高", 0, lasts=30, every=10, times=3)
    (group,) = grouped(day)
    assert group.state is GroupState.RECOVERED
    assert group.ended_at == DAY + timedelta(minutes=30)
    assert group.active == timedelta(minutes=30)


def test_what_comes_back_again_and_again_is_one_group_that_flaps():
    day = Day(DAY)
    for hour in (1, 4, 7, 10):
        day.raised("a", "消息服务不可用", hour * 60, lasts=5)
    (group,) = grouped(day)
    assert (group.episodes, group.state) == (4, GroupState.FLAPPING)
    assert group.active == timedelta(minutes=20)


def test_what_comes_back_once_after_hours_is_two_groups():
    day = Day(DAY)
    day.raised("a", "消息服务不可用", 0, lasts=5)
    day.raised("b", "消息服务不可用", 300, lasts=5)
    assert len(grouped(day)) == 2


@pytest.mark.parametrize(("apart", "groups"), [(9, 1), (10, 1), (11, 2)])
def test_two_alarms_of_a_workload_are_one_trouble_within_ten_minutes(apart, groups):
    day = Day(DAY)
    day.raised("a", "订单服务错误率过高", 0, lasts=60)
    day.raised("a", "订单服务响应缓慢", apart, lasts=60)
    assert len(grouped(day)) == groups


@pytest.mark.parametrize(("quiet", "groups"), [(59, 1), (61, 1), (62, 2)])
def test_one_fingerprint_is_one_trouble_within_an_hour(quiet, groups):
    """The service gives durations in whole minutes: one minute of doubt is allowed."""
    day = Day(DAY)
    day.raised("a", "商品服务错误率过高", 0, lasts=5)
    day.raised("a", "商品服务错误率过高", 5 + quiet, lasts=5)
    assert len(grouped(day)) == groups


def test_a_node_that_is_down_mutes_its_pods_and_is_the_cause():
    day = Day(DAY)
    day.raised("pods", "各服务错误率", 1, lasts=20, group=(("workload", "cart-service"),))
    day.raised("node", "节点不可用", 3, lasts=60, group=(("node", "10.0.0.1"),))
    day.raised("pods", "各服务错误率", 20, lasts=20, group=(("workload", "user-service"),))
    day.raised("other", "支付服务错误率过高", 3, lasts=20)
    node_group, other = sorted(grouped(day), key=lambda group: -len(group.alerts))
    assert node_group.subject == Subject(cluster_id="cls-shop", node="10.0.0.1")
    assert len(node_group.muted) == 2
    assert [alert.record.alarm_name for alert in other.alerts] == ["支付服务错误率过高"]


def test_the_service_that_others_need_is_the_cause_even_when_its_alarm_comes_later():
    day = Day(DAY)
    day.raised("x", "网关5xx过多", 0, lasts=30)
    day.raised("x", "订单服务错误率过高", 2, lasts=30)
    day.raised("x", "订单数据库磁盘告警", 6, lasts=30)
    (group,) = grouped(day)
    assert group.subject == workload("order-db")
    assert len(group.muted) == 2
    assert group.subjects[0] == workload("order-db")


def test_without_topology_callers_are_groups_of_their_own():
    day = Day(DAY)
    day.raised("x", "网关5xx过多", 0, lasts=30)
    day.raised("y", "订单服务错误率过高", 2, lasts=30)
    assert len(grouped(day, Topology())) == 2


def test_the_same_workload_name_in_two_clusters_is_two_things():
    day = Day(DAY)
    day.raised("a", "支付服务错误率过高", 0)
    finder = Subjects(PLACE, ROSTER, ALARMS.values())
    here = finder.alert(day.records[0])
    there = replace(
        here,
        record=replace(here.record, record_id="there"),
        subject=replace(here.subject, cluster_id="cls-other"),
    )
    assert len(group_alerts([here, there], windows=WINDOWS)) == 2


def test_the_fingerprint_is_the_same_on_another_day_and_for_other_values():
    finder = Subjects(PLACE, ROSTER, ALARMS.values())
    one, other = Day(DAY), Day(DAY + timedelta(days=3))
    one.raised("a", "支付服务错误率过高", 7, trigger="$1.n > 10 (is 17)")
    other.raised("a", "支付服务错误率过高", 99, trigger="$1.n > 10 (is 4711)")
    assert finder.alert(one.records[0]).fingerprint == finder.alert(other.records[0]).fingerprint


_NAMES = st.sampled_from(sorted(ALARMS))


@st.composite
def _alerts(draw: st.DrawFn) -> list[Alert]:
    day = Day(DAY)
    for _ in range(draw(st.integers(1, 25))):
        day.raised(
            "any",
            draw(_NAMES),
            draw(st.integers(0, 1440)),
            lasts=draw(st.integers(0, 300)),
            status=draw(st.sampled_from(AlarmStatus)),
            group=draw(st.sampled_from([(), (("workload", "cart-service"),), (("node", "10.0.0.2"),)])),
        )
    finder = Subjects(PLACE, ROSTER, ALARMS.values())
    return [finder.alert(record) for record in day.records]


@given(_alerts())
def test_every_alert_is_in_exactly_one_group(alerts):
    groups = group_alerts(alerts, windows=WINDOWS, topology=TOPOLOGY)
    found = [alert.record.record_id for group in groups for alert in group.alerts]
    assert sorted(found) == sorted(alert.record.record_id for alert in alerts)
    assert len({group.id for group in groups}) == len(groups)


@given(_alerts(), st.integers(10, 60))
def test_wider_windows_never_tear_groups_apart(alerts, near):
    narrow = group_alerts(alerts, windows=Grouping(near_minutes=5), topology=TOPOLOGY)
    wide = group_alerts(alerts, windows=Grouping(near_minutes=near), topology=TOPOLOGY)
    group_of = {alert.record.record_id: group.id for group in wide for alert in group.alerts}
    for group in narrow:
        assert len({group_of[alert.record.record_id] for alert in group.alerts}) == 1
