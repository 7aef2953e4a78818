"""The tool that counts what healing came to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from mcp_tencent.analytics.answers import CountLine, RemediationAnswer
from mcp_tencent.analytics.desk import AnalyticsDesk
from mcp_tencent.analytics.remediation import count_remediation, remediation_words
from mcp_tencent.basic.parameters import PeriodText
from mcp_tencent.devops.incidents import Incident, IncidentQuery, IncidentStore
from mcp_tencent.period_words import spoken_period
from mcp_tencent.periods import Period
from mcp_tencent.serving.declare import ToolSet

S = TypeVar("S", bound=StrEnum)

_PAGE = 500


def remediation_tools(desk: AnalyticsDesk) -> ToolSet:
    """Declare the tool."""
    tools = ToolSet()

    @tools.read("自愈统计")
    async def remediation_stats(period: PeriodText = "30d") -> RemediationAnswer:
        """Count incidents and healing attempts of a period: outcomes, rates, time to heal, what helped most.

        For “这个月自愈成功率多少”. For single attempts use remediation_history, for one incident
        describe_incident.

        Example: remediation_stats(period="30d").
        """
        stretch = desk.period(period)
        incidents = await asyncio.to_thread(_all_incidents, desk.incidents, stretch)
        attempts = await asyncio.to_thread(desk.incidents.attempts_between, stretch.start, stretch.end)
        counts = count_remediation(incidents, attempts)
        to_heal = counts.to_heal
        return RemediationAnswer(
            summary=remediation_words(counts, spoken_period(period, stretch, desk.zone)),
            incidents=counts.incidents,
            incidents_by_status=_lines(counts.statuses),
            attempts=counts.attempts,
            unfinished=counts.unfinished,
            outcomes=_lines(counts.outcomes),
            rungs=_lines(counts.rungs),
            healed_by_rung=_lines(counts.healed_by),
            heal_rate=_rounded(counts.heal_rate),
            incident_heal_rate=_rounded(counts.incident_heal_rate),
            median_minutes_to_heal=None if to_heal is None else round(to_heal.total_seconds() / 60, 1),
        )

    return tools


def _all_incidents(store: IncidentStore, period: Period) -> Sequence[Incident]:
    found: list[Incident] = []
    after: str | None = None
    while True:
        query = IncidentQuery(since=period.start, until=period.end, limit=_PAGE, after_id=after)
        page = store.find(query)
        found += page
        if len(page) < _PAGE:
            return found
        after = page[-1].id


def _lines(counter: Counter[S]) -> list[CountLine]:
    return [CountLine(name=one.value, count=count) for one, count in counter.most_common()]


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 3)
