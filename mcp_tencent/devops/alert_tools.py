"""Tools for alerts: what there was, grouped and scored; why a score is what it is; feedback."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_tencent.basic.paging import Cursor, cut, page_of
from mcp_tencent.basic.parameters import PeriodText
from mcp_tencent.devops.alert_answers import (
    AlertsAnswer,
    FeedbackAnswer,
    ScoreAnswer,
    alert_line,
    alerts_summary,
    feedback_summary,
    score_answer,
    title_of,
    unread_lines,
)
from mcp_tencent.devops.alerts.desk import AlertDesk, AlertReport, ScoredGroup
from mcp_tencent.devops.alerts.feedback import Feedback, Verdict
from mcp_tencent.errors import Ambiguous, NotFound
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.serving.declare import DeclaredTool, DryRun, ToolSet
from mcp_tencent.serving.identity import caller_of

_LOOK_BACK = timedelta(days=2)
"""How far back an alert is looked for by its id or name."""
_LESSONS_TOLD = 3
_LIST_BYTES = 2600
_TURNING = timedelta(minutes=10)
"""For so long after the first page the others belong to the same report."""
_KEPT_REPORTS = 2
_READ_DEADLINE_S = 90.0
"""Alerts are read from every place and measured: with a throttling service that takes its time."""

AlertName = Annotated[
    str,
    Field(
        description="`id` from list_alerts, or the name of an alarm or workload with a recent alert.",
        min_length=1,
        max_length=200,
    ),
]


def alert_tools(desk: AlertDesk) -> Sequence[DeclaredTool]:
    """Return the declared tools."""
    tools = ToolSet(outside="cls")
    _declare_list(tools, desk)
    _declare_explain(tools, desk)
    _declare_feedback(tools, desk)
    return tools.tools


class _Pages:
    """Keeps the last reports, so that turning a page neither reads the clouds again nor shifts the list."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[datetime, AlertReport]] = {}

    async def report(self, desk: AlertDesk, period: str, *, first: bool) -> AlertReport:
        """Return the report of a period; for pages after the first, the one that they belong to."""
        now = desk.basic.now()
        read_at, report = self._kept.get(period, (None, None))
        if not first and report is not None and read_at is not None and now - read_at < _TURNING:
            return report
        stretch = desk.basic.period(period)
        report = await desk.report(stretch.start, stretch.end)
        self._kept.pop(period, None)
        self._kept[period] = (now, report)
        while len(self._kept) > _KEPT_REPORTS:
            del self._kept[next(iter(self._kept))]
        return report


def _declare_list(tools: ToolSet, desk: AlertDesk) -> None:
    pages = _Pages()

    @tools.read("列出告警", cache_s=20.0, deadline_s=_READ_DEADLINE_S)
    async def list_alerts(
        period: PeriodText = "yesterday",
        min_score: Annotated[
            float, Field(description="Leave out groups with a lower score, 0 to 100.", ge=0, le=100)
        ] = 0,
        cursor: Cursor = None,
    ) -> AlertsAnswer:
        """List the alerts of all clusters, grouped by root cause and scored, worst first.

        For “昨天有哪些告警”, “今天最严重的问题是什么”. Each group is one trouble, however many records it
        raised. Not for the bare records of one alarm (alarm_history), nor for what was done about trouble
        (list_incidents).

        Example: list_alerts(period="yesterday", min_score=50).
        """
        report = await pages.report(desk, period, first=cursor is None)
        shown = [one for one in report.groups if one.scored.score >= min_score]
        page = page_of(
            shown, lambda one: alert_line(desk.basic, one), cursor=cursor, budget_bytes=_LIST_BYTES
        )
        return AlertsAnswer(
            summary=alerts_summary(period, report, shown, min_score),
            alerts=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
            records=report.alerts,
            groups=len(report.groups),
            unread=unread_lines(report.unread),
            policy_version=report.policy.version,
            weights_version=report.weights.version,
            weights=report.weights.weights.model_dump(),
        )


