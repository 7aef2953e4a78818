"""Clusters, nodes, node pools and namespaces through the protocol, the gateway and a live imitated cloud."""

from __future__ import annotations

import json

import pytest

from mcp_tencent.gateway.authorise import NOBODY
from tests.mcp_tencent.basic.office import ANSWER_BYTES, WATCH, Office

LOOKS: list[tuple[str, dict[str, object]]] = [
    ("list_clusters", {}),
    ("describe_cluster", {"cluster": "生产"}),
    ("list_nodes", {}),
    ("list_node_pools", {"cluster": "灾备"}),
    ("list_namespaces", {}),
    ("list_workloads", {}),
    ("describe_workload", {"workload": "预发商品服务"}),
    ("rollout_history", {"workload": "搜索服务"}),
    ("list_pods", {}),
    ("pod_logs", {"workload": "订单服务"}),
    ("list_events", {"period": "24h"}),
    ("list_services", {}),
    ("resource_usage", {"target": "订单服务", "period": "24h"}),
    ("get_config", {"kind": "configmap", "name": "order-config"}),
]


@pytest.mark.parametrize(("tool", "arguments"), LOOKS, ids=[tool for tool, _ in LOOKS])
async def test_every_look_fits_into_four_kilobytes_and_is_fit_to_be_spoken(
    office: Office, tool: str, arguments: dict[str, object]
) -> None:
    answer = await office.as_caller(WATCH).call(tool, **arguments)
    assert len(json.dumps(answer, ensure_ascii=False).encode()) <= ANSWER_BYTES
    assert answer["summary"].endswith(("。", "…", "，")) or tool == "pod_logs"
    assert len(answer["summary"]) <= 160
    assert "None" not in answer["summary"]


async def test_all_clusters_are_listed_and_a_region_narrows_by_code_and_city(office: Office) -> None:
    everything = await office.call("list_clusters")
    assert [one["name"] for one in everything["clusters"]] == ["生产集群", "预发集群", "灾备集群"]
    assert everything["summary"] == "一共3个集群：生产集群、预发集群、灾备集群，都在正常运行。"
    for region in ("ap-shanghai", "上海", "shanghai"):
        assert [one["id"] for one in (await office.call("list_clusters", region=region))["clusters"]] == [
            "cls-shpre001"
        ]


async def test_a_region_that_is_not_configured_is_named_with_those_that_are(office: Office) -> None:
    error = await office.refused("list_clusters", region="火星")
    assert (error["code"], error["message"]) == ("not_found", "没有找到地域“火星”")
    assert "ap-beijing (北京)" in error["detail"]


async def test_a_cluster_is_described_with_what_is_wrong_in_it(office: Office) -> None:
    well = await office.call("describe_cluster", cluster="广州")
    assert (well["cluster"]["id"], well["nodes_ready"], well["unhealthy_count"]) == ("cls-gzprod01", 7, 0)
    assert well["summary"] == "生产集群在广州，运行正常，7个节点，16个工作负载，都正常。"
    assert (well["pods"], well["pods_ready"]) == (42, 42)
    assert well["workload_topic_id"]
    ill = await office.call("describe_cluster", cluster="预发")
    assert ill["unhealthy_workloads"] == ["trade/product-service"]
    assert "1个工作负载不健康（预发商品服务2/2）" in ill["summary"]


async def test_nodes_are_counted_and_narrowed_by_status(office: Office) -> None:
    everything = await office.call("list_nodes")
    assert everything["summary"] == "生产集群的7个节点都就绪。"
    assert everything["nodes"][0]["cpu_cores"] > 0
    assert (await office.call("list_nodes", cluster="灾备", status="not_ready"))["nodes"] == []
    error = await office.refused("list_nodes", status="broken")
    assert error["code"] == "invalid_arguments"
    assert error["problems"][0].startswith("status:")


async def test_node_pools_and_namespaces_tell_their_size(office: Office) -> None:
    pools = (await office.call("list_node_pools"))["node_pools"]
    assert [(one["id"], one["nodes_ready"], one["nodes_max"]) for one in pools] == [
        ("np-gzmain01", 5, 12),
        ("np-gzmixed1", 2, 6),
    ]
    namespaces = (await office.call("list_namespaces", cluster="预发"))["namespaces"]
    assert (namespaces[0]["name"], namespaces[0]["aliases"], namespaces[0]["unhealthy"]) == (
        "trade",
        ["交易"],
        1,
    )


