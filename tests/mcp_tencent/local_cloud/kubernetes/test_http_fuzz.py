"""Whatever is thrown at the API, it answers: never a 500, never a hang."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mcp_tencent.local_cloud.kubernetes.laboratory import ADMIN, Laboratory, Served, deployment, serve


@pytest.fixture(scope="module")
def api():
    lab = Laboratory()
    lab.cluster.apply(deployment())
    lab.run(30)
    with (
        serve(lab) as running,
        httpx.Client(timeout=5, headers={"authorization": f"Bearer {ADMIN}"}) as client,
    ):
        yield running, client


segments = st.sampled_from(
    [
        "api",
        "apis",
        "v1",
        "v2",
        "apps",
        "policy",
        "autoscaling",
        "metrics.k8s.io",
        "v1beta1",
        "namespaces",
        "shop",
        "pods",
        "deployments",
        "web",
        "scale",
        "status",
        "log",
        "eviction",
        "events",
        "openapi",
        "v3",
        "nodes",
        "..",
        "%00",
        "名",
        "horizontalpodautoscalers",
        "configmaps",
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "",
        "healthz",
    ]
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "metadata",
                    "spec",
                    "name",
                    "labels",
                    "template",
                    "containers",
                    "replicas",
                    "selector",
                    "kind",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
queries = st.dictionaries(
    st.sampled_from(
        [
            "labelSelector",
            "fieldSelector",
            "limit",
            "continue",
            "dryRun",
            "timeoutSeconds",
            "resourceVersion",
            "tailLines",
            "sinceSeconds",
            "sinceTime",
            "follow",
            "fieldManager",
            "force",
            "propagationPolicy",
            "previous",
            "container",
        ]
    ),
    st.sampled_from(
        ["", "1", "-1", "true", "a=b", "a in (", "metadata.name=web", "99999999999999999999", "☃", "(((("]
    ),
    max_size=3,
)
content_types = st.sampled_from(
    [
        "application/json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "text/html",
        "application/json-patch+json",
        "application/apply-patch+yaml",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
    ]
)
bodies = (
    json_values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60).map(lambda raw: b"k8s\x00" + raw)
    | st.binary(max_size=40)
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
    path=st.lists(segments, max_size=7),
    query=queries,
    content_type=content_types,
    body=bodies,
)
def test_any_request_is_answered(api, method, path, query, content_type, body):
    served, client = api
    query.setdefault("timeoutSeconds", "1")
    query.pop("follow", None)
    answer = client.request(
        method,
        f"{served.url}/{'/'.join(path)}",
        params=query,
        content=body,
        headers={"content-type": content_type},
    )
    assert answer.status_code < 500


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        [
            "apps/v1/namespaces/shop/deployments",
            "autoscaling/v1/namespaces/shop/horizontalpodautoscalers",
            "autoscaling/v2/namespaces/shop/horizontalpodautoscalers",
            "policy/v1/namespaces/shop/poddisruptionbudgets",
            "apps/v1/namespaces/shop/statefulsets",
            "apps/v1/namespaces/shop/daemonsets",
            "networking.k8s.io/v1/namespaces/shop/networkpolicies",
        ]
    ),
    spec=json_values,
    metadata=json_values,
    dry=st.booleans(),
)
def test_any_spec_is_stored_or_refused_and_the_cluster_lives_on(api, path, spec, metadata, dry):
    served, client = api
    body = {"metadata": {"name": "fuzz", **(metadata if isinstance(metadata, dict) else {})}, "spec": spec}
    query = {"dryRun": "All"} if dry else {}
    answer = client.post(f"{served.url}/apis/{path}", params=query, json=body)
    assert answer.status_code < 500
    served.advance(30)
    assert client.get(f"{served.url}/api/v1/pods").status_code == 200


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    patch=json_values,
    kind=st.sampled_from(["merge-patch", "strategic-merge-patch", "json-patch"]),
    sub=st.sampled_from(["", "/scale", "/status"]),
)
def test_any_patch_is_applied_or_refused_and_the_cluster_lives_on(api, patch, kind, sub):
    served, client = api
    served.laboratory.cluster.apply(deployment())
    answer = client.patch(
        f"{served.url}/apis/apps/v1/namespaces/shop/deployments/web{sub}",
        content=json.dumps(patch),
        headers={"content-type": f"application/{kind}+json"},
    )
    assert answer.status_code < 500
    served.advance(30)
    assert client.get(f"{served.url}/apis/apps/v1/deployments").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"metadata":' * 5_000, 400),
        (b"[" * 100_000, 400),
        (b'{"metadata":{"name":"\\ud800"}}', 422),
        (b'{"metadata":{"name":"x"},"data":{"a":NaN}}', 400),
        (b'{"metadata":{"name":"x"},"data":{"a":1}}', 400),
        (b"x" * (4 * 2**20), 413),
    ],
    ids=["cut", "list", "deep", "deeper", "surrogate", "nan", "number", "huge"],
)
def test_a_malformed_body_is_refused_with_a_reason(
    api: tuple[Served, httpx.Client], body: bytes, status: int
):
    served, client = api
    answer = client.post(
        f"{served.url}/api/v1/namespaces/shop/configmaps",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == status
    assert answer.json()["kind"] == "Status"
    assert answer.json()["message"]


def test_wrong_types_are_answered_with_the_real_codes(api: tuple[Served, httpx.Client]):
    served, client = api
    web = f"{served.url}/apis/apps/v1/namespaces/shop/deployments/web"
    assert client.patch(web, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.post(web, json={}).status_code == 405
    assert client.get(f"{served.url}/apis/apps/v9/deployments").status_code == 404
    assert client.get(web, headers={"accept": "application/vnd.kubernetes.protobuf"}).status_code == 406
    assert client.get(web, headers={"authorization": ""}).status_code == 401
    aliases = b"a: &a [1]\nb: *a\nkind: ConfigMap\napiVersion: v1"
    yaml_type = {"content-type": "application/apply-patch+yaml"}
    conf = f"{served.url}/api/v1/namespaces/shop/configmaps/c?fieldManager=t"
    assert client.patch(conf, content=aliases, headers=yaml_type).status_code == 400
