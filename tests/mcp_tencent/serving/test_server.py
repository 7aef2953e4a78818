"""The whole chain, over the in-memory transport."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from mcp.client import Client
from sqlalchemy import text

from mcp_tencent.gateway.answer import META_CONFIRMATION, META_ORIGIN, META_TRACE
from mcp_tencent.gateway.call import CallerKind
from mcp_tencent.gateway.confirm import Approval
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.serving.envelope import under_plan
from mcp_tencent.serving.identity import acting_as
from mcp_tencent.serving.masking import MaskingFormatter
from mcp_tencent.serving.server import GatewayServer
from tests.mcp_tencent.gateway.calls import NIGHT, OWNER, WATCH
from tests.mcp_tencent.serving.answers import error_of, yes_to
from tests.mcp_tencent.serving.shop_tools import Shop, shop_tools


def outcomes(gateway: Gateway) -> list[tuple[str, str, str]]:
    return [(row.person, row.tool, row.outcome) for row in gateway.trail.lines()]


@pytest.fixture(params=["auto", "legacy"])
def mode(request):
    """Both ways in which the SDK speaks inside a process."""
    return request.param


class Asking:
    """A client that connects for each question; a connection belongs to the task that opened it."""

    def __init__(self, server: GatewayServer, mode: str) -> None:
        self._server, self._mode = server, mode

    async def call_tool(self, name, arguments, **options):
        async with Client(self._server, mode=self._mode) as client:
            return await client.call_tool(name, arguments, **options)

    async def list_tools(self):
        async with Client(self._server, mode=self._mode) as client:
            return await client.list_tools()


@pytest.fixture
def client(server, mode):
    return Asking(server, mode)


async def test_tools_tell_what_a_model_needs_to_know(client):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    restart = tools["restart_workload"]
    assert restart.annotations.destructive_hint is True
    assert restart.annotations.read_only_hint is False
    assert restart.annotations.idempotent_hint is False
    assert tools["list_pods"].annotations.read_only_hint is True
    assert set(restart.input_schema["properties"]) == {"workload", "namespace", "dry_run", "idempotency_key"}
    assert restart.input_schema["required"] == ["workload"]
    assert "idempotency_key" not in tools["list_pods"].input_schema["properties"]
    assert tools["list_pods"].output_schema["properties"]["pods"]["type"] == "array"
    assert restart.description == "Restart all pods of a workload, one after the other."


async def test_an_answer_is_spoken_first_and_structured(client):
    with acting_as(WATCH):
        result = await client.call_tool("list_pods", {"workload": "orders"})
    assert result.content[0].text == "订单服务有 1 个 Pod"
    assert json.loads(result.content[1].text) == result.structured_content
    assert len(result.meta[META_TRACE]) == 32


async def test_nobody_in_particular_gets_nothing(client, gateway, shop):
    result = await client.call_tool("list_pods", {})
    assert error_of(result)["code"] == "caller_unknown"
    assert shop.looks == 0
    assert outcomes(gateway) == [("", "list_pods", "caller_unknown")]


async def test_a_dangerous_act_from_question_to_act(client, gateway, shop):
    with acting_as(OWNER):
        asked = await client.call_tool("restart_workload", {"workload": "orders"})
        error = error_of(asked)
        assert (error["code"], error["read_back"]) == ("confirmation_required", "重启orders，确认吗？")
        token = asked.meta[META_CONFIRMATION]["token"]
        assert token not in json.dumps(asked.structured_content)
        assert all(token not in block.text for block in asked.content)
        assert shop.restarts == []
        done = await client.call_tool(
            "restart_workload", {"workload": "orders"}, meta={META_CONFIRMATION: token}
        )
    assert done.structured_content == {"summary": "已经重启orders", "acts": 1}
    assert outcomes(gateway) == [
        (OWNER.name, "restart_workload", "confirmation_required"),
        (OWNER.name, "restart_workload", "started"),
        (OWNER.name, "restart_workload", "done"),
    ]
    assert gateway.trail.verify() == []


async def test_a_repeated_key_neither_asks_nor_acts_again(client, shop):
    arguments = {"workload": "orders", "idempotency_key": "turn-17-restart"}
    with acting_as(OWNER):
        asked = await client.call_tool("restart_workload", arguments)
        yes = yes_to(asked)
        first = await client.call_tool("restart_workload", arguments, meta=yes)
        again = await client.call_tool("restart_workload", arguments, meta=yes)
    assert first.structured_content == again.structured_content
    assert (first.meta[META_ORIGIN], again.meta[META_ORIGIN]) == ("fresh", "recorded")
    assert shop.restarts == ["orders"]


async def test_bad_arguments_are_refused_before_anybody_is_asked_to_confirm(client, gateway):
    with acting_as(OWNER):
        result = await client.call_tool(
            "restart_workload", {"wrokload": "orders", "idempotency_key": "short"}
        )
    error = error_of(result)
    assert error["code"] == "invalid_arguments"
    assert {problem.split(":")[0] for problem in error["problems"]} == {
        "wrokload",
        "workload",
        "idempotency_key",
    }


@pytest.mark.parametrize(
    "arguments", [{"limit": 0}, {"limit": "many"}, {"limit": 10**30}, {"workload": ["a"]}]
)
async def test_values_out_of_range_are_named_but_not_repeated(client, arguments):
    with acting_as(WATCH):
        error = error_of(await client.call_tool("list_pods", arguments))
    assert error["code"] == "invalid_arguments"
    assert error["problems"][0].startswith(next(iter(arguments)))
    assert "many" not in json.dumps(error)


async def test_foreseen_failures_speak_and_others_keep_silent(client, caplog):
    with acting_as(OWNER):
        dry = {"workload": "unknown", "dry_run": True}
        known = error_of(await client.call_tool("restart_workload", dry))
        assert (known["code"], known["message"]) == ("not_found", "没有找到这个资源")
        with caplog.at_level(logging.ERROR):
            crash = await client.call_tool("create_alarm", {"name": "x"})
    error = error_of(crash)
    assert (error["code"], error["message"]) == ("tool_crashed", "程序内部出错了")
    assert "hunter2" not in crash.model_dump_json()
    record = next(record for record in caplog.records if "crashed" in record.message)
    assert error["trace_id"] in record.message
    formatted = MaskingFormatter("%(message)s").format(record)
    assert "RuntimeError" in formatted
    assert "hunter2" not in formatted


async def test_secrets_leave_neither_in_answers_nor_in_progress(client):
    told = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append(message)

    with acting_as(WATCH):
        result = await client.call_tool("pod_logs", {"pod": "p"}, progress_callback=progress)
    everything = result.model_dump_json() + str(told)
    for secret in ("hunter2", "abcdef0123", "13812345678"):
        assert secret not in everything
    assert told == ["read password=[已隐藏]"]


async def test_a_system_that_is_down_is_named_and_left_alone(client, shop, clock):
    shop.down = True
    with acting_as(WATCH):
        codes = [error_of(await client.call_tool("list_pods", {"limit": n + 1}))["code"] for n in range(6)]
        assert codes == ["network_fault"] * 5 + ["circuit_open"]
        clock.advance(10)
        shop.down = False
        assert not (await client.call_tool("list_pods", {})).is_error


async def test_the_cache_answers_in_between_but_never_after_an_act(client, shop):
    with acting_as(OWNER):
        await client.call_tool("list_pods", {})
        cached = await client.call_tool("list_pods", {})
        assert (cached.meta[META_ORIGIN], shop.looks) == ("cached", 1)
        await client.call_tool("restart_workload", {"workload": "orders", "dry_run": True})
        await client.call_tool("list_pods", {})
    assert shop.looks == 2


class Guards:
    async def approve(self, call):
        return Approval(approved=call.plan == "incident-7", reason="no such plan")


async def test_a_night_job_acts_under_its_plan_only(file_database, clock, shop, mode):
    gateway = Gateway(file_database.engine, clock, plans=Guards())
    server = GatewayServer("shop", shop_tools(shop).tools, gateway)
    async with Client(server, mode=mode) as client:
        with acting_as(NIGHT):
            refused = await client.call_tool("restart_workload", {"workload": "orders"})
            assert error_of(refused)["code"] == "plan_refused"
            done = await client.call_tool(
                "restart_workload", {"workload": "orders"}, meta=under_plan("incident-7")
            )
    assert not done.is_error
    assert shop.restarts == ["orders"]


async def test_without_a_store_reads_go_on_and_nothing_is_changed(client, file_database, shop, gateway):
    with file_database.engine.begin() as connection:
        for table in ("gateway_audit", "gateway_keys", "gateway_confirmations"):
            connection.execute(text(f"DROP TABLE {table}"))
    with acting_as(OWNER):
        assert not (await client.call_tool("list_pods", {})).is_error
        refused = await client.call_tool("restart_workload", {"workload": "orders"})
        assert error_of(refused)["code"] == "store_unavailable"
        refused = await client.call_tool("create_alarm", {"name": "x"})
        assert error_of(refused)["code"] == "store_unavailable"
    assert shop.restarts == []
    assert gateway.metrics.get_sample_value("xiaozhi_audit_lines_lost_total") == 3


async def test_calls_are_counted_by_tool_and_outcome(client, gateway):
    with acting_as(WATCH):
        await client.call_tool("list_pods", {})
        await client.call_tool("restart_workload", {"workload": "orders"})
    labels = {"tool": "list_pods", "risk": "R", "outcome": "done", "origin": "fresh"}
    assert gateway.metrics.get_sample_value("xiaozhi_tool_calls_total", labels) == 1
    refused = {"tool": "restart_workload", "risk": "D", "outcome": "not_permitted", "origin": ""}
    assert gateway.metrics.get_sample_value("xiaozhi_tool_calls_total", refused) == 1


async def test_a_trace_that_the_client_names_is_followed(client, gateway):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with acting_as(WATCH):
        result = await client.call_tool(
            "list_pods", {}, meta={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        )
    assert result.meta[META_TRACE] == trace
    assert [row.trace_id for row in gateway.trail.lines()] == [trace]


async def test_callers_side_by_side_are_not_mixed_up(server, gateway):
    async def ask(person, number):
        with acting_as(person):
            async with Client(server) as client:
                for _ in range(5):
                    await client.call_tool("list_pods", {"limit": number})
                    await asyncio.sleep(0)

    people = [OWNER, WATCH]
    await asyncio.gather(*(ask(person, number + 1) for number, person in enumerate(people)))
    recorded = {(row.person, json.loads(row.arguments)["limit"]) for row in gateway.trail.lines()}
    assert recorded == {(OWNER.name, 1), (WATCH.name, 2)}


async def test_an_unknown_tool_is_an_error_not_a_crash(client):
    with acting_as(OWNER):
        assert (await client.call_tool("no_such_tool", {})).is_error


async def test_two_servers_may_not_both_offer_a_tool_of_one_name(server, gateway):
    with pytest.raises(ValueError, match="two tools are called"):
        GatewayServer("other", shop_tools(Shop()).tools, gateway)


def test_callers_are_who_the_tests_think():
    assert NIGHT.kind is CallerKind.SERVICE_JOB
