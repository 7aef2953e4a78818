"""mcp-tencent-analytics: its tools, put together."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_tencent.analytics.anomaly_tools import anomaly_tools
from mcp_tencent.analytics.desk import AnalyticsDesk
from mcp_tencent.analytics.log_tools import log_analytics_tools
from mcp_tencent.analytics.remediation_tools import remediation_tools
from mcp_tencent.analytics.summary_tools import summary_tools
from mcp_tencent.serving.declare import DeclaredTool

NAME = "mcp-tencent-analytics"
INSTRUCTIONS = (
    "Says what many log lines mean together: summaries, trends against the days before, the most frequent "
    "patterns, keywords, and what is unusual for the hour; and what healing came to. It looks only; lines "
    "themselves are found with mcp-tencent-cloud-basic, causes with mcp-tencent-devops."
)


def analytics_tools(desk: AnalyticsDesk) -> Sequence[DeclaredTool]:
    """Return every tool of the server."""
    sets = (summary_tools(desk), log_analytics_tools(desk), anomaly_tools(desk), remediation_tools(desk))
    return [tool for tools in sets for tool in tools.tools]
