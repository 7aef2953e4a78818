"""A host with a window of its own, such as an IDE, asks its person there."""

from __future__ import annotations

import pytest
from mcp.client import Client
from mcp.client.session import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult, ErrorData

from mcp_tencent.serving.identity import acting_as
from tests.mcp_tencent.gateway.calls import OWNER, WATCH
from tests.mcp_tencent.serving.answers import body, error_of


class Person:
    """Reads the question and answers."""

    def __init__(self, answer: ElicitResult | ErrorData) -> None:
        self.asked: list[str] = []
        self._answer = answer

    async def __call__(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult | ErrorData:
        self.asked.append(params.message)
        return self._answer


YES = ElicitResult(action="accept", content={"confirm": True})


@pytest.fixture(params=["auto", "legacy"])
def mode(request):
    return request.param


async def test_a_yes_in_the_hosts_window_is_a_yes(server, shop, gateway, mode):
    person = Person(YES)
    async with Client(server, mode=mode, elicitation_callback=person) as client:
        with acting_as(OWNER):
            done = await client.call_tool("restart_workload", {"workload": "orders"})
    assert body(done)["summary"] == "已经重启orders"
    assert person.asked == ["重启orders，确认吗？"]
    assert shop.restarts == ["orders"]
    assert gateway.trail.verify() == []


@pytest.mark.parametrize(
    "answer",
    [
        ElicitResult(action="decline"),
        ElicitResult(action="cancel"),
        ElicitResult(action="accept", content={"confirm": False}),
        ElicitResult(action="accept"),
    ],
    ids=["no", "closed", "unticked", "empty"],
)
async def test_anything_else_is_a_no(server, shop, mode, answer):
    async with Client(server, mode=mode, elicitation_callback=Person(answer)) as client:
        with acting_as(OWNER):
            refused = await client.call_tool("restart_workload", {"workload": "orders"})
    assert error_of(refused)["code"] == "confirmation_refused"
    assert shop.restarts == []


async def test_whoever_lacks_the_permission_is_not_even_asked(server, shop, mode):
    person = Person(YES)
    async with Client(server, mode=mode, elicitation_callback=person) as client:
        with acting_as(WATCH):
            refused = await client.call_tool("restart_workload", {"workload": "orders"})
    assert error_of(refused)["code"] == "not_permitted"
    assert person.asked == []


async def test_each_act_is_asked_for_anew(server, shop, mode):
    person = Person(YES)
    async with Client(server, mode=mode, elicitation_callback=person) as client:
        with acting_as(OWNER):
            for _ in range(2):
                await client.call_tool("restart_workload", {"workload": "orders"})
    assert len(person.asked) == 2
    assert shop.restarts == ["orders", "orders"]