@pytest.mark.parametrize("tool", ["describe_cluster", "list_nodes", "list_node_pools", "list_namespaces"])
async def test_an_unknown_cluster_is_answered_with_the_nearest_or_with_nothing(
    office: Office, tool: str
) -> None:
    assert (await office.refused(tool, cluster="火星基地"))["code"] in ("not_found", "ambiguous")


async def test_nobody_looks_without_the_permission(office: Office) -> None:
    for tool, arguments in LOOKS:
        assert (await office.as_caller(NOBODY).refused(tool, **arguments))["code"] == "caller_unknown"


async def test_a_long_list_is_walked_by_its_cursor_without_gap_or_repetition(office: Office) -> None:
    names: list[str] = []
    cursor = None
    pages = 0
    while True:
        page = await office.call("list_pods", **({"cursor": cursor} if cursor else {}))
        names += [pod["name"] for pod in page["pods"]]
        pages += 1
        assert len(names) + page["left_out"] == page["matching"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert pages > 1
    assert len(names) == len(set(names)) == 42


async def test_a_cursor_that_is_none_is_refused(office: Office) -> None:
    assert (await office.refused("list_pods", cursor="-1"))["code"] == "invalid_arguments"


# Resizing


async def test_a_pool_is_resized_waited_for_and_brought_back(shop: Office) -> None:
    shop.progress = []
    before = (await shop.call("list_node_pools"))["node_pools"][0]
    planned = await shop.call("resize_node_pool", node_pool="默认节点池", nodes=4, dry_run=True)
    assert (planned["outcome"], planned["nodes_before"]) == ("planned", before["nodes_wanted"])
    assert (await shop.call("list_node_pools", cluster="生产"))["node_pools"][0] == before
    done = await shop.act("resize_node_pool", node_pool="默认节点池", nodes=4)
    assert (done["outcome"], done["nodes_ready"]) == ("complete", 4)
    assert done["summary"] == "默认节点池已经从3个节点调整到4个，全部就绪。"
    assert any("个节点就绪" in message for message in shop.progress)
    assert len((await shop.call("list_nodes"))["nodes"]) == 4
    back = await shop.act("resize_node_pool", node_pool="np-shop0001", nodes=3)
    assert (back["outcome"], back["nodes_before"], back["nodes_ready"]) == ("complete", 4, 3)
    same = await shop.act("resize_node_pool", node_pool="np-shop0001", nodes=3)
    assert same["outcome"] == "unchanged"


@pytest.mark.parametrize(
    ("nodes", "code"),
    [
        (-1, "invalid_arguments"),
        ("many", "invalid_arguments"),
        (True, "invalid_arguments"),
        (101, "over_limit"),
    ],
)
async def test_impossible_sizes_are_refused_before_anybody_is_asked_to_confirm(
    shop: Office, nodes: object, code: str
) -> None:
    assert (await shop.refused("resize_node_pool", node_pool="默认节点池", nodes=nodes))["code"] == code


async def test_a_size_beyond_the_pools_own_bounds_changes_nothing(shop: Office) -> None:
    error = await shop.refused("resize_node_pool", node_pool="默认节点池", nodes=30, dry_run=True)
    assert (error["code"], error["message"]) == ("out_of_bounds", "默认节点池只能有0到20个节点，没有执行")
    refused = await shop.confirmed("resize_node_pool", node_pool="默认节点池", nodes=30)
    assert refused.is_error
    assert (await shop.call("list_node_pools"))["node_pools"][0]["nodes_wanted"] == 3


async def test_who_may_only_look_resizes_nothing(shop: Office) -> None:
    error = await shop.as_caller(WATCH).refused("resize_node_pool", node_pool="默认节点池", nodes=4)
    assert error["code"] == "not_permitted"


async def test_a_pool_that_only_sounds_alike_is_offered_and_not_taken(shop: Office) -> None:
    error = await shop.refused("resize_node_pool", node_pool="默忍节点池", nodes=4, dry_run=True)
    assert (error["code"], error["candidates"]) == ("ambiguous", ["默认节点池"])
    assert error["message"] == "没有完全对得上的名字，您说的是默认节点池吗"
