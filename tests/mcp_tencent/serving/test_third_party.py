from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mcp.client import Client
from mcp_types import ToolAnnotations
from pydantic import ValidationError

from mcp_tencent.gateway.call import Risk
from mcp_tencent.serving.identity import acting_as
from mcp_tencent.serving.server import GatewayServer
from mcp_tencent.serving.third_party import ThirdPartyServer, mounted
from tests.mcp_tencent.gateway.calls import OWNER, WATCH
from tests.mcp_tencent.serving.answers import body, error_of, text_of, yes_to
from tests.mcp_tencent.serving.foreign_server import foreign
from tests.mcp_tencent.serving.web import serving

ROOT = Path(__file__).parents[3]
PROGRAM = ThirdPartyServer(
    command=sys.executable,
    args=("-m", "tests.mcp_tencent.serving.foreign_server"),
    env={"PYTHONPATH": str(ROOT)},
    risks={"look": Risk.READ, "die": Risk.READ},
)


async def test_unknown_tools_are_dangerous_whatever_they_say_about_themselves(gateway):
    async with mounted("foreign", PROGRAM) as tools, Client(GatewayServer("all", tools, gateway)) as client:
        listed = {
            tool.name: tool.annotations or ToolAnnotations() for tool in (await client.list_tools()).tools
        }
        assert set(listed) == {"foreign_wipe_disk", "foreign_look", "foreign_die"}
        assert listed["foreign_wipe_disk"].destructive_hint is True
        assert listed["foreign_look"].read_only_hint is True
        with acting_as(WATCH):
            refused = await client.call_tool("foreign_wipe_disk", {"path": "/"})
        assert error_of(refused)["code"] == "not_permitted"
        with acting_as(OWNER):
            asked = await client.call_tool("foreign_wipe_disk", {"path": "/tmp"})
            assert error_of(asked)["read_back"] == "执行foreign_wipe_disk（path：/tmp），确认吗？"
            done = await client.call_tool("foreign_wipe_disk", {"path": "/tmp"}, meta=yes_to(asked))
        assert text_of(done) == "wiped /tmp"


async def test_what_a_foreign_tool_says_is_masked_and_its_arguments_are_checked(gateway):
    async with mounted("foreign", PROGRAM) as tools, Client(GatewayServer("all", tools, gateway)) as client:
        with acting_as(WATCH):
            seen = await client.call_tool("foreign_look", {"depth": 2})
            wrong = await client.call_tool("foreign_look", {"depth": "deep"})
    assert "hunter2" not in seen.model_dump_json()
    assert body(seen)["depth"] == 2
    assert error_of(wrong)["code"] == "invalid_arguments"


async def test_a_foreign_server_that_dies_is_a_network_fault(gateway):
    async with mounted("foreign", PROGRAM) as tools, Client(GatewayServer("all", tools, gateway)) as client:
        with acting_as(WATCH):
            gone = await client.call_tool("foreign_die", {})
            still = await client.call_tool("foreign_look", {})
    assert error_of(gone)["code"] == "network_fault"
    assert error_of(still)["code"] == "network_fault"


async def test_a_server_is_mounted_over_http_too(gateway):
    async with (
        serving(foreign.streamable_http_app()) as url,
        mounted("far", ThirdPartyServer(url=f"{url}/mcp", risks={"look": Risk.READ})) as tools,
        Client(GatewayServer("all", tools, gateway)) as client,
    ):
        with acting_as(WATCH):
            seen = await client.call_tool("far_look", {})
    assert body(seen)["depth"] == 1


@pytest.mark.parametrize(
    "entry", [{}, {"command": "x", "url": "http://x"}, {"command": "x", "risks": {"a": "harmless"}}]
)
def test_an_entry_that_makes_no_sense_is_refused(entry):
    with pytest.raises(ValidationError):
        ThirdPartyServer.model_validate(entry)


def test_an_entry_hides_its_secrets_when_it_is_printed():
    entry = ThirdPartyServer(
        url="http://x", headers={"Authorization": "Bearer hunter2"}, env={"T": "hunter2"}
    )
    assert "hunter2" not in repr(entry)
