"""diagnose and plan_remediation through protocol and gateway."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from mcp_tencent.devops.checkpoint_tools import checkpoint_tools
from mcp_tencent.devops.diagnosis_tools import diagnosis_tools
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.devops.healing_tools import healing_tools
from mcp_tencent.devops.incidents import Incident, IncidentStatus, Rung
from mcp_tencent.serving.declare import DeclaredTool
from tests.mcp_tencent.basic.office import ANSWER_BYTES, MORNING, WATCH
from tests.mcp_tencent.devops.ward import CLUSTER, standing_cloud, ward_at

CONTRACT = Path(__file__).parents[2] / "tool_contract.yaml"
OURS = {
    "diagnose", "plan_remediation", "roll_back", "isolate_workload", "release_workload", "list_checkpoints",
    "create_checkpoint", "restore_checkpoint",
}  # fmt: skip


def _healing_side(desk: HealingDesk) -> list[DeclaredTool]:
    return [*diagnosis_tools(desk), *healing_tools(desk), *checkpoint_tools(desk)]


async def test_a_diagnosis_says_what_why_since_when_and_what_helps(tmp_path: Path) -> None:
    with standing_cloud("bad-revision") as cloud:
        async with ward_at(cloud, tmp_path, _healing_side) as ward:
            found = await ward.as_caller(WATCH).call("diagnose", workload="订单服务")

    assert found["causes"][0]["kind"] == "bad_release"
    assert found["troubled"]
    assert found["since"].startswith("2026-11-21T02:0")
    assert found["error_share"] > 0.2
    assert "建议回滚" in found["summary"]
    assert "v2.8.0" in found["summary"]
    assert [line["rung"] for line in found["prospects"]] == [rung.value for rung in Rung]


@pytest.mark.parametrize(
    "scenario", ["bad-config", "memory-leak", "node-down", "two-incidents", "noisy-neighbour"]
)
async def test_answers_are_small_and_begin_with_a_sentence(tmp_path: Path, scenario: str) -> None:
    with standing_cloud(scenario) as cloud:
        async with ward_at(cloud, tmp_path, _healing_side) as ward:
            for tool in ("diagnose", "plan_remediation"):
                found = await ward.call(tool, workload="订单服务")
                assert len(json.dumps(found, ensure_ascii=False).encode()) <= ANSWER_BYTES
                assert found["summary"].startswith("订单服务")
                assert found["summary"].endswith("。")


async def test_a_plan_for_an_incident_names_tools_and_arguments_in_ladder_order(tmp_path: Path) -> None:
    incident = Incident(
        id="inc-1",
        idempotency_key="one",
        fingerprint="f",
        cluster_id=CLUSTER,
        namespace="shop",
        workload_kind="Deployment",
        workload="order-service",
        title="订单服务错误率过高",
        score=80,
        alert_count=3,
        status=IncidentStatus.OPEN,
        opened_at=MORNING - timedelta(hours=2),
        last_seen_at=MORNING,
        policy_version="1",
    )
    with standing_cloud("bad-image") as cloud:
        async with ward_at(cloud, tmp_path, _healing_side) as ward:
            assert ward.healing is not None
            ward.healing.incidents.open(incident)

            plan = await ward.call("plan_remediation", incident="inc-1")

    assert plan["cause"] == "bad_image"
    assert plan["first_step"] == "roll_back"
    assert [step["rung"] for step in plan["steps"]] == [rung.value for rung in Rung]
    steps = {step["rung"]: step for step in plan["steps"]}
    assert steps["restart"]["help"] == "cannot_help"
    assert "同一个镜像" in steps["restart"]["why"]
    assert steps["roll_back"]["arguments"] == {
        "workload": "order-service", "namespace": "shop", "cluster": CLUSTER, "revision": 2,
    }  # fmt: skip
    assert steps["restore"]["tool"] is None
    assert "没有出问题之前的备份点" in steps["restore"]["why"]


async def test_a_plan_against_a_full_quota_asks_a_person(tmp_path: Path) -> None:
    with standing_cloud("quota-exhausted") as cloud:
        async with ward_at(cloud, tmp_path, _healing_side) as ward:
            plan = await ward.call("plan_remediation", workload="订单服务")

    steps = {step["rung"]: step for step in plan["steps"]}
    assert plan["cause"] == "quota_exhausted"
    assert steps["restart"]["help"] == "worsens"
    assert steps["hand_over"]["help"] == "helps"


async def test_a_plan_touches_no_protected_namespace(tmp_path: Path) -> None:
    with standing_cloud("protected-namespace") as cloud:
        async with ward_at(cloud, tmp_path) as ward:
            plan = await ward.call("plan_remediation", workload="coredns", namespace="kube-system")

    assert plan["cause"] == "stuck"
    assert all(step["tool"] is None for step in plan["steps"])
    assert "受保护" in plan["steps"][0]["why"]


async def test_what_could_not_be_looked_at_is_said(tmp_path: Path) -> None:
    with standing_cloud("verification-inconclusive") as cloud:
        async with ward_at(cloud, tmp_path, _healing_side) as ward:
            found = await ward.call("diagnose", workload="订单服务")

    assert any("日志" in gap for gap in found["gaps"])
    assert any("指标" in gap for gap in found["gaps"])
    assert found["causes"][0]["confidence"] < 0.75


async def test_our_tools_keep_the_contract(tmp_path: Path) -> None:
    contract = yaml.safe_load(CONTRACT.read_text())["servers"]["devops"]
    with standing_cloud("quiet") as cloud:
        async with ward_at(cloud, tmp_path, _healing_side) as ward:
            declared = (
                {tool.policy.name: tool for tool in _healing_side(ward.healing)} if ward.healing else {}
            )

    assert set(declared) >= OURS
    for name in OURS:
        tool, wanted = declared[name], contract[name]
        properties = tool.sdk.parameters["properties"]
        required = set(tool.sdk.parameters.get("required", ()))
        assert tool.policy.risk.value == wanted["risk"], name
        for parameter, rule in wanted["parameters"].items():
            assert parameter in properties, (name, parameter)
            assert (parameter in required) == (rule == "required"), (name, parameter)
            if isinstance(rule, dict) and "default" in rule:
                assert properties[parameter]["default"] == rule["default"], (name, parameter)
        if wanted["risk"] != "R":
            assert properties["dry_run"]["default"] is False
            assert "idempotency_key" in properties
