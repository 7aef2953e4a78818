"""What an alarm speaks of is found where it is written, and never guessed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcp_tencent.devops.alerts.alert import Subject
from mcp_tencent.devops.alerts.subjects import Named, Roster, Subjects, mentioned
from tests.mcp_tencent.devops.alerts.labelled import DAY, PLACE, ROSTER, Day, alarm, node, workload


def subject_of(name="随便什么", query="*", *, group=(), roster=ROSTER, topic="t-1"):
    day = Day(DAY)
    day.raised("any", name, 0, group=group)
    record = replace(day.records[0], topic_id=topic)
    return Subjects(PLACE, roster, [alarm(name, query)]).alert(record).subject


@pytest.mark.parametrize(
    "query",
    [
        'workload:"order-service" AND level:ERROR | select count(*) as n',
        "workload:order-service",
        '__TAG__.pod_name:"order-service-7d9f8b6c5d-x2x9z" AND level:ERROR',
        'object:"order-service" AND reason:BackOff',
        'level:ERROR AND ("a" OR app:"order-service")',
        '"order-service" AND timeout',
    ],
)
def test_the_query_names_it(query):
    assert subject_of(query=query) == workload("order-service")


def test_the_group_that_raised_it_comes_before_the_query():
    found = subject_of(query='workload:"order-service"', group=(("workload", "pay-service"),))
    assert found == workload("pay-service")


@pytest.mark.parametrize(
    ("pod", "owner"),
    [
        ("order-service-7d9f8b6c5d-x2x9z", "order-service"),
        ("order-service-canary-7d9f8b6c5d-x2x9z", "order-service-canary"),
        ("order-db-0", "order-db"),
    ],
)
def test_a_pod_belongs_to_the_workload_with_the_longest_fitting_name(pod, owner):
    assert subject_of(group=(("pod_name", pod),)) == workload(owner)


def test_the_name_of_an_alarm_is_the_last_resort_and_the_longest_alias_wins():
    assert subject_of("订单数据库连接数过高") == workload("order-db")
    assert subject_of("订单量下跌") == workload("order-service")


def test_a_name_inside_a_longer_one_is_not_meant():
    assert subject_of(query='"my-order-service-2"') == Subject()


def test_a_node_is_found_by_the_group():
    assert subject_of("节点不可用", group=(("node", "10.0.0.2"),)) == node("10.0.0.2")


def test_what_nothing_names_stays_unknown():
    assert not subject_of("慢查询增多", '"慢查询"').known


TWINS = Roster(
    workloads=(
        Named(subject=Subject(cluster_id="cls-a", namespace="trade", workload="web"), aliases=("前端",)),
        Named(subject=Subject(cluster_id="cls-a", namespace="qa", workload="web"), aliases=("前端",)),
        Named(subject=Subject(cluster_id="cls-b", namespace="trade", workload="web"), aliases=("前端",)),
    ),
    clusters_of_topics={"topic-a": "cls-a", "topic-b": "cls-b"},
)


def test_of_twins_none_is_taken():
    assert not subject_of(query='workload:"web"', roster=TWINS).known
    assert not subject_of("前端错误率过高", roster=TWINS).known


def test_namespace_and_topic_tell_twins_apart():
    found = subject_of(query='workload:"web" AND namespace:"qa"', roster=TWINS)
    assert found == Subject(cluster_id="cls-a", namespace="qa", workload="web")
    found = subject_of(query='workload:"web"', roster=TWINS, topic="topic-b")
    assert found == Subject(cluster_id="cls-b", namespace="trade", workload="web")


def test_a_line_mentions_whole_names_only():
    there = [workload("order-db"), workload("order-service"), workload("pay-service")]
    line = "Connection refused: order-db:5432 (pay-service-2)"
    assert list(mentioned(line, there)) == [workload("order-db")]
