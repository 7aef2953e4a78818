"""Reading manifests: pure."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.basic.desk import Bounds
from mcp_tencent.basic.errors import ManifestRefused, OverLimit, ProtectedNamespace
from mcp_tencent.basic.manifests import read_manifest
from mcp_tencent.errors import CloudError

BOUNDS = Bounds()
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}}


def pod_template(**spec: object) -> dict[str, object]:
    return {"template": {"spec": {"containers": [{"name": "a", "image": "b"}], **spec}}}


def manifest_of(kind: str, spec: dict[str, object], version: str = "apps/v1") -> str:
    return yaml.safe_dump({**CONFIG, "apiVersion": version, "kind": kind, "spec": spec})


def test_yaml_and_json_mean_the_same() -> None:
    one, other = read_manifest(yaml.safe_dump(CONFIG), BOUNDS), read_manifest(json.dumps(CONFIG), BOUNDS)
    assert one == other
    assert (one.kind, one.namespace, one.name) == ("ConfigMap", "shop", "c")
    assert json.loads(one.content_json) == CONFIG


def test_dates_stay_text_as_kubernetes_reads_them() -> None:
    text = yaml.safe_dump(CONFIG) + "data: {since: 2026-11-20}\n"
    assert json.loads(read_manifest(text, BOUNDS).content_json)["data"] == {"since": "2026-11-20"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "alias"),
        ("[" * 5000, "nested"),
        ("{a: " * 60 + "1" + "}" * 60, "nested"),
        ("- " * 200 + "x", "nested"),
        ("x: " + "y" * 70_000, "bytes"),
        ("\n".join(f"k{number}: v" for number in range(5_100)), "parts"),
        ("kind: ConfigMap\nkind: Secret", "twice"),
        ("1: a\nkind: ConfigMap", "no text"),
        ("? [a]\n: b", "no text"),
        ("!!python/object/apply:os.system ['true']", "YAML"),
        ("kind: !!binary aGk=\napiVersion: v1", "kind"),
        ("a: b\n---\nc: d", "several"),
        ("just words", "object"),
        ("\x00", "YAML"),
        ("kind: [ConfigMap]\napiVersion: v1", "kind"),
        ("kind: ConfigMap", "apiVersion"),
        ("kind: ConfigMap\napiVersion: v1", "metadata"),
        ("kind: ConfigMap\napiVersion: v1\nmetadata: {name: ''}", "name"),
        ("kind: ConfigMap\napiVersion: v1\nmetadata: {name: x, namespace: [a]}", "namespace"),
        ("kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\ndata: {a: .nan}", "JSON"),
        ("\ud800", "YAML"),
    ],
)
def test_what_is_no_single_plain_object_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ManifestRefused) as caught:
        read_manifest(text, BOUNDS)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "kind",
    [
        "Secret",
        "Pod",
        "Role",
        "ClusterRoleBinding",
        "ServiceAccount",
        "CustomResourceDefinition",
        "MutatingWebhookConfiguration",
        "Namespace",
        "ResourceQuota",
        "Anything",
    ],
)
def test_kinds_that_grant_rights_or_concern_everybody_are_refused(kind: str) -> None:
    with pytest.raises(ManifestRefused) as caught:
        read_manifest(json.dumps({**CONFIG, "kind": kind}), BOUNDS)
    assert f"kind {kind} " in str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        pod_template(hostNetwork=True),
        pod_template(hostPID=True),
        pod_template(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
        pod_template(containers=[{"name": "a", "securityContext": {"privileged": True}}]),
        pod_template(initContainers=[{"name": "a", "securityContext": {"privileged": True}}]),
    ],
)
@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_pods_that_get_hold_of_their_node_are_refused_however_deep(
    kind: str, spec: dict[str, object]
) -> None:
    wanted: dict[str, object] = {"jobTemplate": {"spec": spec}} if kind == "CronJob" else spec
    with pytest.raises(ManifestRefused):
        read_manifest(manifest_of(kind, wanted), BOUNDS)


def test_an_ordinary_deployment_is_read() -> None:
    manifest = read_manifest(manifest_of("Deployment", {"replicas": 3, **pod_template()}), BOUNDS)
    assert manifest.rolled_out


def test_too_many_replicas_and_system_namespaces_are_refused() -> None:
    with pytest.raises(OverLimit):
        read_manifest(manifest_of("Deployment", {"replicas": 101, **pod_template()}), BOUNDS)
    with pytest.raises(OverLimit):
        read_manifest(manifest_of("HorizontalPodAutoscaler", {"maxReplicas": 101}, "autoscaling/v2"), BOUNDS)
    with pytest.raises(ProtectedNamespace):
        read_manifest(json.dumps({**CONFIG, "metadata": {"name": "c", "namespace": "kube-system"}}), BOUNDS)


@given(st.text(max_size=400))
def test_any_text_ends_in_a_manifest_or_a_refusal(text: str) -> None:
    try:
        read_manifest(text, BOUNDS)
    except CloudError as error:
        assert error.spoken  # noqa: PT017 - either way is an answer


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["spec", "metadata", "data", "kind"]), JSON))
def test_any_object_ends_in_a_manifest_or_a_refusal(extra: dict[str, object]) -> None:
    try:
        read_manifest(json.dumps({**CONFIG, **extra}), BOUNDS)
    except CloudError as error:
        assert error.spoken  # noqa: PT017 - either way is an answer
