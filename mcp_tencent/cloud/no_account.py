"""The clouds of an installation without an account: every question is answered with that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from mcp_tencent.errors import AccountMissing
from mcp_tencent.models.clusters import Cluster, ClusterInventory, Place
from mcp_tencent.ports import ClusterService, LogService, Metrics, Workloads


class NoClouds:
    """Implements `Clouds` where nothing is configured, so that the rest of the appliance can work."""

    @property
    def places(self) -> Sequence[Place]:
        """See `Clouds.places`; an empty answer would look like a quiet night."""
        _none()

    def logs(self, place: Place) -> LogService:
        """See `Clouds.logs`."""
        _none()

    def cluster_service(self, place: Place) -> ClusterService:
        """See `Clouds.cluster_service`."""
        _none()

    def metrics(self, place: Place) -> Metrics:
        """See `Clouds.metrics`."""
        _none()

    def workloads(self, place: Place, cluster_id: str) -> Workloads:
        """See `Clouds.workloads`."""
        _none()

    async def all_clusters(self) -> Sequence[Cluster]:
        """See `Clouds.all_clusters`."""
        _none()

    async def inventory(self) -> ClusterInventory:
        """See `Clouds.inventory`."""
        _none()


def _none() -> NoReturn:
    raise AccountMissing("no cloud account is configured")
