"""Reports that can be sent: the morning's digest, and incidents told from their records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from mcp_tencent.devops.errors import IncidentUnknown
from mcp_tencent.devops.incidents import Incident, IncidentStatus, IncidentStore, TimelineEvent
from mcp_tencent.gateway.call import Caller
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.push.errors import ReportUnknown
from mcp_tencent.push.message import Report, Severity
from scheduler.digest import Digest
from scheduler.digest_facts import Standing
from scheduler.digest_json import digest_from_json
from scheduler.digest_markdown import digest_markdown
from scheduler.errors import DigestUnreadable
from scheduler.records import DigestStore, StoredDigest

_STATUS_WORDS = {
    IncidentStatus.OPEN: "还没有解决",
    IncidentStatus.HEALED: "已经恢复",
    IncidentStatus.HUMAN: "需要人工处理",
}
_CRITICAL = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What somebody was told last.

    Args:
        id: Of the turn.
        question: What they had asked.
        spoken: What they were told.
        rows: What the tools answered besides, as lines of text.
    """

    id: str
    question: str
    spoken: str
    rows: tuple[str, ...] = ()


class LastAnswers:
    """What each person was told last; kept in memory only, and only the last."""

    def __init__(self) -> None:
        self._kept: dict[str, KeptAnswer] = {}

    def keep(self, person: str, answer: KeptAnswer) -> None:
        """Keep what the person of this name was told, in the place of what they were told before."""
        self._kept[person] = answer

    def of(self, person: str) -> KeptAnswer | None:
        """Return what the person of this name was told last, if anything."""
        return self._kept.get(person)


class KeptReports:
    """Tells digests, incidents and last answers as reports; satisfies `ReportSource`.

    Args:
        incidents: The memory of incidents.
        digests: The memory of digests.
        zone: In which times are told.
        answers: What people were told last, where this process talks with people.
    """

    def __init__(
        self,
        incidents: IncidentStore,
        digests: DigestStore,
        zone: tzinfo,
        *,
        answers: LastAnswers | None = None,
    ) -> None:
        self._incidents = incidents
        self._digests = digests
        self._zone = zone
        self._answers = answers or LastAnswers()

    async def report(self, name: str, *, caller: Caller) -> Report:
        """Return the latest digest, or the incident called `name`.

        Raises:
            ReportUnknown: There is no such incident, no digest yet, or the caller was told nothing yet.
        """
        if name == "last_answer":
            last = self._answers.of(caller.name)
            if last is None:
                raise ReportUnknown("there is no last_answer yet", spoken="还没有可以发送的回答。")
            return _answer_report(last)
        if name == "digest":
            return await self._latest_digest()
        try:
            incident = await in_store(lambda: self._incidents.get(name))
        except IncidentUnknown as exc:
            raise ReportUnknown(f"no incident is called {name}", spoken="没有找到这个事件。") from exc
        return self._told(incident, await in_store(lambda: self._incidents.timeline(name)))

    async def _latest_digest(self) -> Report:
        latest = await in_store(self._digests.latest)
        if not latest:
            raise ReportUnknown("there is no digest yet", spoken="还没有日报可以发送。")
        try:
            return digest_report(latest[0])
        except DigestUnreadable as exc:
            raise ReportUnknown(f"the digest of {latest[0].date} cannot be read", spoken=exc.spoken) from exc

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
            severity=Severity.CRITICAL if incident.score >= _CRITICAL else Severity.WARNING,
        )


def _answer_report(answer: KeptAnswer) -> Report:
    rows = "\n".join(f"- {row}" for row in answer.rows)
    return Report(
        reference=f"answer-{answer.id}",
        title=f"小智的回答：{answer.question}",
        spoken=answer.spoken,
        markdown=f"**{answer.question}**\n\n{answer.spoken}\n" + (f"\n{rows}\n" if rows else ""),
    )


def digest_report(kept: StoredDigest) -> Report:
    """Return a kept digest as a report: the page for mail, markdown for group chat.

    Raises:
        DigestUnreadable: It was written by another version.
    """
    digest = digest_from_json(kept.content_json)
    told = kept.date - timedelta(days=1)
    return Report(
        reference=f"digest-{kept.date.isoformat()}",
        title=f"{told.month}月{told.day}日运维日报",
        spoken=digest.opening,
        markdown=digest_markdown(digest),
        html=kept.html,
        severity=_severity(digest),
    )


def _severity(digest: Digest) -> Severity:
    unsolved = [one for one in digest.items if one.standing in (Standing.NEEDS_HUMAN, Standing.OPEN)]
    if any((one.score or 0.0) >= _CRITICAL for one in unsolved):
        return Severity.CRITICAL
    return Severity.WARNING if unsolved or digest.decisions else Severity.INFO
