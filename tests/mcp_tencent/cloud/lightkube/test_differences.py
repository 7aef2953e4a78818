"""What differs between two states of an object, as a person wants to see it."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.cloud.lightkube.differences import (
    IDEMPOTENCY_KEY,
    MASKED,
    canonical,
    differences,
    restorable,
)
from mcp_tencent.models.changes import FieldChange

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "order-service",
        "namespace": "shop",
        "uid": "u",
        "resourceVersion": "7",
        "generation": 3,
        "managedFields": [{"manager": "kubectl"}],
        "annotations": {"deployment.kubernetes.io/revision": "4", "team": "a"},
    },
    "spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "app", "image": "order:4"}]}}},
    "status": {"readyReplicas": 3},
}


def changed(**spec: object) -> dict[str, Any]:
    item = copy.deepcopy(DEPLOYMENT)
    item["spec"] |= spec
    return item


def test_a_changed_number_is_named_by_its_path():
    assert differences(DEPLOYMENT, changed(replicas=5)) == (
        FieldChange(path="spec.replicas", before="3", after="5"),
    )


def test_a_container_is_named_by_its_name():
    template = {"spec": {"containers": [{"name": "app", "image": "order:5"}]}}
    (change,) = differences(DEPLOYMENT, changed(template=template))
    assert (change.path, change.before, change.after) == (
        "spec.template.spec.containers[app].image",
        '"order:4"',
        '"order:5"',
    )


def test_bookkeeping_of_the_cluster_and_of_ours_is_no_difference():
    other = copy.deepcopy(DEPLOYMENT)
    other["metadata"] |= {"resourceVersion": "9", "generation": 4, "uid": "v", "managedFields": []}
    other["metadata"]["annotations"] |= {"deployment.kubernetes.io/revision": "5", IDEMPOTENCY_KEY: "k"}
    other["status"] = {"readyReplicas": 0}
    assert differences(DEPLOYMENT, other) == ()
    assert canonical(restorable(DEPLOYMENT)) == canonical(restorable(other))


def test_values_of_a_secret_are_masked():
    one = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"password": "b25l", "same": "eA=="}}
    two = {**one, "data": {"password": "dHdv", "same": "eA==", "new": "bmV3"}}
    assert differences(one, two) == (
        FieldChange(path="data.new", before=None, after=MASKED),
        FieldChange(path="data.password", before=MASKED, after=MASKED),
    )
    assert "b25l" not in str(differences(one, None))
    assert "bmV3" not in str(differences(None, two))


def test_a_long_value_is_cut():
    (change,) = differences(DEPLOYMENT, changed(replicas="x" * 5000))
    assert change.after is not None
    assert len(change.after) < 250


def test_an_empty_annotation_map_is_as_good_as_none():
    bare = {"kind": "ConfigMap", "metadata": {"name": "c"}}
    marked = {"kind": "ConfigMap", "metadata": {"name": "c", "annotations": {IDEMPOTENCY_KEY: "k"}}}
    assert restorable(bare) == restorable(marked)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_there_is_a_difference_exactly_when_two_objects_differ(one, other):
    first, second = {"spec": one}, {"spec": other}
    assert bool(differences(first, second)) == (
        json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)
    )
