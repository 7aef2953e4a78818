from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.conditions import Condition
from mcp_tencent.local_cloud.faults.fault import PodFacts
from mcp_tencent.local_cloud.life.metrics import MeteredNode, WorldMetrics
from mcp_tencent.local_cloud.life.workload_life import WorkloadLife
from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.scenario.model import Revision, Workload
from mcp_tencent.local_cloud.scenario.reading import shipped_log_profiles
from mcp_tencent.local_cloud.simulation import ManualClock

REF = WorkloadRef("cls-a0001", "shop", "web")
OTHER = WorkloadRef("cls-b0001", "shop", "web")
T0 = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
NODE = MeteredNode(name="10.0.0.10", instance_id="ins-a", cores=8, memory_bytes=16 * 2**30)
POD = PodFacts(
    name="web-1", uid="u1", node="10.0.0.10", images=("web:v1",), started_at=T0, ready=True, restarts=0,
    config={}, cpu_limit_millicores=1000, memory_limit_bytes=1024 * 2**20,
)  # fmt: skip
WORKLOAD = {
    "tke_cluster_instance_id": "cls-a0001",
    "namespace": "shop",
    "workload_kind": "Deployment",
    "workload_name": "web",
}


def a_life(ref=REF):
    spec = Workload(
        name=ref.name, namespace=ref.namespace, revisions=(Revision(image="web:v1"),), cpu_millicores=200
    )
    return WorkloadLife(
        ref=ref, spec=spec, profile=shipped_log_profiles()["java-web"], lines_per_minute=10, replicas=2
    )


def metrics_of(*lives, now=T0 + timedelta(hours=1)):
    return WorldMetrics(
        seed=1,
        lives={life.ref: life for life in lives},
        seasons={life.ref: Season(peak_hours=(), weekend_factor=1) for life in lives},
        nodes=lambda cluster: [NODE] if cluster == "cls-a0001" else [],
        now=ManualClock(now).now,
    )


def values(metrics, name, dimensions, start=T0, end=T0 + timedelta(minutes=30)):
    return [value for _, value in metrics.series("QCE/TKE2", name, dimensions, start, end, 300)]


def two_pods():
    life = a_life()
    for name in ("web-1", "web-2"):
        life.keep_pod(replace(POD, name=name, uid=name), T0)
    life.timeline.record(T0, Condition(pods=("web-1", "web-2")))
    return life


def test_points_stand_on_whole_periods_and_none_lie_in_the_future():
    metrics = metrics_of(two_pods())
    start, end = T0 + timedelta(seconds=77), T0 + timedelta(hours=9)
    points = metrics.series("QCE/TKE2", "K8sWorkloadCpuCoreUsed", WORKLOAD, start, end, 300)
    assert [at.timestamp() % 300 for at, _ in points] == [0] * 12
    assert points[0][0] == T0 + timedelta(minutes=5)
    assert points[-1][0] == T0 + timedelta(hours=1)


def test_a_workload_uses_what_its_pods_use():
    metrics = metrics_of(two_pods())
    whole = values(metrics, "K8sWorkloadCpuCoreUsed", WORKLOAD)
    pods = [
        values(metrics, "K8sPodCpuCoreUsed", {**WORKLOAD, "pod_name": name}) for name in ("web-1", "web-2")
    ]
    assert all(abs(total - first - second) < 0.001 for total, first, second in zip(whole, *pods, strict=True))
    assert all(0.35 < total < 0.45 for total in whole)


def test_use_of_the_limit_is_a_percentage_of_the_pods_own_limit():
    metrics = metrics_of(two_pods())
    (first, *_) = values(metrics, "K8sPodRateMemUsageLimit", {**WORKLOAD, "pod_name": "web-1"})
    assert 28 < first < 31


def test_a_condition_shows_from_when_it_holds():
    life = two_pods()
    life.timeline.record(
        T0 + timedelta(minutes=12), Condition(pods=("web-1", "web-2"), memory=3, ready_ratio=0.5)
    )
    metrics = metrics_of(life)
    memory = values(metrics, "K8sWorkloadMemUsageBytes", WORKLOAD)
    assert min(memory[3:]) > 2.5 * max(memory[:3])
    assert values(metrics, "K8sWorkloadAbnormal", WORKLOAD) == [0, 0, 0, 1, 1, 1, 1]


def test_restarts_are_counted_in_the_period_in_which_they_happened():
    life = two_pods()
    life.keep_pod(replace(POD, name="web-1", uid="web-1", restarts=2), T0 + timedelta(minutes=12))
    assert values(metrics_of(life), "K8sWorkloadPodRestartTotal", WORKLOAD) == [0, 0, 0, 2, 0, 0, 0]


def test_nothing_is_told_of_before_it_existed_or_of_elsewhere():
    metrics = metrics_of(two_pods())
    before = T0 - timedelta(hours=2)
    assert values(metrics, "K8sWorkloadCpuCoreUsed", WORKLOAD, before, T0 - timedelta(minutes=5)) == []
    assert values(metrics, "K8sWorkloadCpuCoreUsed", {**WORKLOAD, "namespace": "pay"}) == []
    assert (
        metrics.series("QCE/CVM", "K8sWorkloadCpuCoreUsed", WORKLOAD, T0, T0 + timedelta(hours=1), 60) == []
    )
    assert metrics.metrics("QCE/CVM") == ()


def test_instances_are_those_that_meet_all_conditions():
    metrics = metrics_of(two_pods(), a_life(OTHER))
    found = metrics.instances("QCE/TKE2", "K8sPodCpuCoreUsed", {"tke_cluster_instance_id": ["cls-a0001"]})
    assert [instance["pod_name"] for instance in found] == ["web-1", "web-2"]
    assert found[0]["un_instance_id"] == "ins-a"
    clusters = metrics.instances("QCE/TKE2", "K8sClusterCpuCoreUsed", {})
    assert clusters == [{"tke_cluster_instance_id": "cls-a0001"}, {"tke_cluster_instance_id": "cls-b0001"}]
    assert metrics.instances("QCE/TKE2", "NoSuchMetric", {}) == []


def test_a_cluster_uses_its_workloads_and_its_idle_nodes():
    metrics = metrics_of(two_pods())
    cluster = {"tke_cluster_instance_id": "cls-a0001"}
    (cores, *_) = values(metrics, "K8sClusterCpuCoreTotal", cluster)
    (used, *_) = values(metrics, "K8sClusterCpuCoreUsed", cluster)
    (share, *_) = values(metrics, "K8sClusterRateCpuCoreUsedCluster", cluster)
    assert cores == 8
    assert 0.4 < used < 0.7
    assert abs(share - 100 * used / cores) < 0.01


def test_every_metric_has_a_value_for_its_instances():
    metrics = metrics_of(two_pods())
    for metric in metrics.metrics("QCE/TKE2"):
        for instance in metrics.instances("QCE/TKE2", metric.name, {}):
            assert set(instance) <= set(metric.dimensions)
            assert values(metrics, metric.name, instance), metric.name
