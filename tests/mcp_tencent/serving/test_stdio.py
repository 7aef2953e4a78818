"""A real child process over standard input and output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from tests.mcp_tencent.serving.answers import body, error_of

MODULE = "tests.mcp_tencent.serving.stdio_server"
ME = {"name": "t", "version": "1"}
ROOT = Path(__file__).parents[3]


def say(*messages: dict[str, object]) -> str:
    return "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages)


def test_nothing_but_protocol_reaches_standard_output(tmp_path):
    hello = {
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        },
    }
    chatter = {"id": 2, "method": "tools/call", "params": {"name": "chatter", "arguments": {}}}
    process = subprocess.Popen(
        [sys.executable, "-m", MODULE, f"sqlite:///{tmp_path / 'x.db'}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(say(hello, {"method": "notifications/initialized"}, chatter))
    process.stdin.flush()
    answers = [json.loads(process.stdout.readline()) for _ in range(2)]
    rest, errors = process.communicate(timeout=60)
    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[1]["result"]["structuredContent"]["summary"] == "说完了"
    assert rest == ""
    for way in ("print: ", "os.write: ", "child: "):
        assert f"{way}this is no protocol" in errors
    assert process.returncode == 0


async def test_a_host_starts_the_server_and_calls_it(tmp_path):
    program = StdioServerParameters(
        command=sys.executable, args=["-m", MODULE, f"sqlite:///{tmp_path / 'x.db'}"], cwd=ROOT
    )
    async with Client(program) as client:
        result = await client.call_tool("list_pods", {"workload": "orders"})
        asked = await client.call_tool("restart_workload", {"workload": "orders"})
    assert body(result)["pods"] == ["orders-7d9f8b6c5d-x2x9z"]
    assert error_of(asked)["code"] == "confirmation_required"
