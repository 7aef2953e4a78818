"""Looking into answers."""

from __future__ import annotations

from typing import Any

from mcp_types import CallToolResult, RequestParamsMeta, TextContent

from mcp_tencent.serving.envelope import confirmed, question_in


def body(answer: CallToolResult) -> Any:
    assert answer.structured_content is not None
    return answer.structured_content


def error_of(answer: CallToolResult) -> Any:
    assert answer.is_error
    return body(answer)["error"]


def text_of(answer: CallToolResult, block: int = 0) -> str:
    found = answer.content[block]
    assert isinstance(found, TextContent)
    return found.text


def yes_to(answer: CallToolResult) -> RequestParamsMeta:
    question = question_in(answer)
    assert question is not None
    return confirmed(question)
