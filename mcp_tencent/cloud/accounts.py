"""All configured accounts and regions: which adapter speaks for what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.lightkube.connection import ClusterConnection
from mcp_tencent.cloud.lightkube.workloads import LightkubeWorkloads
from mcp_tencent.cloud.tencentcloud.caller import Account, TencentCaller
from mcp_tencent.cloud.tencentcloud.clusters import TencentClusterService
from mcp_tencent.cloud.tencentcloud.logs import TencentLogService
from mcp_tencent.cloud.tencentcloud.metrics import TencentMetrics
from mcp_tencent.errors import CloudError, InvalidRequest, NotFound
from mcp_tencent.models.clusters import Cluster, ClusterInventory, Place, UnreachedPlace
from mcp_tencent.ports import ClusterService, LogService, Metrics, Workloads


class TencentClouds:
    """Implements `Clouds`: makes each adapter once, when it is first asked for.

    Use it within one event loop, and as an async context manager, so that connections are closed.

    Args:
        accounts: Every account with its regions; the first region of the first account is the default place.
        calling: Deadlines and retries, shared by all.

    Raises:
        InvalidRequest: When there is no place at all, or two accounts share a name.
        CredentialsRefused: When a key cannot be one.
    """

    def __init__(self, accounts: Sequence[Account], calling: Calling) -> None:
        if len({account.name for account in accounts}) != len(accounts):
            raise InvalidRequest("two cloud accounts have the same name")
        self._calling = calling
        self._callers = {
            Place(account=account.name, region=region): TencentCaller(account, region, calling)
            for account in accounts
            for region in account.regions
        }
        if not self._callers:
            raise InvalidRequest("no cloud account with a region is configured")
        self._logs: dict[Place, TencentLogService] = {}
        self._metrics: dict[Place, TencentMetrics] = {}
        self._workloads: dict[tuple[Place, str], LightkubeWorkloads] = {}

    @property
    def places(self) -> Sequence[Place]:
        """See `Clouds.places`."""
        return tuple(self._callers)

    def logs(self, place: Place) -> LogService:
        """See `Clouds.logs`."""
        if place not in self._logs:
            self._logs[place] = TencentLogService(self._caller(place))
        return self._logs[place]

    def cluster_service(self, place: Place) -> ClusterService:
        """See `Clouds.cluster_service`."""
        return TencentClusterService(self._caller(place))

    def metrics(self, place: Place) -> Metrics:
        """See `Clouds.metrics`."""
        if place not in self._metrics:
            self._metrics[place] = TencentMetrics(self._caller(place))
        return self._metrics[place]

    def workloads(self, place: Place, cluster_id: str) -> Workloads:
        """See `Clouds.workloads`."""
        if (place, cluster_id) not in self._workloads:
            service = TencentClusterService(self._caller(place))
            connection = ClusterConnection(cluster_id, lambda: service.kubeconfig(cluster_id), self._calling)
            self._workloads[place, cluster_id] = LightkubeWorkloads(connection)
        return self._workloads[place, cluster_id]

    async def all_clusters(self) -> Sequence[Cluster]:
        """See `Clouds.all_clusters`."""
        found = await asyncio.gather(*(self.cluster_service(place).clusters() for place in self.places))
        return [cluster for clusters in found for cluster in clusters]

    async def inventory(self) -> ClusterInventory:
        """See `Clouds.inventory`."""
        answers = await asyncio.gather(*(self._clusters_or_error(place) for place in self.places))
        errors = {
            place: answer
            for place, answer in zip(self.places, answers, strict=True)
            if isinstance(answer, CloudError)
        }
        if len(errors) == len(self.places):
            raise errors[self.places[0]]
        return ClusterInventory(
            clusters=tuple(
                cluster for answer in answers if not isinstance(answer, CloudError) for cluster in answer
            ),
            unreached=tuple(
                UnreachedPlace(place=place, reason=str(error), spoken=error.spoken)
                for place, error in errors.items()
            ),
        )

    async def _clusters_or_error(self, place: Place) -> Sequence[Cluster] | CloudError:
        try:
            return await self.cluster_service(place).clusters()
        except CloudError as error:
            return error

    def _caller(self, place: Place) -> TencentCaller:
        try:
            return self._callers[place]
        except KeyError:
            raise NotFound(
                f"account {place.account!r} is not configured for region {place.region!r}"
            ) from None

    async def close(self) -> None:
        """Close every connection and forget every kubeconfig."""
        for workloads in self._workloads.values():
            await workloads.close()
        self._workloads.clear()
        for caller in self._callers.values():
            await caller.close()

    async def __aenter__(self) -> TencentClouds:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
