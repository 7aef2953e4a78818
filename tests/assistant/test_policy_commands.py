"""`xiaozhi policy`: the policy in force, and the findings of a new one."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from assistant.policy_commands import app
from mcp_tencent.devops.policy.file import parse_policy
from mcp_tencent.devops.policy.model import DEFAULTS, Policy


@pytest.fixture
def run():
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(one) for one in arguments])


def test_show_prints_the_defaults_as_a_file_that_could_be_used(run, tmp_path):
    shown = run("show", "--home", tmp_path)
    assert shown.exit_code == 0
    assert DEFAULTS.version in shown.output
    assert parse_policy(shown.output, file="shown") == Policy()


def test_show_prints_the_file_in_force_as_json(run, tmp_path):
    (tmp_path / "policy.yaml").write_text("default_importance: 33\n")
    shown = json.loads(run("show", "--home", tmp_path, "--json").output)
    assert shown["policy"]["default_importance"] == 33
    assert shown["source"] == str(tmp_path / "policy.yaml")
    assert shown["version"] != DEFAULTS.version


def test_show_refuses_a_file_that_is_wrong(run, tmp_path):
    (tmp_path / "policy.yaml").write_text("default_importance: lots\n")
    shown = run("show", "--home", tmp_path)
    assert shown.exit_code == 1
    assert "policy.yaml:1: default_importance" in shown.stderr


def test_check_accepts_a_good_file_and_names_its_version(run, tmp_path):
    file = tmp_path / "new.yaml"
    file.write_text(yaml.safe_dump({"weights": {"impact": 0.35, "severity": 0.35}}))
    checked = run("check", file)
    assert checked.exit_code == 0
    assert "policy-" in checked.output


def test_check_tells_every_finding_with_line_value_and_remedy(run, tmp_path):
    file = tmp_path / "new.yaml"
    file.write_text("default_importance: 300\ngards: {}\n")
    checked = run("check", file, "--json")
    assert checked.exit_code == 1
    findings = json.loads(checked.output)["findings"]
    assert [(one["line"], one["path"]) for one in findings] == [(1, "default_importance"), (2, "gards")]
    assert findings[0]["value"] == "300"
    assert findings[1]["remedy"] == "Did you mean guards?"


def test_check_of_a_missing_file_says_so(run, tmp_path):
    checked = run("check", tmp_path / "absent.yaml")
    assert checked.exit_code == 1
    assert "absent.yaml cannot be read" in checked.stderr
