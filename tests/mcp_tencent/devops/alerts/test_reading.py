"""What is read about alerts: who needs whom, by policy, annotation and log lines; which pods a node had."""

from __future__ import annotations

from datetime import timedelta

from mcp_tencent.devops.alerts.alert import Subject
from mcp_tencent.devops.alerts.reading import AlertReader, needed_by_policy
from mcp_tencent.devops.policy.model import Dependency, Policy
from tests.mcp_tencent.basic.office import office_at, standing
from tests.mcp_tencent.devops.alerts.labelled import workload

CLUSTER = "cls-shop0001"


def there(name: str) -> Subject:
    return Subject(cluster_id=CLUSTER, namespace="shop", workload=name)


def test_the_policy_may_name_needed_workloads_with_namespace_and_wildcards():
    policy = Policy(
        dependencies=(Dependency(workload="shop/web-gateway", needs=("shop/order-*", "redis-cache")),)
    )
    names = ("order-service", "order-db", "pay-service", "redis-cache", "web-gateway")
    elsewhere = Subject(cluster_id="cls-other", namespace="shop", workload="order-db")
    found = needed_by_policy(policy, workload("web-gateway"), [*map(workload, names), elsewhere])
    assert found == {workload("order-service"), workload("order-db"), workload("redis-cache")}
    assert needed_by_policy(policy, workload("pay-service"), map(workload, names)) == set()


async def test_annotations_and_failed_calls_in_logs_tell_who_needs_whom(tmp_path):
    with standing("database-down") as cloud:
        async with office_at(cloud, tmp_path) as office:
            now = office.desk.now()
            reading = await AlertReader(office.desk, Policy()).read(now - timedelta(hours=24), now)
    assert reading.unread == ()
    # item-service stands in the annotation; order-db only in the lines of failed calls.
    assert reading.topology.needs[there("order-service")] == {there("item-service"), there("order-db")}
    assert reading.topology.needs[there("item-service")] == {there("order-db")}
    assert reading.name_of(there("order-db")) == "订单数据库"
    assert all(alert.subject.known for alert in reading.alerts)
