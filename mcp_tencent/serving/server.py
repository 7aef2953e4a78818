"""An MCP server whose every tool call passes the gateway, whatever the transport."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError, UnexpectedToolError
from mcp.server.session import ServerSession
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, InputRequiredResult, TextContent
from opentelemetry import trace
from pydantic import JsonValue

from mcp_tencent.gateway.answer import META_CONFIRMATION, META_ORIGIN, META_PLAN, META_TRACE, answer_failure
from mcp_tencent.gateway.call import Caller, Proceed, Result, ToolCall, canonical_json
from mcp_tencent.gateway.errors import ToolCrashed
from mcp_tencent.gateway.failures import foreseen
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.gateway.redact import STRICT, redact_content
from mcp_tencent.serving.asking import answered_token, way_to_ask
from mcp_tencent.serving.declare import DeclaredTool, take_key
from mcp_tencent.serving.identity import caller_of
from mcp_tencent.serving.intent import under_key
from mcp_tencent.serving.masking import MaskingSession

_log = logging.getLogger(__name__)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?P<trace_id>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class GatewayServer(MCPServer):
    """Offers declared tools, each behind the whole chain of policies.

    Args:
        name: As clients see it, e.g. "mcp-tencent-cloud-basic".
        tools: What it offers.
        gateway: The policy; servers of one process share it.
        otherwise: Who calls when nobody is named: over stdio, the one who started the process.
        instructions: What a host should know about the server as a whole.
        version: Of the server.
    """

    def __init__(
        self,
        name: str,
        tools: Sequence[DeclaredTool],
        gateway: Gateway,
        *,
        otherwise: Caller | None = None,
        instructions: str | None = None,
        version: str = "",
    ) -> None:
        super().__init__(
            name=name, instructions=instructions, version=version, tools=[tool.sdk for tool in tools]
        )
        self._declared = {tool.policy.name: tool for tool in tools}
        self._gateway = gateway
        self._otherwise = otherwise
        gateway.learn({tool.policy.name: tool.check for tool in tools})

    @property
    def gateway(self) -> Gateway:
        """The policy around the tools."""
        return self._gateway

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool through the gateway. This is the only way: every transport ends here.

        Raises:
            ToolError: There is no tool of that name.
            MCPError: The tool wants a protocol error instead of a tool error.
        """
        tool = self._declared.get(name)
        if tool is None:
            raise ToolError(f"Unknown tool: {name}")
        sdk_context = context or Context(mcp_server=self)
        request = _request_context(sdk_context)
        call = self._call(tool, arguments, request, answered_token(sdk_context))
        if request is not None:
            request.session = cast("ServerSession", MaskingSession(request.session))
        try:
            result = await self._gateway.chain.around(_run(tool, sdk_context))(call)
        except MCPError as error:
            raise MCPError(
                error.error.code, STRICT.text(error.error.message), STRICT.value(error.error.data)
            ) from error
        except Exception as error:  # noqa: BLE001 - the last stop: a client gets an answer, the log the cause
            return self._failure(error, call)
        return _with_meta(result, call.trace_id)

    def _call(
        self,
        tool: DeclaredTool,
        arguments: Mapping[str, JsonValue],
        request: ServerRequestContext | None,
        answered: str | None,
    ) -> ToolCall:
        meta: Mapping[str, object] = dict(request.meta or {}) if request is not None else {}
        rest, key = take_key(arguments) if tool.policy.risk.acts else (arguments, None)
        return ToolCall(
            tool=tool.policy,
            arguments=rest,
            caller=caller_of(request, self._otherwise),
            trace_id=_trace_id(meta),
            at=self._gateway.clock.now(),
            idempotency_key=key,
            confirmation=_text(meta, META_CONFIRMATION) if answered is None else answered,
            ask=way_to_ask(request) if request is not None and tool.policy.risk.acts else None,
            plan=_text(meta, META_PLAN),
        )

    def _failure(self, error: Exception, call: ToolCall) -> CallToolResult:
        if foreseen(error) and not isinstance(error, ToolCrashed):
            _log.info("%s: %s (%s), trace %s", call.tool.name, type(error).__name__, error, call.trace_id)
        else:
            _log.error("%s crashed, trace %s", call.tool.name, call.trace_id, exc_info=error)
        masked = redact_content(answer_failure(error, call.trace_id), STRICT)
        return cast("CallToolResult", masked)


def _run(tool: DeclaredTool, context: Context[Any, Any]) -> Proceed:
    """Return the end of the chain: the tool itself, its errors as they were raised."""

    async def run(call: ToolCall) -> Result:
        try:
            with under_key(call.idempotency_key):
                content = await tool.sdk.run(dict(call.arguments), context, convert_result=True)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ToolError | ResourceError) and not isinstance(cause, UnexpectedToolError):
                said = TextContent(type="text", text=str(cause))
                return Result(content=CallToolResult(content=[said], is_error=True))
            if isinstance(cause, Exception) and foreseen(cause):
                raise cause from error
            raise ToolCrashed(f"{call.tool.name} crashed") from (cause or error)
        return Result(content=_structure_only(content))

    return run


def _structure_only(content: CallToolResult | InputRequiredResult) -> CallToolResult | InputRequiredResult:
    """Leave out the text that only repeats the structure; it is written anew once the structure is masked."""
    if isinstance(content, CallToolResult) and _summary(content) is not None:
        return content.model_copy(update={"content": []})
    return content


def _summary(content: CallToolResult) -> str | None:
    structure = content.structured_content
    summary = structure.get("summary") if isinstance(structure, dict) and not content.is_error else None
    return summary if isinstance(summary, str) else None


def _with_meta(result: Result, trace_id: str) -> CallToolResult | InputRequiredResult:
    """Add what belongs beside the answer, and as texts the spoken sentence and, for older hosts, the JSON."""
    content = result.content
    changes: dict[str, object] = {
        "meta": {**(content.meta or {}), META_TRACE: trace_id, META_ORIGIN: result.origin.value}
    }
    if isinstance(content, CallToolResult) and (summary := _summary(content)) is not None:
        structure = TextContent(type="text", text=canonical_json(content.structured_content))
        changes["content"] = [TextContent(type="text", text=summary), structure, *content.content]
    return content.model_copy(update=changes)


def _request_context(context: Context[Any, Any]) -> ServerRequestContext | None:
    try:
        return context.request_context
    except ValueError:  # the SDK's way to say that there is none: called directly, not over a transport
        return None


def _trace_id(meta: Mapping[str, object]) -> str:
    """Take the trace that we are in, or the one that the client names (W3C Trace Context), or a fresh one."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        return trace.format_trace_id(span.trace_id)
    named = _TRACEPARENT.fullmatch(_text(meta, "traceparent") or "")
    return named["trace_id"] if named else uuid.uuid4().hex


def _text(meta: Mapping[str, object], key: str) -> str | None:
    value = meta.get(key)
    return value if isinstance(value, str) else None
