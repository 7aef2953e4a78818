"""mcp-tencent-cloud-basic: its tools, put together."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_tencent.basic.cluster_tools import cluster_tools
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.serving.declare import DeclaredTool

NAME = "mcp-tencent-cloud-basic"


def basic_tools(desk: BasicDesk) -> Sequence[DeclaredTool]:
    """Return every tool of the server."""
    sets = (cluster_tools(desk),)
    return [tool for tools in sets for tool in tools.tools]
