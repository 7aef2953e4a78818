"""Each fault shows in pods, logs, metrics and alarms; the wrong act does not cure it, the right one does.

Everything is done and seen through the public APIs, with the real SDK and lightkube.
"""

import pytest
from lightkube.core.exceptions import ApiError
from lightkube.models.core_v1 import ResourceQuotaSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment, StatefulSet
from lightkube.resources.core_v1 import Node, ResourceQuota

ORDER = "order-service"
ITEM = "item-service"
ERRORS_ALARM = "订单服务错误率过高"


def recovered(story, workload=ORDER):
    """Nothing but the few errors of any healthy program, and no alert open."""
    return story.errors(workload, minutes=5) <= 1 and not story.open_alerts()


def restarted(story, workload=ORDER):
    story.restart(workload)
    story.later(minutes=20)


class TestBadImage:
    def test_new_pods_hang_while_old_ones_serve(self, told):
        story = told("bad-image")
        assert story.waiting_reasons(ORDER) <= {"ImagePullBackOff", "ErrImagePull"}
        assert story.waiting_reasons(ORDER)
        assert story.ready(ORDER) == 3
        assert story.open_alerts() == {"订单服务副本不足"}
        assert story.count("object:order-service* AND reason:Failed", minutes=240, topic="集群事件") > 0
        assert story.metric("K8sWorkloadAbnormal", ORDER)[-1] == 1

    def test_restarting_helps_nothing(self, told):
        story = told("bad-image")
        restarted(story)
        assert story.ready(ORDER) == 3
        assert story.waiting_reasons(ORDER)

    def test_rolling_back_cures_it(self, told):
        story = told("bad-image")
        story.roll_back(ORDER)
        story.later(minutes=10)
        assert story.ready(ORDER) == 4
        assert not story.waiting_reasons(ORDER)
        assert not story.open_alerts()


class TestBadRevision:
    def test_a_third_of_the_requests_fails_since_the_release(self, told):
        story = told("bad-revision")
        assert story.ready(ORDER) == 4
        assert story.errors(ORDER) > 20 * max(1, story.errors(ORDER, ago_minutes=200))
        assert story.open_alerts() == {ERRORS_ALARM}
        assert story.count("java.lang.NullPointerException") > 0

    def test_restarting_or_scaling_helps_nothing(self, told):
        story = told("bad-revision")
        before = story.errors(ORDER)
        restarted(story)
        assert story.errors(ORDER) > before / 2
        story.scale(ORDER, 8)
        story.later(minutes=20)
        assert story.ready(ORDER) == 8
        assert story.errors(ORDER) > before / 2
        assert story.open_alerts() == {ERRORS_ALARM}

    def test_rolling_back_cures_it(self, told):
        story = told("bad-revision")
        story.roll_back(ORDER)
        story.later(minutes=15)
        assert recovered(story)


class TestCrashLoop:
    def test_the_new_containers_crash_again_and_again(self, told):
        story = told("crash-loop")
        assert story.ready(ORDER) == 3
        assert story.restarts(ORDER) > 5
        assert "Error" in story.terminations(ORDER)
        assert story.count("java.lang.UnsupportedClassVersionError", minutes=60) > 0
        assert story.open_alerts() == {"订单服务副本不足"}

    def test_rolling_back_cures_it(self, told):
        story = told("crash-loop")
        story.roll_back(ORDER)
        story.later(minutes=15)
        assert story.ready(ORDER) == 4
        assert not story.open_alerts()


class TestBadConfig:
    def test_the_pods_name_the_wrong_value(self, told):
        story = told("bad-config")
        assert story.errors(ORDER) > 20
        assert story.count('"order-db-old"') > 0
        assert story.open_alerts() == {ERRORS_ALARM}

    def test_restarting_alone_helps_nothing(self, told):
        story = told("bad-config")
        restarted(story)
        assert story.errors(ORDER) > 20

    def test_putting_the_value_right_alone_helps_nothing(self, told):
        story = told("bad-config")
        story.set_config("order-config", "db.url", "jdbc:mysql://order-db:3306/orders")
        story.later(minutes=20)
        assert story.errors(ORDER) > 20

    def test_putting_the_value_right_and_restarting_cures_it(self, told):
        story = told("bad-config")
        story.set_config("order-config", "db.url", "jdbc:mysql://order-db:3306/orders")
        restarted(story)
        assert recovered(story)

    def test_when_the_value_was_put_right_already_a_restart_is_enough(self, told):
        story = told("stale-config")
        assert story.errors(ORDER) > 20
        restarted(story)
        assert recovered(story)


