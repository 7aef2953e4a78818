"""Looking at workloads, pods, events, services, configuration and usage."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from mcp_tencent.basic.health import worst_first
from mcp_tencent.basic.ownership import objects_of
from mcp_tencent.local_cloud.scenario.model import ApiFaults, KubernetesFault
from mcp_tencent.local_cloud.scenario.reading import load_scenario
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.models.workloads import WorkloadKind, WorkloadRef
from tests.mcp_tencent.basic.office import ANSWER_BYTES, Office, office_at, standing


@contextlib.asynccontextmanager
async def shop_of(scenario: str, folder: Path) -> Any:
    with standing(scenario) as cloud:
        async with office_at(cloud, folder) as office:
            yield office


# Workloads


async def test_workloads_are_listed_unhealthy_first_with_their_aliases(office: Office) -> None:
    answer = await office.call("list_workloads", cluster="预发")
    assert [one["alias"] for one in answer["workloads"]] == ["预发商品服务", "测试平台", "预发订单服务"]
    assert answer["workloads"][0]["trouble"] == "ProgressDeadlineExceeded"
    assert answer["summary"] == "预发集群的3个工作负载里有1个不健康：预发商品服务（发布超时）。"
    only = await office.call("list_workloads", cluster="预发", status="unhealthy")
    assert [one["name"] for one in only["workloads"]] == ["product-service"]


async def test_workloads_are_narrowed_by_namespace_alias_and_kind(office: Office) -> None:
    pay = await office.call("list_workloads", namespace="支付")
    assert {one["namespace"] for one in pay["workloads"]} == {"pay"}
    assert pay["total"] == 3
    sets = await office.call("list_workloads", kind="statefulset")
    assert [one["name"] for one in sets["workloads"]] == ["redis-cache"]


async def test_every_cluster_is_looked_at_when_there_is_no_default(
    yesterday: LocalCloud, tmp_path: Path
) -> None:
    async with office_at(yesterday, tmp_path) as office:
        answer = await office.call("list_workloads", status="unhealthy")
    assert answer["total"] == 22
    assert [(one["cluster"], one["name"]) for one in answer["workloads"]] == [("预发集群", "product-service")]


async def test_a_workload_is_described_with_its_failure_and_its_last_release(office: Office) -> None:
    answer = await office.call("describe_workload", workload="预发商品服务")
    assert (answer["rollout"], answer["workload"]["ready"]) == ("failed", "2/2")
    assert answer["change_cause"] == "v3.2.0-rc1 提测，镜像未推送"
    assert answer["pods"][0]["reason"] in ("ImagePullBackOff", "ErrImagePull")
    assert answer["warnings"]
    for word in ("不健康", "镜像拉取失败", "发布失败", "11小时前"):
        assert word in answer["summary"]


async def test_what_shapes_a_workload_is_told(office: Office) -> None:
    order = await office.call("describe_workload", workload="订单服务")
    assert [one["name"] for one in order["config"]] == ["order-config"]
    assert order["services"] == ["order-service"]
    assert order["disruptions_allowed"] == 2
    assert (await office.call("describe_workload", workload="登录服务"))["autoscaler"] == "2-6, now 2"


async def test_a_guess_by_sound_is_said_in_the_summary(office: Office) -> None:
    answer = await office.call("describe_workload", workload="风空服务")
    assert answer["workload"]["name"] == "risk-service"
    assert answer["summary"].startswith("按“风控服务”查的：")


async def test_history_tells_revisions_causes_and_when(office: Office) -> None:
    answer = await office.call("rollout_history", workload="搜索服务")
    assert [(one["revision"], one["current"], one["cause"]) for one in answer["revisions"]] == [
        (2, True, "v3.2.0 查询缓存优化"),
        (1, False, "v3.1.9 正式发布"),
    ]
    assert answer["revisions"][0]["created_at"] == "2026-11-20T09:30:00+08:00"


@pytest.mark.parametrize(
    "tool", ["describe_workload", "rollout_history", "list_pods", "pod_logs", "list_events"]
)
async def test_an_unknown_workload_is_said_to_be_one(office: Office, tool: str) -> None:
    error = await office.refused(tool, workload="天气预报")
    assert error["code"] == "not_found"
    assert error["message"] == "没有找到叫“天气预报”的工作负载"


# Pods


async def test_pods_in_trouble_come_first_and_are_counted(office: Office) -> None:
    answer = await office.call("list_pods", workload="预发商品服务")
    assert (answer["total"], answer["well"]) == (3, 2)
    assert answer["pods"][0]["reason"] in answer["reasons"]
    assert answer["summary"] == "预发商品服务的3个Pod里有1个镜像拉取失败。"
    failed = await office.call("list_pods", workload="预发商品服务", status="failed")
    assert failed["matching"] == 1


async def test_every_status_narrows_and_crashing_pods_are_restarting(tmp_path: Path) -> None:
    async with shop_of("crash-loop", tmp_path) as office:
        cluster = await office.desk.naming.cluster(None)
        everything = await office.desk.inside(cluster).pods()
        assert (await office.call("list_pods"))["total"] == len(everything)
        restarting = await office.call("list_pods", status="restarting")
        assert restarting["matching"] >= 1
        assert all(pod["restarts"] > 0 for pod in restarting["pods"])
        assert "在重启" in restarting["summary"]
        assert (await office.call("list_pods"))["pods"][0]["name"] == worst_first(everything)[0].name
        pending = await office.call("list_pods", status="pending")
        assert all(pod["phase"] == "Pending" for pod in pending["pods"])
        crashed = await office.call("pod_logs", workload="订单服务", previous=True)
        assert (crashed["previous"], crashed["pod"]) == (True, restarting["pods"][0]["name"])


# Logs of pods


async def test_the_latest_lines_of_the_worst_pod_fit_and_are_masked(office: Office) -> None:
    answer = await office.call("pod_logs", workload="订单服务", tail=500)
    assert len(json.dumps(answer, ensure_ascii=False).encode()) <= ANSWER_BYTES
    assert answer["left_out"] == answer["matching"] - len(answer["lines"]) > 0
    times = [line["at"] for line in answer["lines"] if line["at"]]
    assert times == sorted(times)
    longer = await office.call("pod_logs", workload="订单服务", tail=500, max_kb=32)
    assert len(longer["lines"]) > len(answer["lines"])


async def test_lines_are_narrowed_by_text_whatever_its_case(office: Office) -> None:
    answer = await office.call("pod_logs", workload="订单服务", tail=500, contains="nullpointer")
    assert answer["matching"] > 0
    assert all("nullpointer" in line["text"].lower() for line in answer["lines"])
    nothing = await office.call("pod_logs", workload="订单服务", contains="no such text anywhere")
    assert (nothing["matching"], nothing["lines"]) == (0, [])
    assert "没有“no such text anywhere”" in nothing["summary"]


async def test_the_earlier_run_of_a_pod_that_never_ended_is_said_not_to_exist(office: Office) -> None:
    error = await office.refused("pod_logs", workload="购物车服务", previous=True)
    assert error["code"] == "not_found"
    assert "没有重启过" in error["message"]


async def test_a_log_of_nothing_in_particular_is_asked_about(office: Office) -> None:
    error = await office.refused("pod_logs")
    assert (error["code"], error["message"]) == ("incomplete", "请说要看哪个服务，或者哪个 Pod")
    assert (await office.refused("pod_logs", workload="订单服务", tail=0))["code"] == "invalid_arguments"
    assert (await office.refused("pod_logs", workload="订单服务", tail=10**9))["code"] == "invalid_arguments"


# Events and services


async def test_events_of_one_workload_only_and_warnings_counted(office: Office) -> None:
    answer = await office.call("list_events", workload="预发商品服务", period="24h", type="warning")
    assert answer["warnings"] >= 1
    assert all(one["type"] == "Warning" for one in answer["events"])
    assert all("product-service" in one["object"] for one in answer["events"])
    assert "镜像拉取失败" in answer["summary"]
    quiet = await office.call("list_events", workload="预发订单服务")
    assert quiet["summary"] == "预发订单服务这段时间没有事件。"


@pytest.mark.parametrize("period", ["", "soon", "0h", "2030-01-01", "2026-11-20T10:00:00"])
@pytest.mark.parametrize("tool", ["list_events", "resource_usage"])
async def test_periods_that_make_no_sense_are_refused_in_words(
    office: Office, tool: str, period: str
) -> None:
    target = {"target": "订单服务"} if tool == "resource_usage" else {}
    error = await office.refused(tool, period=period, **target)
    assert error["code"] == "invalid_period"
    assert "最近一小时" in error["message"]


@pytest.mark.parametrize("tool", ["list_events", "resource_usage"])
async def test_a_period_of_decades_is_said_to_be_too_long(office: Office, tool: str) -> None:
    target = {"target": "订单服务"} if tool == "resource_usage" else {}
    error = await office.refused(tool, period="9999d", **target)
    assert error["code"] == "period_too_long"
    assert error["message"] == "时间范围太长了，请说短一些"


async def test_services_tell_ports_and_whether_they_are_open(office: Office) -> None:
    answer = await office.call("list_services", namespace="交易")
    assert {one["namespace"] for one in answer["services"]} == {"trade"}
    assert answer["services"][0]["ports"] == ["80→8080/TCP"]
    assert "都不对外开放" in answer["summary"]


# Configuration


async def test_a_configmap_is_shown_with_who_reads_it(office: Office) -> None:
    answer = await office.call("get_config", kind="configmap", name="order-config")
    assert {one["key"]: one["value"] for one in answer["entries"]} == {
        "db.pool.size": "32",
        "db.url": "jdbc:mysql://order-db:3306/orders",
    }
    assert answer["used_by"] == ["trade/order-service"]


async def test_values_of_a_secret_never_leave(office: Office) -> None:
    result = await office.result(
        "get_config", {"kind": "secret", "name": "payment-channels", "namespace": "支付"}
    )
    assert result.structured_content is not None
    assert [one["key"] for one in result.structured_content["entries"]] == ["channel.key", "merchant.id"]
    assert {one["value"] for one in result.structured_content["entries"]} == {None}
    everything = result.model_dump_json()
    assert "local-cloud-channel-key" not in everything
    assert "1900000109" not in everything
    assert "值不能显示" in result.structured_content["summary"]


async def test_a_configuration_that_is_not_there_is_said_to_be_missing(office: Office) -> None:
    error = await office.refused("get_config", kind="configmap", name="zzz-unheard-of")
    assert error["code"] in ("not_found", "ambiguous")
    assert (await office.refused("get_config", kind="pod", name="x"))["code"] == "invalid_arguments"


# Usage


async def test_usage_of_a_workload_a_cluster_and_a_node(office: Office) -> None:
    workload = await office.call("resource_usage", target="订单服务")
    assert workload["target_kind"] == "workload"
    assert {one["metric"] for one in workload["metrics"]} == {"cpu", "memory", "network_in", "network_out"}
    assert all(one["highest"] >= one["average"] > 0 for one in workload["metrics"])
    assert all(len(one["points"]) <= 12 for one in workload["metrics"])
    assert workload["summary"].startswith("订单服务CPU平均")
    cluster = await office.call("resource_usage", target="生产", metric="memory", period="24h")
    assert cluster["target_kind"] == "cluster"
    name = (await office.call("list_nodes"))["nodes"][0]["name"]
    node = await office.call("resource_usage", target=name, metric="disk")
    assert (node["target_kind"], node["metrics"][0]["metric"]) == ("node", "disk")


async def test_what_is_not_measured_and_what_is_not_there_are_told_apart(office: Office) -> None:
    assert (await office.refused("resource_usage", target="生产", metric="network"))["code"] == "unsupported"
    error = await office.refused("resource_usage", target="天气预报")
    assert error["code"] == "not_found"
    assert "集群、节点或工作负载" in error["message"]


async def test_objects_are_told_apart_where_one_name_begins_with_another() -> None:
    short = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="order")
    longer = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="order-worker")
    own = objects_of(short, [short, longer])
    assert own("Pod", "order-7d9f8b6c5d-x2x9z")
    assert own("Deployment", "order")
    assert not own("Pod", "order-worker-7d9f8b6c5d-x2x9z")
    assert not own("Deployment", "order-worker")
    assert not own("Node", "order-1")


async def test_clusters_that_do_not_answer_are_named_and_do_not_hide_the_others(tmp_path: Path) -> None:
    fault = KubernetesFault(cluster="cls-bjdr0001", methods=("GET",), status=403, reason="Forbidden")
    scenario = load_scenario("yesterday").model_copy(update={"api_faults": ApiFaults(kubernetes=(fault,))})
    with standing(scenario) as cloud:
        async with office_at(cloud, tmp_path) as office:
            for tool in ("list_nodes", "list_namespaces", "list_workloads", "list_pods", "list_services"):
                answer = await office.call(tool)
                assert answer["silent"] == ["灾备集群"], tool
                assert answer["summary"].endswith("；灾备集群现在查不到。"), tool
            assert (await office.refused("list_nodes", cluster="灾备"))["code"] == "permission_missing"
            assert (await office.call("list_nodes", cluster="预发"))["silent"] == []
