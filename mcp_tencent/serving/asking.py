"""Asking for a yes through the host's own window, where a host can (MCP elicitation).

Our own appliance asks by voice and sends the token back in `_meta`. An IDE knows nothing of that; it shows
the person a form instead. Protocol versions before 2026-07-28 ask in the middle of the call; later ones end
the call with a question, and the client repeats it with the answer and the token, sealed by the SDK.
"""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcp_tencent.gateway.call import Ask
from mcp_tencent.gateway.redact import STRICT

QUESTION = "xiaozhi_confirm"
PATIENCE_S = 60.0
_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {"confirm": {"type": "boolean", "title": "确认执行", "default": False}},
    "required": ["confirm"],
}


def way_to_ask(request: ServerRequestContext) -> Ask | None:
    """Return how to ask the person behind `request`; None when their host has no window for it."""
    capabilities = request.session.client_capabilities
    if capabilities is None or capabilities.elicitation is None:
        return None
    if request.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return _end_with_a_question
    if not request.session.can_send_request:
        return None

    async def ask(read_back: str, token: str) -> bool:
        try:
            with anyio.fail_after(PATIENCE_S):
                answer = await request.session.elicit_form(
                    STRICT.text(read_back), _FORM, related_request_id=request.request_id
                )
        except (TimeoutError, MCPError):
            return False  # silence or doubt means no
        return _is_yes(answer)

    return ask


async def _end_with_a_question(read_back: str, token: str) -> InputRequiredResult:
    form = ElicitRequestFormParams(message=STRICT.text(read_back), requested_schema=_FORM)
    return InputRequiredResult(input_requests={QUESTION: ElicitRequest(params=form)}, request_state=token)


def answered_token(context: Context[Any, Any]) -> str | None:
    """Return the token that comes back with the person's answer: useless unless the answer is a yes.

    None when this call answers no question of ours.
    """
    answer = (context.input_responses or {}).get(QUESTION)
    if answer is None:
        return None
    return (context.request_state or "") if isinstance(answer, ElicitResult) and _is_yes(answer) else ""


def _is_yes(answer: ElicitResult) -> bool:
    return answer.action == "accept" and (answer.content or {}).get("confirm") is True
