"""What is known about each key."""

from __future__ import annotations

import json
import tomllib

import pytest

from assistant.settings import Settings
from assistant.settings_schema import (
    ANY_NAME,
    dotted,
    every_key,
    find_key,
    key_path,
    nearest_key,
    variable_name,
)

KEYS = list(every_key())


@pytest.mark.parametrize("key", KEYS, ids=lambda key: dotted(key.path))
def test_every_key_has_a_meaning_and_says_what_is_allowed(key):
    assert key.description
    assert not key.description.endswith(".")
    assert key.allowed()
    assert find_key(key.path) == key


@pytest.mark.parametrize(
    "key",
    [key for key in KEYS if not key.is_secret and ANY_NAME not in key.path and key.example is not None],
    ids=lambda key: dotted(key.path),
)
def test_every_example_is_right(key):
    header, _, line = (
        key.written().rpartition("] ") if key.written().startswith("[") else ("", "", key.written())
    )
    text = f"{header}]\n{line}" if header else line
    assert tomllib.loads(text)
    values: dict[str, object] = {str(key.path[-1]): json.loads(json.dumps(key.example))}
    for part in reversed(key.path[:-1]):
        values = {str(part): values}
    needed: dict[str, dict[str, object]] = {
        "llm": {"base_url": "https://x", "model": "m"},
        "email": {"host": "h", "sender": "a@b.cn"},
        "dingtalk": {"robots": {"default": {"access_token": "t", "secret": "s"}}},
    }
    section = str(key.path[0])
    if section in needed:
        below = values[section]
        assert isinstance(below, dict)
        values = {section: {**needed[section], **below}}
        if key.path[-1] == "username":
            values = {section: {**needed[section], **below, "password": "x"}}
    if section != "database_url":
        Settings.model_validate(values)


def test_every_secret_is_known_as_one():
    secrets = {dotted(key.path) for key in KEYS if key.is_secret}
    assert secrets == {
        "cloud.accounts.<name>.secret_id",
        "cloud.accounts.<name>.secret_key",
        "database_url",
        "llm.api_key",
        "email.password",
        "dingtalk.robots.<name>.access_token",
        "dingtalk.robots.<name>.secret",
        "wecom.robots.<name>.key",
        "feishu.robots.<name>.hook_token",
        "feishu.robots.<name>.secret",
        "mcp_servers.<name>.args",
        "mcp_servers.<name>.env.<name>",
        "mcp_servers.<name>.url",
        "mcp_servers.<name>.headers.<name>",
    }


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("robot.nmae", "robot.name"),
        ("wake_phrase", "robot.wake_phrase"),
        ("nigth.at", "night.at"),
        ("cloud.accounts.prod.secretkey", "cloud.accounts.prod.secret_key"),
        ("emial.host", "email.host"),
        ("completely.different", None),
        ("xyz", None),
    ],
)
def test_the_nearest_key_is_suggested(wrong: str, right: str | None):
    assert nearest_key(tuple(wrong.split("."))) == right


def test_both_spellings_of_a_key_are_one():
    assert key_path("mcpServers.x.url") == key_path("mcp_servers.x.url") == ("mcp_servers", "x", "url")


def test_a_variable_is_named_after_its_key():
    assert (
        variable_name(("cloud", "accounts", "prod", "secret_id"))
        == "XIAOZHI_CLOUD__ACCOUNTS__PROD__SECRET_ID"
    )
