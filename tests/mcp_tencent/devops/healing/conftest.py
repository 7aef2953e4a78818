"""A ward for each test: cloud, tools and records of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from mcp_tencent.basic.config_tools import config_tools
from mcp_tencent.basic.workload_actions import workload_actions
from mcp_tencent.devops.checkpoint_tools import checkpoint_tools
from mcp_tencent.devops.diagnosis_tools import diagnosis_tools
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.devops.healing_tools import healing_tools
from mcp_tencent.serving.declare import DeclaredTool
from tests.mcp_tencent.devops.ward import Ward, standing_cloud, ward_at

WardAt = Callable[[str], AbstractAsyncContextManager[Ward]]


def every_tool(desk: HealingDesk) -> list[DeclaredTool]:
    """The healing tools, and those of the basic server whose acts a checkpoint takes back."""
    basic = [workload_actions(desk.basic), config_tools(desk.basic)]
    own = (*diagnosis_tools(desk), *healing_tools(desk), *checkpoint_tools(desk))
    return [*own, *(tool for tools in basic for tool in tools.tools)]


@pytest.fixture
def ward(tmp_path: Path) -> WardAt:
    @asynccontextmanager
    async def open_ward(scenario: str):
        with standing_cloud(scenario) as cloud:
            async with ward_at(cloud, tmp_path, every_tool) as found:
                yield found

    return open_ward
