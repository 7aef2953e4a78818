"""What the conformance suite wants a server to offer, behind our transport, tokens and gateway.

Only the tools' bodies stand here for the suite; everything between them and the socket is what our own
servers use. Run as `python -m … DATABASE_URL`; prints its URL when it is ready.
"""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import sys
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp_types import (
    AudioContent,
    CallToolResult,
    Completion,
    ContentBlock,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    JSONRPCMessage,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)

from assistant.database import open_database
from mcp_tencent.gateway.call import Permission, Risk, ToolPolicy
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.serving.declare import DeclaredTool, declared
from mcp_tencent.serving.masking import log_to_stderr
from mcp_tencent.serving.server import GatewayServer
from tests.mcp_tencent.conformance.suite_access import serve_to_the_suite
from tests.mcp_tencent.gateway.test_idempotency import WallClock


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


RED_DOT = base64.b64encode(
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00"))
    + _chunk(b"IEND", b"")
).decode()
SILENCE = base64.b64encode(
    b"RIFF"
    + struct.pack("<I", 38)
    + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    + b"data"
    + struct.pack("<IH", 2, 0)
).decode()
Ctx = Context[Any, Any]


def text(said: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=said)])


def blocks(*content: ContentBlock) -> CallToolResult:
    return CallToolResult(content=list(content))


def resource(uri: str, mime_type: str, said: str) -> EmbeddedResource:
    contents = TextResourceContents(uri=uri, mime_type=mime_type, text=said)
    return EmbeddedResource(type="resource", resource=contents)


async def test_simple_text() -> CallToolResult:
    """Return simple text."""
    return text("This is a simple text response for testing.")


async def test_image_content() -> CallToolResult:
    """Return a picture."""
    return blocks(ImageContent(type="image", data=RED_DOT, mime_type="image/png"))


async def test_audio_content() -> CallToolResult:
    """Return sound."""
    return blocks(AudioContent(type="audio", data=SILENCE, mime_type="audio/wav"))


async def test_embedded_resource() -> CallToolResult:
    """Return a resource."""
    return blocks(resource("test://embedded-resource", "text/plain", "This is an embedded resource content."))


async def test_multiple_content_types() -> CallToolResult:
    """Return text, a picture and a resource."""
    return blocks(
        TextContent(type="text", text="Multiple content types test:"),
        ImageContent(type="image", data=RED_DOT, mime_type="image/png"),
        resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    )


async def test_tool_with_logging(ctx: Ctx) -> CallToolResult:
    """Send three log messages."""
    for message in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", message, related_request_id=ctx.request_id)
        await anyio.sleep(0.05)
    return text("Logged three times.")


async def test_error_handling() -> CallToolResult:
    """Fail."""
    raise ToolError("This tool intentionally returns an error for testing")


async def test_tool_with_progress(ctx: Ctx) -> CallToolResult:
    """Report progress."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100)
        await anyio.sleep(0.05)
    return text("Progressed.")


async def test_sampling(prompt: str, ctx: Ctx) -> CallToolResult:
    """Ask the client's model."""
    question = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
    answer = await ctx.session.create_message([question], max_tokens=100, related_request_id=ctx.request_id)
    said = answer.content.text if isinstance(answer.content, TextContent) else ""
    return text(f"LLM response: {said}")


async def _elicit(ctx: Ctx, message: str, properties: dict[str, Any], required: list[str]) -> CallToolResult:
    schema = {"type": "object", "properties": properties, "required": required}
    answer = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
    return text(f"Elicitation completed: action={answer.action}, content={json.dumps(answer.content)}")


async def test_elicitation(message: str, ctx: Ctx) -> CallToolResult:
    """Ask the person."""
    properties = {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    }
    return await _elicit(ctx, message, properties, ["username", "email"])


async def test_elicitation_sep1034_defaults(ctx: Ctx) -> CallToolResult:
    """Ask with defaults."""
    properties = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    return await _elicit(ctx, "Please check the defaults", properties, [])


