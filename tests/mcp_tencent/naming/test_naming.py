"""Names against three clusters of a live imitated cloud."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.errors import Ambiguous, CloudError, NotFound
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ManualClock
from mcp_tencent.models.workloads import ConfigKind
from mcp_tencent.naming.aliases import Aliases
from mcp_tencent.naming.inventory import Inventory
from mcp_tencent.naming.naming import Naming
from tests.mcp_tencent.basic.office import MORNING, standing

PRODUCTION, STAGING, RECOVERY = "cls-gzprod01", "cls-shpre001", "cls-bjdr0001"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with standing("yesterday") as opened:
        yield opened


@contextlib.asynccontextmanager
async def clouds_of(
    cloud: LocalCloud, regions: tuple[str, ...] = ("ap-guangzhou", "ap-shanghai", "ap-beijing")
) -> AsyncIterator[TencentClouds]:
    key = cloud.credentials
    account = Account(
        name="main", secret_id=key.secret_id, secret_key=key.secret_key, regions=regions, endpoint=cloud.url
    )
    async with TencentClouds([account], Calling()) as clouds:
        yield clouds


@pytest.fixture
async def clouds(cloud: LocalCloud) -> AsyncIterator[TencentClouds]:
    async with clouds_of(cloud) as opened:
        yield opened


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest.fixture
def naming(clouds: TencentClouds, clock: ManualClock) -> Naming:
    return Naming(clouds, Inventory(clouds, clock), default_cluster="生产")


@pytest.fixture
def homeless(clouds: TencentClouds, clock: ManualClock) -> Naming:
    """Without a default cluster."""
    return Naming(clouds, Inventory(clouds, clock))


@pytest.mark.parametrize("said", [PRODUCTION, "生产集群", "生产", "广州", "广州集群", None])
async def test_a_cluster_by_id_name_alias_and_by_default(naming: Naming, said: str | None) -> None:
    assert (await naming.cluster(said, certain=True)).cluster_id == PRODUCTION


async def test_without_a_default_several_clusters_are_asked_about(homeless: Naming) -> None:
    with pytest.raises(Ambiguous) as caught:
        await homeless.cluster(None)
    for candidate in caught.value.candidates:
        await homeless.cluster(candidate, certain=True)
    assert len(await homeless.clusters()) == 3


async def test_the_default_cluster_comes_first_and_others_are_found_by_what_only_they_have(
    naming: Naming,
) -> None:
    assert (await naming.workload("order-service", certain=True)).cluster.cluster_id == PRODUCTION
    assert (await naming.workload("预发订单服务", certain=True)).cluster.cluster_id == STAGING
    assert (await naming.workload("从库", certain=True)).cluster.cluster_id == RECOVERY
    there = await naming.workload("order-service", cluster="灾备", certain=True)
    assert (there.cluster.cluster_id, there.alias) == (RECOVERY, "灾备订单服务")


async def test_one_name_in_three_clusters_is_asked_about_and_the_candidates_resolve(homeless: Naming) -> None:
    with pytest.raises(Ambiguous) as caught:
        await homeless.workload("order-service", certain=True)
    found = [await homeless.workload(one, certain=True) for one in caught.value.candidates]
    assert {one.cluster.cluster_id for one in found} == {PRODUCTION, STAGING, RECOVERY}


async def test_a_namespace_narrows_by_name_and_alias(naming: Naming) -> None:
    assert (await naming.workload("风控", namespace="支付", certain=True)).workload.ref.namespace == "pay"
    with pytest.raises((Ambiguous, NotFound)):
        await naming.workload("风控", namespace="交易", certain=True)
    with pytest.raises(NotFound):
        await naming.workload("风控", namespace="火星基地", certain=True)


async def test_a_sound_alike_is_said_to_be_one_and_refused_for_an_act(naming: Naming) -> None:
    found = await naming.workload("风空服务")
    assert found.workload.ref.name == "risk-service"
    assert found.preface == "按“风控服务”查的："
    with pytest.raises(Ambiguous) as caught:
        await naming.workload("风空服务", certain=True)
    assert "风控服务" in caught.value.candidates


async def test_topics_alarms_pools_and_logsets_are_found_by_name_and_sound(naming: Naming) -> None:
    assert (await naming.topic("生产支付日志", certain=True)).place.region == "ap-guangzhou"
    assert (await naming.topic("灾备日至")).topic.name == "灾备日志"
    assert (await naming.logset("预发日志集", certain=True)).place.region == "ap-shanghai"
    assert (await naming.alarm("订单服务错误律过高")).alarm.name == "订单服务错误率过高"
    assert (await naming.node_pool("np-bjmain01", certain=True)).cluster.cluster_id == RECOVERY
    assert (await naming.node_pool("生产通用", certain=True)).pool.pool_id == "np-gzmain01"
    assert len(await naming.topics()) == 6


async def test_a_configuration_is_found_where_it_is(naming: Naming) -> None:
    found = await naming.config("risk-rules", ConfigKind.CONFIG_MAP, certain=True)
    assert (found.namespace, found.cluster.cluster_id) == ("pay", PRODUCTION)
    with pytest.raises((Ambiguous, NotFound)):
        await naming.config("risk-rules", ConfigKind.SECRET, certain=True)


async def test_a_pod_by_its_name_and_for_a_look_by_its_end(naming: Naming, clouds: TencentClouds) -> None:
    cluster = await naming.cluster(None)
    pods = await clouds.workloads(cluster.place, cluster.cluster_id).pods(namespace="trade")
    name = pods[0].name
    assert (await naming.pod(name, certain=True)).pod.name == name
    assert (await naming.pod(f"trade/{name}", certain=True)).pod.name == name
    ending = await naming.pod(name[-10:])
    assert (ending.pod.name, ending.by_sound) == (name, True)
    with pytest.raises(NotFound):
        await naming.pod(name[-10:], certain=True)


async def test_aliases_of_the_house_count_like_those_of_the_things(
    clouds: TencentClouds, clock: ManualClock
) -> None:
    aliases = Aliases(
        workloads={"trade/stock-service": ("仓库",)},
        topics={"生产交易日志": ("主日志",)},
        node_pools={"np-gzmain01": ("大池子",)},
        clusters={RECOVERY: ("备份",)},
    )
    naming = Naming(clouds, Inventory(clouds, clock, aliases), default_cluster=PRODUCTION)
    assert (await naming.workload("仓库", certain=True)).workload.ref.name == "stock-service"
    assert (await naming.topic("主日志", certain=True)).topic.name == "生产交易日志"
    assert (await naming.node_pool("大池子", certain=True)).pool.pool_id == "np-gzmain01"
    assert (await naming.cluster("备份", certain=True)).cluster_id == RECOVERY


async def test_what_was_made_a_moment_ago_is_found_and_known_things_are_not_asked_for_again(
    cloud: LocalCloud, clouds: TencentClouds, clock: ManualClock
) -> None:
    naming = Naming(clouds, Inventory(clouds, clock), default_cluster=PRODUCTION)
    await naming.workload("order-service")
    template = cloud.world.clusters[PRODUCTION].kubernetes.get("Deployment", "trade", "cart-service")
    assert template is not None
    fresh = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "gift-service",
            "namespace": "trade",
            "annotations": {"xiaozhi/alias": "礼物服务"},
        },
        "spec": {**template["spec"], "replicas": 0},
    }
    cloud.world.apply(PRODUCTION, fresh)
    clock.advance(timedelta(seconds=3))
    assert (await naming.workload("礼物服务", certain=True)).workload.ref.name == "gift-service"
    cloud.world.delete(PRODUCTION, "Deployment", "trade", "gift-service")
    assert (await naming.workload("礼物服务", certain=True)).workload.ref.name == "gift-service"
    clock.advance(timedelta(seconds=31))
    with pytest.raises((Ambiguous, NotFound)):
        await naming.workload("礼物服务", certain=True)


async def test_a_silent_region_does_not_hide_the_others_and_is_named_when_it_matters(
    cloud: LocalCloud,
) -> None:
    key = cloud.credentials
    here = Account(
        name="main",
        secret_id=key.secret_id,
        secret_key=key.secret_key,
        regions=("ap-guangzhou",),
        endpoint=cloud.url,
    )
    wrong = Account(
        name="other",
        secret_id=key.secret_id,
        secret_key="not-the-key-of-anybody",
        regions=("ap-shanghai",),
        endpoint=cloud.url,
    )
    async with TencentClouds([here, wrong], Calling()) as clouds:
        naming = Naming(clouds, Inventory(clouds, ManualClock(MORNING)), default_cluster="生产")
        assert (await naming.topic("生产交易日志", certain=True)).topic.name == "生产交易日志"
        assert (await naming.workload("订单服务", certain=True)).cluster.cluster_id == PRODUCTION
        with pytest.raises(CloudError) as caught:
            await naming.topic("预发日志", certain=True)
        assert not isinstance(caught.value, NotFound | Ambiguous)