class TestMemoryLeak:
    def test_memory_grows_until_the_kernel_kills(self, told):
        story = told("memory-leak")
        assert "OOMKilled" in story.terminations(ORDER)
        assert story.restarts(ORDER) >= 4
        used = story.metric("K8sWorkloadMemUsageBytes", ORDER, minutes=90)
        assert max(used) > 1.2 * min(used)
        assert any(record.AlarmName == "订单服务内存过高" for record in story.alerts())
        assert story.count("堆内存", minutes=540) > 0

    def test_a_restart_helps_for_a_time_only(self, told):
        story = told("memory-leak")
        restarted(story)
        assert max(story.metric("K8sWorkloadMemUsageBytes", ORDER, minutes=5)) < 4 * 500
        restarts = story.restarts(ORDER)
        story.later(hours=4)
        assert story.restarts(ORDER) > restarts

    def test_rolling_back_cures_it_for_good(self, told):
        story = told("memory-leak")
        story.roll_back(ORDER)
        story.later(hours=8)
        assert story.restarts(ORDER) == 0
        assert max(story.metric("K8sWorkloadMemUsageBytes", ORDER, minutes=5)) < 4 * 320


class TestOverload:
    def test_requests_are_refused_and_cpu_is_high(self, told):
        story = told("overload")
        assert story.errors(ORDER) > 10
        assert story.open_alerts() == {ERRORS_ALARM}
        assert (
            story.metric("K8sWorkloadCpuCoreUsed", ORDER)[-1]
            > 1.5 * story.metric("K8sWorkloadCpuCoreUsed", ORDER, minutes=200)[0]
        )

    def test_a_restart_makes_it_worse(self, told):
        story = told("overload")
        before = story.errors(ORDER, minutes=4)
        story.restart(ORDER)
        story.later(minutes=5)
        assert story.errors(ORDER, minutes=4) > 1.3 * before

    def test_more_pods_cure_it(self, told):
        story = told("overload")
        story.scale(ORDER, 8)
        story.later(minutes=15)
        assert story.ready(ORDER) == 8
        assert recovered(story)


class TestDependencyDown:
    @pytest.mark.parametrize("act", [lambda story: story.restart(ORDER), lambda story: story.scale(ORDER, 8)])
    def test_nothing_done_to_the_dependant_helps(self, told, act):
        story = told("dependency-down")
        assert story.errors(ORDER) > 20
        assert story.count('dependency:"unionpay-gateway"') > 10
        act(story)
        story.later(minutes=20)
        assert story.errors(ORDER) > 20
        assert story.open_alerts() == {ERRORS_ALARM}

    def test_a_dependency_in_the_cluster_shows_in_itself_and_its_dependants(self, told):
        story = told("database-down")
        assert story.ready("order-db") == 0
        assert story.restarts("order-db") > 3
        assert story.errors(ORDER) > 20
        assert story.errors(ITEM) > 10
        assert story.open_alerts() == {ERRORS_ALARM, "商品服务错误率过高", "订单数据库反复重启"}
        story.kubernetes.patch(
            StatefulSet, "order-db", {"spec": {"template": {"metadata": {"annotations": {"again": "1"}}}}}
        )
        story.later(minutes=20)
        assert story.ready("order-db") == 0


class TestNoisyNeighbour:
    def test_the_victim_is_slow_and_the_culprit_uses_the_cpu(self, told):
        story = told("noisy-neighbour")
        assert story.errors(ITEM) > 10
        assert story.metric("K8sWorkloadCpuCoreUsed", "report-job")[-1] > 3
        assert story.open_alerts() == {"商品服务错误率过高"}

    def test_restarting_the_victim_helps_nothing(self, told):
        story = told("noisy-neighbour")
        restarted(story, ITEM)
        assert story.errors(ITEM) > 10

    def test_isolating_the_culprit_cures_the_victim(self, told):
        story = told("noisy-neighbour")
        story.isolate("report-job")
        story.later(minutes=15)
        assert recovered(story, ITEM)

    def test_isolating_the_victim_cures_nothing_but_its_traffic(self, told):
        story = told("noisy-neighbour")
        story.isolate(ITEM)
        story.later(minutes=15)
        assert story.count('workload:"item-service" AND level:INFO', minutes=10) == 0

    def test_limiting_the_culprits_cpu_cures_the_victim_too(self, told):
        story = told("noisy-neighbour")
        container = {"name": "report-job", "resources": {"limits": {"cpu": "400m"}}}
        story.kubernetes.patch(
            Deployment, "report-job", {"spec": {"template": {"spec": {"containers": [container]}}}}
        )
        story.later(minutes=15)
        assert recovered(story, ITEM)


class TestFlapping:
    def test_readiness_comes_and_goes_by_itself(self, told):
        story = told("flapping")
        seen = set()
        for _ in range(12):
            story.later(minutes=1)
            seen.add(story.ready(ORDER))
        assert seen == {0, 4}
        assert len([record for record in story.alerts() if record.AlarmName == "订单服务不可用"]) > 10

    def test_a_restart_does_not_stop_it(self, told):
        story = told("flapping")
        restarted(story)
        seen = set()
        for _ in range(12):
            story.later(minutes=1)
            seen.add(story.ready(ORDER))
        assert 0 in seen


