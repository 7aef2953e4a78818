"""The inside of one cluster, whole: views, actions, rollouts, snapshots."""

from __future__ import annotations

from mcp_tencent.cloud.lightkube.actions import LightkubeActions
from mcp_tencent.cloud.lightkube.connection import ClusterConnection
from mcp_tencent.cloud.lightkube.isolation import LightkubeIsolation
from mcp_tencent.cloud.lightkube.manifests import LightkubeManifests
from mcp_tencent.cloud.lightkube.rollout import LightkubeRollouts
from mcp_tencent.cloud.lightkube.snapshots import LightkubeSnapshots
from mcp_tencent.cloud.lightkube.views import LightkubeViews


class LightkubeWorkloads(
    LightkubeViews,
    LightkubeActions,
    LightkubeManifests,
    LightkubeIsolation,
    LightkubeRollouts,
    LightkubeSnapshots,
):
    """Implements `Workloads`."""

    def __init__(self, connection: ClusterConnection) -> None:
        self._connection = connection
        self._views = self

    async def close(self) -> None:
        """Close the connection and forget the kubeconfig."""
        await self._connection.close()
