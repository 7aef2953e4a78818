from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from mcp_tencent.gateway import errors
from mcp_tencent.gateway.answer import answer_failure
from mcp_tencent.gateway.failures import is_final, is_outage, nothing_done
from tests.mcp_tencent.serving.answers import error_of, text_of


def walk(kind: type[errors.GatewayError]) -> list[type[errors.GatewayError]]:
    return [kind, *(deeper for sub in kind.__subclasses__() for deeper in walk(sub))]


EVERY = walk(errors.GatewayError)


def made(kind: type[errors.GatewayError]) -> errors.GatewayError:
    if issubclass(kind, errors.NotNow):
        return kind("detail", retry_after_s=1.0)
    if issubclass(kind, errors.ConfirmationRequired):
        return kind("重启orders，确认吗？", token="t", expires_at=datetime(2026, 11, 20, tzinfo=UTC))
    if issubclass(kind, errors.InvalidArguments):
        return kind(["limit: too large"])
    return kind("detail")


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_error_has_a_chinese_sentence_a_hint_and_a_place_in_the_tree(kind):
    error = made(kind)
    assert re.search(r"[\u4e00-\u9fff]", error.spoken)
    assert error.hint
    assert f"{kind.__name__}" in (errors.__doc__ or "")


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_error_becomes_a_tool_error_with_a_code(kind):
    answer = answer_failure(made(kind), "0" * 32)
    error = error_of(answer)
    assert answer.is_error
    assert error["code"] == errors.code_of(made(kind))
    assert error["message"] == text_of(answer)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_a_refusal_is_neither_an_outcome_nor_an_outage(kind):
    error = made(kind)
    assert not is_final(error)
    if isinstance(error, errors.Refused):
        assert nothing_done(error)
        assert not is_outage(error)
