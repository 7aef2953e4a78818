"""A walk through all 63 actions with the real SDK: each answers with exactly the specified fields."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import mcp_tencent.local_cloud.tencent as package
from tests.mcp_tencent.local_cloud.tencent.simulated_cloud import (
    CLIENTS,
    CLUSTER,
    LOGSET,
    REGION,
    START,
    TOPIC,
    SimulatedCloud,
    alert,
    milliseconds,
    shield,
)
from tests.mcp_tencent.local_cloud.tencent.uploads import log, log_group_list

SPEC = json.loads(Path(package.__file__).with_name("spec").joinpath("spec.json").read_text("utf-8"))
HOUR = {"From": milliseconds(START), "To": milliseconds(START + timedelta(hours=1))}
TARGET = {
    "TopicId": TOPIC,
    "LogsetId": LOGSET,
    "Query": "level:ERROR | select count(*) as errors",
    "Number": 1,
    "StartTimeOffset": -5,
    "EndTimeOffset": 0,
    "SyntaxRule": 1,
}
SQL = {
    "SrcTopicId": TOPIC,
    "Name": "每小时错误",
    "EnableFlag": 1,
    "DstResource": {"TopicId": TOPIC, "Region": REGION},
    "ScheduledSqlContent": "* | select count(*) as pv",
    "ProcessStartTime": HOUR["From"],
    "ProcessType": 1,
    "ProcessPeriod": 60,
    "ProcessTimeWindow": "@h-1h,@h",
    "ProcessDelay": 60,
    "SrcTopicRegion": REGION,
}
ASG = {"AutoScalingGroupPara": '{"MinSize":0,"MaxSize":5,"DesiredCapacity":1}', "LaunchConfigurePara": "{}"}
ADVANCED = {"DesiredPodNumber": 0, "GPUArgs": {}, "PreStartUserScript": "", "Taints": []}
NATIVE = {
    "Scaling": {"MinReplicas": 0, "MaxReplicas": 4},
    "SubnetIds": ["subnet-1"],
    "InstanceChargeType": "POSTPAID_BY_HOUR",
    "SystemDisk": {"DiskType": "CLOUD_SSD", "DiskSize": 50},
    "InstanceTypes": ["S5.LARGE8"],
    "Replicas": 1,
}
PODS = [{"Key": "tke_cluster_instance_id", "Operator": "=", "Value": [CLUSTER]}]
POD = {"Dimensions": [{"Name": "pod_name", "Value": "pay-1"}]}
TIMES = {"StartTime": "2026-11-20T08:00:00+08:00", "EndTime": "2026-11-20T09:00:00+08:00"}
IN_CLUSTER = {"ClusterId": CLUSTER}

# Product, action, parameters ("$name" stands for what an earlier step returned), what to keep of the answer.
WALK: list[tuple[str, str, dict[str, Any], str]] = [
    ("cls", "CreateLogset", {"LogsetName": "new", "Tags": [{"Key": "team", "Value": "pay"}]}, "LogsetId"),
    ("cls", "ModifyLogset", {"LogsetId": "$LogsetId", "LogsetName": "renamed"}, ""),
    ("cls", "DescribeLogsets", {"Filters": [{"Key": "logsetName", "Values": ["renamed"]}]}, ""),
    ("cls", "CreateTopic", {"LogsetId": "$LogsetId", "TopicName": "fresh", "Period": 7}, "TopicId"),
    ("cls", "ModifyTopic", {"TopicId": "$TopicId", "Describes": "x"}, ""),
    ("cls", "DescribeTopics", {}, ""),
    (
        "cls",
        "CreateIndex",
        {"TopicId": "$TopicId", "Rule": {"FullText": {"CaseSensitive": False, "Tokenizer": " "}}},
        "",
    ),
    ("cls", "ModifyIndex", {"TopicId": "$TopicId", "Status": True}, ""),
    ("cls", "DescribeIndex", {"TopicId": "$TopicId"}, ""),
    ("cls", "DescribePartitions", {"TopicId": "$TopicId"}, ""),
    ("cls", "UploadLog", {"TopicId": "$TopicId"}, ""),
    ("cls", "DeleteTopic", {"TopicId": "$TopicId"}, ""),
    ("cls", "DeleteLogset", {"LogsetId": "$LogsetId"}, ""),
    ("cls", "SearchLog", {"TopicId": TOPIC, "QueryString": "level:ERROR", **HOUR}, "Results.0.PkgId"),
    (
        "cls",
        "DescribeLogContext",
        {"TopicId": TOPIC, "BTime": "2026-11-20 08:00:00.000", "PkgId": "$PkgId", "PkgLogId": 0},
        "",
    ),
    ("cls", "DescribeLogHistogram", {"TopicId": TOPIC, "Query": "*", **HOUR}, ""),
    ("cls", "CreateAlarmNotice", {"Name": "值班", "Type": "All"}, "AlarmNoticeId"),
    ("cls", "ModifyAlarmNotice", {"AlarmNoticeId": "$AlarmNoticeId", "Name": "值班组"}, ""),
    ("cls", "DescribeAlarmNotices", {"HasAlarmShieldCount": True}, ""),
    ("cls", "DescribeAlarmShields", {"AlarmNoticeId": "$AlarmNoticeId"}, ""),
    (
        "cls",
        "CreateAlarm",
        {
            "Name": "错误过多",
            "AlarmTargets": [TARGET],
            "MonitorTime": {"Type": "Period", "Time": 1},
            "TriggerCount": 1,
            "AlarmPeriod": 15,
            "Condition": "$1.errors > 0",
            "AlarmNoticeIds": ["$AlarmNoticeId"],
        },
        "AlarmId",
    ),
    ("cls", "ModifyAlarm", {"AlarmId": "$AlarmId", "TriggerCount": 2}, ""),
    ("cls", "DescribeAlarms", {}, ""),
    ("cls", "DescribeAlertRecordHistory", {**HOUR, "Offset": 0, "Limit": 100}, ""),
    ("cls", "GetAlarmLog", {**HOUR, "QueryString": "*", "Limit": 10}, ""),
    ("cls", "DeleteAlarm", {"AlarmId": "$AlarmId"}, ""),
    ("cls", "DeleteAlarmNotice", {"AlarmNoticeId": "$AlarmNoticeId"}, ""),
    ("cls", "CreateScheduledSql", SQL, "TaskId"),
    ("cls", "ModifyScheduledSql", {"TaskId": "$TaskId", "EnableFlag": 2}, ""),
    ("cls", "DescribeScheduledSqlInfo", {}, ""),
    ("cls", "DeleteScheduledSql", {"TaskId": "$TaskId", "SrcTopicId": TOPIC}, ""),
    ("cls", "CreateDashboard", {"DashboardName": "大盘", "Data": "{}"}, "DashboardId"),
    ("cls", "ModifyDashboard", {"DashboardId": "$DashboardId", "DashboardName": "新大盘"}, ""),
    ("cls", "DescribeDashboards", {}, ""),
    ("cls", "DeleteDashboard", {"DashboardId": "$DashboardId"}, ""),
    (
        "cls",
        "ChatCompletions",
        {"Model": "text2sql", "Messages": [{"Role": "user", "Content": "错误日志有多少条"}]},
        "",
    ),
    ("tke18", "DescribeClusters", {}, ""),
    ("tke18", "DescribeClusterInstances", IN_CLUSTER, ""),
    ("tke18", "DescribeClusterNodePools", IN_CLUSTER, ""),
    ("tke18", "DescribeClusterNodePoolDetail", {**IN_CLUSTER, "NodePoolId": "np-regular1"}, ""),
    (
        "tke18",
        "CreateClusterNodePool",
        {
            **IN_CLUSTER,
            **ASG,
            "InstanceAdvancedSettings": ADVANCED,
            "EnableAutoscale": False,
            "Name": "extra",
        },
        "NodePoolId",
    ),
    ("tke18", "ModifyClusterNodePool", {**IN_CLUSTER, "NodePoolId": "$NodePoolId", "MaxNodesNum": 4}, ""),
    (
        "tke18",
        "ModifyNodePoolDesiredCapacityAboutAsg",
        {**IN_CLUSTER, "NodePoolId": "$NodePoolId", "DesiredCapacity": 3},
        "",
    ),
    (
        "tke18",
        "DeleteClusterNodePool",
        {**IN_CLUSTER, "NodePoolIds": ["$NodePoolId"], "KeepInstance": False},
        "",
    ),
    ("tke18", "DescribeClusterStatus", {}, ""),
    ("tke18", "DescribeClusterEndpoints", IN_CLUSTER, ""),
    ("tke18", "DescribeClusterEndpointStatus", {**IN_CLUSTER, "IsExtranet": True}, ""),
    ("tke18", "DescribeClusterKubeconfig", IN_CLUSTER, ""),
    ("tke18", "DescribeClusterSecurity", IN_CLUSTER, ""),
    ("tke18", "EnableEventPersistence", IN_CLUSTER, ""),
    ("tke18", "EnableClusterAudit", {**IN_CLUSTER, "TopicId": TOPIC}, ""),
    ("tke18", "DescribeLogSwitches", {"ClusterIds": [CLUSTER]}, ""),
    ("tke18", "DescribeRegions", {}, ""),
    ("tke18", "DrainClusterVirtualNode", {**IN_CLUSTER, "NodeName": "eklet-subnet-1"}, ""),
    ("tke22", "DescribeNodePools", IN_CLUSTER, ""),
    (
        "tke22",
        "CreateNodePool",
        {**IN_CLUSTER, "Name": "native", "Type": "Native", "Native": NATIVE},
        "NodePoolId",
    ),
    ("tke22", "ModifyNodePool", {**IN_CLUSTER, "NodePoolId": "$NodePoolId", "Name": "renamed"}, ""),
    ("tke22", "ScaleNodePool", {**IN_CLUSTER, "NodePoolId": "$NodePoolId", "Replicas": 2}, ""),
    ("tke22", "DescribeClusterInstances", IN_CLUSTER, ""),
    (
        "monitor",
        "DescribeStatisticData",
        {
            "Module": "monitor",
            "Namespace": "QCE/TKE2",
            "MetricNames": ["K8sPodCpuCoreUsed"],
            "Conditions": PODS,
            **TIMES,
        },
        "",
    ),
    (
        "monitor",
        "GetMonitorData",
        {
            "Namespace": "QCE/TKE2",
            "MetricName": "K8sPodCpuCoreUsed",
            "Instances": [POD],
            "SpecifyStatistics": 7,
            **TIMES,
        },
        "",
    ),
    ("monitor", "DescribeAlarmHistories", {"Module": "monitor"}, ""),
    ("monitor", "DescribeBaseMetrics", {"Namespace": "QCE/TKE2"}, ""),
]
TYPES: dict[str, set[type]] = {"int64": {int}, "uint64": {int}, "float": {int, float}, "bool": {bool}}
PRODUCTS = {
    "cls": "cls@2020-10-16",
    "tke18": "tke@2018-05-25",
    "tke22": "tke@2022-05-01",
    "monitor": "monitor@2018-07-24",
}


def test_the_walk_leaves_no_action_out():
    walked = {(PRODUCTS[product], action) for product, action, _, _ in WALK}

    assert walked == {(product, action) for product, content in SPEC.items() for action in content["actions"]}


def test_every_action_answers_the_sdk_with_exactly_the_specified_fields(cloud: SimulatedCloud):
    cloud.write(
        (1, "boom", {"level": "ERROR", "status": "500"}), (2, "fine", {"level": "INFO", "status": "200"})
    )
    cloud.alarms.told = [alert(1, START, START + timedelta(minutes=7), notices=(("值班", "notice-1"),))]
    cloud.clock.advance(timedelta(minutes=30))
    kept: dict[str, Any] = {}
    for product, action, parameters, keep in WALK:
        if action == "DescribeAlarmShields":
            cloud.cls.region(REGION).shields["task-1"] = shield(kept["AlarmNoticeId"])
        typed = _call(cloud, PRODUCTS[product], action, _filled(parameters, kept))
        raw = cloud.last_response()
        _require_shape(SPEC[PRODUCTS[product]], action, raw)
        assert typed.RequestId == raw["RequestId"]
        if keep:
            kept[keep.split(".")[-1]] = _found(raw, keep)


def _call(cloud: SimulatedCloud, product: str, action: str, parameters: dict[str, Any]) -> Any:
    client = cloud.client(CLIENTS[product])
    models = import_module(type(client).__module__.rsplit(".", 1)[0] + ".models")
    request = getattr(models, f"{action}Request")()
    request.from_json_string(json.dumps(parameters))
    if action == "UploadLog":
        return client.UploadLog(request, log_group_list([log(milliseconds(START), {"level": "INFO"})]))
    return getattr(client, action)(request)


def _filled(value: Any, kept: dict[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith("$") and value[1:] in kept:
        return kept[value[1:]]
    if isinstance(value, list):
        return [_filled(item, kept) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, kept) for name, item in value.items()}
    return value


def _found(raw: Any, path: str) -> Any:
    for step in path.split("."):
        raw = raw[int(step)] if step.isdigit() else raw[step]
    return raw


def _require_shape(product: dict[str, Any], action: str, raw: dict[str, Any]) -> None:
    _require_fields(product, product["actions"][action]["response"], raw, action)


def _require_fields(product: dict[str, Any], fields: dict[str, Any], raw: dict[str, Any], path: str) -> None:
    assert set(raw) == set(fields), path
    for name, field in fields.items():
        if raw[name] is not None:
            _require_type(product, field["type"], raw[name], f"{path}.{name}")


def _require_type(product: dict[str, Any], expected: str, value: Any, path: str) -> None:
    if expected.startswith("list<"):
        assert isinstance(value, list), path
        for item in value:
            _require_type(product, expected[5:-1], item, path)
    elif expected in product["types"]:
        _require_fields(product, product["types"][expected], value, path)
    else:
        allowed = TYPES.get(expected, {str})
        assert type(value) in allowed, path
