"""The steps of a night: collecting through the tools, opening incidents, writing and sending the digest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import partial

from mcp_tencent.basic.cluster_answers import ClustersAnswer
from mcp_tencent.client import Warrant
from mcp_tencent.devops.alert_answers import AlertLine, AlertsAnswer
from mcp_tencent.devops.alerts.advice import FactorAdviser
from mcp_tencent.devops.alerts.alert import GroupState
from mcp_tencent.devops.alerts.lessons import kept_facts
from mcp_tencent.devops.healing.ladder import End
from mcp_tencent.devops.incidents import Attempt, Incident, IncidentStatus, TimelineEvent
from mcp_tencent.devops.policy.model import Weights
from mcp_tencent.devops.policy.modes import ModeStore
from mcp_tencent.errors import CloudError, ToolFailed
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.tables import stable_id
from scheduler.digest import build_digest
from scheduler.digest_facts import (
    AlertFacts,
    AttemptFacts,
    ClusterFacts,
    Gap,
    IncidentFacts,
    LogFacts,
    NightFacts,
    ProposalFacts,
    Standing,
)
from scheduler.digest_logs import gather_log_facts
from scheduler.digest_rendering import rendered
from scheduler.digest_spoken import MAX_SECONDS
from scheduler.errors import JobFinished
from scheduler.healing import Ending
from scheduler.healing_readings import cause_name, proposals
from scheduler.healing_steps import Ward
from scheduler.night import JOB, AlertsSeen, Candidate, NightEnd, Opened, night_id
from scheduler.opening import OpeningWriter, opening_by
from scheduler.records import DigestStore, JobOutcome, JobRun, JobRunStore
from scheduler.second_look import second_look

_log = logging.getLogger(__name__)

_MOST_ALERTS = 500
"""Groups that are kept of a day; of 5,000 records hardly any day makes more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightDesk:
    """What a night works with.

    Args:
        ward: What healing works with.
        runs: The memory of jobs.
        digests: The memory of digests.
        modes: Whether a breaker has put the device back to observing.
        zone: Where days begin at midnight.
        max_seconds: The longest spoken digest.
        adviser: Looks at the worst groups of alerts a second time; None where there is no language model.
        writer: Words the opening of the digest; None where there is no language model.
    """

    ward: Ward
    runs: JobRunStore
    digests: DigestStore
    modes: ModeStore
    zone: tzinfo
    max_seconds: float = MAX_SECONDS
    adviser: FactorAdviser | None = None
    writer: OpeningWriter | None = None


