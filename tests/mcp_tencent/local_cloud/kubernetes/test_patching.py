"""The three kinds of patch."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.local_cloud.kubernetes.patching.errors import (
    FailedPatchError,
    MalformedPatchError,
    PatchError,
)
from mcp_tencent.local_cloud.kubernetes.patching.json_patch import apply_json_patch
from mcp_tencent.local_cloud.kubernetes.patching.merge_patch import merge
from mcp_tencent.local_cloud.kubernetes.patching.strategic import strategic_merge

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab/~", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_does_what_the_rfc_says(target, patch, result):
    assert merge(target, patch) == result


@given(json_values, json_values)
def test_a_merge_patch_applied_twice_changes_nothing_more(target, patch):
    once = merge(target, patch)
    assert merge(once, patch) == once


@pytest.mark.parametrize(
    ("document", "operations", "result"),
    [  # RFC 6902, appendix A
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
        ({"foo": ["a", "b"]}, [{"op": "add", "path": "/foo/1", "value": "q"}], {"foo": ["a", "q", "b"]}),
        ({"baz": "q", "foo": "b"}, [{"op": "remove", "path": "/baz"}], {"foo": "b"}),
        ({"foo": ["a", "q", "b"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["a", "b"]}),
        ({"baz": "q"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
        (
            {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
            [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
            {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
        ),
        (
            {"foo": ["all", "grass", "cows", "eat"]},
            [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
            {"foo": ["all", "cows", "eat", "grass"]},
        ),
        (
            {"baz": "q", "foo": ["a", 2]},
            [{"op": "test", "path": "/foo/1", "value": 2}],
            {"baz": "q", "foo": ["a", 2]},
        ),
        (
            {"foo": "bar"},
            [{"op": "add", "path": "/child", "value": {"g": {}}}],
            {"foo": "bar", "child": {"g": {}}},
        ),
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
        ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc"]}], {"foo": ["bar", ["abc"]]}),
    ],
)
def test_json_patch_does_what_the_rfc_says(document, operations, result):
    assert apply_json_patch(document, operations) == result


@pytest.mark.parametrize(
    ("document", "operation", "error"),
    [
        ({"baz": "qux"}, {"op": "test", "path": "/baz", "value": "bar"}, FailedPatchError),
        ({"foo": "bar"}, {"op": "add", "path": "/baz/bat", "value": "qux"}, FailedPatchError),
        ({"/": 9, "~1": 10}, {"op": "test", "path": "/~01", "value": "10"}, FailedPatchError),
        ({"a": [1]}, {"op": "remove", "path": "/a/01"}, FailedPatchError),
        ({"a": [1]}, {"op": "remove", "path": "/a/1"}, FailedPatchError),
        ({"a": 1}, {"op": "test", "path": "/a", "value": True}, FailedPatchError),
        ({"a": 1}, {"op": "frobnicate", "path": "/a"}, MalformedPatchError),
        ({"a": 1}, {"op": "add", "path": "a", "value": 1}, MalformedPatchError),
        ({"a": 1}, {"op": "add", "path": "/b"}, MalformedPatchError),
        ({"a": {"b": 1}}, {"op": "move", "from": "/a", "path": "/a/b"}, FailedPatchError),
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(document, operation, error):
    with pytest.raises(error):
        apply_json_patch(document, [operation])


@given(json_values, json_values)
def test_a_json_patch_never_fails_otherwise_and_never_changes_its_input(document, patch):
    before = repr(document)
    with contextlib.suppress(PatchError):
        apply_json_patch(document, patch)
    assert repr(document) == before


POD = {
    "containers": [
        {"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}]},
        {"name": "b", "image": "b:1"},
    ]
}


def test_a_strategic_merge_changes_only_the_container_it_names():
    patched = strategic_merge(POD, {"containers": [{"name": "b", "image": "b:2"}]}, "core.v1.PodSpec")
    assert [item["image"] for item in patched["containers"]] == ["a:1", "b:2"]
    assert patched["containers"][0] == POD["containers"][0]


def test_a_strategic_merge_deletes_adds_and_orders_by_directive():
    patch = {
        "$setElementOrder/containers": [{"name": "b"}, {"name": "c"}],
        "containers": [{"name": "a", "$patch": "delete"}, {"name": "c", "image": "c:1"}],
    }
    patched = strategic_merge(POD, patch, "core.v1.PodSpec")
    assert [item["name"] for item in patched["containers"]] == ["b", "c"]


def test_a_strategic_merge_can_replace_a_list_and_a_map():
    patch = {"containers": [{"$patch": "replace"}, {"name": "z"}]}
    assert strategic_merge(POD, patch, "core.v1.PodSpec") == {"containers": [{"name": "z"}]}
    strategy = {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}
    before = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}
    assert strategic_merge(before, strategy, "apps.v1.DeploymentSpec") == {"strategy": {"type": "Recreate"}}


def test_scalars_are_merged_into_and_deleted_from_lists():
    before = {"finalizers": ["a", "b"]}
    patch = {"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]}
    assert set(strategic_merge(before, patch, "meta.v1.ObjectMeta")["finalizers"]) == {"b", "c"}


def test_a_list_item_without_its_key_is_refused():
    with pytest.raises(MalformedPatchError, match="merge key"):
        strategic_merge(POD, {"containers": [{"image": "x"}]}, "core.v1.PodSpec")


@given(json_values)
def test_a_strategic_merge_patch_never_fails_otherwise(patch):
    with contextlib.suppress(PatchError):
        strategic_merge(POD, {"containers": patch}, "core.v1.PodSpec")
