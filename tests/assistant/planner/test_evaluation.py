"""The own evaluation set, and that the language data know no inventory."""

import json
import re
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from assistant.planner.evaluate import judge, read_cases, written
from assistant.planner.inventory import read_inventory
from assistant.planner.lexicon import load_lexicon
from assistant.planner.planner import Planner

SETS = Path(__file__).parents[2] / "evaluation"
INVENTORIES = sorted((SETS / "inventories").glob("*.json"))
PLANNER_DATA = files("assistant.planner")


@pytest.fixture(scope="module")
def judged():
    planner = Planner()
    results = []
    for path in INVENTORIES:
        known = read_inventory(path)
        for cases in sorted(SETS.glob(f"{path.stem}_*.jsonl")):
            results += judge(
                read_cases(cases), planner, inventory=known.inventory(), now=datetime.fromisoformat(known.now)
            )
    return results


def test_at_least_97_of_100_own_cases_are_understood_exactly(judged):
    wrong = [one.case.say for one in judged if not one.exact]
    assert len(judged) >= 400
    assert 1 - len(wrong) / len(judged) >= 0.97, wrong


def test_no_own_case_leads_to_a_wrong_dangerous_call(judged):
    tools = load_lexicon().tools
    wrong = [
        (one.case.say, call["tool"])
        for one in judged
        if not one.exact
        for call in written(one.outcome)
        if tools[call["tool"]].risk == "danger"
    ]
    assert wrong == []


def test_the_own_set_covers_every_tool(judged):
    asked = {call.tool for one in judged for call in one.case.expect}
    assert set(load_lexicon().tools) - asked == set()


FURTHER_TOOLS = """
    read  view_dashboard(dashboard, period=1h) list_scheduled_sql() find_bottlenecks(cluster, period=24h)
    read  performance_report(target, period=24h) forecast_capacity(cluster, horizon=30d) tune_policy()
    read  optimization_suggestions(cluster) alert_efficiency(period=30d) replay_digest() who_am_i()
    read capabilities()
    read  device_health()
    write create_scheduled_sql(name, topic, sql, target_topic, every)
    write create_share_link(report, expires_in=24h)
    write revoke_share_link(link) join_code(channel) set_wake_word(phrase) set_name(name)
    write set_volume(percent)
    write set_digest_window(start, end) mute(minutes)
    danger create_node_pool(cluster, name, instance_type, nodes, min, max) enrol_person(name)
    danger run_night_job()
    danger remove_person(person) grant(person, permission)
"""
"""Tools of the contract that no server of the table in tests/mcp_tencent has."""


def contract() -> dict[str, tuple[str, dict[str, object]]]:
    """Return risk and parameters (default, or None) of every tool of the contract."""
    written_down = yaml.safe_load(
        (SETS.parent / "mcp_tencent" / "tool_contract.yaml").read_text(encoding="utf-8")
    )
    risks = {"R": "read", "W": "write", "D": "danger"}
    known = {
        name: (
            risks[tool["risk"]],
            {
                one: rule.get("default") if isinstance(rule, dict) else None
                for one, rule in tool["parameters"].items()
            },
        )
        for tools in written_down["servers"].values()
        for name, tool in tools.items()
    }
    for line in FURTHER_TOOLS.split("\n"):
        for name, parameters in re.findall(r"(\w+)\(([^)]*)\)", line):
            pairs = (one.partition("=") for one in parameters.split(", ") if one)
            known[name] = (line.split()[0], {one: default or None for one, _, default in pairs})
    return known


def test_the_tools_of_the_contract_their_parameters_and_defaults_are_all_known():
    known, agreed = load_lexicon().tools, contract()
    assert set(known) == set(agreed)
    for name, (risk, parameters) in agreed.items():
        assert known[name].risk == risk, name
        assert set(known[name].take) <= set(parameters), name
        for parameter, spec in known[name].take.items():
            if spec.startswith("period "):
                assert spec.removeprefix("period ") == parameters[parameter], name


def test_no_plan_repeats_a_default(judged):
    agreed = contract()
    repeated = [
        (one.case.say, call)
        for one in judged
        for call in written(one.outcome)
        for name, value in call["arguments"].items()
        if value == (False if name == "dry_run" else agreed[call["tool"]][1][name])
    ]
    assert repeated == []


def test_no_name_of_an_inventory_stands_in_code_or_lexicon():
    text = "\n".join(
        one.read_text(encoding="utf-8")
        for one in PLANNER_DATA.iterdir()
        if one.name.endswith((".yaml", ".py"))
    )
    for path in INVENTORIES:
        for thing in read_inventory(path).inventory().things:
            for name in (thing.id, *thing.names):
                # Ids and aliases that are ordinary words (risk, 测试) are no names of one house only.
                if "-" in name or (not name.isascii() and len(name) >= 3):
                    assert name not in text, name


def test_eval_prints_accuracy_and_writes_plans(tmp_path):
    from assistant.cli import app

    out = tmp_path / "results.jsonl"
    done = CliRunner().invoke(
        app,
        [
            "eval",
            str(SETS / "shop_dev.jsonl"),
            "--inventory",
            str(SETS / "inventories" / "shop.json"),
            "--out",
            str(out),
        ],
    )
    assert done.exit_code == 0
    assert "exact calls: " in done.stdout
    first = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert first == {"id": "a001", "plan": [{"tool": "list_clusters", "arguments": {}}]}


def test_ask_shows_the_plan_as_json():
    from assistant.cli import app

    inventory = str(SETS / "inventories" / "shop.json")
    done = CliRunner().invoke(
        app, ["ask", "购物车扩到六个副本", "--dry-run", "--json", "--inventory", inventory]
    )
    assert json.loads(done.stdout)["plan"] == [
        {"tool": "scale_workload", "arguments": {"workload": "cart", "replicas": 6}}
    ]
