"""What the basic tools refuse by themselves, as people hear it."""

from __future__ import annotations

import re

import pytest

from mcp_tencent.basic import errors
from mcp_tencent.errors import CloudError

EVERY: list[CloudError] = [
    errors.ProtectedNamespace("kube-system"),
    errors.OutOfBounds("0 to 5", spoken="只能有0到5个节点，没有执行"),
    errors.OverLimit("too many", limit=100, what="副本"),
    errors.Incomplete("what is meant?"),
    errors.ManifestRefused("no"),
]


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
def test_every_error_says_in_chinese_what_is_wrong_and_in_english_what_helps(error: CloudError) -> None:
    assert re.fullmatch(r"[\u4e00-\u9fff0-9A-Za-z，、 ]{4,40}", error.spoken)
    assert re.match(r"[A-Z].*\.$", error.hint)
    assert not error.retryable


def test_every_error_stands_in_the_tree_and_is_tried_here() -> None:
    kinds = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and kind.__module__ == errors.__name__
    }
    assert {type(error) for error in EVERY} == kinds
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in kinds)
