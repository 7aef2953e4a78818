"""Calls, callers and a clock for the tests of the gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mcp_types import CallToolResult, TextContent
from pydantic import JsonValue

from mcp_tencent.gateway.call import (
    Caller,
    CallerKind,
    Permission,
    Proceed,
    Result,
    Risk,
    ToolCall,
    ToolPolicy,
)

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
EVERYTHING = frozenset(Permission)


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    async def pause(self, seconds: float) -> None:
        """Wait as a policy does, in no time."""
        self.advance(seconds)


READ = ToolPolicy(name="list_pods", risk=Risk.READ, permission=Permission.READ, outside="kubernetes")
WRITE = ToolPolicy(
    name="create_alarm", risk=Risk.WRITE, permission=Permission.CONFIGURE, outside="cls", has_dry_run=True
)
DANGER = ToolPolicy(
    name="restart_workload",
    risk=Risk.DANGEROUS,
    permission=Permission.ROLLBACK,
    outside="kubernetes",
    has_dry_run=True,
    read_back="重启{workload}",
)
OWNER = Caller(name="负责人", kind=CallerKind.PERSON, permissions=EVERYTHING)
WATCH = Caller(name="值班员", kind=CallerKind.PERSON, permissions=frozenset({Permission.READ}))
NIGHT = Caller(name="night", kind=CallerKind.SERVICE_JOB, permissions=EVERYTHING)


def a_call(
    tool: ToolPolicy = READ,
    *,
    caller: Caller = OWNER,
    key: str | None = None,
    confirmation: str | None = None,
    plan: str | None = None,
    at: datetime = START,
    **arguments: JsonValue,
) -> ToolCall:
    return ToolCall(
        tool=tool,
        arguments=arguments,
        caller=caller,
        trace_id="0" * 32,
        at=at,
        idempotency_key=key,
        confirmation=confirmation,
        plan=plan,
    )


def said(text: str, *, failed: bool = False) -> Result:
    return Result(content=CallToolResult(content=[TextContent(type="text", text=text)], is_error=failed))


def text_of(result: Result) -> str:
    assert isinstance(result.content, CallToolResult)
    block = result.content.content[0]
    assert isinstance(block, TextContent)
    return block.text


class Tool:
    """The end of the chain: counts how often it was called, and answers or raises as it is told."""

    def __init__(self, answer: str | BaseException = "done") -> None:
        self.calls: list[ToolCall] = []
        self.answer = answer

    async def __call__(self, call: ToolCall) -> Result:
        self.calls.append(call)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return said(f"{self.answer} {len(self.calls)}")


def with_policy(tool: ToolPolicy, **changes: object) -> ToolPolicy:
    return replace(tool, **changes)  # type: ignore[arg-type]


Answering = Callable[[ToolCall], Proceed]
