"""The command line as a user meets it: exit status, errors in one sentence, JSON on demand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def xiaozhi(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assistant", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={"XIAOZHI_HOME": str(home)}
    )


def test_help_names_every_command(tmp_path):
    told = xiaozhi("--help", home=tmp_path)
    assert told.returncode == 0
    for command in ("demo", "local-cloud", "config", "policy", "audit", "backup", "restore", "version"):
        assert command in told.stdout


def test_an_unknown_command_is_a_usage_error(tmp_path):
    assert xiaozhi("frobnicate", home=tmp_path).returncode == 2


def test_a_foreseen_error_is_one_sentence_and_a_hint_without_a_trace(tmp_path):
    refused = xiaozhi("local-cloud", "--scenario", "no-such-day", home=tmp_path)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "no scenario 'no-such-day'" in refused.stderr
    assert "--list" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_with_json_an_error_is_an_object_that_can_be_spoken(tmp_path):
    refused = xiaozhi("local-cloud", "--scenario", "no-such-day", "--json", home=tmp_path)
    told = json.loads(refused.stderr)
    assert refused.returncode == 1
    assert told["spoken"] == "没有这个场景。"
    assert set(told) == {"error", "spoken", "hint"}


def test_the_shipped_scenarios_are_listed_with_their_chinese_titles(tmp_path):
    listed = xiaozhi("local-cloud", "--list", "--json", home=tmp_path)
    titles = {one["name"]: one["title"] for one in json.loads(listed.stdout)}
    assert len(titles) >= 13
    assert titles["yesterday"] == "昨天"


def test_bad_settings_refuse_the_audit_with_key_and_remedy(tmp_path):
    (tmp_path / "config.toml").write_text('[night]\nat = "25:00"\n', encoding="utf-8")
    refused = xiaozhi("audit", "verify", home=tmp_path)
    assert refused.returncode == 1
    assert "night.at" in refused.stderr
    assert "05:00" in refused.stderr


def test_a_fresh_audit_is_whole(tmp_path):
    told = xiaozhi("audit", "verify", "--json", home=tmp_path)
    assert told.returncode == 0
    assert json.loads(told.stdout) == {"whole": True, "faults": []}


@pytest.mark.parametrize("command", ["config show", "policy show", "audit", "local-cloud --list"])
def test_nothing_heavy_is_loaded_for_small_commands(tmp_path, command):
    """A command line that takes seconds to say hello is not used."""
    arguments = [sys.executable, "-X", "importtime", "-m", "assistant", *command.split()]
    told = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"XIAOZHI_HOME": str(tmp_path)},
    )
    assert told.returncode == 0
    for heavy in ("tencentcloud.cls", "lightkube.core", "dbos", "mcp.server", "uvicorn"):
        assert f" {heavy}\n" not in told.stderr
