"""mcp-tencent-devops: its tools, put together."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_tencent.devops.alert_tools import alert_tools
from mcp_tencent.devops.alerts.desk import AlertDesk
from mcp_tencent.devops.checkpoint_tools import checkpoint_tools
from mcp_tencent.devops.diagnosis_tools import diagnosis_tools
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.devops.healing_tools import healing_tools
from mcp_tencent.devops.incident_tools import incident_tools
from mcp_tencent.devops.mode_tools import mode_tools
from mcp_tencent.serving.declare import DeclaredTool

NAME = "mcp-tencent-devops"
INSTRUCTIONS = (
    "Knows what alerts there were, grouped by root cause and scored, and what was done about them. "
    "Finds out what is the matter with workloads, says what would help and what cannot, and heals: roll "
    "back, isolate, checkpoints. Diagnose before acting; every act makes a checkpoint first, says its id and "
    "reports what really came of it."
)


def devops_tools(healing: HealingDesk, alerts: AlertDesk) -> Sequence[DeclaredTool]:
    """Return every tool of the server."""
    return [
        *alert_tools(alerts),
        *incident_tools(alerts),
        *mode_tools(alerts),
        *diagnosis_tools(healing),
        *healing_tools(healing),
        *checkpoint_tools(healing),
    ]