def _declare_explain(tools: ToolSet, desk: AlertDesk) -> None:
    @tools.read("解释评分", cache_s=20.0, deadline_s=_READ_DEADLINE_S)
    async def explain_score(alert: AlertName) -> ScoreAnswer:
        """Explain why an alert of the last two days has its score: factors, facts, weights.

        For “为什么这条是九分”, “这个告警为什么排第一”. Not for what caused the trouble: that is diagnose.

        Example: explain_score(alert="订单服务错误率过高").
        """
        report = await _recent(desk)
        one = _found(alert, report)
        versions = await desk.weights(report.policy)
        learnt = [version.explanation for version in versions[:0:-1][:_LESSONS_TOLD]]
        return score_answer(desk.basic, report, one, learnt)


def _declare_feedback(tools: ToolSet, desk: AlertDesk) -> None:
    @tools.write("反馈告警", deadline_s=_READ_DEADLINE_S, naturally_idempotent=True)
    async def give_feedback(
        context: Context[Any, Any],
        alert: AlertName,
        verdict: Annotated[
            Literal["important", "unimportant", "false_alarm"],
            Field(description="Whether it mattered, or should not have been raised at all."),
        ],
        dry_run: DryRun = False,
    ) -> FeedbackAnswer:
        """Remember what somebody says of an alert; the weights of future scores follow, within bounds.

        For “这条不重要”, “这是误报”, “这条很重要”. What the same person says later of the same alert
        replaces it. It switches no alarm off: that is update_alarm.

        Example: give_feedback(alert="alert-1f3a5b7c9d-1763640000", verdict="unimportant").
        """
        report = await _recent(desk)
        one = _found(alert, report)
        feedback = Feedback(
            group_id=one.group.id,
            person=caller_of(context.request_context, desk.otherwise).name,
            fingerprint=one.group.fingerprint,
            verdict=Verdict(verdict),
            score=one.scored.score,
            factors=one.scored.factors,
            given_at=desk.basic.now(),
        )
        before = (await desk.weights(report.policy))[-1]
        after = (await desk.weights(report.policy, also=feedback.lesson))[-1]
        if not dry_run:
            await in_store(lambda: desk.feedback.give(feedback))
        return FeedbackAnswer(
            summary=feedback_summary(title_of(one), feedback.verdict, before, after, dry_run=dry_run),
            dry_run=dry_run,
            alert=one.group.id,
            title=title_of(one),
            verdict=feedback.verdict,
            weights_before=before.weights.model_dump(),
            weights_after=after.weights.model_dump(),
            weights_version=before.version if dry_run else after.version,
        )


async def _recent(desk: AlertDesk) -> AlertReport:
    # From midnight, as “yesterday” counts: the same records make the same groups with the same ids.
    now = desk.basic.now()
    start = (now - _LOOK_BACK).astimezone(desk.basic.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return await desk.report(start, now)


def _found(said: str, report: AlertReport) -> ScoredGroup:
    """Return the group that is meant, by id, by a record's id, or by the name of an alarm or workload.

    Raises:
        NotFound: None is.
        Ambiguous: Several are.
    """
    wanted = said.strip()
    for fits in _ways(wanted):
        found = [one for one in report.groups if fits(one)]
        if len(found) == 1:
            return found[0]
        if found:
            names = [f"{title_of(one)}（{one.group.id}）" for one in found[:5]]
            raise Ambiguous(f"{len(found)} groups of alerts fit {cut(wanted, 40)!r}", candidates=names)
    raise NotFound(
        f"no alert of the last two days fits {cut(wanted, 40)!r}", wanted=f"叫“{cut(wanted, 20)}”的告警"
    )


def _ways(wanted: str) -> Sequence[Callable[[ScoredGroup], bool]]:
    """Return how a group may be named, the surest way first."""
    fingerprint = wanted.rpartition("-")[0] if wanted.startswith("alert-") else ""
    return (
        lambda one: one.group.id == wanted,
        # A longer look back may have found an earlier beginning of the same group.
        lambda one: bool(fingerprint) and one.group.id.startswith(f"{fingerprint}-"),
        lambda one: any(alert.record.record_id == wanted for alert in one.group.alerts),
        lambda one: wanted in one.group.alarm_names or wanted == title_of(one),
        lambda one: wanted in (one.name, one.group.subject.workload, one.group.subject.node),
        lambda one: wanted in one.affected,
    )
