"""Several accounts and regions: each call goes where it belongs."""

import pytest

from mcp_tencent import errors
from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.models.clusters import Place
from tests.mcp_tencent.cloud.scripted_server import Asked, InstantTiming, Reply, failed, ok, scripted

GUANGZHOU, SHANGHAI = (
    Place(account="prod", region="ap-guangzhou"),
    Place(account="prod", region="ap-shanghai"),
)
TEST = Place(account="test", region="ap-guangzhou")


def account(name: str, url: str, *regions: str) -> Account:
    return Account(name=name, secret_id=f"AKID{name}", secret_key=name, regions=regions, endpoint=url)


def clouds_at(url: str) -> TencentClouds:
    accounts = [account("prod", url, "ap-guangzhou", "ap-shanghai"), account("test", url, "ap-guangzhou")]
    return TencentClouds(accounts, Calling(timing=InstantTiming()))


def one_cluster_each(asked: Asked) -> Reply:
    owner = "test" if "Credential=AKIDtest/" in asked.headers["authorization"] else "prod"
    name = f"{owner}-{asked.headers['x-tc-region']}"
    return ok(
        Clusters=[{"ClusterId": f"cls-{name}", "ClusterName": name, "ClusterStatus": "Running"}], TotalCount=1
    )


async def test_places_are_listed_the_default_one_first():
    async with clouds_at("http://127.0.0.1:1") as clouds:
        assert clouds.places == (GUANGZHOU, SHANGHAI, TEST)


async def test_clusters_of_all_places_are_found_each_with_its_place():
    async with scripted(one_cluster_each) as server, clouds_at(server.url) as clouds:
        inventory = await clouds.inventory()
    assert {cluster.cluster_id: cluster.place for cluster in inventory.clusters} == {
        "cls-prod-ap-guangzhou": GUANGZHOU,
        "cls-prod-ap-shanghai": SHANGHAI,
        "cls-test-ap-guangzhou": TEST,
    }
    assert inventory.unreached == ()


async def test_a_place_that_does_not_answer_is_named_and_hides_no_other():
    def script(asked: Asked) -> Reply:
        if asked.headers["x-tc-region"] == "ap-shanghai":
            return failed("UnauthorizedOperation.CamNoAuth")
        return one_cluster_each(asked)

    async with scripted(script) as server, clouds_at(server.url) as clouds:
        inventory = await clouds.inventory()
    assert len(inventory.clusters) == 2
    (unreached,) = inventory.unreached
    assert (unreached.place, unreached.spoken) == (SHANGHAI, "云账号没有这项权限")


async def test_when_no_place_answers_the_error_is_raised():
    async with (
        scripted(lambda _: failed("AuthFailure.SignatureExpire")) as server,
        clouds_at(server.url) as clouds,
    ):
        with pytest.raises(errors.SignatureExpired):
            await clouds.inventory()


async def test_adapters_of_a_place_are_made_once():
    async with clouds_at("http://127.0.0.1:1") as clouds:
        assert clouds.logs(TEST) is clouds.logs(TEST)
        assert clouds.logs(TEST) is not clouds.logs(GUANGZHOU)
        assert clouds.metrics(TEST) is clouds.metrics(TEST)
        assert clouds.workloads(TEST, "cls-1") is clouds.workloads(TEST, "cls-1")
        assert clouds.workloads(TEST, "cls-1") is not clouds.workloads(GUANGZHOU, "cls-1")


async def test_a_place_that_is_not_configured_is_not_found():
    async with clouds_at("http://127.0.0.1:1") as clouds:
        with pytest.raises(errors.NotFound, match="eu-frankfurt"):
            clouds.logs(Place(account="prod", region="eu-frankfurt"))


@pytest.mark.parametrize("accounts", [[], [account("a", "")], [account("a", "", "r"), account("a", "", "s")]])
def test_accounts_that_make_no_sense_are_refused(accounts):
    with pytest.raises(errors.InvalidRequest):
        TencentClouds(accounts, Calling())
