from __future__ import annotations

import pytest
from pydantic import BaseModel

from mcp_tencent.gateway.call import Permission, Risk
from mcp_tencent.serving.declare import ToolSet
from tests.mcp_tencent.serving.shop_tools import Report


class Mute(BaseModel):
    """Says nothing."""

    count: int


def test_risk_brings_its_usual_permission():
    tools = ToolSet(outside="cls")

    @tools.read("看")
    async def look() -> Report:
        """Look."""
        raise NotImplementedError

    @tools.write("写")
    async def write(dry_run: bool = False) -> Report:
        """Write."""
        raise NotImplementedError

    @tools.dangerous("动", read_back="动手", naturally_idempotent=True)
    async def act(dry_run: bool = False) -> Report:
        """Act."""
        raise NotImplementedError

    policies = [tool.policy for tool in tools.tools]
    assert [(p.name, p.risk, p.permission) for p in policies] == [
        ("look", Risk.READ, Permission.READ),
        ("write", Risk.WRITE, Permission.OPERATE),
        ("act", Risk.DANGEROUS, Permission.ROLLBACK),
    ]
    assert {p.outside for p in policies} == {"cls"}
    annotations = tools.tools[2].sdk.annotations
    assert annotations is not None
    assert annotations.idempotent_hint is True


def test_an_acting_tool_without_a_rehearsal_is_refused():
    tools = ToolSet()

    async def act() -> Report:
        """Act."""
        raise NotImplementedError

    with pytest.raises(TypeError, match="dry_run"):
        tools.write("写")(act)


def test_a_result_that_cannot_be_spoken_is_refused():
    async def look() -> Mute:
        """Look."""
        raise NotImplementedError

    with pytest.raises(TypeError, match="summary"):
        ToolSet().read("看")(look)


def test_a_tool_that_does_not_say_what_it_is_for_is_refused():
    async def look() -> Report:
        raise NotImplementedError

    with pytest.raises(TypeError, match="docstring"):
        ToolSet().read("看")(look)
