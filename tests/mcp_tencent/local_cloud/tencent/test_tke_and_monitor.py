"""TKE and Monitor answer from their state and from the world."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import yaml
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.monitor.v20180724.monitor_client import MonitorClient
from tencentcloud.tke.v20180525.tke_client import TkeClient
from tencentcloud.tke.v20220501.tke_client import TkeClient as TkeClient2022

from mcp_tencent.local_cloud.tencent.ports import MetricAlert, NodeState
from tests.mcp_tencent.local_cloud.tencent.simulated_cloud import (
    CLUSTER,
    REGION,
    START,
    TOPIC,
    SimulatedCloud,
)

IN_CLUSTER = {"ClusterId": CLUSTER}


def refusal(cloud: SimulatedCloud, kind: type, action: str, parameters: dict[str, Any]) -> str:
    with pytest.raises(TencentCloudSDKException) as refused:
        cloud.call(kind, action, parameters)
    code: str = refused.value.get_code()
    return code


def test_clusters_are_filtered_by_name_and_tag(cloud: SimulatedCloud):
    def count(name: str, value: str) -> int:
        total: int = cloud.call(
            TkeClient, "DescribeClusters", {"Filters": [{"Name": name, "Values": [value]}]}
        )["TotalCount"]
        return total

    assert (count("ClusterName", "sho"), count("ClusterName", "x")) == (1, 0)
    assert (count("Tags", "team:pay"), count("Tags", "team:x")) == (1, 0)
    assert (
        refusal(cloud, TkeClient, "DescribeClusters", {"Filters": [{"Name": "x", "Values": []}]})
        == "InvalidParameter"
    )


def test_a_kubeconfig_leads_to_the_cluster_with_its_token(cloud: SimulatedCloud):
    text = cloud.call(TkeClient, "DescribeClusterKubeconfig", {**IN_CLUSTER, "IsExtranet": True})[
        "Kubeconfig"
    ]
    config = yaml.safe_load(text)

    address = f"http://token:local-token@{cloud.endpoint}/clusters/{CLUSTER}"
    assert config["clusters"][0]["cluster"]["server"] == address
    assert config["users"][0]["user"]["token"] == "local-token"
    assert config["current-context"] == config["contexts"][0]["name"]


def test_a_closed_endpoint_hands_out_no_kubeconfig(cloud: SimulatedCloud):
    cluster = cloud.tke.cluster(REGION, CLUSTER)
    cloud.tke.replace_cluster(replace(cluster, extranet=False))

    status = cloud.call(TkeClient, "DescribeClusterEndpointStatus", {**IN_CLUSTER, "IsExtranet": True})
    assert status["Status"] == "NotFound"
    code = refusal(cloud, TkeClient, "DescribeClusterKubeconfig", {**IN_CLUSTER, "IsExtranet": True})
    assert code == "ResourceUnavailable.ClusterState"


def test_a_failed_node_shows_in_the_clusters_state(cloud: SimulatedCloud):
    first, *others = cloud.nodes.by_cluster[CLUSTER]
    cloud.nodes.by_cluster[CLUSTER] = [
        replace(first, state=NodeState.FAILED, reason="KubeletNotReady"),
        *others,
    ]

    (state,) = cloud.call(TkeClient, "DescribeClusterStatus", {"ClusterIds": [CLUSTER]})["ClusterStatusSet"]

    assert state["ClusterInstanceState"] == "PartialAbnormal"
    assert (state["ClusterFailedNodeNum"], state["ClusterRunningNodeNum"]) == (1, 4)


def test_scaling_a_regular_pool_changes_its_nodes(cloud: SimulatedCloud):
    pool = {**IN_CLUSTER, "NodePoolId": "np-regular1"}
    cloud.call(TkeClient, "ModifyNodePoolDesiredCapacityAboutAsg", {**pool, "DesiredCapacity": 5})

    nodes = cloud.call(
        TkeClient,
        "DescribeClusterInstances",
        {**IN_CLUSTER, "Filters": [{"Name": "nodepool-id", "Values": ["np-regular1"]}]},
    )

    assert nodes["TotalCount"] == 5
    shown = cloud.call(TkeClient, "DescribeClusterNodePoolDetail", pool)["NodePool"]
    assert shown["NodeCountSummary"]["AutoscalingAdded"]["Normal"] == 5


def test_a_size_beyond_bounds_or_quota_is_refused(cloud: SimulatedCloud):
    pool = {**IN_CLUSTER, "NodePoolId": "np-regular1"}
    scale = "ModifyNodePoolDesiredCapacityAboutAsg"

    assert (
        refusal(cloud, TkeClient, scale, {**pool, "DesiredCapacity": 11}) == "InvalidParameter.AsCommonError"
    )
    cluster = cloud.tke.cluster(REGION, CLUSTER)
    cloud.tke.replace_cluster(replace(cluster, level="L5"))
    assert (
        refusal(cloud, TkeClient, scale, {**pool, "DesiredCapacity": 3}) == "FailedOperation.QuotaMaxNodLimit"
    )


def test_the_old_api_shows_regular_pools_and_the_new_one_all(cloud: SimulatedCloud):
    old = cloud.call(TkeClient, "DescribeClusterNodePools", IN_CLUSTER)
    new = cloud.call(TkeClient2022, "DescribeNodePools", IN_CLUSTER)

    assert [pool["NodePoolId"] for pool in old["NodePoolSet"]] == ["np-regular1"]
    assert [pool["Type"] for pool in new["NodePools"]] == ["Regular", "Native", "Super"]


def test_a_protected_pool_is_not_deleted(cloud: SimulatedCloud):
    pool = {**IN_CLUSTER, "NodePoolId": "np-regular1"}
    cloud.call(TkeClient, "ModifyClusterNodePool", {**pool, "DeletionProtection": True})
    delete = {**IN_CLUSTER, "NodePoolIds": ["np-regular1"], "KeepInstance": False}

    assert refusal(cloud, TkeClient, "DeleteClusterNodePool", delete) == "OperationDenied"
    cloud.call(TkeClient, "ModifyClusterNodePool", {**pool, "DeletionProtection": False})
    cloud.call(TkeClient, "DeleteClusterNodePool", delete)
    assert all(node.pool_id != "np-regular1" for node in cloud.nodes.nodes(CLUSTER))


def test_native_pools_are_created_and_scaled_by_the_new_api(cloud: SimulatedCloud):
    pool = {**IN_CLUSTER, "NodePoolId": "np-native01"}
    cloud.call(TkeClient2022, "ScaleNodePool", {**pool, "Replicas": 4})

    nodes = cloud.call(
        TkeClient2022,
        "DescribeClusterInstances",
        {**IN_CLUSTER, "Filters": [{"Name": "InstanceType", "Values": ["Native"]}]},
    )

    assert nodes["TotalCount"] == 4
    regular = {**IN_CLUSTER, "NodePoolId": "np-regular1", "Replicas": 1}
    assert refusal(cloud, TkeClient2022, "ScaleNodePool", regular) == "UnsupportedOperation"


def test_only_virtual_nodes_can_be_drained(cloud: SimulatedCloud):
    cloud.call(TkeClient, "DrainClusterVirtualNode", {**IN_CLUSTER, "NodeName": "eklet-subnet-1"})

    assert [node.drained for node in cloud.nodes.nodes(CLUSTER)][-1] is True
    regular = cloud.nodes.nodes(CLUSTER)[0].name
    assert (
        refusal(cloud, TkeClient, "DrainClusterVirtualNode", {**IN_CLUSTER, "NodeName": regular})
        == "InvalidParameter"
    )
    unknown = {**IN_CLUSTER, "NodeName": "eklet-x"}
    code = refusal(cloud, TkeClient, "DrainClusterVirtualNode", unknown)
    assert code == "ResourceNotFound.KubernetesResourceNotFound"


def test_switching_events_on_makes_a_topic_for_them(cloud: SimulatedCloud):
    cloud.call(TkeClient, "EnableEventPersistence", IN_CLUSTER)
    cloud.call(TkeClient, "EnableClusterAudit", {**IN_CLUSTER, "TopicId": TOPIC})

    (switches,) = cloud.call(TkeClient, "DescribeLogSwitches", {"ClusterIds": [CLUSTER]})["SwitchSet"]

    assert switches["Event"]["TopicId"] in cloud.cls.region(REGION).topics
    assert (switches["Audit"]["Enable"], switches["Audit"]["TopicId"]) == (True, TOPIC)
    assert (switches["Log"]["TopicId"], switches["MasterLog"]["Enable"]) == (TOPIC, False)
    wrong = {**IN_CLUSTER, "TopicId": "no"}
    code = refusal(cloud, TkeClient, "EnableClusterAudit", wrong)
    assert code == "ResourceNotFound.LogCollectorClsLogTopicNotExists"


def statistic(**changes: Any) -> dict[str, Any]:
    return {
        "Module": "monitor",
        "Namespace": "QCE/TKE2",
        "MetricNames": ["K8sPodCpuCoreUsed"],
        "Conditions": [{"Key": "tke_cluster_instance_id", "Operator": "=", "Value": [CLUSTER]}],
        "StartTime": "2026-11-20T08:01:30+08:00",
        "EndTime": "2026-11-20T08:10:00+08:00",
    } | changes


def test_statistics_come_for_each_pod_on_whole_periods(cloud: SimulatedCloud):
    (metric,) = cloud.call(MonitorClient, "DescribeStatisticData", statistic())["Data"]

    assert len(metric["Points"]) == 2
    times = [point["Timestamp"] for point in metric["Points"][0]["Values"]]
    assert times == [int(START.timestamp()) + 300 * number for number in range(3)]


def test_grouped_statistics_are_means_over_the_group(cloud: SimulatedCloud):
    (metric,) = cloud.call(MonitorClient, "DescribeStatisticData", statistic(GroupBys=["namespace"]))["Data"]

    assert [point["Dimensions"] for point in metric["Points"]] == [[{"Name": "namespace", "Value": "shop"}]]


@pytest.mark.parametrize(
    "changes",
    [
        {"Module": "x"},
        {"MetricNames": ["Unknown"]},
        {"Namespace": "QCE/NONE"},
        {"Conditions": []},
        {"Period": 61},
        {"StartTime": "yesterday"},
        {"StartTime": "2026-11-20T09:00:00+08:00"},
        {"StartTime": "2026-10-01T00:00:00+08:00"},
        {"StartTime": "0001-01-01T00:00:00+08:00"},
        {"Conditions": [{"Key": "namespace", "Operator": ">", "Value": ["a"]}]},
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(cloud: SimulatedCloud, changes: dict[str, Any]):
    code = refusal(cloud, MonitorClient, "DescribeStatisticData", statistic(**changes))

    assert code.startswith("InvalidParameter")


def test_metric_alerts_are_listed_by_state(cloud: SimulatedCloud):
    told = MetricAlert(
        alert_id="1",
        policy_id="policy-1",
        policy_name="Pod CPU 过高",
        region=REGION,
        namespace="k8s_pod2",
        alarm_object="pay-1",
        content="CPU 利用率 > 90%",
        metric_name="K8sPodRateCpuCoreUsedLimit",
        value="93",
        level="Serious",
        dimensions={"pod_name": "pay-1"},
        started_at=START,
    )
    cloud.alarms.metric = [told, replace(told, alert_id="2", ended_at=START + timedelta(minutes=5))]
    cloud.clock.advance(timedelta(minutes=10))

    def ids(**parameters: Any) -> list[str]:
        answer = cloud.call(MonitorClient, "DescribeAlarmHistories", {"Module": "monitor", **parameters})
        return [entry["AlarmId"] for entry in answer["Histories"]]

    assert sorted(ids()) == ["1", "2"]
    assert ids(AlarmStatus=["ALARM"]) == ["1"]
    assert ids(PolicyName="pod cpu", AlarmStatus=["OK"]) == ["2"]
    assert ids(AlarmLevels=["Remind"]) == []
    assert len(ids(PageSize=1, PageNumber=2)) == 1
