"""Contract of `ClusterService`, through the real SDK against the imitated TKE."""

from datetime import timedelta

import pytest

from mcp_tencent import errors
from mcp_tencent.local_cloud.tencent.api_faults import FaultKind, FaultRule
from mcp_tencent.models.clusters import ClusterStatus, NodePoolKind
from mcp_tencent.ports import ClusterService
from tests.mcp_tencent.cloud.tencentcloud.conftest import Services
from tests.mcp_tencent.local_cloud.tencent.simulated_cloud import (
    CLUSTER,
    REGION,
    START,
    TOPIC,
    SimulatedCloud,
)


@pytest.fixture
def clusters(services: Services, cloud: SimulatedCloud) -> ClusterService:
    cloud.clock.advance(timedelta(hours=1))
    return services.clusters


async def test_clusters_are_listed_with_their_place(clusters):
    (cluster,) = await clusters.clusters()
    assert (cluster.cluster_id, cluster.name, cluster.status) == (CLUSTER, "shop", ClusterStatus.RUNNING)
    assert (cluster.place.account, cluster.place.region) == ("prod", REGION)
    assert cluster.created_at == START
    assert await clusters.cluster(CLUSTER) == cluster


async def test_an_unknown_cluster_is_not_found_by_any_question(clusters):
    for question in (
        clusters.cluster,
        clusters.topics,
        clusters.node_pools,
        clusters.machines,
        clusters.kubeconfig,
    ):
        with pytest.raises(errors.NotFound):
            await question("cls-00000000")


async def test_regions_are_listed(clusters):
    assert REGION in {region.name for region in await clusters.regions()}


async def test_machines_know_their_pool(clusters):
    machines = await clusters.machines(CLUSTER)
    assert {machine.pool_id for machine in machines} == {"np-regular1", "np-native01", "np-super001"}
    assert {machine.state for machine in machines} == {"running"}


async def test_node_pools_of_every_kind_are_listed(clusters):
    pools = {pool.pool_id: pool for pool in await clusters.node_pools(CLUSTER)}
    assert {pool.kind for pool in pools.values()} == {
        NodePoolKind.NATIVE,
        NodePoolKind.REGULAR,
        NodePoolKind.SUPER,
    }
    assert (pools["np-native01"].nodes_wanted, pools["np-native01"].nodes_ready) == (2, 2)
    assert (pools["np-regular1"].nodes_wanted, pools["np-regular1"].nodes_ready) == (2, 2)


@pytest.mark.parametrize("pool_id", ["np-regular1", "np-native01"])
@pytest.mark.parametrize("key", [None, "k-1"])
async def test_a_node_pool_is_resized(clusters, pool_id, key):
    (pool,) = [found for found in await clusters.node_pools(CLUSTER) if found.pool_id == pool_id]
    await clusters.resize_node_pool(pool, 3, idempotency_key=key)
    (pool,) = [found for found in await clusters.node_pools(CLUSTER) if found.pool_id == pool_id]
    assert pool.nodes_wanted == 3


async def test_a_node_pool_is_not_resized_beyond_its_bounds_or_below_zero(clusters):
    pools = {pool.kind: pool for pool in await clusters.node_pools(CLUSTER)}
    for nodes in (-1, 5001):
        with pytest.raises(errors.InvalidRequest):
            await clusters.resize_node_pool(pools[NodePoolKind.REGULAR], nodes)
    with pytest.raises(errors.Unsupported):
        await clusters.resize_node_pool(pools[NodePoolKind.SUPER], 2)


async def test_a_resize_with_a_key_under_faults_is_done(clusters, cloud):
    cloud.faults.add(FaultRule(kind=FaultKind.RESET, actions="tke:ScaleNodePool", count=2))
    pools = {pool.kind: pool for pool in await clusters.node_pools(CLUSTER)}
    await clusters.resize_node_pool(pools[NodePoolKind.NATIVE], 3, idempotency_key="k-1")
    pools = {pool.kind: pool for pool in await clusters.node_pools(CLUSTER)}
    assert pools[NodePoolKind.NATIVE].nodes_wanted == 3


async def test_a_cluster_knows_its_topics(clusters):
    topics = await clusters.topics(CLUSTER)
    assert (topics.workload_topic_id, topics.topic_region) == (TOPIC, REGION)
    assert topics.event_topic_id is None


async def test_the_kubeconfig_comes_whole(clusters):
    assert "local-token" in await clusters.kubeconfig(CLUSTER)