class DeskNight:
    """Satisfies `NightSteps`."""

    def __init__(self, desk: NightDesk) -> None:
        self._desk = desk
        self._ward = desk.ward
        self._tools = desk.ward.tools

    async def begin(self, on: date) -> None:
        """Record that the night begins."""
        run = JobRun(id=night_id(on), job=JOB, for_date=on, started_at=self._ward.clock.now())
        await in_store(lambda: self._desk.runs.start(run))

    async def alerts(self, on: date) -> AlertsSeen:
        """Collect, group and score the alerts of the day before; the tool reads all clusters side by side."""
        try:
            clusters = await self._tools.clusters()
        except CloudError as error:
            return AlertsSeen(unread=(Gap(what="所有集群", why=error.spoken),))
        facts = tuple(ClusterFacts(cluster_id=one.id, name=one.name) for one in clusters.clusters)
        gaps = _unreached(clusters)
        alerts: list[AlertFacts] = []
        candidates: list[Candidate] = []
        records, weights = 0, Weights()
        try:
            async for page in self._tools.alert_pages(alert_period(on, self._desk.zone)):
                records, weights = page.records, Weights.model_validate(page.weights)
                gaps += [Gap(what=one.what, why=one.why) for one in page.unread]
                alerts += [_alert_facts(line) for line in page.alerts]
                candidates += [_candidate(line, page) for line in page.alerts if _curable(line)]
                if len(alerts) >= _MOST_ALERTS:
                    break
        except CloudError as error:
            gaps.append(Gap(what="告警", why=error.spoken))
        candidates = await self._second_look(candidates, weights)
        again = {one.alert.id: one.alert for one in candidates}
        unread = tuple(dict.fromkeys(gaps))
        silent = {gap.what for gap in unread}
        return AlertsSeen(
            records=records,
            alerts=tuple(again.get(one.id, one) for one in alerts),
            candidates=tuple(sorted(candidates, key=lambda one: -one.alert.score)),
            clusters=tuple(
                ClusterFacts(cluster_id=one.cluster_id, name=one.name, readable=False)
                if one.name in silent or one.cluster_id in silent
                else one
                for one in facts
            ),
            unread=unread,
        )

    async def _second_look(self, candidates: list[Candidate], weights: Weights) -> list[Candidate]:
        adviser = self._desk.adviser
        if adviser is None:
            return candidates
        policy = self._ward.policy.current().policy
        return await second_look(candidates, weights, adviser=adviser, tools=self._tools, policy=policy)

    async def logs(self, on: date, seen: AlertsSeen) -> LogFacts:
        """Collect the facts of the logs of the day before, and of the meters of the clusters seen."""
        return await gather_log_facts(
            self._tools,
            on=on,
            zone=self._desk.zone,
            clusters=seen.clusters,
            alerted={one.workload for one in seen.alerts},
        )

    async def open(self, on: date, seen: AlertsSeen) -> tuple[Opened, ...]:
        """Open the incidents that are to be healed, worst first."""
        opened = [await self._opened(one) for one in seen.candidates]
        return tuple(one for one in opened if one is not None)

    async def _opened(self, one: Candidate) -> Opened | None:
        """Open an incident; None when it was dealt with before."""
        now, store = self._ward.clock.now(), self._ward.incidents
        incident = incident_of(one, now)
        if not await in_store(lambda: store.open(incident)):
            known = await in_store(lambda: store.find_by_key(incident.idempotency_key))
            if known is None or known.status is not IncidentStatus.OPEN:
                return None
        text = f"{incident.title}，{incident.alert_count}条告警，{incident.score / 10:.1f}分"
        event = TimelineEvent(at=now, kind="alert", text=text)
        await in_store(lambda: store.add_event(incident.id, event, key="alert"))
        place = f"{incident.cluster_id}/{incident.namespace}/{incident.workload}"
        return Opened(incident_id=incident.id, place=place)

    async def digest(
        self,
        on: date,
        seen: AlertsSeen,
        logs: LogFacts,
        opened: tuple[Opened, ...],
        endings: tuple[Ending, ...],
    ) -> str:
        """Write the digest; return how it begins."""
        still = await self._handed_over_before(seen, opened)
        ids = [*(one.incident_id for one in opened), *still]
        told = [await self._incident_facts(one, endings, seen) for one in ids]
        waiting = [
            ProposalFacts(
                id=attempt.id, incident_id=attempt.incident_id, act=attempt.action, because=attempt.reason
            )
            for one in opened
            for attempt in proposals(await self._attempts(one.incident_id))
        ]
        facts = NightFacts(
            date=on,
            clusters=seen.clusters,
            alert_records=seen.records,
            alerts=seen.alerts,
            incidents=tuple(told),
            proposals=tuple(waiting),
            logs=logs,
            notices=await self._notices(),
            unread=seen.unread,
        )
        writer = self._desk.writer
        digest = build_digest(facts, opening=None if writer is None else await opening_by(writer, facts))
        stored = rendered(digest, written_at=self._ward.clock.now(), max_seconds=self._desk.max_seconds)
        await in_store(lambda: self._desk.digests.write(stored))
        return digest.opening

    async def _handed_over_before(self, seen: AlertsSeen, opened: Sequence[Opened]) -> list[str]:
        """Return incidents that an earlier night gave to a person, and that go on: they are told again."""
        now = {one.incident_id for one in opened}
        found = []
        for one in seen.candidates:
            known = await in_store(partial(self._ward.incidents.find_by_key, one.alert.id))
            if known is not None and known.status is IncidentStatus.HUMAN and known.id not in now:
                found.append(known.id)
        return found

    async def _notices(self) -> tuple[str, ...]:
        """Return what keeps the device from healing at all."""
        fallen_back = (await in_store(self._desk.modes.book)).fallen_back
        said = [] if fallen_back is None else [f"{fallen_back.reason}，要您重新选择自愈模式才会再修"]
        if self._ward.policy.trouble is not None:
            said.append("自愈策略文件有错，改好之前我什么都不修")
        return tuple(said)

    async def send(self, on: date) -> None:
        """Send the copy of the digest to wherever the house has reports sent."""
        try:
            await self._tools.send_report("digest", Warrant(key=f"{night_id(on)}-digest"))
        except ToolFailed as error:
            _log.info("the digest of %s was not sent: %s", on, error)

    async def end(self, on: date, seen: AlertsSeen, logs: LogFacts, endings: tuple[Ending, ...]) -> NightEnd:
        """Record how the night ended."""
        gaps = [*seen.unread, *logs.unread]
        outcome = JobOutcome.PARTIAL if gaps else JobOutcome.SUCCEEDED
        if not seen.clusters and gaps:
            outcome = JobOutcome.FAILED
        detail = "；".join(f"{gap.what}读不到：{gap.why}" for gap in gaps[:3])
        at = self._ward.clock.now()
        try:
            await in_store(lambda: self._desk.runs.finish(night_id(on), outcome, at=at, detail=detail))
        except JobFinished:
            _log.info("%s had been recorded as missed, and was run by hand later", night_id(on))
        return NightEnd(on=on, outcome=outcome, detail=detail, endings=endings)

    async def _attempts(self, incident_id: str) -> Sequence[Attempt]:
        return await in_store(lambda: self._ward.incidents.attempts(incident_id))

    async def _incident_facts(
        self, incident_id: str, endings: Sequence[Ending], seen: AlertsSeen
    ) -> IncidentFacts:
        incident = await in_store(lambda: self._ward.incidents.get(incident_id))
        attempts = await self._attempts(incident_id)
        ending = next((one for one in endings if one.incident_id == incident_id), None)
        alert = next((one for one in seen.alerts if one.id == incident.idempotency_key), None)
        standing = _standing(incident, ending)
        return IncidentFacts(
            id=incident.id,
            alert_id=incident.idempotency_key,
            title=incident.title,
            name=alert.name if alert is not None else incident.workload,
            score=incident.score,
            standing=standing,
            cluster_id=incident.cluster_id,
            namespace=incident.namespace,
            workload=incident.workload,
            alerts=incident.alert_count,
            opened_at=incident.opened_at,
            closed_at=incident.closed_at,
            reasons=alert.because if alert is not None else (),
            cause=cause_name(ending.cause, ending.culprit) if ending is not None else "",
            attempts=tuple(
                AttemptFacts(
                    number=one.number,
                    rung=one.rung.value,
                    action=one.action,
                    outcome=one.outcome.value if one.outcome is not None else None,
                    reason=one.reason,
                )
                for one in attempts
            ),
            unsolved_because=(
                _why_unsolved(ending) if standing in {Standing.NEEDS_HUMAN, Standing.OPEN} else ""
            ),
            exhausted=ending is not None and ending.end in {End.NOTHING_HELPS, End.OUT_OF_BUDGET},
        )


