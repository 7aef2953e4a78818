"""Metrics of Monitor: names, units and intervals, against a scripted service on a real socket."""

from datetime import UTC, datetime, timedelta

import pytest

from mcp_tencent import errors
from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.tencentcloud.caller import Account, TencentCaller
from mcp_tencent.cloud.tencentcloud.metrics import TencentMetrics
from mcp_tencent.models.metrics import (
    ClusterTarget,
    Metric,
    NodeTarget,
    PodTarget,
    Unit,
    UsagePoint,
    WorkloadTarget,
)
from mcp_tencent.models.workloads import WorkloadKind, WorkloadRef
from tests.mcp_tencent.cloud.scripted_server import Asked, InstantTiming, Reply, ok, scripted

START = datetime(2026, 11, 20, tzinfo=UTC)
AT = 1_795_132_800
CLUSTER = ClusterTarget(cluster_id="cls-1")
WORKLOAD = WorkloadTarget(
    cluster_id="cls-1",
    workload=WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="order-service"),
)
POD = PodTarget(cluster_id="cls-1", namespace="shop", workload="order-service", pod="order-service-1")


class Monitor:
    """Offers metrics in given units, and measures two instances."""

    def __init__(self, **units: str) -> None:
        self._units = units

    def __call__(self, asked: Asked) -> Reply:
        if asked.action == "DescribeBaseMetrics":
            return ok(MetricSet=[{"MetricName": name, "Unit": unit} for name, unit in self._units.items()])
        (name,) = asked.fields["MetricNames"]
        values = [{"Timestamp": AT + 60, "Value": 3.0}, {"Timestamp": AT, "Value": 1.0}]
        points = [{"Dimensions": [], "Values": values}, {"Dimensions": [], "Values": values[:1]}]
        return ok(Period=asked.fields["Period"], Data=[{"MetricName": name, "Points": points}])


@pytest.fixture
async def metrics_at():
    callers = []

    def make(url: str) -> TencentMetrics:
        account = Account(name="a", secret_id="AKIDexample", secret_key="k", regions=("r",), endpoint=url)
        callers.append(TencentCaller(account, "r", Calling(timing=InstantTiming())))
        return TencentMetrics(callers[-1])

    yield make
    for caller in callers:
        await caller.close()


@pytest.mark.parametrize(
    ("target", "metric", "name", "service_unit", "unit", "first", "second"),
    [
        (WORKLOAD, Metric.MEMORY, "K8sWorkloadMemUsageBytes", "MB", Unit.BYTES, 2.0**20, 6 * 2.0**20),
        (WORKLOAD, Metric.CPU, "K8sWorkloadCpuCoreUsed", "核", Unit.CORES, 1.0, 6.0),
        (WORKLOAD, Metric.CPU, "K8sWorkloadCpuCoreUsed", "-", Unit.CORES, 1.0, 6.0),
        (
            WORKLOAD,
            Metric.NETWORK_IN,
            "K8sWorkloadNetworkReceiveBytesBw",
            "MBit/s",
            Unit.BYTES_PER_SECOND,
            125e3,
            750e3,
        ),
        (
            WORKLOAD,
            Metric.NETWORK_OUT,
            "K8sWorkloadNetworkTransmitBytesBw",
            "MB",
            Unit.BYTES_PER_SECOND,
            2.0**20,
            6 * 2.0**20,
        ),
        (CLUSTER, Metric.CPU, "K8sClusterRateCpuCoreUsedCluster", "%", Unit.PERCENT, 1.0, 3.0),
        (POD, Metric.RESTARTS, "K8sPodRestartTotal", "次", Unit.COUNT, 1.0, 6.0),
        (
            NodeTarget(cluster_id="cls-1", node="n"),
            Metric.DISK,
            "K8sNodeFsUsage",
            "%",
            Unit.PERCENT,
            1.0,
            3.0,
        ),
    ],
)
async def test_values_come_in_our_units_amounts_added_up_and_shares_averaged(
    metrics_at, target, metric, name, service_unit, unit, first, second
):
    async with scripted(Monitor(**{name: service_unit})) as server:
        (series,) = await metrics_at(server.url).usage(target, [metric], START, START + timedelta(hours=1))
    assert (series.metric, series.unit, series.interval) == (metric, unit, timedelta(minutes=1))
    assert series.points == (
        UsagePoint(at=START, value=first),
        UsagePoint(at=START + timedelta(minutes=1), value=second),
    )
    assert server.asked[-1].fields["MetricNames"] == [name]


async def test_metrics_that_the_service_does_not_offer_are_left_out(metrics_at):
    async with scripted(Monitor(K8sNodeCpuUsage="%")) as server:
        metrics = metrics_at(server.url)
        target = NodeTarget(cluster_id="cls-1", node="n")
        found = await metrics.usage(target, list(Metric), START, START + timedelta(hours=1))
        assert [series.metric for series in found] == [Metric.CPU]
        await metrics.usage(target, list(Metric), START, START + timedelta(hours=1))
    assert server.actions().count("DescribeBaseMetrics") == 1


@pytest.mark.parametrize(
    ("target", "dimensions"),
    [
        (CLUSTER, {}),
        (NodeTarget(cluster_id="cls-1", node="10.0.0.1"), {"node": "10.0.0.1"}),
        (WORKLOAD, {"namespace": "shop", "workload_kind": "Deployment", "workload_name": "order-service"}),
        (POD, {"namespace": "shop", "workload_name": "order-service", "pod_name": "order-service-1"}),
    ],
)
async def test_a_target_is_named_by_its_dimensions_and_times_carry_their_offset(
    metrics_at, target, dimensions
):
    offered = (
        "K8sClusterRateCpuCoreUsedCluster",
        "K8sNodeCpuUsage",
        "K8sWorkloadCpuCoreUsed",
        "K8sPodCpuCoreUsed",
    )
    async with scripted(Monitor(**dict.fromkeys(offered, "%"))) as server:
        await metrics_at(server.url).usage(target, [Metric.CPU], START, START + timedelta(hours=1))
    fields = server.asked[-1].fields
    assert {c["Key"]: c["Value"] for c in fields["Conditions"]} == {
        key: [value] for key, value in {"tke_cluster_instance_id": "cls-1", **dimensions}.items()
    }
    assert (fields["StartTime"], fields["EndTime"]) == (
        "2026-11-20T08:00:00+08:00",
        "2026-11-20T09:00:00+08:00",
    )
    assert (fields["Module"], fields["Namespace"]) == ("monitor", "QCE/TKE2")


@pytest.mark.parametrize(
    ("length", "seconds"),
    [
        (timedelta(hours=1), 60),
        (timedelta(hours=12), 300),
        (timedelta(days=2), 300),
        (timedelta(days=3), 3600),
        (timedelta(days=29), 3600),
        (timedelta(days=30), 86400),
    ],
)
async def test_the_interval_is_the_finest_that_the_service_allows(metrics_at, length, seconds):
    async with scripted(Monitor(K8sClusterRateCpuCoreUsedCluster="%")) as server:
        await metrics_at(server.url).usage(CLUSTER, [Metric.CPU], START - length, START)
    assert server.asked[-1].fields["Period"] == seconds


@pytest.mark.parametrize("length", [timedelta(0), timedelta(days=186), timedelta(days=-1)])
async def test_a_stretch_that_is_empty_or_too_long_is_refused(metrics_at, length):
    with pytest.raises(errors.InvalidPeriod):
        await metrics_at("http://127.0.0.1:1").usage(CLUSTER, [Metric.CPU], START - length, START)
