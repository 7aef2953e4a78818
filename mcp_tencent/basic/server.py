"""mcp-tencent-cloud-basic: its tools, put together."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_tencent.basic.alarm_change_tools import alarm_change_tools
from mcp_tencent.basic.alarm_tools import alarm_tools
from mcp_tencent.basic.cluster_tools import cluster_tools
from mcp_tencent.basic.config_tools import config_tools
from mcp_tencent.basic.dashboard_tools import dashboard_tools
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.log_analysis_tools import log_analysis_tools
from mcp_tencent.basic.log_catalog_tools import log_catalog_tools
from mcp_tencent.basic.log_tools import log_tools
from mcp_tencent.basic.manifest_tools import manifest_tools
from mcp_tencent.basic.node_pool_actions import node_pool_actions
from mcp_tencent.basic.pod_log_tools import pod_log_tools
from mcp_tencent.basic.pod_tools import pod_tools
from mcp_tencent.basic.usage_tools import usage_tools
from mcp_tencent.basic.workload_actions import workload_actions
from mcp_tencent.basic.workload_tools import workload_tools
from mcp_tencent.serving.declare import DeclaredTool

NAME = "mcp-tencent-cloud-basic"
INSTRUCTIONS = (
    "Looks at Tencent Cloud clusters, nodes, workloads, pods, logs and alarms, and acts on them. Everything "
    "can be named by id, exact name or spoken Chinese alias; an unclear name is answered with candidates. "
    "Acts take dry_run, wait for their real outcome and report it. For causes and healing use "
    "mcp-tencent-devops."
)


def basic_tools(desk: BasicDesk) -> Sequence[DeclaredTool]:
    """Return every tool of the server."""
    sets = (
        cluster_tools(desk),
        workload_tools(desk),
        pod_tools(desk),
        pod_log_tools(desk),
        config_tools(desk),
        usage_tools(desk),
        log_catalog_tools(desk),
        log_tools(desk),
        log_analysis_tools(desk),
        alarm_tools(desk),
        dashboard_tools(desk),
        alarm_change_tools(desk),
        workload_actions(desk),
        node_pool_actions(desk),
        manifest_tools(desk),
    )
    return [tool for tools in sets for tool in tools.tools]
