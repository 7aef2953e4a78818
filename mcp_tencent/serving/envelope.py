"""What a host sends beside the arguments, and finds beside the answer: confirmations, plans, trace ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from mcp_types import CallToolResult, RequestParamsMeta

from mcp_tencent.gateway.answer import META_CONFIRMATION, META_PLAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A dangerous act that waits for a yes.

    Args:
        read_back: What the person must hear, Chinese.
        token: Goes back with the same call once they have said yes; never shown to a model.
    """

    read_back: str
    token: str


def question_in(answer: CallToolResult) -> Question | None:
    """Return the confirmation that `answer` asks for; None when it is another answer."""
    pending = (answer.meta or {}).get(META_CONFIRMATION)
    if not answer.is_error or not isinstance(pending, dict) or answer.structured_content is None:
        return None
    return Question(read_back=answer.structured_content["error"]["read_back"], token=pending["token"])


def confirmed(question: Question) -> RequestParamsMeta:
    """Return the `meta` of the call that was asked for, now that a person has said yes."""
    return cast("RequestParamsMeta", {META_CONFIRMATION: question.token})


def under_plan(plan: str) -> RequestParamsMeta:
    """Return the `meta` of a call that a service job makes under an approved plan."""
    return cast("RequestParamsMeta", {META_PLAN: plan})
