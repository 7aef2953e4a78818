"""The front door: envelopes, routing, regions, limits, faults and validation, seen through the real SDK."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
import requests
from tencentcloud.cls.v20201016.cls_client import ClsClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.tke.v20180525.tke_client import TkeClient
from tencentcloud.tke.v20220501.tke_client import TkeClient as TkeClient2022

from mcp_tencent.local_cloud.simulation import ManualClock
from mcp_tencent.local_cloud.tencent.api_faults import ApiFaults, FaultKind, FaultRule
from mcp_tencent.local_cloud.tencent.errors import ApiError
from mcp_tencent.local_cloud.tencent.limits import RequestLimiter, RequestLimits
from mcp_tencent.local_cloud.tencent.specification import Product
from tests.mcp_tencent.local_cloud.tencent.simulated_cloud import CLUSTER, START, TOPIC, SimulatedCloud

CLS = Product("cls", "2020-10-16")


def refusal(
    cloud: SimulatedCloud, kind: type, action: str, parameters: dict[str, Any], region: str = "ap-guangzhou"
) -> str:
    with pytest.raises(TencentCloudSDKException) as refused:
        cloud.call(kind, action, parameters, region)
    code: str = refused.value.get_code()
    return code


def test_errors_are_http_200_with_exactly_application_json(cloud: SimulatedCloud):
    answer = httpx.post(f"http://{cloud.endpoint}/", json={})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    response = answer.json()["Response"]
    assert set(response) == {"Error", "RequestId"}
    assert set(response["Error"]) == {"Code", "Message"}


def test_a_wrong_secret_key_is_refused(cloud: SimulatedCloud):
    client = cloud.client(ClsClient, key="another")

    with pytest.raises(TencentCloudSDKException) as refused:
        client.call_json("DescribeLogsets", {})

    assert refused.value.get_code() == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize(("region", "code"), [("", "MissingParameter"), ("mars-north", "UnsupportedRegion")])
def test_an_absent_or_unknown_region_is_refused(cloud: SimulatedCloud, region: str, code: str):
    assert refusal(cloud, ClsClient, "DescribeLogsets", {}, region) == code


def test_resources_live_in_their_region(cloud: SimulatedCloud):
    assert cloud.call(ClsClient, "DescribeLogsets", {})["TotalCount"] == 1
    assert cloud.call(ClsClient, "DescribeLogsets", {}, "ap-shanghai")["TotalCount"] == 0
    assert refusal(cloud, TkeClient, "DescribeClusterKubeconfig", {"ClusterId": CLUSTER}, "ap-shanghai") == (
        "ResourceNotFound.ClusterNotFound"
    )


def test_both_tke_versions_are_told_apart(cloud: SimulatedCloud):
    old = cloud.call(TkeClient, "DescribeClusterInstances", {"ClusterId": CLUSTER})
    new = cloud.call(TkeClient2022, "DescribeClusterInstances", {"ClusterId": CLUSTER})

    assert "Errors" not in old
    assert new["InstanceSet"][2]["NodeType"] == "Native"


def test_an_unknown_action_and_version_are_named(cloud: SimulatedCloud):
    assert refusal(cloud, ClsClient, "MakeCoffee", {}) == "InvalidAction"

    outdated = type("Outdated", (ClsClient,), {"_apiVersion": "1999-01-01"})
    assert refusal(cloud, outdated, "DescribeLogsets", {}) == "NoSuchVersion"


def test_an_unknown_product_is_named(cloud: SimulatedCloud):
    another = type("Another", (ClsClient,), {"_service": "cvm"})
    assert refusal(cloud, another, "DescribeLogsets", {}) == "NoSuchProduct"


def test_the_sdks_get_requests_are_refused_clearly(cloud: SimulatedCloud):
    profile = cloud.profile()
    profile.httpProfile.reqMethod = "GET"
    client = cloud.client(ClsClient)
    client.profile = profile

    with pytest.raises(TencentCloudSDKException) as refused:
        client.call_json("DescribeLogsets", {})

    assert refused.value.get_code() == "UnsupportedProtocol"


def test_an_unsigned_payload_is_accepted_as_the_sdk_can_send_it(cloud: SimulatedCloud):
    client = cloud.client(ClsClient)
    client.profile.unsignedPayload = True

    assert client.call_json("DescribeLogsets", {})["Response"]["TotalCount"] == 1


@pytest.mark.parametrize(
    ("action", "parameters", "code", "named"),
    [
        ("CreateLogset", {}, "MissingParameter", "LogsetName"),
        ("CreateLogset", {"LogsetName": None}, "MissingParameter", "LogsetName"),
        ("CreateLogset", {"LogsetName": 1}, "InvalidParameter", "LogsetName"),
        ("CreateLogset", {"LogsetName": "a", "Colour": "red"}, "UnknownParameter", "Colour"),
        ("CreateLogset", {"LogsetName": "a", "Tags": [{"Key": "k"}]}, "MissingParameter", "Tags.0.Value"),
        ("CreateLogset", {"LogsetName": "a", "Tags": {}}, "InvalidParameter", "Tags"),
        ("CreateLogset", {"LogsetName": "\ud800"}, "InvalidParameterValue", "LogsetName"),
        ("DescribeLogsets", {"Limit": True}, "InvalidParameter", "Limit"),
        ("DescribeLogsets", {"Limit": 2**63}, "InvalidParameter", "Limit"),
        ("DescribeLogsets", {"Limit": 101}, "InvalidParameterValue", "Limit"),
        ("DescribeLogsets", {"Offset": -1}, "InvalidParameterValue", "Offset"),
        ("DescribeLogsets", {"Filters": [{"Name": "a", "Values": []}]}, "UnknownParameter", "Filters.0.Name"),
        ("DescribeLogsets", {"Filters": [{"Key": "a", "Values": []}]}, "InvalidFilter", "logsetName"),
        ("DescribeTopics", {"BizType": -1}, "InvalidParameter", "BizType"),
        (
            "SearchLog",
            {"From": 0, "To": 1, "TopicId": TOPIC, "SamplingRate": "1"},
            "InvalidParameter",
            "SamplingRate",
        ),
    ],
)
def test_parameters_are_checked_against_the_specification(
    cloud: SimulatedCloud, action: str, parameters: dict[str, Any], code: str, named: str
):
    with pytest.raises(TencentCloudSDKException) as refused:
        cloud.call(ClsClient, action, parameters)

    assert refused.value.get_code() == code
    assert named in refused.value.get_message()


def test_a_body_of_more_than_ten_megabytes_is_refused(cloud: SimulatedCloud):
    assert refusal(cloud, ClsClient, "CreateDashboard", {"DashboardName": "a", "Data": "x" * 11_000_000}) == (
        "RequestSizeLimitExceeded"
    )


def test_the_limit_counts_calls_of_one_second_by_account_and_action():
    limiter = RequestLimiter(RequestLimits(default_per_second=2, per_second={"SearchLog": 1}))
    limiter.admit("a", CLS, "DescribeTopics", START)
    limiter.admit("a", CLS, "DescribeTopics", START)
    limiter.admit("a", CLS, "DescribeLogsets", START)
    limiter.admit("b", CLS, "DescribeTopics", START)
    limiter.admit("a", CLS, "SearchLog", START)
    for action in ("DescribeTopics", "SearchLog"):
        with pytest.raises(ApiError) as refused:
            limiter.admit("a", CLS, action, START + timedelta(milliseconds=999))
        assert refused.value.code == "RequestLimitExceeded"
    limiter.admit("a", CLS, "DescribeTopics", START + timedelta(seconds=1))


def test_the_twenty_first_call_of_a_second_is_throttled():
    cloud = SimulatedCloud(limits=RequestLimits())
    cloud.api._wall_clock = _Steady(cloud)
    cloud.start()
    try:
        for _ in range(20):
            cloud.call(ClsClient, "DescribeLogsets", {})
        assert refusal(cloud, ClsClient, "DescribeLogsets", {}) == "RequestLimitExceeded"
        cloud.call(ClsClient, "DescribeTopics", {})
    finally:
        cloud.stop()


class _Steady:
    """The wall clock, stopped at its first reading."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self._clock = ManualClock(cloud.api._wall_clock.now())

    def now(self):
        return self._clock.now()