def _why_unsolved(ending: Ending | None) -> str:
    return ending.reason if ending is not None else "前一晚已经转给负责人"


def period_before(on: date, zone: tzinfo) -> str:
    """Return the day before `on` as the tools take a period (pure)."""
    return _between(on - timedelta(days=1), on, zone)


def alert_period(on: date, zone: tzinfo) -> str:
    """Return the day before `on` and the night after it, which the tools cut at the present (pure).

    What began after midnight and goes on is healed now, not a day later.
    """
    noon = datetime.combine(on, time(12), zone).isoformat(timespec="seconds")
    return f"{period_before(on, zone).partition('/')[0]}/{noon}"


def _between(start: date, end: date, zone: tzinfo) -> str:
    return "/".join(datetime.combine(day, time(), zone).isoformat(timespec="seconds") for day in (start, end))


def incident_of(one: Candidate, at: datetime) -> Incident:
    """Return the incident of a group of alerts, as it is opened (pure)."""
    alert = one.alert
    return Incident(
        id=stable_id("inc", alert.id),
        idempotency_key=alert.id,
        fingerprint=one.fingerprint,
        cluster_id=alert.cluster_id,
        namespace=alert.namespace,
        workload_kind=one.kind,
        workload=alert.workload,
        title=alert.title,
        score=alert.score,
        alert_count=alert.alerts,
        status=IncidentStatus.OPEN,
        opened_at=at,
        last_seen_at=one.alert.last_at or at,
        policy_version=one.policy_version,
        facts_json=kept_facts(dict(one.factors), list(alert.because), one.weights_version),
    )


def _curable(line: AlertLine) -> bool:
    return line.state is not GroupState.RECOVERED and bool(line.workload) and bool(line.kind)


def _candidate(line: AlertLine, page: AlertsAnswer) -> Candidate:
    return Candidate(
        alert=_alert_facts(line),
        fingerprint=line.fingerprint,
        kind=line.kind,
        factors=tuple(line.factors.items()),
        weights_version=page.weights_version,
        policy_version=page.policy_version,
    )


def _alert_facts(line: AlertLine) -> AlertFacts:
    return AlertFacts(
        id=line.id,
        title=line.title,
        name=line.affected[0] if line.affected else line.workload or line.node or line.title,
        score=line.score,
        priority=line.priority,
        standing=Standing.RECOVERED if line.state is GroupState.RECOVERED else Standing.OPEN,
        cluster_id=line.cluster,
        namespace=line.namespace,
        workload=line.workload,
        alerts=line.alerts,
        muted=line.muted,
        affected=tuple(line.affected),
        began_at=datetime.fromisoformat(line.began_at) if line.began_at else None,
        last_at=datetime.fromisoformat(line.last_at) if line.last_at else None,
        because=tuple(line.because),
    )


def _unreached(clusters: ClustersAnswer) -> list[Gap]:
    places = [Gap(what=f"{one.account}（{one.region}）", why=one.reason) for one in clusters.unreached]
    return places + [Gap(what=one, why="没有回应") for one in clusters.silent]


def _standing(incident: Incident, ending: Ending | None) -> Standing:
    match incident.status:
        case IncidentStatus.HUMAN:
            return Standing.NEEDS_HUMAN
        case IncidentStatus.HEALED:
            recovered = ending is not None and ending.end == "already_recovered"
            return Standing.RECOVERED if recovered else Standing.HEALED
        case _:
            return Standing.OPEN