class TestAlreadyRecovered:
    def test_the_failures_and_their_alert_are_in_the_past(self, told):
        story = told("already-recovered")
        assert recovered(story)
        assert story.errors(ORDER, minutes=20, ago_minutes=300) > 50
        assert [record.Status for record in story.alerts()] == [1]


class TestQuotaExhausted:
    def test_scaling_is_refused_by_the_quota(self, told):
        story = told("quota-exhausted")
        assert story.errors(ORDER) > 10
        story.scale(ORDER, 8)
        story.later(minutes=15)
        assert story.ready(ORDER) == 4
        assert story.count('"exceeded quota"', minutes=15, topic="集群事件") > 0
        assert story.errors(ORDER) > 10

    def test_raising_the_quota_lets_more_pods_cure_it(self, told):
        story = told("quota-exhausted")
        quota = ResourceQuota(
            metadata=ObjectMeta(name="namespace-quota", namespace="shop"),
            spec=ResourceQuotaSpec(hard={"pods": "30"}),
        )
        story.kubernetes.replace(quota)
        story.scale(ORDER, 8)
        story.later(minutes=25)
        assert story.ready(ORDER) == 8
        assert recovered(story)


class TestRestartMakesWorse:
    def test_a_restart_multiplies_the_errors(self, told):
        story = told("restart-makes-worse")
        before = story.errors(ORDER)
        assert before > 3
        story.restart(ORDER)
        story.later(minutes=12)
        assert story.errors(ORDER) > 3 * before

    def test_left_alone_it_passes(self, told):
        story = told("restart-makes-worse")
        story.later(hours=3, minutes=10)
        assert recovered(story)


class TestNodeDown:
    def test_the_node_is_not_ready_and_its_pods_start_elsewhere(self, told):
        story = told("node-down")
        nodes = [node.to_dict() for node in story.kubernetes.list(Node)]
        lost = [
            node["metadata"]["name"]
            for node in nodes
            for condition in node["status"]["conditions"]
            if condition["type"] == "Ready" and condition["status"] != "True"
        ]
        assert (len(nodes), len(lost)) == (3, 1)
        assert story.ready(ORDER) == 4
        alive = [pod for pod in story.pods(ORDER) if "deletionTimestamp" not in pod["metadata"]]
        assert all(str(pod["spec"]["nodeName"]) not in lost for pod in alive)


class TestDeadlock:
    def test_the_pods_look_ready_and_fail(self, told):
        story = told("deadlock")
        assert story.ready(ORDER) == 4
        assert story.errors(ORDER) > 20
        assert story.open_alerts() == {ERRORS_ALARM}

    def test_a_restart_cures_it(self, told):
        story = told("deadlock")
        restarted(story)
        assert recovered(story)


class TestTwoIncidents:
    def test_rolling_back_cures_one_of_them_only(self, told):
        story = told("two-incidents")
        assert story.open_alerts() == {ERRORS_ALARM, "优惠中心调用失败"}
        assert story.count("java.lang.NullPointerException", minutes=5) > 0
        story.roll_back(ORDER)
        story.later(minutes=15)
        assert story.count("java.lang.NullPointerException", minutes=5) == 0
        assert story.count('"coupon-center"', minutes=5) > 0
        assert story.errors(ORDER, minutes=5) > 10


class TestLogAnomaly:
    def test_new_lines_appear_for_a_while_without_an_alert(self, told):
        story = told("log-anomaly")
        assert story.count('"证书"', minutes=40, ago_minutes=140) > 100
        assert story.count('"证书"', minutes=600, ago_minutes=185) == 0
        assert story.count('"证书"', minutes=120) == 0
        assert not story.alerts()


class TestTraps:
    def test_a_read_only_kubeconfig_is_refused_every_write(self, told):
        story = told("no-permission")
        assert story.ready(ORDER) == 4
        with pytest.raises(ApiError) as refused:
            story.restart(ORDER)
        assert refused.value.status.code == 403

    def test_after_the_first_change_every_further_one_is_refused(self, told):
        story = told("restore-fails")
        story.kubernetes.patch(Deployment, ORDER, {"spec": {"replicas": 5}}, dry_run=True)
        story.restart(ORDER)
        with pytest.raises(ApiError) as refused:
            story.scale(ORDER, 5)
        assert refused.value.status.code == 500
        assert "webhook" in str(refused.value.status.message)
        story.scale(ITEM, 4)

    def test_the_protected_workload_is_stuck_and_would_be_cured_by_a_restart(self, told):
        story = told("protected-namespace", namespace="kube-system")
        assert story.errors("coredns") > 10
        restarted(story, "coredns")
        assert recovered(story, "coredns")
