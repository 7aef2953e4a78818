"""Every error of the clouds can be spoken."""

import re

import pytest

from mcp_tencent import errors
from mcp_tencent.errors import Ambiguous, CloudError, ToolFailed


def every_subclass(kind: type[CloudError]) -> list[type[CloudError]]:
    return [kind, *(found for sub in kind.__subclasses__() for found in every_subclass(sub))]


EVERY = [
    kind
    for kind in every_subclass(CloudError)
    # What a failed tool says is the tool's own.
    if kind.__module__ == errors.__name__ and kind is not ToolFailed
]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_error_has_a_short_chinese_sentence_and_an_english_hint(kind):
    error = kind("what happened", code="Some.Code")
    assert re.fullmatch(r"[\u4e00-\u9fff，、]{4,40}", error.spoken)
    assert re.match(r"[A-Z].*\.$", error.hint)
    assert str(error).startswith("what happened [Some.Code]")


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_error_stands_in_the_tree_at_the_top_of_the_file(kind):
    assert errors.__doc__ is not None
    assert re.search(rf"\b{kind.__name__}\b", errors.__doc__)


def test_the_sentences_tell_the_errors_apart():
    assert len({kind("x").spoken for kind in EVERY}) == len(EVERY)


def test_an_ambiguous_name_offers_three_candidates():
    error = Ambiguous("several", candidates=["订单服务", "订单查询", "订单导出", "订单归档"])
    assert error.spoken == "有4个相近的：订单服务、订单查询、订单导出，您说的是哪一个"


def test_only_what_may_pass_is_retryable():
    assert {kind.__name__ for kind in EVERY if kind.retryable} == {
        "NetworkFault",
        "ServiceFault",
        "Throttled",
        "Unavailable",
    }
