"""TKE: clusters, their machines and node pools, and the kubeconfig that opens them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tencentcloud.tke.v20180525 import models
from tencentcloud.tke.v20220501 import models as models2022

from mcp_tencent.cloud.answers import reading
from mcp_tencent.cloud.tencentcloud.caller import TencentCaller, request_of
from mcp_tencent.cloud.tencentcloud.instants import parse_instant
from mcp_tencent.errors import InvalidRequest, NotFound, Unsupported
from mcp_tencent.models.aliases import ALIAS_KEY, aliases_in, aliases_in_description
from mcp_tencent.models.clusters import (
    Cluster,
    ClusterStatus,
    ClusterTopics,
    Machine,
    NodePool,
    NodePoolKind,
    Place,
    Region,
)

MOST_NODES = 5000
"""What Kubernetes itself is tested for; beyond that a number was misheard."""

_STOPPED = frozenset({"Idling", "Isolated", "ResourceIsolate", "ResourceIsolated", "Deleting"})
_STATUSES = {"Running": ClusterStatus.RUNNING, "Abnormal": ClusterStatus.ABNORMAL} | dict.fromkeys(
    _STOPPED, ClusterStatus.STOPPED
)
_POOL_KINDS = {"Native": NodePoolKind.NATIVE, "Regular": NodePoolKind.REGULAR, "Super": NodePoolKind.SUPER}


class TencentClusterService:
    """Implements `ClusterService` on the SDK, both API versions.

    A resize sets an absolute number and is done when the pool wants that many, so it is safe to repeat.
    """

    def __init__(self, caller: TencentCaller) -> None:
        self._caller = caller

    async def regions(self) -> Sequence[Region]:
        """See `ClusterService.regions`."""
        answer = await self._caller.read(
            self._caller.tke.DescribeRegions, request_of(models.DescribeRegionsRequest)
        )
        with reading("DescribeRegions"):
            return [
                Region(name=info.RegionName, alias=info.Alias or "", status=info.Status or "")
                for info in answer.RegionInstanceSet or ()
            ]

    async def clusters(self) -> Sequence[Cluster]:
        """See `ClusterService.clusters`."""
        return await self._clusters(())

    async def cluster(self, cluster_id: str) -> Cluster:
        """See `ClusterService.cluster`."""
        for cluster in await self._clusters((cluster_id,)):
            if cluster.cluster_id == cluster_id:
                return cluster
        raise NotFound(f"there is no cluster {cluster_id} in {self._caller.place.region}")

    async def _clusters(self, ids: Sequence[str]) -> list[Cluster]:
        return await self._caller.every_page(
            self._caller.tke.DescribeClusters,
            lambda offset, limit: request_of(
                models.DescribeClustersRequest, ClusterIds=list(ids) or None, Offset=offset, Limit=limit
            ),
            lambda answer: answer.Clusters,
            lambda info: _cluster(info, self._caller.place),
        )

    async def machines(self, cluster_id: str) -> Sequence[Machine]:
        """See `ClusterService.machines`."""
        return await self._caller.every_page(
            self._caller.tke2022.DescribeClusterInstances,
            lambda offset, limit: request_of(
                models2022.DescribeClusterInstancesRequest, ClusterId=cluster_id, Offset=offset, Limit=limit
            ),
            lambda answer: answer.InstanceSet,
            _machine,
        )

    async def node_pools(self, cluster_id: str) -> Sequence[NodePool]:
        """See `ClusterService.node_pools`."""
        return await self._caller.every_page(
            self._caller.tke2022.DescribeNodePools,
            lambda offset, limit: request_of(
                models2022.DescribeNodePoolsRequest, ClusterId=cluster_id, Offset=offset, Limit=limit
            ),
            lambda answer: answer.NodePools,
            lambda info: _pool(info, cluster_id),
        )

    async def resize_node_pool(
        self, pool: NodePool, nodes: int, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> None:
        """See `ClusterService.resize_node_pool`."""
        if pool.kind in (NodePoolKind.SUPER, NodePoolKind.EXTERNAL):
            raise Unsupported(f"node pool {pool.pool_id} is {pool.kind}: its nodes are not counted")
        least, most = pool.nodes_min or 0, MOST_NODES if pool.nodes_max is None else pool.nodes_max
        if not least <= nodes <= most:
            raise InvalidRequest(f"node pool {pool.pool_id} may have {least} to {most} nodes, got {nodes}")
        if dry_run:
            return

        async def as_wanted() -> bool | None:
            for now in await self.node_pools(pool.cluster_id):
                if now.pool_id == pool.pool_id:
                    return True if now.nodes_wanted == nodes else None
            raise NotFound(f"there is no node pool {pool.pool_id} in {pool.cluster_id}")

        async def send() -> bool:
            if pool.kind is NodePoolKind.NATIVE:
                await self._caller.once(
                    self._caller.tke2022.ScaleNodePool,
                    request_of(
                        models2022.ScaleNodePoolRequest,
                        ClusterId=pool.cluster_id,
                        NodePoolId=pool.pool_id,
                        Replicas=nodes,
                    ),
                )
            else:
                await self._caller.once(
                    self._caller.tke.ModifyNodePoolDesiredCapacityAboutAsg,
                    request_of(
                        models.ModifyNodePoolDesiredCapacityAboutAsgRequest,
                        ClusterId=pool.cluster_id,
                        NodePoolId=pool.pool_id,
                        DesiredCapacity=nodes,
                    ),
                )
            return True

        await self._caller.calling.write(
            f"resize node pool {pool.pool_id}", send, key=idempotency_key, done=as_wanted
        )

    async def topics(self, cluster_id: str) -> ClusterTopics:
        """See `ClusterService.topics`."""
        answer = await self._caller.read(
            self._caller.tke.DescribeLogSwitches,
            request_of(models.DescribeLogSwitchesRequest, ClusterIds=[cluster_id]),
        )
        with reading("DescribeLogSwitches"):
            for switch in answer.SwitchSet or ():
                if switch.ClusterId == cluster_id:
                    return ClusterTopics(
                        cluster_id=cluster_id,
                        workload_topic_id=_topic(switch.Log),
                        event_topic_id=_topic(switch.Event),
                        audit_topic_id=_topic(switch.Audit),
                        topic_region=_region(switch),
                    )
        raise NotFound(f"there is no cluster {cluster_id} in {self._caller.place.region}")

    async def kubeconfig(self, cluster_id: str) -> str:
        """Return the kubeconfig of a cluster: a secret, to be kept in memory and shown to nobody."""
        answer = await self._caller.read(
            self._caller.tke.DescribeClusterKubeconfig,
            request_of(
                models.DescribeClusterKubeconfigRequest,
                ClusterId=cluster_id,
                IsExtranet=self._caller.public_clusters,
            ),
        )
        return str(answer.Kubeconfig or "")


def _cluster(info: Any, place: Place) -> Cluster:  # noqa: ANN401 - Cluster of the untyped SDK
    return Cluster(
        cluster_id=info.ClusterId,
        name=info.ClusterName or info.ClusterId,
        place=place,
        description=info.ClusterDescription or "",
        kubernetes_version=info.ClusterVersion or "",
        status=_STATUSES.get(info.ClusterStatus, ClusterStatus.CHANGING),
        status_detail=info.ClusterStatus or "",
        nodes=info.ClusterNodeNum or 0,
        created_at=parse_instant(info.CreatedTime),
        managed=info.ClusterType != "INDEPENDENT_CLUSTER",
        aliases=_aliases(info.TagSpecification) or aliases_in_description(info.ClusterDescription or ""),
    )


def _machine(info: Any) -> Machine:  # noqa: ANN401 - Instance of the untyped SDK
    return Machine(
        instance_id=info.InstanceId,
        pool_id=info.NodePoolId or "",
        state=info.InstanceState or "",
        failed_reason=info.FailedReason or "",
        address=info.LanIP or "",
        created_at=parse_instant(info.CreatedTime),
    )


def _pool(info: Any, cluster_id: str) -> NodePool:  # noqa: ANN401 - NodePool of the untyped SDK
    kind = _POOL_KINDS.get(info.Type, NodePoolKind.EXTERNAL)
    wanted, ready, least, most, autoscaling = 0, 0, None, None, False
    if info.Native is not None:
        scaling = info.Native.Scaling
        wanted, ready = info.Native.Replicas or 0, info.Native.ReadyReplicas or 0
        autoscaling = bool(info.Native.EnableAutoscaling)
        least, most = (scaling.MinReplicas, scaling.MaxReplicas) if scaling else (None, None)
    elif info.Regular is not None:
        counts = info.Regular.NodeCountSummary
        groups = [g for g in (counts.ManuallyAdded, counts.AutoscalingAdded) if g] if counts else []
        wanted, ready = info.Regular.DesiredNodesNum or 0, sum(group.Normal or 0 for group in groups)
        autoscaling = info.Regular.AutoscalingGroupStatus == "enabled"
        least, most = info.Regular.MinNodesNum, info.Regular.MaxNodesNum
    elif info.External is not None:
        wanted = ready = info.External.NodesNum or 0
    return NodePool(
        pool_id=info.NodePoolId,
        name=info.Name or info.NodePoolId,
        cluster_id=info.ClusterId or cluster_id,
        kind=kind,
        status=info.LifeState or "",
        nodes_wanted=wanted,
        nodes_ready=ready,
        nodes_min=least,
        nodes_max=most,
        autoscaling=autoscaling,
        instance_types=tuple((info.Native.InstanceTypes if info.Native else None) or ()),
        aliases=_aliases(info.Tags),
    )


def _aliases(groups: Any) -> tuple[str, ...]:  # noqa: ANN401 - list of TagSpecification of the untyped SDK
    tags = [tag for group in groups or () for tag in group.Tags or ()]
    return aliases_in(",".join(tag.Value or "" for tag in tags if tag.Key == ALIAS_KEY))


def _topic(switch: Any) -> str | None:  # noqa: ANN401 - SwitchInfo of the untyped SDK
    return (switch.TopicId or None) if switch is not None and switch.Enable else None


def _region(switches: Any) -> str | None:  # noqa: ANN401 - Switch of the untyped SDK
    for switch in (switches.Log, switches.Event, switches.Audit):
        if switch is not None and switch.TopicRegion:
            return str(switch.TopicRegion)
    return None
