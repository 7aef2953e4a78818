"""The tools at hand: discovered from the servers, called in somebody's name, answered in plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from mcp.client import Client
from mcp_types import CallToolResult, RequestParamsMeta
from pydantic import JsonValue

from assistant.planner.plan import PlannedCall
from mcp_tencent.gateway.call import Caller
from mcp_tencent.serving.envelope import Question, confirmed, question_in
from mcp_tencent.serving.identity import acting_as

IDEMPOTENCY_KEY = "idempotency_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolAnswer:
    """What a tool answered.

    Args:
        spoken: Its summary, or why it failed, in Chinese.
        content: Its structured answer; empty when it failed.
        error: The code of its failure; empty when it did what it was asked.
        candidates: Names that may have been meant, where the one asked for fits several or none.
        question: What must be confirmed first; nothing has been done then.
    """

    spoken: str
    content: Mapping[str, JsonValue] = field(default_factory=dict)
    error: str = ""
    candidates: tuple[str, ...] = ()
    question: Question | None = None

    @property
    def done(self) -> bool:
        """Whether it did what it was asked."""
        return not self.error and self.question is None


class Toolbox:
    """All tools of all mounted servers; it never calls, and never promises, one that is not there.

    Args:
        clients: Of the servers, connected.
    """

    def __init__(self, clients: Sequence[Client]) -> None:
        self._clients = clients
        self._homes: dict[str, Client] = {}
        self._acting: set[str] = set()

    async def discover(self) -> None:
        """Learn what is there; again whenever a server was added."""
        for client in self._clients:
            cursor: str | None = None
            while True:
                page = await client.list_tools(cursor=cursor)
                for tool in page.tools:
                    self._homes.setdefault(tool.name, client)
                    if tool.annotations is None or not tool.annotations.read_only_hint:
                        self._acting.add(tool.name)
                cursor = page.next_cursor
                if cursor is None:
                    break

    @property
    def names(self) -> frozenset[str]:
        """Names of all tools."""
        return frozenset(self._homes)

    def acts(self, tool: str) -> bool:
        """Tell whether a tool changes anything; one that is not there counts as if it did."""
        return tool in self._acting or tool not in self._homes

    async def call(
        self, call: PlannedCall, *, caller: Caller, key: str = "", confirmation: Question | None = None
    ) -> ToolAnswer:
        """Call a tool of `names` in somebody's name.

        Args:
            call: Which, with what.
            caller: Whose permissions hold.
            key: Idempotency key; left out for reads.
            confirmation: What was asked and has been confirmed.
        """
        arguments = dict(call.arguments)
        if key and call.tool in self._acting:
            arguments[IDEMPOTENCY_KEY] = key
        meta: RequestParamsMeta | None = None if confirmation is None else confirmed(confirmation)
        with acting_as(caller):
            answer = await self._homes[call.tool].call_tool(call.tool, arguments, meta=meta)
        return _answer(answer)


def _answer(answer: CallToolResult) -> ToolAnswer:
    content = cast("Mapping[str, JsonValue]", answer.structured_content or {})
    if not answer.is_error:
        return ToolAnswer(spoken=str(content.get("summary", "")), content=content)
    question = question_in(answer)
    if question is not None:
        return ToolAnswer(spoken=question.read_back, question=question)
    failure = content.get("error")
    if not isinstance(failure, Mapping):
        return ToolAnswer(spoken="这件事没有做成。", error="unknown")
    candidates = failure.get("candidates")
    return ToolAnswer(
        spoken=str(failure.get("message", "这件事没有做成。")),
        error=str(failure.get("code", "unknown")),
        candidates=tuple(str(name) for name in candidates) if isinstance(candidates, list) else (),
    )
