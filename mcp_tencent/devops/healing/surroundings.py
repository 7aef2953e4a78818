"""Looks at what surrounds a workload right before an act, through the ports."""

from __future__ import annotations

import asyncio
from typing import Protocol

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.devops.healing.guards import Surroundings
from mcp_tencent.devops.healing.plans import Target
from mcp_tencent.errors import NotFound
from mcp_tencent.models.workloads import DisruptionBudget, Workload, WorkloadKind, WorkloadRef


class Lookout(Protocol):
    """Sees what the guards must know of a cluster."""

    async def look(self, target: Target) -> Surroundings:
        """Look at a workload and its cluster, now.

        Raises:
            CloudError: it could not be seen, or is not there.
        """
        ...


class ClusterLookout:
    """Looks through the cluster's own API; satisfies `Lookout`."""

    def __init__(self, desk: BasicDesk) -> None:
        self._desk = desk

    async def look(self, target: Target) -> Surroundings:
        """Look at a workload and its cluster, now; raises CloudError."""
        cluster = await self._desk.naming.cluster(target.cluster_id, certain=True)
        inside = self._desk.inside(cluster)
        workloads, budgets = await asyncio.gather(
            inside.workloads(), inside.disruption_budgets(namespace=target.namespace)
        )
        ref = WorkloadRef(namespace=target.namespace, kind=WorkloadKind(target.kind), name=target.workload)
        found = next((one for one in workloads if one.ref == ref), None)
        if found is None:
            raise NotFound(f"{ref} is not there", wanted=target.workload)
        rooms = [one.disruptions_allowed for one in budgets if _covers(one, found)]
        return Surroundings(
            cluster_workloads=len(workloads),
            replicas_wanted=found.replicas_wanted,
            replicas_ready=found.replicas_ready,
            disruptions_allowed=min(rooms, default=None),
        )


def _covers(budget: DisruptionBudget, workload: Workload) -> bool:
    # A budget whose selector we cannot read in full comes without labels and counts as covering everything.
    return all(workload.selector.get(key) == value for key, value in budget.selector.items())
