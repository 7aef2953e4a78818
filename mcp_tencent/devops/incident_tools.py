"""Tools for incidents: which there were, what happened step by step, what was tried and what came of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from mcp_tencent.basic.cluster_answers import Answer, Line, ListAnswer
from mcp_tencent.basic.paging import Cursor, cut, page_of
from mcp_tencent.basic.parameters import PeriodText
from mcp_tencent.devops.alerts.desk import AlertDesk
from mcp_tencent.devops.incidents import (
    Attempt,
    AttemptOutcome,
    Incident,
    IncidentQuery,
    IncidentStatus,
    TimelineEvent,
)
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.serving.declare import DeclaredTool, ToolSet

_MOST_INCIDENTS = 1000
_REASONS_TOLD = 5
_TEXT = 120

_STATUS_WORDS = {
    IncidentStatus.HUMAN: "转给了人",
    IncidentStatus.OPEN: "还在处理",
    IncidentStatus.HEALED: "已经恢复",
}
"""Worst first."""
_OUTCOME_WORDS = {
    AttemptOutcome.HEALED: "治好了",
    AttemptOutcome.BETTER_KEPT: "好转了，改动留着",
    AttemptOutcome.NOT_BETTER_RESTORED: "没有好转，已还原",
    AttemptOutcome.WORSE_RESTORED: "变差了，已还原",
    AttemptOutcome.RESTORE_FAILED: "还原失败",
    AttemptOutcome.BLOCKED_BY_POLICY: "策略不允许",
    AttemptOutcome.OUT_OF_BUDGET: "次数用完",
    AttemptOutcome.ABANDONED: "中途放弃",
    AttemptOutcome.ALREADY_RECOVERED: "已自己恢复",
}


class IncidentLine(Line):
    """One trouble with one workload."""

    id: str
    title: str
    score: float = Field(description="0 to 100.")
    status: IncidentStatus = Field(description="human: handed to a person.")
    cluster: str
    namespace: str
    workload: str
    alerts: int
    opened_at: str
    last_seen_at: str
    closed_at: str | None


class IncidentsAnswer(ListAnswer):
    """Incidents, newest first."""

    incidents: list[IncidentLine]
    counts: dict[str, int] = Field(description="By status, of the whole period.")


class AttemptLine(Line):
    """One try to heal."""

    incident: str
    number: int
    rung: str
    action: str = Field(description="Chinese.")
    outcome: AttemptOutcome | None = Field(description="null: under way.")
    reason: str = Field(description="Why it ended so, Chinese.")
    started_at: str
    finished_at: str | None
    checkpoint: str | None = Field(description="Give it to restore_checkpoint to undo the attempt.")


class TimelineLine(Line):
    """One thing that happened."""

    at: str
    kind: str
    text: str = Field(description="Chinese.")


class IncidentAnswer(Answer):
    """An incident from beginning to end."""

    incident: IncidentLine
    reasons: list[str] = Field(description="Why it has its score, Chinese.")
    attempts: list[AttemptLine]
    timeline: list[TimelineLine] = Field(description="Oldest first.")
    left_out: int = Field(default=0, description="Timeline entries that follow on further pages.")
    cursor: str | None = Field(default=None, description="Give it back to get the next page.")
    policy_version: str


class HistoryAnswer(ListAnswer):
    """Attempts to heal, newest first."""

    attempts: list[AttemptLine]
    outcomes: dict[str, int] = Field(description="How many ended how, of the whole period.")


def incident_tools(desk: AlertDesk) -> Sequence[DeclaredTool]:
    """Return the declared tools."""
    tools = ToolSet()
    _declare_list(tools, desk)
    _declare_describe(tools, desk)
    _declare_history(tools, desk)
    return tools.tools


def _declare_list(tools: ToolSet, desk: AlertDesk) -> None:
    @tools.read("列出故障")
    async def list_incidents(
        period: PeriodText = "24h",
        status: Annotated[
            Literal["all", "open", "healed", "human"],
            Field(description="open: still being dealt with; human: handed to a person."),
        ] = "all",
        cursor: Cursor = None,
    ) -> IncidentsAnswer:
        """List incidents that were opened in a period, newest first.

        For “昨晚处理了哪些故障”, “有没有要我处理的”. An incident is trouble that the device took up;
        bare alerts are in list_alerts.

        Example: list_incidents(period="24h", status="human").
        """
        stretch = desk.basic.period(period)
        query = IncidentQuery(since=stretch.start, until=stretch.end, limit=_MOST_INCIDENTS)
        every = await in_store(lambda: desk.incidents.find(query))
        wanted = [one for one in every if status in ("all", one.status.value)]
        page = page_of(wanted, lambda one: _incident_line(desk, one), cursor=cursor)
        return IncidentsAnswer(
            summary=_listed(wanted),
            incidents=page.items,
            counts={one.value: sum(each.status is one for each in every) for one in IncidentStatus},
            left_out=page.left_out,
            cursor=page.cursor,
        )


def _declare_describe(tools: ToolSet, desk: AlertDesk) -> None:
    @tools.read("查看故障经过")
    async def describe_incident(
        incident: Annotated[
            str,
            Field(
                description="`id` from list_incidents, e.g. inc-3f9a0c1d2b4e.", min_length=1, max_length=64
            ),
        ],
        cursor: Cursor = None,
    ) -> IncidentAnswer:
        """Tell an incident from beginning to end: what was seen, tried, verified, restored.

        For “这个故障是怎么处理的”. Which incidents there are says list_incidents.

        Example: describe_incident(incident="inc-3f9a0c1d2b4e").
        """
        wanted = incident.strip()
        found, timeline, attempts = await in_store(
            lambda: (
                desk.incidents.get(wanted),
                desk.incidents.timeline(wanted),
                desk.incidents.attempts(wanted),
            )
        )
        page = page_of(timeline, lambda event: _timeline_line(desk, event), cursor=cursor, budget_bytes=1800)
        return IncidentAnswer(
            summary=_described(found, attempts),
            incident=_incident_line(desk, found),
            reasons=_reasons(found.facts_json),
            attempts=page_of(attempts, lambda one: _attempt_line(desk, one), budget_bytes=1400).items,
            timeline=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
            policy_version=found.policy_version,
        )


def _declare_history(tools: ToolSet, desk: AlertDesk) -> None:
    @tools.read("查看处理记录")
    async def remediation_history(period: PeriodText = "24h", cursor: Cursor = None) -> HistoryAnswer:
        """List the attempts to heal in a period, newest first, with what came of each.

        For “昨晚自动处理成功了几次”. The whole course of one incident is in describe_incident; rates over a
        longer time are in remediation_stats.

        Example: remediation_history(period="7d").
        """
        stretch = desk.basic.period(period)
        found = await in_store(lambda: desk.incidents.attempts_between(stretch.start, stretch.end))
        newest_first = sorted(found, key=lambda one: (one.started_at, one.id), reverse=True)
        page = page_of(newest_first, lambda one: _attempt_line(desk, one), cursor=cursor)
        outcomes = Counter(one.outcome for one in found if one.outcome is not None)
        return HistoryAnswer(
            summary=_history_told(found, outcomes),
            attempts=page.items,
            outcomes={outcome.value: count for outcome, count in outcomes.most_common()},
            left_out=page.left_out,
            cursor=page.cursor,
        )


def _incident_line(desk: AlertDesk, one: Incident) -> IncidentLine:
    return IncidentLine(
        id=one.id,
        title=cut(one.title, _TEXT),
        score=round(one.score, 1),
        status=one.status,
        cluster=one.cluster_id,
        namespace=one.namespace,
        workload=one.workload,
        alerts=one.alert_count,
        opened_at=_told(desk, one.opened_at),
        last_seen_at=_told(desk, one.last_seen_at),
        closed_at=desk.basic.told(one.closed_at),
    )


def _attempt_line(desk: AlertDesk, one: Attempt) -> AttemptLine:
    return AttemptLine(
        incident=one.incident_id,
        number=one.number,
        rung=one.rung,
        action=cut(one.action, _TEXT),
        outcome=one.outcome,
        reason=cut(one.reason, _TEXT),
        started_at=_told(desk, one.started_at),
        finished_at=desk.basic.told(one.finished_at),
        checkpoint=one.checkpoint_id,
    )


def _timeline_line(desk: AlertDesk, event: TimelineEvent) -> TimelineLine:
    return TimelineLine(at=_told(desk, event.at), kind=event.kind, text=cut(event.text, _TEXT))


def _told(desk: AlertDesk, at: datetime) -> str:
    return desk.basic.told(at) or ""


def _listed(incidents: Sequence[Incident]) -> str:
    if not incidents:
        return "这段时间没有故障记录。"
    counts = [
        f"{count}起{words}"
        for status, words in _STATUS_WORDS.items()
        if (count := sum(one.status is status for one in incidents))
    ]
    unsolved = [one for one in incidents if one.status is not IncidentStatus.HEALED]
    worst = max(unsolved or incidents, key=lambda one: one.score)
    return f"共{len(incidents)}起故障，{'，'.join(counts)}。最要紧的是{worst.title}，{_spoken(worst)}。"


def _described(incident: Incident, attempts: Sequence[Attempt]) -> str:
    begin = f"{incident.title}，{_spoken(incident)}，{_STATUS_WORDS[incident.status]}。"
    if not attempts:
        return f"{begin}还没有处理过。"
    last = attempts[-1]
    outcome = "正在进行" if last.outcome is None else _OUTCOME_WORDS[last.outcome]
    return f"{begin}处理了{len(attempts)}次，最后一次是{last.action}，{outcome}。"


def _history_told(attempts: Sequence[Attempt], outcomes: Mapping[AttemptOutcome, int]) -> str:
    if not attempts:
        return "这段时间没有自动处理过。"
    counts = [
        f"{_OUTCOME_WORDS[outcome]}{outcomes[outcome]}次" for outcome in _OUTCOME_WORDS if outcomes[outcome]
    ]
    running = sum(one.outcome is None for one in attempts)
    counts += [f"正在进行{running}次"] if running else []
    troubles = len({one.incident_id for one in attempts})
    return f"共处理{len(attempts)}次，涉及{troubles}起故障：{'，'.join(counts)}。"


def _spoken(incident: Incident) -> str:
    return f"{round(incident.score / 10, 1):g}分"


def _reasons(facts: str) -> list[str]:
    """Return the reasons for the score that an incident keeps; other facts are left alone."""
    try:
        kept: JsonValue = json.loads(facts)
    except ValueError:
        return []
    reasons = kept.get("reasons") if isinstance(kept, dict) else None
    if not isinstance(reasons, list):
        return []
    texts = [one.get("text") if isinstance(one, dict) else one for one in reasons]
    return [text for text in texts if isinstance(text, str)][:_REASONS_TOLD]
