"""mcp-tencent-devops: its tools, put together."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_tencent.devops.checkpoint_tools import checkpoint_tools
from mcp_tencent.devops.diagnosis_tools import diagnosis_tools
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.devops.healing_tools import healing_tools
from mcp_tencent.serving.declare import DeclaredTool

NAME = "mcp-tencent-devops"
INSTRUCTIONS = (
    "Finds out what is the matter with workloads, says what would help and what cannot, and heals: roll "
    "back, isolate, checkpoints. Diagnose before acting; every act makes a checkpoint first, says its id and "
    "reports what really came of it."
)


def devops_tools(healing: HealingDesk) -> Sequence[DeclaredTool]:
    """Return every tool of the server."""
    return [*diagnosis_tools(healing), *healing_tools(healing), *checkpoint_tools(healing)]
