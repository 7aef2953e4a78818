"""A typed client of the tools: for the night, the event workflows and the conversation.

It calls tools through the protocol only, so it does not matter whether a server is mounted in this process
or answers over HTTP. Answers are the servers' own models; an error of a tool is raised as `ToolFailed`, with
the sentence that it wants spoken. What the gateway asks to try again a moment later is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar, cast

from mcp_types import CallToolResult, RequestParamsMeta
from pydantic import BaseModel, JsonValue, ValidationError

from mcp_tencent.analytics.answers import AnomaliesAnswer, PatternsAnswer, SummaryAnswer, TrendAnswer
from mcp_tencent.basic.action_answers import WorkloadActionAnswer
from mcp_tencent.basic.cluster_answers import ClusterLine, ClustersAnswer
from mcp_tencent.devops.alert_answers import AlertLine, AlertsAnswer, ScoreAnswer
from mcp_tencent.devops.checkpoint_tools import CheckpointAnswer, RestoreAnswer
from mcp_tencent.devops.diagnosis_answers import DiagnosisAnswer, PlanAnswer, VerificationAnswer
from mcp_tencent.errors import ToolFailed, UnexpectedAnswer
from mcp_tencent.push.answers import SendAnswer
from mcp_tencent.serving.declare import IDEMPOTENCY_KEY
from mcp_tencent.serving.envelope import under_plan

MOST_TRIES = 6
"""Of one call that is told to come back later."""
LONGEST_PAUSE_S = 65.0
"""The gateway counts calls by the minute: whoever waits a little more than that gets a turn."""
_FIRST_PAUSE_S = 1.0
_NOT_DONE = frozenset({"rate_limited", "circuit_open", "call_in_progress", "store_unavailable"})
"""Codes after which the same call is simply made again: nothing was done, or the result will come."""

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)
Arguments = Mapping[str, JsonValue]
Pause = Callable[[float], Awaitable[None]]


class ToolCaller(Protocol):
    """An MCP session; `mcp.client.Client` is one."""

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, JsonValue] | None = None,
        *,
        meta: RequestParamsMeta | None = None,
    ) -> CallToolResult:
        """Call a tool."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Warrant:
    """What a service job shows beside a write.

    Args:
        plan: The approved plan; None for what it may do anyway.
        key: The idempotency key: the same call with the same key is done once.
    """

    key: str
    plan: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A workload, named in full."""

    workload: str
    namespace: str
    cluster: str

    @property
    def arguments(self) -> dict[str, JsonValue]:
        """As tools take it."""
        return {"workload": self.workload, "namespace": self.namespace, "cluster": self.cluster}


class CloudTools:
    """The tools of the four servers.

    Args:
        sessions: An MCP session for each tool, by the tool's name.
        pause: Waits before a call is made again, in seconds.
    """

    def __init__(self, sessions: Mapping[str, ToolCaller], *, pause: Pause = asyncio.sleep) -> None:
        self._sessions = sessions
        self._pause = pause

    async def call(
        self, tool: str, arguments: Arguments, answer: type[AnswerModel], *, warrant: Warrant | None = None
    ) -> AnswerModel:
        """Call any tool and return its answer.

        Raises:
            ToolFailed: It answered with an error, or there is no such tool here.
            UnexpectedAnswer: What it answered is not what was agreed.
        """
        pause_s = _FIRST_PAUSE_S
        for tries in range(1, MOST_TRIES + 1):
            result = await self._once(tool, arguments, warrant)
            if not result.is_error:
                return _read(tool, result, answer)
            failure = _failure(tool, result)
            again = failure.code in _NOT_DONE or (warrant is None and failure.retryable and tries < 3)
            if not again or tries == MOST_TRIES:
                raise failure
            await self._pause(min(LONGEST_PAUSE_S, max(pause_s, failure.retry_after_s or 0.0)))
            pause_s *= 2
        raise AssertionError("the last try has returned or raised")

    async def _once(self, tool: str, arguments: Arguments, warrant: Warrant | None) -> CallToolResult:
        session = self._sessions.get(tool)
        if session is None:
            raise ToolFailed(
                tool, code="no_such_tool", detail="no server here offers it", spoken="这里没有这个功能"
            )
        given = dict(arguments)
        meta = None
        if warrant is not None:
            given[IDEMPOTENCY_KEY] = warrant.key
            meta = under_plan(warrant.plan) if warrant.plan is not None else None
        return await session.call_tool(tool, given, meta=meta)

    async def clusters(self) -> ClustersAnswer:
        """List all clusters, on however many pages."""
        lines: list[ClusterLine] = []
        cursor: str | None = None
        while True:
            page = await self.call("list_clusters", _page(cursor), ClustersAnswer)
            lines += page.clusters
            cursor = page.cursor
            if cursor is None:
                return page.model_copy(update={"clusters": lines, "left_out": 0})

    async def alert_pages(self, period: str, *, min_score: float = 0.0) -> AsyncIterator[AlertsAnswer]:
        """Return the alerts of a period, worst first, page by page."""
        cursor: str | None = None
        while True:
            arguments: dict[str, JsonValue] = {"period": period, "min_score": min_score, **_page(cursor)}
            page = await self.call("list_alerts", arguments, AlertsAnswer)
            yield page
            cursor = page.cursor
            if cursor is None:
                return

    async def alerts(self, period: str, *, min_score: float = 0.0) -> AsyncIterator[AlertLine]:
        """Return the alerts of a period one by one, worst first."""
        async for page in self.alert_pages(period, min_score=min_score):
            for line in page.alerts:
                yield line

    async def explain_score(self, alert: str) -> ScoreAnswer:
        """Say how the score of an alert came about."""
        return await self.call("explain_score", {"alert": alert}, ScoreAnswer)

    async def diagnose(self, place: Place) -> DiagnosisAnswer:
        """Say what is the matter with a workload."""
        return await self.call("diagnose", place.arguments, DiagnosisAnswer)

    async def plan_remediation(self, place: Place) -> PlanAnswer:
        """Say which rungs would help a workload, and with which calls."""
        return await self.call("plan_remediation", place.arguments, PlanAnswer)

    async def verify_workload(
        self, place: Place, *, acted_at: datetime, ready_before: int | None = None
    ) -> VerificationAnswer:
        """Tell whether an act has helped."""
        arguments = {**place.arguments, "acted_at": acted_at.isoformat(timespec="seconds")}
        if ready_before is not None:
            arguments["ready_before"] = ready_before
        return await self.call("verify_workload", arguments, VerificationAnswer)

    async def create_checkpoint(self, arguments: Arguments, warrant: Warrant) -> CheckpointAnswer:
        """Put a workload on record as it is."""
        return await self.call("create_checkpoint", arguments, CheckpointAnswer, warrant=warrant)

    async def restore_checkpoint(self, checkpoint: str, warrant: Warrant) -> RestoreAnswer:
        """Bring a checkpoint back."""
        return await self.call(
            "restore_checkpoint", {"checkpoint": checkpoint}, RestoreAnswer, warrant=warrant
        )

    async def act(
        self, tool: str, arguments: Arguments, warrant: Warrant
    ) -> WorkloadActionAnswer | RestoreAnswer:
        """Call the tool that climbs a rung, e.g. restart_workload."""
        if tool == "restore_checkpoint":
            return await self.call(tool, arguments, RestoreAnswer, warrant=warrant)
        return await self.call(tool, arguments, WorkloadActionAnswer, warrant=warrant)

    async def summarize_logs(self, period: str, *, topic: str | None = None) -> SummaryAnswer:
        """Say what happened in the logs of a period."""
        return await self.call("summarize_logs", _topic(topic) | {"period": period}, SummaryAnswer)

    async def log_trend(self, period: str, *, query: str = "*", topic: str | None = None) -> TrendAnswer:
        """Tell whether matching lines become more or fewer."""
        return await self.call("log_trend", _topic(topic) | {"period": period, "query": query}, TrendAnswer)

    async def top_patterns(self, period: str, *, query: str = "*", limit: int = 10) -> PatternsAnswer:
        """List the kinds of lines that come most often."""
        return await self.call(
            "top_patterns", {"period": period, "query": query, "limit": limit}, PatternsAnswer
        )

    async def detect_anomalies(self, period: str, *, target: str | None = None) -> AnomaliesAnswer:
        """Find workloads that logged unusually much or little."""
        arguments: dict[str, JsonValue] = {"period": period}
        if target is not None:
            arguments["target"] = target
        return await self.call("detect_anomalies", arguments, AnomaliesAnswer)

    async def send_report(self, report: str, warrant: Warrant, *, channel: str = "all") -> SendAnswer:
        """Send a report to people."""
        return await self.call(
            "send_report", {"report": report, "channel": channel}, SendAnswer, warrant=warrant
        )


def _page(cursor: str | None) -> dict[str, JsonValue]:
    return {} if cursor is None else {"cursor": cursor}


def _topic(topic: str | None) -> dict[str, JsonValue]:
    return {} if topic is None else {"topic": topic}


def _read(tool: str, result: CallToolResult, answer: type[AnswerModel]) -> AnswerModel:
    try:
        return answer.model_validate(result.structured_content)
    except ValidationError as exc:
        raise UnexpectedAnswer(f"{tool} answered what {answer.__name__} does not know") from exc


def _failure(tool: str, result: CallToolResult) -> ToolFailed:
    told = (result.structured_content or {}).get("error")
    error = cast("Mapping[str, JsonValue]", told) if isinstance(told, dict) else {}
    after = error.get("retry_after_s")
    return ToolFailed(
        tool,
        code=str(error.get("code", "tool_failed")),
        detail=str(error.get("detail") or "it failed without saying why"),
        spoken=str(error.get("message") or "这个操作没有成功"),
        hint=str(error.get("hint") or ""),
        retryable=error.get("retryable") is True,
        retry_after_s=float(after) if isinstance(after, int | float) else None,
    )