async def test_elicitation_sep1330_enums(ctx: Ctx) -> CallToolResult:
    """Ask with every kind of choice."""
    options = ["option1", "option2", "option3"]
    titled = [
        {"const": f"value{n}", "title": f"{word} Option"} for n, word in enumerate(("First", "Second"), 1)
    ]
    properties = {
        "untitledSingle": {"type": "string", "enum": options},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}},
    }
    return await _elicit(ctx, "Please choose", properties, [])


async def test_reconnection(ctx: Ctx) -> CallToolResult:
    """Close the stream in the middle of the call; the answer waits for the client to come back."""
    await ctx.close_sse_stream()
    await anyio.sleep(0.1)
    return text("Reconnection test completed successfully.")


async def json_schema_2020_12_tool(name: str = "", address: dict[str, Any] | None = None) -> CallToolResult:
    """Tool with JSON Schema 2020-12 features."""
    return text(f"{name} {address}")


TOOLS: list[Callable[..., Awaitable[CallToolResult]]] = [
    test_simple_text, test_image_content, test_audio_content, test_embedded_resource,
    test_multiple_content_types, test_tool_with_logging, test_error_handling, test_tool_with_progress,
    test_sampling, test_elicitation, test_elicitation_sep1034_defaults, test_elicitation_sep1330_enums,
    test_reconnection, json_schema_2020_12_tool,
]  # fmt: skip


def fixture_tools() -> list[DeclaredTool]:
    def policy(name: str) -> ToolPolicy:
        return ToolPolicy(name=name, risk=Risk.READ, permission=Permission.READ)

    tools = [declared(function, function.__name__, policy(function.__name__)) for function in TOOLS]
    schema = next(tool.sdk for tool in tools if tool.policy.name == "json_schema_2020_12_tool")
    schema.parameters = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }
        },
        "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
        "additionalProperties": False,
    }
    return tools


def add_resources_and_prompts(server: GatewayServer) -> None:
    """Add what our own servers do not have; it does not pass the gateway, which is about tools."""

    @server.resource("test://static-text", description="Static text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", description="Static picture", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(RED_DOT)

    @server.resource("test://template/{id}/data", description="Template", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002 - the suite's name
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    @server.resource("test://watched-resource", description="Watched", mime_type="text/plain")
    def watched_resource() -> str:
        return "Watched."

    @server.prompt(description="Simple")
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description="With arguments")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description="With a resource")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803 - its name
        embedded = resource(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(embedded), UserMessage("Please process the embedded resource above.")]

    @server.prompt(description="With a picture")
    def test_prompt_with_image() -> list[UserMessage]:
        picture = ImageContent(type="image", data=RED_DOT, mime_type="image/png")
        return [UserMessage(picture), UserMessage("Please analyze the image above.")]

    async def complete(ref: object, argument: object, context: object) -> Completion:
        return Completion(values=["paris", "park", "party"], total=3, has_more=False)

    server.completion()(complete)

    async def accept(ctx: object, params: object) -> EmptyResult:
        return EmptyResult()

    low = server._lowlevel_server
    low.add_request_handler("logging/setLevel", SetLevelRequestParams, accept)
    low.add_request_handler("resources/subscribe", SubscribeRequestParams, accept)
    low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, accept)


class RecentEvents(EventStore):
    """Keeps what was sent on every stream, in memory."""

    def __init__(self) -> None:
        self._events: list[tuple[StreamId, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: StreamId, message: JSONRPCMessage | None) -> EventId:
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(
        self, last_event_id: EventId, send_callback: EventCallback
    ) -> StreamId | None:
        after = int(last_event_id)
        stream_id = self._events[after - 1][0]
        for number, (stream, message) in enumerate(self._events[after:], after + 1):
            if stream == stream_id and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream_id


if __name__ == "__main__":
    log_to_stderr()
    with open_database(sys.argv[1]) as database:
        offered = GatewayServer("conformance", fixture_tools(), Gateway(database.engine, WallClock()))
        add_resources_and_prompts(offered)
        asyncio.run(serve_to_the_suite(offered, RecentEvents()))
