"""`xiaozhi config …` shows, checks and changes settings, and never prints a secret."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant.config_commands import app
from assistant.errors import (
    AssistantError,
    BadSettings,
    KeyExposed,
    SettingsSyntaxWrong,
    UnknownSetting,
)
from assistant.home import Home, find_home
from assistant.sealing import is_sealed, open_sealer
from assistant.settings import Settings
from assistant.settings_editing import set_settings
from assistant.settings_loading import load_settings
from tests.races import race

PLANTED = "planted-s3cret-value"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("XIAOZHI_"):
            monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return find_home(tmp_path, {})


def run(home: Home, *arguments: str, given: str | None = None) -> Result:
    command, *rest = arguments
    result = CliRunner().invoke(app, [command, "--home", str(home.config_dir), *rest], input=given)
    assert PLANTED not in result.output
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        assert isinstance(result.exception, AssistantError), result.exception
        assert PLANTED not in str(result.exception)
        raise result.exception
    return result


def settings(home: Home) -> Settings:
    return load_settings(home, {})[0]


def test_a_value_is_set_with_its_type(home: Home):
    run(home, "set", "digest.max_seconds", "60")
    assert tomllib.loads(home.config_file.read_text()) == {"digest": {"max_seconds": 60}}
    run(home, "set", "night.at", "04:30", "robot.name", "小云", "cloud.default_cluster", "123")
    assert (settings(home).night.at.minute, settings(home).robot.name) == (30, "小云")
    assert settings(home).cloud.default_cluster == "123"


def test_comments_and_order_stay(home: Home):
    text = "# mine\n[night]\nat = 04:30:00  # early\n\n[digest]\n# short\nmax_seconds = 60\n"
    home.config_file.write_text(text)
    run(home, "set", "digest.max_seconds", "45")
    assert home.config_file.read_text() == text.replace("60", "45")


def test_a_bad_value_is_refused_and_nothing_is_written(home: Home):
    home.config_file.write_text("[digest]\nmax_seconds = 60\n")
    with pytest.raises(BadSettings, match="whole number from 20 to 600"):
        run(home, "set", "digest.max_seconds", "5")
    assert home.config_file.read_text() == "[digest]\nmax_seconds = 60\n"


def test_an_unknown_key_is_refused_with_the_nearest_one(home: Home):
    with pytest.raises(UnknownSetting, match=r"did you mean digest\.max_seconds"):
        run(home, "set", "digest.max_second", "60")
    with pytest.raises(UnknownSetting, match="is a table"):
        run(home, "set", "cloud.accounts", "x")
    assert not home.config_file.exists()


def test_what_belongs_together_is_set_together(home: Home):
    with pytest.raises(BadSettings, match=r"llm\.base_url is missing"):
        run(home, "set", "llm.model", "qwen")
    run(
        home,
        "set",
        "llm.model",
        "qwen",
        "llm.base_url",
        "https://llm.example.com/v1",
        "llm.api_key",
        given=PLANTED,
    )
    made = settings(home).llm
    assert made is not None
    assert made.api_key is not None
    assert made.api_key.get_secret_value() == PLANTED


def test_mistakes_can_be_mended_one_by_one(home: Home):
    home.config_file.write_text('[digest]\nmax_seconds = 1\n[night]\nat = "noon"\n')
    run(home, "set", "digest.max_seconds", "60")
    run(home, "set", "night.at", "05:00")
    assert settings(home) == Settings(digest={"max_seconds": 60})


def test_a_secret_is_asked_for_and_sealed(home: Home):
    run(home, "set", "wecom.robots.default.key", given=f"{PLANTED}\n")
    assert PLANTED not in home.config_file.read_text()
    assert is_sealed(tomllib.loads(home.config_file.read_text())["wecom"]["robots"]["default"]["key"])
    assert settings(home).wecom.robots["default"].key.get_secret_value() == PLANTED
    assert home.config_file.stat().st_mode & 0o777 == 0o600
    assert home.key_file.stat().st_mode & 0o777 == 0o600


def test_a_secret_given_as_an_argument_is_sealed_too(home: Home):
    run(
        home, "set", "mcpServers.x.url", f"https://x/{PLANTED}", "mcpServers.x.headers.Authorization", PLANTED
    )
    assert PLANTED not in home.config_file.read_text()
    assert settings(home).mcp_servers["x"].headers["Authorization"].get_secret_value() == PLANTED


def test_a_list_of_secrets_is_sealed_item_by_item(home: Home):
    run(home, "set", "mcp_servers.x.command", "npx", "mcp_servers.x.args", f'["--token", "{PLANTED}"]')
    assert PLANTED not in home.config_file.read_text()
    assert [arg.get_secret_value() for arg in settings(home).mcp_servers["x"].args] == ["--token", PLANTED]


def test_a_damaged_file_is_not_changed(home: Home):
    home.config_file.write_text("[digest\n")
    with pytest.raises(SettingsSyntaxWrong):
        run(home, "set", "digest.max_seconds", "60")
    assert home.config_file.read_text() == "[digest\n"


def test_an_exposed_key_seals_nothing(home: Home):
    open_sealer(home, {}, create=True)
    home.key_file.chmod(0o644)
    with pytest.raises(KeyExposed):
        run(home, "set", "wecom.robots.default.key", PLANTED)
    assert not home.config_file.exists()


def test_a_variable_that_outranks_the_file_is_mentioned(home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XIAOZHI_DIGEST__MAX_SECONDS", "30")
    assert "XIAOZHI_DIGEST__MAX_SECONDS outranks" in run(home, "set", "digest.max_seconds", "60").output


def test_what_is_set_at_the_same_time_is_all_there(home: Home):
    keys = {f"cloud.accounts.a{n}": n for n in range(8)}

    def add(prefix: str) -> None:
        set_settings(home, {}, {f"{prefix}.secret_id": "AKID", f"{prefix}.secret_key": PLANTED})

    race([lambda prefix=prefix: add(prefix) for prefix in keys])  # type: ignore[misc]
    assert len(settings(home).cloud.accounts) == 8


def test_a_setting_is_removed(home: Home):
    run(home, "set", "digest.max_seconds", "60", "wecom.robots.default.key", PLANTED)
    run(home, "unset", "digest.max_seconds")
    run(home, "unset", "wecom")
    run(home, "unset", "audio.microphone")
    assert settings(home) == Settings()


def test_nothing_that_is_needed_is_removed(home: Home):
    run(
        home,
        "set",
        "dingtalk.robots.default.access_token",
        PLANTED,
        "dingtalk.robots.default.secret",
        PLANTED,
    )
    with pytest.raises(BadSettings, match=r"dingtalk\.robots\.default\.secret is missing"):
        run(home, "unset", "dingtalk.robots.default.secret")
    with pytest.raises(UnknownSetting):
        run(home, "unset", "dingtalk.nothing")


def test_plain_secrets_are_sealed_in_place(home: Home):
    text = f"""# robots
