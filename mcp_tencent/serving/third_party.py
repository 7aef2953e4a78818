"""Other people's MCP servers, mounted under a prefix, behind the same gateway.

What their tools say about themselves (readOnlyHint and the like) is not believed: a tool is dangerous, and
needs an administrator, until the configuration says otherwise. Arguments are checked against the schema they
publish before anybody is asked to confirm, and what they answer is masked like everything else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, INVALID_PARAMS, CallToolResult
from mcp_types import Tool as OfferedTool
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from referencing import Registry

from mcp_tencent.errors import InvalidRequest, NetworkFault, OutcomeUnknown, UnexpectedAnswer
from mcp_tencent.gateway.arguments import Check
from mcp_tencent.gateway.call import Arguments, Permission, Risk, ToolPolicy
from mcp_tencent.serving.declare import ACT_DEADLINE_S, READ_DEADLINE_S, DeclaredTool, annotations_for

MOST_TOOLS = 500
_PERMISSION: Mapping[Risk, Permission] = {
    Risk.READ: Permission.READ,
    Risk.WRITE: Permission.OPERATE,
    Risk.DANGEROUS: Permission.ADMIN,
}


class ThirdPartyServer(BaseModel):
    """One entry of `mcpServers`, the form that other hosts use, plus `risks`.

    Either `command` (a program that speaks MCP on its standard input and output) or `url` (streamable HTTP).
    `risks` names the tools that are known: "R", "W" or "D"; whatever is not named is "D".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = Field(default_factory=dict, repr=False)
    url: str | None = None
    headers: Mapping[str, str] = Field(default_factory=dict, repr=False)
    risks: Mapping[str, Risk] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way_in(self) -> ThirdPartyServer:
        if (self.command is None) == (self.url is None):
            raise ValueError("give either command or url")
        return self


@asynccontextmanager
async def mounted(prefix: str, server: ThirdPartyServer) -> AsyncIterator[list[DeclaredTool]]:
    """Connect to `server` and yield its tools, each as `<prefix>_<name>`, for as long as the block lasts.

    Raises:
        UnexpectedAnswer: It offers more tools than anybody can mean, or a schema that is none.
    """
    async with _connected(server) as client:
        offered = await _offered(client)
        yield [
            _declared(prefix, tool, server.risks.get(tool.name, Risk.DANGEROUS), client) for tool in offered
        ]


@asynccontextmanager
async def _connected(server: ThirdPartyServer) -> AsyncIterator[Client]:
    if server.url is None:
        program = StdioServerParameters(
            command=server.command or "", args=list(server.args), env=dict(server.env)
        )
        async with Client(program) as client:
            yield client
    else:
        patience = httpx2.Timeout(30, read=ACT_DEADLINE_S)
        async with (
            httpx2.AsyncClient(headers=dict(server.headers), timeout=patience) as web,
            Client(streamable_http_client(server.url, http_client=web)) as client,
        ):
            yield client


async def _offered(client: Client) -> list[OfferedTool]:
    tools: list[OfferedTool] = []
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            return tools
        if len(tools) > MOST_TOOLS:
            raise UnexpectedAnswer(f"a third-party server offers more than {MOST_TOOLS} tools")


class _AnyArguments(ArgModelBase):
    """Arguments as they are: the schema of the other side has been checked before."""

    model_config = ConfigDict(extra="allow")

    def model_dump_one_level(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


def _declared(prefix: str, offered: OfferedTool, risk: Risk, client: Client) -> DeclaredTool:
    name = f"{prefix}_{offered.name}"
    policy = ToolPolicy(
        name=name,
        risk=risk,
        permission=_PERMISSION[risk],
        outside=prefix,
        deadline_s=ACT_DEADLINE_S if risk.acts else READ_DEADLINE_S,
    )
    title = offered.title or offered.name
    tool = Tool(
        fn=_forwarding(offered.name, risk, client),
        name=name,
        title=title,
        description=offered.description or "",
        parameters=offered.input_schema,
        fn_metadata=FuncMetadata(arg_model=_AnyArguments),
        is_async=True,
        context_kwarg="ctx",
        annotations=annotations_for(policy, title),
    )
    return DeclaredTool(sdk=tool, policy=policy, check=_schema_check(name, offered.input_schema))


def _forwarding(name: str, risk: Risk, client: Client) -> Any:  # noqa: ANN401 - the SDK takes any callable
    async def forward(ctx: Context[Any, Any], **arguments: Any) -> CallToolResult:  # noqa: ANN401 - as they came
        try:
            return await client.call_tool(name, arguments, progress_callback=ctx.report_progress)
        except MCPError as error:
            raise _translated(error, risk) from error

    return forward


def _translated(error: MCPError, risk: Risk) -> Exception:
    if error.error.code == INVALID_PARAMS:
        return InvalidRequest(f"the third-party server refused the parameters: {error.error.message}")
    if error.error.code == CONNECTION_CLOSED:
        gone = "the third-party server is gone"
        return OutcomeUnknown(gone) if risk.acts else NetworkFault(gone)
    return UnexpectedAnswer(f"the third-party server failed: {error.error.message}")


def _schema_check(name: str, schema: dict[str, JsonValue]) -> Check:
    validator_class = validator_for(schema)
    try:
        validator_class.check_schema(schema)
    except SchemaError as error:
        raise UnexpectedAnswer(f"the input schema of {name} is none") from error
    validator = validator_class(schema, registry=Registry())  # fetches nothing

    def check(arguments: Arguments) -> list[str]:
        return [
            f"{'.'.join(str(part) for part in problem.absolute_path) or 'arguments'}: does not fit "
            f"{problem.validator}"
            for problem in validator.iter_errors(dict(arguments))
        ]

    return check
