"""The own evaluation set, and that the language data know no inventory."""

import json
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


def test_the_tools_of_the_contract_and_their_parameters_are_all_known():
    contract = yaml.safe_load(
        (Path(__file__).parents[2] / "mcp_tencent" / "tool_contract.yaml").read_text(encoding="utf-8")
    )
    known = load_lexicon().tools
    risks = {"R": "read", "W": "write", "D": "danger"}
    for tools in contract["servers"].values():
        for name, tool in tools.items():
            if name not in known:
                continue
            assert known[name].risk == risks[tool["risk"]], name
            assert set(known[name].take) <= set(tool["parameters"]), name


def test_no_name_of_an_inventory_stands_in_code_or_lexicon():
    text = "\n".join(
        one.read_text(encoding="utf-8")
        for one in PLANNER_DATA.iterdir()
        if one.name.endswith((".yaml", ".py"))
    )
    for path in INVENTORIES:
        for thing in read_inventory(path).inventory().things:
            for name in (thing.id, *thing.names):
                # Ids and aliases that are ordinary words, such as risk or 测试, are no names of one house only.
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