[dingtalk.robots.default]
access_token = "{PLANTED}"  # token
secret = '{PLANTED}'

[mcpServers.x]
command = "npx"
args = ["-y", "{PLANTED}"]
env = {{ TOKEN = "{PLANTED}" }}
"""
    home.config_file.write_text(text)
    home.config_file.chmod(0o644)
    output = run(home, "seal").output
    assert "dingtalk.robots.default.access_token" in output
    sealed = home.config_file.read_text()
    assert PLANTED not in sealed
    assert re.sub(r"sealed:[^\"']+", "…", sealed) == text.replace(PLANTED, "…").replace(
        '"-y"', '"…"'
    ).replace("'…'", '"…"')
    assert home.config_file.stat().st_mode & 0o777 == 0o600
    assert load_settings(home, {})[1] == ()
    made = settings(home)
    assert made.mcp_servers["x"].env["TOKEN"].get_secret_value() == PLANTED
    assert "sealed already" in run(home, "seal").output


def planted_home(home: Home) -> None:
    run(
        home,
        "set",
        "wecom.robots.default.key",
        PLANTED,
        "database_url",
        f"postgresql://u:{PLANTED}@db.example.com/x",
    )
    run(
        home, "set", "mcpServers.x.url", f"https://x/{PLANTED}", "mcpServers.x.headers.Authorization", PLANTED
    )


def test_show_tells_values_and_where_they_come_from(home: Home, monkeypatch: pytest.MonkeyPatch):
    planted_home(home)
    monkeypatch.setenv("XIAOZHI_NIGHT__AT", "04:15")
    output = run(home, "show").output
    assert 'night.at = "04:15"  (XIAOZHI_NIGHT__AT)' in output
    assert "digest.max_seconds = 90  (default)" in output
    assert 'wecom.robots.default.key = "********"  (file)' in output
    assert "cloud.default_cluster is not set" in output
    listed = {one["key"]: one for one in json.loads(run(home, "show", "--json").output)}
    assert listed["database_url"]["value"] == "********"
    assert listed["audio.volume_percent"] == {
        "key": "audio.volume_percent",
        "value": 80,
        "origin": "default",
        "description": "loudness in percent",
        "allowed": "a whole number from 0 to 100",
    }


def test_show_all_explains_every_key(home: Home):
    output = run(home, "show", "--all").output
    assert (
        "cloud.accounts.<name>.regions: regions whose clusters and logs are read; a list, each text" in output
    )


def test_show_refuses_bad_settings_with_all_findings(home: Home):
    home.config_file.write_text(f'[digest]\nmax_seconds = 1\n[wecom.robots.default]\nkye = "{PLANTED}"\n')
    with pytest.raises(BadSettings) as refused:
        run(home, "show")
    assert len(refused.value.findings) == 3


def test_check_ends_with_one_when_the_program_would_not_start(home: Home):
    assert run(home, "check").exit_code == 0
    home.config_file.write_text(f'[wecom.robots.default]\nkey = "{PLANTED}"\n')
    result = run(home, "check")
    assert result.exit_code == 0
    assert "0 errors, 1 warnings" in result.output
    home.config_file.write_text(f'[wecom.robots.default]\nkey = "{PLANTED}"\n[digest]\nmax_seconds = 1\n')
    assert run(home, "check").exit_code == 1
    result = run(home, "check", "--json")
    report = json.loads(result.output)
    assert (result.exit_code, report["ok"]) == (1, False)
    assert {one["severity"] for one in report["findings"]} == {"error", "warning"}
