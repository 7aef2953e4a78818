"""Acting on workloads, pods, configuration and by manifests: rehearsed, real, undone, and refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from mcp.client import Client

from mcp_tencent.basic.desk import Bounds, Patience
from mcp_tencent.local_cloud.scenario.model import ApiFaults, KubernetesFault, Scenario
from mcp_tencent.local_cloud.scenario.reading import load_scenario
from mcp_tencent.models.workloads import ConfigKind
from mcp_tencent.serving.identity import acting_as
from tests.mcp_tencent.basic.office import OWNER, TRADER, WATCH, Office, error_of, fast, office_at

IMPATIENT = Patience(
    rollout=timedelta(seconds=1.5),
    stay_ready=timedelta(0),
    machines=timedelta(seconds=1),
    look_every=timedelta(seconds=0.2),
)
ACTS: list[tuple[str, dict[str, object]]] = [
    ("scale_workload", {"workload": "商品服务", "replicas": 5}),
    ("restart_workload", {"workload": "商品服务"}),
    ("delete_pod", {"pod": "POD"}),
    (
        "apply_manifest",
        {"manifest": "{apiVersion: v1, kind: ConfigMap, metadata: {name: m, namespace: shop}, data: {a: b}}"},
    ),
    ("update_config", {"kind": "configmap", "name": "CONFIG", "changes": {"mode": "fast"}}),
]


@contextlib.asynccontextmanager
async def acting_on(scenario: str, folder: Path, **options: Any) -> AsyncIterator[Office]:
    with fast(scenario) as cloud:
        async with office_at(cloud, folder, **options) as office:
            yield office


async def state_of(office: Office) -> str:
    """Everything of the namespace that an act could change, as text."""
    cluster = await office.desk.naming.cluster(None)
    inside = office.desk.inside(cluster)
    workloads = await inside.workloads()
    maps = await inside.configs(ConfigKind.CONFIG_MAP)
    secrets = await inside.configs(ConfigKind.SECRET)
    pods = await inside.pods()
    return repr(
        (
            [(one.ref, one.replicas_wanted, one.revision, one.restarted_at, one.images) for one in workloads],
            [(one.name, one.entries, one.changed_at) for one in (*maps, *secrets)],
            sorted(pod.name for pod in pods),
        )
    )


async def real(office: Office, arguments: dict[str, object]) -> dict[str, object]:
    """Put names of this cloud in place of POD and CONFIG."""
    pods = (await office.call("list_pods", workload="商品服务"))["pods"]
    names = {"POD": pods[0]["name"], "CONFIG": "order-config"}
    return {
        key: names.get(value, value) if isinstance(value, str) else value for key, value in arguments.items()
    }


@pytest.fixture
async def configured(tmp_path: Path) -> AsyncIterator[Office]:
    """The shop with a ConfigMap that its order service reads."""
    async with acting_on("bad-config", tmp_path) as office:
        yield office


# For all of them


async def test_a_rehearsal_changes_nothing_and_needs_no_confirmation(configured: Office) -> None:
    before = await state_of(configured)
    for tool, arguments in ACTS:
        answer = await configured.call(tool, **await real(configured, arguments), dry_run=True)
        assert answer["dry_run"] is True, tool
        assert answer["summary"].startswith("试运行："), tool
        assert "没有改动" in answer["summary"], tool
    assert await state_of(configured) == before


async def test_who_may_only_look_changes_nothing(configured: Office) -> None:
    before = await state_of(configured)
    for tool, arguments in ACTS:
        refused = await configured.as_caller(WATCH).refused(tool, **await real(configured, arguments))
        assert refused["code"] == "not_permitted", tool
    assert await state_of(configured) == before


async def test_whose_right_ends_at_a_namespace_acts_only_there(configured: Office) -> None:
    trader = configured.as_caller(TRADER)
    for tool, arguments in ACTS:
        asked = await trader.refused(tool, **await real(configured, arguments))
        assert asked["code"] == "confirmation_required", (tool, asked)
    elsewhere = "{apiVersion: v1, kind: ConfigMap, metadata: {name: m, namespace: default}, data: {a: b}}"
    assert (await trader.refused("apply_manifest", manifest=elsewhere))["code"] == "namespace_not_permitted"
    pool = await trader.refused("resize_node_pool", node_pool="默认节点池", nodes=4)
    assert pool["code"] == "namespace_not_permitted"
    for odd in ({"workload": 5}, {"workload": None}, {}):
        assert (await trader.refused("restart_workload", **odd))["code"] == "namespace_not_permitted"


async def test_a_sound_alike_is_offered_and_never_taken(configured: Office) -> None:
    before = await state_of(configured)
    for tool, arguments in (
        ("scale_workload", {"workload": "上品服务", "replicas": 5}),
        ("restart_workload", {"workload": "上品服务"}),
        ("update_config", {"kind": "configmap", "name": "order-confik", "changes": {"a": "b"}}),
    ):
        error = error_of(await configured.confirmed(tool, **arguments))
        assert error["code"] == "ambiguous", tool
        assert error["candidates"], tool
    assert await state_of(configured) == before


# Scaling


async def test_scaling_waits_for_the_pods_and_is_undone_by_scaling_back(shop: Office) -> None:
    shop.progress = []
    done = await shop.act("scale_workload", workload="商品服务", replicas=5)
    assert done["rollout"]["state"] == "complete"
    assert (done["replicas_before"], done["rollout"]["ready"]) == (3, 5)
    assert done["fields"] == [{"path": "spec.replicas", "before": "3", "after": "5"}]
    assert done["summary"] == "商品服务已经从3个副本调整到5个，5个Pod全部就绪。"
    assert any("个 Pod 可用" in message for message in shop.progress)
    assert (await shop.call("list_pods", workload="商品服务"))["total"] == 5
    back = await shop.act("scale_workload", workload="商品服务", replicas=done["replicas_before"])
    assert (back["replicas_before"], back["rollout"]["ready"]) == (5, 3)
    same = await shop.act("scale_workload", workload="商品服务", replicas=3)
    assert same["change"] == "unchanged"
    assert "本来就是3个副本" in same["summary"]


async def test_scaling_to_nothing_is_possible_and_said(shop: Office) -> None:
    done = await shop.act("scale_workload", workload="商品服务", replicas=0)
    assert done["summary"] == "商品服务已经从3个副本调整到0个，现在没有Pod在运行。"


async def test_what_is_read_back_names_everything(shop: Office) -> None:
    asked = await shop.refused(
        "scale_workload", workload="商品服务", replicas=0, cluster="生产", namespace="商城"
    )
    assert asked["read_back"] == "把生产的商城的商品服务调整到0个副本，确认吗？"


@pytest.mark.parametrize(
    ("replicas", "code"),
    [
        (-1, "invalid_arguments"),
        (101, "over_limit"),
        (10**12, "invalid_arguments"),
        ("five", "invalid_arguments"),
        (2.5, "invalid_arguments"),
        (True, "invalid_arguments"),
        (None, "invalid_arguments"),
    ],
)
async def test_impossible_numbers_are_refused_before_anybody_is_asked(
    shop: Office, replicas: object, code: str
) -> None:
    for dry_run in (False, True):
        error = await shop.refused("scale_workload", workload="商品服务", replicas=replicas, dry_run=dry_run)
        assert error["code"] == code


async def test_the_limit_is_the_houses_and_is_named(tmp_path: Path) -> None:
    async with acting_on("bad-image", tmp_path, bounds=Bounds(replicas_max=4)) as office:
        error = await office.refused("scale_workload", workload="商品服务", replicas=5)
        assert error["message"] == "太多了，副本最多4个，没有执行"
        assert (await office.act("scale_workload", workload="商品服务", replicas=4))["rollout"]["ready"] == 4


async def test_a_quota_that_is_used_up_is_the_reported_outcome(tmp_path: Path) -> None:
    async with acting_on("quota-exhausted", tmp_path, patience=IMPATIENT) as office:
        done = await office.act("scale_workload", workload="订单服务", replicas=20)
    assert done["rollout"]["state"] in ("timed_out", "failed")
    assert done["rollout"]["ready"] < 20
    assert "创建 Pod 失败" in done["summary"]


async def test_what_scales_by_itself_is_warned_about(tmp_path: Path) -> None:
    async with acting_on("yesterday", tmp_path, default_cluster="生产") as office:
        answer = await office.call("scale_workload", workload="登录服务", replicas=4, dry_run=True)
    assert answer["warning"] == "它有自动伸缩（2到6个），数量可能还会变"
    assert answer["warning"] in answer["summary"]


# Restarting


async def test_a_restart_replaces_every_pod_and_keeps_the_revision_s_image(shop: Office) -> None:
    before = await shop.call("list_pods", workload="商品服务")
    done = await shop.act("restart_workload", workload="商品服务")
    assert done["rollout"]["state"] == "complete"
    assert done["summary"] == "商品服务已经重启，3个Pod全部就绪。"
    after = await shop.call("list_pods", workload="商品服务")
    assert after["well"] == 3
    assert not {pod["name"] for pod in before["pods"]} & {pod["name"] for pod in after["pods"]}
    history = await shop.call("rollout_history", workload="商品服务")
    assert len({tuple(one["images"]) for one in history["revisions"]}) == 1


async def test_a_restart_that_cannot_help_is_reported_with_what_hinders(tmp_path: Path) -> None:
    async with acting_on("bad-image", tmp_path, patience=IMPATIENT) as office:
        done = await office.act("restart_workload", workload="订单服务")
    assert done["rollout"]["state"] in ("timed_out", "failed")
    assert "开始重启" in done["summary"]
    assert "镜像拉取失败" in done["summary"]


async def test_system_namespaces_are_left_alone(tmp_path: Path) -> None:
    async with acting_on("yesterday", tmp_path, default_cluster="生产") as office:
        pods = await office.call("list_pods", namespace="kube-system")
        acts: list[tuple[str, dict[str, object]]] = [
            ("restart_workload", {"workload": "coredns"}),
            ("scale_workload", {"workload": "kube-system/coredns", "replicas": 0}),
            ("delete_pod", {"pod": pods["pods"][0]["name"], "namespace": "kube-system"}),
        ]
        for tool, arguments in acts:
            assert (await office.refused(tool, **arguments, dry_run=True))["code"] == "protected_namespace"
            assert error_of(await office.confirmed(tool, **arguments))["code"] == "protected_namespace"


async def test_missing_rights_in_the_cluster_are_named(tmp_path: Path) -> None:
    async with acting_on("no-permission", tmp_path) as office:
        error = error_of(await office.confirmed("restart_workload", workload="订单服务"))
    assert (error["code"], error["message"]) == ("permission_missing", "云账号没有这项权限")


async def test_cancelling_a_wait_ends_the_call_and_leaves_the_act(shop: Office) -> None:
    shop.waiting = asyncio.Event()
    call = asyncio.create_task(shop.act("restart_workload", workload="订单服务"))
    await shop.waiting.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    described = await shop.call("describe_workload", workload="订单服务")
    assert described["restarted_at"] is not None


async def test_one_key_scales_once(shop: Office) -> None:
    arguments = {"workload": "商品服务", "replicas": 4, "idempotency_key": "turn-1-scale-up"}
    first = await shop.confirmed("scale_workload", **arguments)
    await shop.act("scale_workload", workload="商品服务", replicas=2)
    again = await shop.result("scale_workload", arguments)
    assert again.structured_content == first.structured_content
    assert (await shop.call("describe_workload", workload="商品服务"))["workload"]["ready"] == "2/2"


# Deleting pods


async def test_a_deleted_pod_is_replaced_and_waited_for(shop: Office) -> None:
    name = (await shop.call("list_pods", workload="商品服务"))["pods"][0]["name"]
    done = await shop.act("delete_pod", pod=name)
    assert (done["gone"], done["replaced"], done["owner"]) == (True, True, "item-service")
    assert done["summary"] == f"{name}已经删除，新的Pod已经就绪。"
    after = await shop.call("list_pods", workload="商品服务")
    assert after["well"] == 3
    assert name not in {pod["name"] for pod in after["pods"]}


async def test_a_part_of_a_pod_s_name_deletes_nothing(shop: Office) -> None:
    name = (await shop.call("list_pods", workload="商品服务"))["pods"][0]["name"]
    error = error_of(await shop.confirmed("delete_pod", pod=name[-12:]))
    assert error["code"] == "not_found"
    assert (await shop.call("list_pods", workload="商品服务"))["well"] == 3


# Configuration


async def test_configuration_is_changed_told_to_its_readers_and_changed_back(configured: Office) -> None:
    entries = (await configured.call("get_config", kind="configmap", name="order-config"))["entries"]
    key, old = entries[0]["key"], entries[0]["value"]
    done = await configured.act(
        "update_config", kind="configmap", name="order-config", changes={key: "changed", "new.key": "1"}
    )
    assert (done["change"], done["keys"], done["used_by"]) == (
        "updated",
        [key, "new.key"],
        ["shop/order-service"],
    )
    assert "重启后生效" in done["summary"]
    now = {
        one["key"]: one["value"]
        for one in (await configured.call("get_config", kind="configmap", name="order-config"))["entries"]
    }
    assert (now[key], now["new.key"]) == ("changed", "1")
    await configured.act(
        "update_config", kind="configmap", name="order-config", changes={key: old, "new.key": None}
    )
    back = (await configured.call("get_config", kind="configmap", name="order-config"))["entries"]
    assert back == entries


async def test_a_value_of_a_secret_is_written_and_never_repeated(tmp_path: Path) -> None:
    value = "S3cr3t-Value-77"
    arguments: dict[str, object] = {
        "kind": "secret",
        "name": "payment-channels",
        "changes": {"channel.key": value},
    }
    async with acting_on("yesterday", tmp_path, default_cluster="生产") as office:
        asked = await office.result("update_config", arguments)
        assert "设置channel.key" in error_of(asked)["read_back"]
        rehearsed = await office.result("update_config", {**arguments, "dry_run": True})
        done = await office.confirmed("update_config", **arguments)
        assert done.structured_content is not None
        assert done.structured_content["change"] == "updated"
        trail = [str(line) for line in office.server.gateway.trail.lines()]
        stored = office.cloud.world.clusters["cls-gzprod01"].kubernetes.get(
            "Secret", "pay", "payment-channels"
        )
    for told in (asked.model_dump_json(), rehearsed.model_dump_json(), done.model_dump_json(), *trail):
        assert value not in told
        assert "UzNjcjN0" not in told  # the same in base64
    assert stored is not None
    assert "UzNjcjN0LVZhbHVlLTc3" in json.dumps(stored)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "invalid_arguments"),
        ({"a": 5}, "invalid_arguments"),
        ("a=b", "invalid_arguments"),
        ({"a b": "c"}, "invalid_request"),
        ({"..": "c"}, "invalid_request"),
        ({"../../etc/passwd": "c"}, "invalid_request"),
        ({"no-such-key": None}, "invalid_request"),
        ({"big": "x" * 300_000}, "invalid_request"),
        ({f"k{number}": "v" for number in range(60)}, "invalid_arguments"),
    ],
    ids=["none", "number", "text", "space", "dots", "path", "absent", "huge", "many"],
)
async def test_changes_that_cannot_be_are_refused_and_nothing_is_done(
    configured: Office, changes: object, code: str
) -> None:
    before = await state_of(configured)
    error = await configured.refused(
        "update_config", kind="configmap", name="order-config", changes=changes, dry_run=True
    )
    assert error["code"] == code
    assert await state_of(configured) == before


# Manifests


def deployment(**changes: object) -> str:
    container = {"name": "demo", "image": "nginx:1.27"}
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "demo"}},
        "template": {"metadata": {"labels": {"app": "demo"}}, "spec": {"containers": [container]}},
        **changes,
    }
    return yaml.safe_dump(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "demo", "namespace": "shop"},
            "spec": spec,
        }
    )


async def test_a_manifest_creates_changes_and_repeats_to_no_effect(shop: Office) -> None:
    created = await shop.act("apply_manifest", manifest=deployment())
    assert (created["change"], created["rollout"]["state"]) == ("created", "complete")
    assert created["summary"] == "Deployment demo已经创建，2个Pod全部就绪。"
    changed = await shop.act("apply_manifest", manifest=deployment(replicas=3))
    assert (changed["change"], changed["rollout"]["ready"]) == ("updated", 3)
    again = await shop.act("apply_manifest", manifest=deployment(replicas=3))
    assert again["change"] == "unchanged"
    back = await shop.act("apply_manifest", manifest=deployment())
    assert back["rollout"]["ready"] == 2


async def test_a_manifest_is_read_back_by_kind_name_and_place(shop: Office) -> None:
    asked = await shop.refused("apply_manifest", manifest=deployment())
    assert asked["read_back"] == "把Deployment demo的清单应用到shop命名空间，确认吗？"


async def test_the_namespace_may_come_from_either_side_but_not_from_both(shop: Office) -> None:
    bare = "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: b}}"
    done = await shop.call("apply_manifest", manifest=bare, namespace="商城", dry_run=True)
    assert (done["namespace"], done["change"]) == ("shop", "created")
    error = await shop.refused("apply_manifest", manifest=deployment(), namespace="kube-system", dry_run=True)
    assert error["code"] in ("manifest_refused", "not_found", "ambiguous")


@pytest.mark.parametrize(
    ("manifest", "code", "word"),
    [
        (
            "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}}",
            "manifest_refused",
            "Secret",
        ),
        (
            "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: shop}}",
            "manifest_refused",
            "rights",
        ),
        (
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: kube-system}}",
            "protected_namespace",
            "kube-system",
        ),
        ("[1, 2]", "manifest_refused", "object"),
        ("{", "manifest_refused", "YAML"),
        ("", "manifest_refused", "object"),
        (deployment(replicas=500), "over_limit", "500"),
        ("a: &a [x, x]\nb: *a", "manifest_refused", "alias"),
        (deployment() + "---\n" + deployment(), "manifest_refused", "several"),
    ],
    ids=["secret", "role", "system", "list", "broken", "empty", "replicas", "alias", "several"],
)
async def test_a_manifest_that_may_not_be_applied_is_refused_before_anybody_is_asked(
    shop: Office, manifest: str, code: str, word: str
) -> None:
    before = await state_of(shop)
    for dry_run in (False, True):
        error = await shop.refused("apply_manifest", manifest=manifest, dry_run=dry_run)
        assert error["code"] == code
        assert word in error["detail"]
    assert await state_of(shop) == before


async def test_what_the_cluster_itself_refuses_is_told_with_its_reason(shop: Office) -> None:
    wrong = deployment(selector={"matchLabels": {"app": "other"}})
    error = await shop.refused("apply_manifest", manifest=wrong, dry_run=True)
    assert error["code"] == "invalid_request"
    assert "selector" in error["detail"]
    elsewhere = deployment().replace("namespace: shop", "namespace: nowhere")
    assert (await shop.refused("apply_manifest", manifest=elsewhere, dry_run=True))["code"] == "not_found"


# The listing


async def test_the_tools_are_those_of_the_contract(shop: Office) -> None:
    contract = yaml.safe_load((Path(__file__).parents[1] / "tool_contract.yaml").read_text())["servers"][
        "basic"
    ]
    with acting_as(OWNER):
        async with Client(shop.server) as client:
            offered = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(offered) == set(contract)
    for name, promised in contract.items():
        schema = offered[name].input_schema
        assert set(promised["parameters"]) <= set(schema["properties"]), name
        for parameter, rule in promised["parameters"].items():
            required = rule == "required" or (isinstance(rule, dict) and rule.get("required") is True)
            assert (parameter in schema.get("required", [])) == required, (name, parameter)
            if isinstance(rule, dict) and "default" in rule:
                assert schema["properties"][parameter]["default"] == rule["default"], (name, parameter)
        assert "Example:" in (offered[name].description or ""), name
        annotations = offered[name].annotations
        assert annotations is not None
        assert (annotations.read_only_hint, annotations.destructive_hint) == (
            promised["risk"] == "R",
            promised["risk"] == "D",
        ), name


# Acts that take effect while their outcome cannot be seen


LOOKS_BEFORE = 5
"""Requests for deployments that come before the act itself: names, state, and what the write reads."""


def blinded() -> Scenario:
    """The shop, whose cluster no longer shows its deployments once it has been told to act."""
    fault = KubernetesFault(resource="deployments", methods=("GET",), lets_through=LOOKS_BEFORE)
    return load_scenario("bad-image").model_copy(update={"api_faults": ApiFaults(kubernetes=(fault,))})


async def test_an_act_whose_outcome_cannot_be_seen_is_reported_as_done(tmp_path: Path) -> None:
    with fast(blinded()) as cloud:
        async with office_at(cloud, tmp_path) as office:
            done = await office.act("scale_workload", workload="商品服务", replicas=5)
        kept = cloud.world.clusters["cls-shop0001"].kubernetes.get("Deployment", "shop", "item-service")
    assert done["change"] == "updated"
    assert done["rollout"]["state"] == "progressing"
    assert done["summary"] == "商品服务已经从3个副本调整到5个，但现在查不到进展，请过一会儿再看。"
    assert kept is not None
    assert kept["spec"]["replicas"] == 5


async def test_a_pod_of_a_stateful_set_comes_back_under_its_own_name(tmp_path: Path) -> None:
    async with acting_on("yesterday", tmp_path, default_cluster="生产") as office:
        before = (await office.call("list_pods", workload="缓存"))["pods"][0]
        done = await office.act("delete_pod", pod=before["name"])
        after = (await office.call("list_pods", workload="缓存"))["pods"][0]
    assert (done["gone"], done["replaced"]) == (True, True)
    assert after["name"] == before["name"]
    assert after["created_at"] != before["created_at"]


async def test_a_daemon_set_has_no_number_of_replicas(shop: Office) -> None:
    template = {
        "metadata": {"labels": {"app": "agent"}},
        "spec": {"containers": [{"name": "a", "image": "b:1"}]},
    }
    shop.cloud.world.apply(
        "cls-shop0001",
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "agent", "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template},
        },
    )
    error = await shop.refused("scale_workload", workload="agent", replicas=3, dry_run=True)
    assert (error["code"], error["message"]) == ("unsupported", "这里不支持这个操作")


async def test_a_pod_that_belongs_to_nothing_is_gone_for_good_and_that_is_said(shop: Office) -> None:
    shop.cloud.world.apply(
        "cls-shop0001",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "lone-pod", "namespace": "shop"},
            "spec": {"containers": [{"name": "a", "image": "b:1"}]},
        },
    )
    planned = await shop.call("delete_pod", pod="lone-pod", dry_run=True)
    assert "不会自动重建" in planned["summary"]
    done = await shop.act("delete_pod", pod="lone-pod")
    assert (done["gone"], done["replaced"], done["owner"]) == (True, False, "")
