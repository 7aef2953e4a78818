"""Whatever is sent, signed or not, is answered with an envelope: never a 500, never silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_tencent.local_cloud.tencent.signature import Authorization, HttpRequest, sign
from mcp_tencent.local_cloud.tencent.specification import Field, FieldType, Product, load_specification
from tests.mcp_tencent.local_cloud.tencent.simulated_cloud import (
    CLUSTER,
    LOGSET,
    REGION,
    SECRET_ID,
    SECRET_KEY,
    TOPIC,
    SimulatedCloud,
)

SPECIFICATION = load_specification()
ACTIONS = [(product, action) for product, content in SPECIFICATION.items() for action in content.actions]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
words = st.sampled_from(
    [TOPIC, LOGSET, CLUSTER, "np-regular1", REGION, "monitor", "QCE/TKE2", "*", "level:ERROR", "{}", ""]
)
numbers = st.sampled_from([-1, 0, 1, 2, 100, 1_763_596_800_000, 2**31, 2**53, 2**63 - 1, -(2**63)])
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "int64": numbers,
    "uint64": numbers.filter(lambda number: number >= 0),
    "float": numbers | st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "string": words | st.text(max_size=30),
    "datetime_iso": st.sampled_from(
        ["2026-11-20T08:00:00+08:00", "2026-11-20", "9999-12-31T23:59:59Z", "0001-01-01"]
    ),
}


@pytest.fixture(scope="module")
def served() -> Iterator[SimulatedCloud]:
    cloud = SimulatedCloud()
    cloud.start()
    yield cloud
    cloud.stop()


@pytest.fixture(scope="module")
def http(served: SimulatedCloud) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{served.endpoint}", timeout=20) as client:
        yield client


def signed_headers(
    cloud: SimulatedCloud, product: Product, action: str, body: bytes, kind: str
) -> dict[str, str]:
    now = datetime.now(UTC)
    timestamp = str(int(now.timestamp()))
    claim = Authorization(
        secret_id=SECRET_ID,
        date=now.strftime("%Y-%m-%d"),
        service=product.service,
        signed_headers=("content-type", "host"),
        signature="0" * 64,
    )
    covered = {"content-type": kind, "host": cloud.endpoint}
    request = HttpRequest(method="POST", path="/", query="", headers=covered, body=body)
    signature = sign(SECRET_KEY, request, claim, timestamp)
    return {
        **covered,
        "authorization": f"TC3-HMAC-SHA256 Credential={SECRET_ID}/{claim.scope}, "
        f"SignedHeaders=content-type;host, Signature={signature}",
        "x-tc-action": action,
        "x-tc-version": product.version,
        "x-tc-region": REGION,
        "x-tc-timestamp": timestamp,
    }


def post(
    cloud: SimulatedCloud,
    http: httpx.Client,
    product: Product,
    action: str,
    body: bytes,
    extra: dict[str, str] | None = None,
) -> dict[str, Any]:
    kind = "application/octet-stream" if action == "UploadLog" else "application/json"
    headers = signed_headers(cloud, product, action, body, kind)
    answer = http.post("/", content=body, headers={**headers, **(extra or {})})
    return envelope(answer)


def envelope(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200
    if answer.headers["content-type"] == "text/event-stream":
        return {}
    assert answer.headers["content-type"] == "application/json"
    response: dict[str, Any] = answer.json()["Response"]
    assert response["RequestId"]
    return response


def value_of(kind: FieldType, product: Product, depth: int) -> st.SearchStrategy[Any]:
    types = SPECIFICATION[product].types
    if kind.name in types:
        single = st.just({}) if depth > 2 else object_of(types[kind.name], product, depth + 1)
    else:
        single = SCALARS[kind.name]
    return st.lists(single, max_size=3) if kind.is_list else single


def object_of(fields: Any, product: Product, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    def strategy(field: Field) -> st.SearchStrategy[Any]:
        return value_of(field.type, product, depth)

    required = {name: strategy(field) for name, field in fields.items() if field.required}
    optional = {name: strategy(field) for name, field in fields.items() if not field.required}
    return st.fixed_dictionaries(required, optional=optional)


@pytest.mark.parametrize(
    ("product", "action"), ACTIONS, ids=[f"{p.service}-{p.version}-{a}" for p, a in ACTIONS]
)
def test_well_typed_nonsense_is_answered_by_every_action(served, http, product, action):
    fields = SPECIFICATION[product].actions[action].request

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(object_of(fields, product))
    def answered(parameters: dict[str, Any]) -> None:
        post(served, http, product, action, json.dumps(parameters).encode())

    answered()
    assert served.failures == []


@pytest.mark.parametrize(
    ("product", "action"), ACTIONS, ids=[f"{p.service}-{p.version}-{a}" for p, a in ACTIONS]
)
def test_a_wrong_type_in_any_parameter_of_any_action_is_refused(served, http, product, action):
    wrong = {"int64": "1", "uint64": -1, "float": "1", "bool": 1, "string": 1, "datetime_iso": 1}
    for name, field in SPECIFICATION[product].actions[action].request.items():
        if action == "UploadLog":
            continue
        value = {} if field.type.is_list else wrong.get(field.type.name, "object")
        response = post(served, http, product, action, json.dumps({name: value}).encode())
        assert response["Error"]["Code"] in {"InvalidParameter", "MissingParameter"}, name


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(target=st.sampled_from(ACTIONS), value=json_values)
def test_any_json_is_answered(served, http, target, value):
    post(served, http, target[0], target[1], json.dumps(value).encode())
    assert served.failures == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(target=st.sampled_from(ACTIONS), body=st.binary(max_size=200))
def test_any_bytes_are_answered(served, http, target, body):
    response = post(served, http, target[0], target[1], body, {"x-cls-topicid": TOPIC})
    assert "Error" in response
    assert served.failures == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "authorization",
                "x-tc-action",
                "x-tc-version",
                "x-tc-timestamp",
                "x-tc-region",
                "content-type",
                "x-tc-token",
            ]
        ),
        st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=80),
    )
)
def test_any_headers_are_answered_with_an_error(served, http, headers):
    product = Product("cls", "2020-10-16")
    good = signed_headers(served, product, "DescribeLogsets", b"{}", "application/json")
    answer = envelope(http.post("/", content=b"{}", headers={**good, **headers}))
    assert "Error" in answer or not headers.keys() & {"authorization", "content-type"}
    assert served.failures == []


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"a":' * 50_000, b'{"a": NaN}', b'{"a": 1e999}', b"1" * 10_000, b"", b"\xff"]
)
def test_deep_and_strange_json_is_refused(served, http, body):
    response = post(served, http, Product("cls", "2020-10-16"), "CreateLogset", body)

    assert response["Error"]["Code"] in {"InvalidParameter", "UnknownParameter"}


def test_a_deeply_nested_notice_is_refused(served, http):
    notice: dict[str, Any] = {"NoticeReceivers": [], "WebCallbacks": []}
    for _ in range(200):
        notice = {"NoticeReceivers": [], "WebCallbacks": [], "EscalateNotice": notice}
    body = {"Name": "deep", "NoticeRules": [{"EscalateNotice": notice}]}

    response = post(
        served, http, Product("cls", "2020-10-16"), "CreateAlarmNotice", json.dumps(body).encode()
    )

    assert response["Error"]["Code"] == "InvalidParameter"


def test_ten_megabytes_are_answered_in_time(served, http):
    body = json.dumps({"LogsetName": "x" * 10_400_000}).encode()

    response = post(served, http, Product("cls", "2020-10-16"), "CreateLogset", body)

    assert response["Error"]["Code"] == "InvalidParameter"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(http, method):
    assert envelope(http.request(method, "/"))["Error"]["Code"] == "UnsupportedProtocol"
