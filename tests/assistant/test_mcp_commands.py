"""The servers as hosts meet them: real processes on stdio and HTTP, measured against the tools' contract."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from httpx2 import AsyncClient
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Tool

CONTRACT: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parents[1] / "mcp_tencent" / "tool_contract.yaml").read_text(encoding="utf-8")
)["servers"]
SERVERS = tuple(CONTRACT)
"""basic, devops, push, analytics."""


def xiaozhi(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assistant", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=environment(home)
    )


def environment(home: Path) -> dict[str, str]:
    return {"XIAOZHI_HOME": str(home), "PATH": "/usr/bin:/bin"}


def arguments(server: str, *more: str) -> list[str]:
    return ["-m", "assistant", "mcp", server, "--scenario", "quiet", *more]


async def over_stdio(server: str, home: Path) -> list[Tool]:
    parameters = StdioServerParameters(
        command=sys.executable, args=arguments(server), env=environment(home), cwd=Path.cwd()
    )
    async with Client(stdio_client(parameters)) as client:
        return (await client.list_tools()).tools


@contextmanager
def serving_http(server: str, home: Path) -> Iterator[tuple[str, str]]:
    """Run the real command; yield its address and a good token."""
    token = xiaozhi("tokens", "issue", "值班员", "--permission", "read", home=home).stdout.strip()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *arguments(server, "--transport", "http", "--port", str(port))]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment(home)) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            wait_until_ready(base, process)
            yield base, token
        finally:
            process.terminate()
            process.communicate(timeout=30)


def wait_until_ready(base: str, process: subprocess.Popen[bytes]) -> None:
    transport = httpx.HTTPTransport(retries=12)  # its pauses double: 0.5 s, 1 s, 2 s …
    with httpx.Client(transport=transport, timeout=30) as client:
        assert process.poll() is None
        assert client.get(f"{base}/healthz").status_code == 200


async def over_http(base: str, token: str) -> list[Tool]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        AsyncClient(headers=headers) as http,
        Client(streamable_http_client(f"{base}/mcp", http_client=http)) as client,
    ):
        return (await client.list_tools()).tools


def check_against_contract(server: str, tools: list[Tool]) -> None:
    wanted = CONTRACT[server]
    assert {tool.name for tool in tools} >= set(wanted)
    for tool in tools:
        if tool.name in wanted:
            check_tool(tool, wanted[tool.name])
        assert tool.description, tool.name
        assert tool.output_schema is not None, tool.name
        assert "summary" in tool.output_schema["properties"], tool.name


def check_tool(tool: Tool, contract: dict[str, Any]) -> None:
    offered = tool.input_schema.get("properties", {})
    required = set(tool.input_schema.get("required", ()))
    for name, told in contract["parameters"].items():
        about = f"{tool.name}({name})"
        assert name in offered, about
        rule: dict[str, Any] = told if isinstance(told, dict) else {told: True}
        assert (name in required) == bool(rule.get("required")), about
        if "default" in rule:
            assert offered[name]["default"] == rule["default"], about
        if rule.get("optional"):
            assert offered[name].get("default", 0) is None, about
        if "choices" in rule:
            assert choices_of(offered[name], tool.input_schema) == set(rule["choices"]), about
    acts = contract["risk"] != "R"
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint is not acts, tool.name
    assert bool(tool.annotations.destructive_hint) is (contract["risk"] == "D"), tool.name
    assert ("idempotency_key" in offered) is acts, tool.name
    if acts:
        assert offered["dry_run"]["default"] is False, tool.name


def choices_of(schema: dict[str, Any], whole: dict[str, Any]) -> set[str]:
    """Collect the enum of a parameter, whether it stands there, behind a reference or beside null."""
    if "$ref" in schema:
        return choices_of(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    found = set(schema.get("enum", ()))
    for part in schema.get("anyOf", ()):
        found |= choices_of(part, whole)
    return found | ({schema["const"]} if "const" in schema else set())


@pytest.mark.parametrize("server", SERVERS)
async def test_every_server_keeps_the_contract_over_stdio(server, tmp_path):
    check_against_contract(server, await over_stdio(server, tmp_path))


@pytest.mark.parametrize("server", SERVERS)
async def test_every_server_keeps_the_contract_over_http(server, tmp_path):
    with serving_http(server, tmp_path) as (base, token):
        check_against_contract(server, await over_http(base, token))


def test_nobody_without_a_token_reaches_a_tool_over_http(tmp_path):
    with serving_http("analytics", tmp_path) as (base, token), httpx.Client(base_url=base) as client:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        assert client.post("/mcp", json=body).status_code == 401
        wrong = {"Authorization": f"Bearer {token}x"}
        assert client.post("/mcp", json=body, headers=wrong).status_code == 401
        assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 421
        assert client.get("/metrics").status_code == 200


def test_a_token_with_an_unknown_permission_is_a_usage_error(tmp_path):
    told = xiaozhi("tokens", "issue", "值班员", "--permission", "everything", home=tmp_path)
    assert told.returncode == 2
    assert "choose from" in told.stderr


async def test_an_answer_over_stdio_comes_from_the_cloud_and_is_audited(tmp_path):
    parameters = StdioServerParameters(
        command=sys.executable, args=arguments("basic"), env=environment(tmp_path), cwd=Path.cwd()
    )
    async with Client(stdio_client(parameters)) as client:
        answer = await client.call_tool("list_clusters", {})
    assert not answer.is_error
    assert answer.structured_content is not None
    assert answer.structured_content["clusters"]
    audited = json.loads(xiaozhi("audit", "--json", home=tmp_path).stdout)
    assert [line["tool"] for line in audited] == ["list_clusters"]
