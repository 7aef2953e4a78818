"""Turning failures into what an MCP client receives: a tool error with code, sentence, hint and trace id."""

from __future__ import annotations

from mcp_types import CallToolResult, TextContent
from pydantic import JsonValue

from mcp_tencent.errors import Ambiguous, InvalidQuery
from mcp_tencent.gateway.call import canonical_json
from mcp_tencent.gateway.errors import (
    ConfirmationRequired,
    InvalidArguments,
    NotNow,
    PlanRefused,
    ToolCrashed,
    code_of,
)
from mcp_tencent.gateway.failures import Explained

META_CONFIRMATION = "xiaozhi/confirmation"
"""In a call's `_meta`: the token. In an answer's `_meta`: `{"token", "expires_at"}`. Hosts keep `_meta` from
their model, so that no model can confirm by itself."""
META_PLAN = "xiaozhi/plan"
"""In a call's `_meta`: the plan that a service job acts under."""
META_ORIGIN = "xiaozhi/origin"
"""In an answer's `_meta`: fresh, cached, joined, or recorded (the key was used before; nothing was done)."""
META_TRACE = "xiaozhi/trace"
"""In an answer's `_meta`: the trace id under which log and audit know the call."""


def answer_failure(error: Exception, trace_id: str) -> CallToolResult:
    """Return the tool error for `error`.

    The structured content is `{"error": {"code", "message", "hint", "detail", "retryable", "trace_id", …}}`:
    `message` is Chinese and fit to be spoken, `detail` and `hint` are English and meant for a model. Of an
    error that nobody foresaw nothing gets out but the trace id.
    """
    known = error if isinstance(error, Explained) else ToolCrashed("the tool crashed")
    assert isinstance(known, Exception)  # noqa: S101 - Explained is implemented by exceptions
    body: dict[str, JsonValue] = {
        "code": code_of(known),
        "message": known.spoken,
        "hint": str(getattr(known, "hint", "")),
        "detail": str(known),
        "retryable": bool(getattr(known, "retryable", False)),
        "trace_id": trace_id,
        **_particulars(known),
    }
    return CallToolResult(
        content=[
            TextContent(type="text", text=known.spoken),
            TextContent(type="text", text=canonical_json({"error": body})),
        ],
        structured_content={"error": body},
        is_error=True,
        _meta={META_TRACE: trace_id, **_private(known)},
    )


def _particulars(error: Exception) -> dict[str, JsonValue]:
    match error:
        case InvalidArguments():
            return {"problems": list(error.problems)}
        case ConfirmationRequired():
            return {"read_back": error.read_back, "expires_at": error.expires_at.isoformat()}
        case PlanRefused():
            return {"guard": error.guard}
        case NotNow():
            return {"retry_after_s": round(error.retry_after_s, 1)}
        case Ambiguous():
            return {"candidates": list(error.candidates)}
        case InvalidQuery():
            return {"position": error.position}
        case _:
            return {}


def _private(error: Exception) -> dict[str, JsonValue]:
    if not isinstance(error, ConfirmationRequired):
        return {}
    return {META_CONFIRMATION: {"token": error.token, "expires_at": error.expires_at.isoformat()}}
