"""What the healing tools work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mcp.server.mcpserver import Context

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.devops.checkpoint_records import CheckpointStore
from mcp_tencent.devops.diagnosis.gathering import Gathering
from mcp_tencent.devops.healing.verification import Looks
from mcp_tencent.devops.incidents import IncidentStore
from mcp_tencent.gateway.call import Caller
from mcp_tencent.naming.located import Located
from mcp_tencent.serving.identity import caller_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HealingDesk:
    """What the healing tools work with.

    Args:
        basic: Clouds, names, the clock, and what the house allows.
        checkpoints: The memory of checkpoints.
        incidents: The memory of incidents.
        looks: How an act is verified.
        otherwise: Who calls when nobody is named.
    """

    basic: BasicDesk
    checkpoints: CheckpointStore
    incidents: IncidentStore
    looks: Looks = field(default_factory=Looks)
    otherwise: Caller | None = None

    @property
    def gathering(self) -> Gathering:
        """Looks at a workload from all sides."""
        return Gathering(self.basic.clouds)

    def who(self, context: Context[Any, Any]) -> str:
        """Return the name of whoever calls."""
        return caller_of(context.request_context, self.otherwise).name

    async def located(self, workload: str, namespace: str | None, cluster: str | None) -> Located:
        """Return a workload to look at."""
        return await self.basic.naming.workload(workload, namespace=namespace, cluster=cluster, certain=False)

    async def certain(self, workload: str, namespace: str | None, cluster: str | None) -> Located:
        """Return a workload to act on: nothing is guessed, and protected namespaces are refused.

        Raises:
            ProtectedNamespace: The cluster itself lives there.
        """
        found = await self.basic.naming.workload(workload, namespace=namespace, cluster=cluster, certain=True)
        self.basic.bounds.check_namespace(found.workload.ref.namespace)
        return found