def test_a_throttling_burst_ends_after_its_count(cloud: SimulatedCloud):
    cloud.faults.add(FaultRule(kind=FaultKind.THROTTLE, actions="cls:Describe*", count=2))

    codes = [refusal(cloud, ClsClient, "DescribeLogsets", {}) for _ in range(2)]

    assert codes == ["RequestLimitExceeded"] * 2
    assert cloud.call(ClsClient, "DescribeLogsets", {})["TotalCount"] == 1


def test_a_fault_holds_only_in_its_time_and_for_its_actions(cloud: SimulatedCloud):
    hour = timedelta(hours=1)
    cloud.faults.add(
        FaultRule(
            kind=FaultKind.ERROR,
            actions="tke:*",
            start=START + hour,
            end=START + 2 * hour,
            code="InternalError.Db",
        )
    )
    cloud.call(TkeClient, "DescribeClusters", {})
    cloud.clock.advance(hour)

    assert refusal(cloud, TkeClient, "DescribeClusters", {}) == "InternalError.Db"
    cloud.call(ClsClient, "DescribeLogsets", {})
    cloud.clock.advance(hour)
    cloud.call(TkeClient, "DescribeClusters", {})


def test_a_delay_answers_late_but_properly(cloud: SimulatedCloud):
    cloud.faults.add(FaultRule(kind=FaultKind.DELAY, delay_seconds=30.0))

    assert cloud.call(ClsClient, "DescribeLogsets", {})["TotalCount"] == 1
    assert cloud.slept == [30.0]


def test_a_lost_connection_ends_in_the_middle_of_the_answer(cloud: SimulatedCloud):
    cloud.faults.add(FaultRule(kind=FaultKind.RESET, count=1))

    with pytest.raises(requests.exceptions.RequestException):
        cloud.call(ClsClient, "DescribeLogsets", {})

    assert cloud.call(ClsClient, "DescribeLogsets", {})["TotalCount"] == 1


def test_a_bad_gateway_is_no_json(cloud: SimulatedCloud):
    cloud.faults.add(FaultRule(kind=FaultKind.BAD_GATEWAY))

    assert refusal(cloud, ClsClient, "DescribeLogsets", {}) == "ServerNetworkError"


def test_bad_credentials_look_like_a_deleted_key(cloud: SimulatedCloud):
    cloud.faults.add(FaultRule(kind=FaultKind.BAD_CREDENTIALS))

    assert refusal(cloud, ClsClient, "DescribeLogsets", {}) == "AuthFailure.SecretIdNotFound"


def test_the_same_seed_strikes_the_same_calls():
    def struck(seed: int) -> list[bool]:
        faults = ApiFaults([FaultRule(kind=FaultKind.ERROR, probability=0.3)], seed=seed)
        return [faults.strike("cls", "SearchLog", START) is not None for _ in range(200)]

    assert struck(5) == struck(5)
    assert struck(5) != struck(6)
    assert 30 <= sum(struck(5)) <= 90


def test_request_ids_differ_from_call_to_call(cloud: SimulatedCloud):
    ids = {json.dumps(cloud.call(ClsClient, "DescribeLogsets", {})["RequestId"]) for _ in range(5)}

    assert len(ids) == 5
