"""Reports that can be sent: incidents, told from their records."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import tzinfo

from mcp_tencent.devops.errors import IncidentUnknown
from mcp_tencent.devops.incidents import Incident, IncidentStatus, IncidentStore, TimelineEvent
from mcp_tencent.gateway.call import Caller
from mcp_tencent.push.errors import ReportUnknown
from mcp_tencent.push.message import Report, Severity

_STATUS_WORDS = {
    IncidentStatus.OPEN: "还没有解决",
    IncidentStatus.HEALED: "已经恢复",
    IncidentStatus.HUMAN: "需要人工处理",
}


class IncidentReports:
    """Tells incidents as reports; satisfies `ReportSource`.

    Args:
        incidents: The memory of incidents.
        zone: In which times are told.
    """

    def __init__(self, incidents: IncidentStore, zone: tzinfo) -> None:
        self._incidents = incidents
        self._zone = zone

    async def report(self, name: str, *, caller: Caller) -> Report:
        """Return the report of the incident called `name`.

        Raises:
            ReportUnknown: There is no such incident; digests and answers are not kept yet.
        """
        if name in {"digest", "last_answer"}:
            spoken = "还没有日报可以发送。" if name == "digest" else "还没有可以发送的回答。"
            raise ReportUnknown(f"there is no {name} yet", spoken=spoken)
        try:
            incident = await asyncio.to_thread(self._incidents.get, name)
        except IncidentUnknown as exc:
            raise ReportUnknown(f"no incident is called {name}", spoken="没有找到这个事件。") from exc
        return self._told(incident, await asyncio.to_thread(self._incidents.timeline, name))

    def _told(self, incident: Incident, timeline: Sequence[TimelineEvent]) -> Report:
        status = _STATUS_WORDS[incident.status]
        steps = "\n".join(
            f"- {event.at.astimezone(self._zone):%m-%d %H:%M} {event.text}" for event in timeline
        )
        where = f"{incident.cluster_id} / {incident.namespace} / {incident.workload}"
        return Report(
            reference=incident.id,
            title=incident.title,
            spoken=f"{incident.title}，{status}。",
            markdown=(
                f"**{incident.title}**，{status}。\n\n"
                f"- 位置：{where}\n- 评分：{incident.score / 10:.1f} 分\n- 告警：{incident.alert_count} 条\n"
                f"\n### 经过\n\n{steps or '- 还没有记录'}\n"
            ),
            severity=Severity.CRITICAL if incident.score >= 90 else Severity.WARNING,
        )
