"""The steps of healing: looking, deciding, asking the guards, acting, verifying, restoring, recording.

Everything that touches the cloud or people goes through the tools, as the night's own service identity and
under the incident's plan; what is remembered goes into the records of incidents.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pydantic import JsonValue

from mcp_tencent.client import CloudTools, Place, Warrant
from mcp_tencent.devops.diagnosis_answers import RUNG_NAMES
from mcp_tencent.devops.healing.guards import Refusal
from mcp_tencent.devops.healing.ladder import Climb, End, Stop, Trouble, next_step
from mcp_tencent.devops.healing.plans import (
    CHECKPOINT_TOOL,
    HealingBook,
    HealingPlan,
    PlannedCall,
)
from mcp_tencent.devops.incidents import (
    Attempt,
    AttemptOutcome,
    Incident,
    IncidentStatus,
    IncidentStore,
    Rung,
    TimelineEvent,
)
from mcp_tencent.devops.policy.file import PolicySource
from mcp_tencent.devops.policy.guards import ReplicaBounds
from mcp_tencent.errors import CloudError, ToolFailed
from mcp_tencent.gateway.call import Clock
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.tables import stable_id
from scheduler.healing import Doing, Done, Ending, Planned, RungView, Sight, Verified
from scheduler.healing_readings import (
    kind_of,
    not_done,
    options_of,
    over,
    past_of,
    place_of,
    sight_of,
    target_of,
)

_log = logging.getLogger(__name__)

_PROPOSED = "proposed"
_PROTECTED = "受保护的命名空间不自动处理"
_PLAN = "plan"
_TURN_S, _TURNS = 0.25, 240
"""Real time: five minutes at most, which is longer than any diagnosis takes."""
_NOTE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long effects take to show, in the cloud's time.

    Args:
        effect: From an act to the first verification; the verification wants seven minutes of logs.
        again: Before another look where it could not be told yet, or got better only.
        looks: Verifications at most.
    """

    effect: timedelta = timedelta(minutes=7, seconds=20)
    again: timedelta = timedelta(minutes=3)
    looks: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """What healing works with.

    Args:
        tools: The typed client.
        incidents: The memory of incidents.
        book: Where healing is registered and allowed.
        policy: The policy in force.
        clock: The present.
        job: Name of the service identity.
        waits: How long effects take to show.
    """

    tools: CloudTools
    incidents: IncidentStore
    book: HealingBook
    policy: PolicySource
    clock: Clock
    job: str
    waits: Waits = field(default_factory=Waits)


class WardHealing:
    """Satisfies `HealingSteps`."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward

    async def begin(self, incident_id: str) -> Ending | None:
        """Look the incident up; an ending when it is not (or no longer) to be worked on."""
        incident = await self._incident(incident_id)
        if incident.status is not IncidentStatus.OPEN:
            return _ending(incident, "closed", "已经处理完了")
        await self._note(incident_id, "begin", "healing", "开始处理")
        return None

    async def announce(self, incident_id: str) -> None:
        """Send the first alert, if the incident is urgent enough."""
        incident = await self._incident(incident_id)
        if incident.score >= self._ward.policy.current().policy.notices.p1:
            await self._send(incident, "first", "首次通知")

    async def look(self, incident_id: str, round_number: int) -> Sight:
        """See what is the matter and what would help."""
        incident = await self._incident(incident_id)
        try:
            answer = await self._ward.tools.plan_remediation(place_of(incident))
        except CloudError as error:
            await self._note(incident_id, f"look-{round_number}", "diagnosis", f"看不了：{error.spoken}")
            return Sight(known=False, quiet=False, cause="", spoken=error.spoken)
        evidence: dict[str, JsonValue] = {
            "cause": answer.cause,
            "confidence": answer.confidence,
            "gaps": list(answer.gaps),
        }
        await self._note(incident_id, f"look-{round_number}", "diagnosis", answer.summary, evidence)
        return sight_of(answer)

    async def decide(self, incident_id: str, sight: Sight) -> Planned | Stop:
        """Choose the next rung, if any."""
        incident = await self._incident(incident_id)
        past = [past_of(one) for one in await self._ward.book.attempts(incident_id) if one.outcome]
        if not sight.known:
            return Stop(end=End.NOTHING_HELPS, reason=f"诊断不了，{sight.spoken}")
        decision = next_step(
            Trouble(
                tier=self._ward.policy.current().policy.tier(incident.score),
                rungs=self._ward.policy.current().policy.rungs,
                options=options_of(sight),
                past=past,
                kind=kind_of(incident.workload_kind),
                failed_before=await self._ward.book.failed_before(
                    incident_id, [datetime.fromisoformat(one) for one in sight.changed_at]
                ),
                recovered=sight.quiet,
            )
        )
        if sight.quiet and past:
            return over(decision, past)
        if isinstance(decision, Stop):
            protected = self._ward.policy.current().policy.is_protected(incident.namespace)
            if protected and decision.hand_over:  # the tools rule every rung out there: that is the reason
                return replace(decision, end=End.BLOCKED_BY_POLICY, reason=_PROTECTED)
            return decision
        view = next(one for one in sight.rungs if one.rung is decision.rung)
        arguments: dict[str, JsonValue] = json.loads(view.arguments_json)
        if decision.rung is Rung.SCALE:
            bounds = self._ward.policy.current().policy.guards.replicas
            arguments = await within_bounds(self._ward.tools, place_of(incident), arguments, bounds)
        return self._planned(incident, decision, view, arguments)

    def _planned(
        self, incident: Incident, climb: Climb, view: RungView, arguments: dict[str, JsonValue]
    ) -> Planned:
        target = target_of(incident, arguments, view.kind)
        key = f"{incident.id}-attempt-{climb.number}"
        act = f"{RUNG_NAMES[climb.rung]}{view.name or target.workload}"
        checkpoint: dict[str, JsonValue] = {
            **target.arguments,
            "reason": f"{act}之前",
            "incident": incident.id,
        }
        if view.tool in {"roll_back", "isolate_workload"}:
            arguments = {**arguments, "incident": incident.id}
        plan = HealingPlan(
            job=self._ward.job,
            attempt=Attempt(
                id=stable_id("att", key),
                incident_id=incident.id,
                number=climb.number,
                rung=climb.rung,
                action=act,
                idempotency_key=key,
                checkpoint_id=None,
                started_at=self._ward.clock.now(),
            ),
            target=target,
            calls=(
                PlannedCall(tool=CHECKPOINT_TOOL, arguments=checkpoint, idempotency_key=f"{key}-checkpoint"),
                PlannedCall(tool=view.tool or "", arguments=arguments, idempotency_key=f"{key}-act"),
            ),
        )
        return Planned(plan=plan, act=f"{act}：{climb.why}")

    async def ask(self, planned: Planned, after: tuple[str, ...]) -> Refusal | None:
        """Register the attempt and ask the guards, once the incidents of `after` have asked or ended."""
        plan = planned.plan
        await self._take_turn(after)
        await self._ward.book.register(plan)
        refusal = await self._ward.book.ask(plan.id)
        await self._note(plan.attempt.incident_id, f"{_n(plan)}-plan", _PLAN, f"打算{planned.act}")
        return refusal

    async def _take_turn(self, after: tuple[str, ...]) -> None:
        """Let worse incidents ask first, for so long as they may be on their way to it."""
        for _ in range(_TURNS):
            if all([await self._has_asked(one) for one in after]):
                return
            await asyncio.sleep(_TURN_S)
        _log.warning("worse incidents have not asked yet; not waiting any longer")

    async def _has_asked(self, incident_id: str) -> bool:
        if (await self._incident(incident_id)).status is not IncidentStatus.OPEN:
            return True
        told = await in_store(lambda: self._ward.incidents.timeline(incident_id))
        return any(event.kind == _PLAN for event in told)

    async def block(self, planned: Planned, refusal: Refusal) -> None:
        """Record that the guards refused the attempt."""
        plan = planned.plan
        evidence = {"guard": refusal.guard.value, "hint": refusal.hint}
        await self._ward.book.finish(
            plan.id,
            AttemptOutcome.BLOCKED_BY_POLICY,
            reason=refusal.reason,
            evidence_json=json.dumps(evidence, ensure_ascii=False),
        )
        kind, text = ("proposal", "提议") if refusal.proposes else ("guard", "没有做")
        await self._note(
            plan.attempt.incident_id,
            f"{_n(plan)}-blocked",
            kind,
            f"{text}：{planned.act}（{refusal.reason}）",
            evidence,
        )

    async def checkpoint(self, planned: Planned) -> Done:
        """Put the workload on record as it is."""
        plan, call = planned.plan, planned.plan.calls[0]
        at = self._ward.clock.now()
        try:
            answer = await self._ward.tools.create_checkpoint(
                call.arguments, Warrant(plan=plan.id, key=call.idempotency_key)
            )
        except CloudError as error:
            done = not_done(error, at)
            # A checkpoint that may or may not have been made is none to rely on.
            done = replace(done, doing=Doing.NOT_DONE) if done.doing is Doing.UNKNOWN else done
            await self._note_done(plan, "checkpoint", "checkpoint", f"备份没有成功：{error.spoken}", error)
            return done
        if answer.checkpoint is None:
            return Done(doing=Doing.NOT_DONE, at=at.isoformat(), spoken="没有备份成功")
        await self._ward.book.note_checkpoint(plan.id, answer.checkpoint)
        evidence: dict[str, JsonValue] = {"checkpoint": answer.checkpoint, "objects": list(answer.objects)}
        await self._note(
            plan.attempt.incident_id, f"{_n(plan)}-checkpoint", "checkpoint", answer.summary, evidence
        )
        return Done(doing=Doing.DONE, at=at.isoformat(), spoken=answer.summary)

    async def act(self, planned: Planned, untouched_at: str) -> Done:
        """Climb the rung; `untouched_at` is when the workload was last known to be as it was found."""
        plan, call = planned.plan, planned.plan.calls[1]
        at = datetime.fromisoformat(untouched_at)
        wait_s = self._ward.waits.effect.total_seconds()
        try:
            answer = await self._ward.tools.act(
                call.tool, call.arguments, Warrant(plan=plan.id, key=call.idempotency_key)
            )
        except CloudError as error:
            done = not_done(error, at)
            await self._note_done(plan, "act", "action", f"{plan.attempt.action}：{error.spoken}", error)
            return replace(done, wait_s=wait_s) if done.doing is Doing.UNKNOWN else done
        said = answer.summary
        await self._note(plan.attempt.incident_id, f"{_n(plan)}-act", "action", said, {"tool": call.tool})
        if call.tool == "restore_checkpoint":
            again = await self._read_again(plan, answer, f"{call.idempotency_key}-restart")
            if again is not None:
                return again
        return Done(doing=Doing.DONE, at=at.isoformat(), spoken=said, wait_s=wait_s)

    async def verify(self, planned: Planned, done: Done, looks: int) -> Verified:
        """Tell whether it helped; `looks` counts from 1."""
        plan, waits = planned.plan, self._ward.waits
        last = looks >= waits.looks
        incident = await self._incident(plan.attempt.incident_id)
        try:
            answer = await self._ward.tools.verify_workload(
                place_of(incident), acted_at=datetime.fromisoformat(done.at)
            )
        except CloudError as error:
            text = f"验证不了：{error.spoken}"
            await self._note_done(plan, f"verify-{looks}", "verification", text, error)
            wait_s = 0.0 if last else waits.again.total_seconds()
            return Verified(verdict="inconclusive", spoken=text, wait_s=wait_s)
        evidence = answer.model_dump(mode="json", exclude={"summary", "cluster", "namespace", "workload"})
        await self._note(incident.id, f"{_n(plan)}-verify-{looks}", "verification", answer.summary, evidence)
        unsettled = answer.verdict in {"inconclusive", "better"} and not last
        return Verified(
            verdict=answer.verdict,
            spoken=answer.summary,
            evidence_json=json.dumps(evidence, ensure_ascii=False),
            wait_s=waits.again.total_seconds() if unsettled else 0.0,
        )

    async def restore(self, planned: Planned) -> Done:
        """Bring back what the checkpoint holds."""
        plan = planned.plan
        at, key = self._ward.clock.now(), f"{plan.attempt.idempotency_key}-restore"
        attempt = next(
            one
            for one in await self._ward.book.attempts(plan.attempt.incident_id)
            if one.id == plan.attempt.id
        )
        if attempt.checkpoint_id is None:
            return Done(doing=Doing.NOT_DONE, at=at.isoformat(), spoken="没有备份点")
        try:
            answer = await self._ward.tools.restore_checkpoint(
                attempt.checkpoint_id, Warrant(plan=plan.id, key=key)
            )
        except CloudError as error:
            await self._note_done(plan, "restore", "restore", f"恢复原样没有成功：{error.spoken}", error)
            return replace(not_done(error, at), doing=Doing.NOT_DONE)
        await self._note(plan.attempt.incident_id, f"{_n(plan)}-restore", "restore", answer.summary)
        again = await self._read_again(plan, answer, f"{key}-restart")
        return again or Done(doing=Doing.DONE, at=at.isoformat(), spoken=answer.summary)

    async def _read_again(self, plan: HealingPlan, answer: object, key: str) -> Done | None:
        """Restart where running pods would not read what came back; return what went wrong, if anything."""
        if getattr(answer, "needs_restart", False) is not True:
            return None
        at = self._ward.clock.now()
        try:
            restarted = await self._ward.tools.act(
                "restart_workload", plan.target.arguments, Warrant(plan=plan.id, key=key)
            )
        except CloudError as error:
            await self._note_done(plan, "reread", "restore", f"重启没有成功：{error.spoken}", error)
            done = not_done(error, at)
            return None if done.doing is Doing.UNKNOWN else done
        await self._note(plan.attempt.incident_id, f"{_n(plan)}-reread", "restore", restarted.summary)
        return None

    async def finish(
        self, planned: Planned, outcome: AttemptOutcome, reason: str, evidence_json: str
    ) -> None:
        """Record how the attempt ended."""
        plan = planned.plan
        finished = await self._ward.book.finish(plan.id, outcome, reason=reason, evidence_json=evidence_json)
        if finished.fell_back:
            await self._note(plan.attempt.incident_id, f"{_n(plan)}-fell-back", "guard", finished.fell_back)

    async def close(self, incident_id: str, stop: Stop, refusal: Refusal | None) -> Ending:
        """Record how the incident stands, give the workload back."""
        incident = await self._incident(incident_id)
        proposed = stop.end is End.BLOCKED_BY_POLICY and refusal is not None and refusal.proposes
        status = IncidentStatus.HUMAN if stop.hand_over else IncidentStatus.HEALED
        status = IncidentStatus.OPEN if proposed else status
        reason = refusal.reason if stop.end is End.BLOCKED_BY_POLICY and refusal is not None else stop.reason
        evidence: dict[str, JsonValue] = {
            "end": stop.end.value,
            "passed": [f"{RUNG_NAMES[one.rung]}：{one.why}" for one in stop.passed],
        }
        if incident.status is IncidentStatus.OPEN and not proposed:
            closed_at = self._ward.clock.now() if status is IncidentStatus.HEALED else None
            saved = replace(incident, status=status, closed_at=closed_at)
            await in_store(lambda: self._ward.incidents.save(saved))
        kind = "handover" if stop.hand_over else "closed"
        await self._note(incident_id, "close", kind, reason, evidence)
        await self._ward.book.release(incident_id)
        return Ending(
            incident_id=incident_id,
            status=status,
            end=_PROPOSED if proposed else stop.end.value,
            reason=reason,
        )

    async def notify(self, incident_id: str, ending: Ending) -> None:
        """Send the notice that an ending wants, if any."""
        incident = await self._incident(incident_id)
        notices = self._ward.policy.current().policy.notices
        if ending.status is IncidentStatus.HEALED and incident.score >= notices.p1:
            await self._send(incident, "recovered", "恢复通知")
        elif ending.status is not IncidentStatus.HEALED and incident.score >= notices.p0:
            await self._send(incident, "unsolved", "紧急通知")

    async def crashed(self, incident_id: str) -> Ending:
        """Hand an incident whose walk broke to a person, and tell whom it concerns."""
        incident = await self._incident(incident_id)
        if incident.status is IncidentStatus.HEALED:
            return _ending(incident, "closed", "已经处理完了")
        begun = [one for one in await self._ward.book.attempts(incident_id) if one.outcome is None]
        half = "".join(f"，{one.action}可能只做了一半" for one in begun)
        reason = f"处理时程序出错了{half}"
        for one in begun:
            await self._abandon(one, reason)
        handed = replace(incident, status=IncidentStatus.HUMAN)
        await in_store(lambda: self._ward.incidents.save(handed))
        await self._note(incident_id, "crashed", "handover", f"{reason}，请负责人看一下")
        await self._ward.book.release(incident_id)
        ending = _ending(handed, "crashed", reason)
        await self.notify(incident_id, ending)
        return ending

    async def _abandon(self, attempt: Attempt, reason: str) -> None:
        outcome, at = AttemptOutcome.ABANDONED, self._ward.clock.now()
        await in_store(
            lambda: self._ward.incidents.finish_attempt(
                attempt.id, outcome, at=at, reason=reason, evidence_json="{}"
            )
        )

    async def _send(self, incident: Incident, which: str, name: str) -> None:
        try:
            sent = await self._ward.tools.send_report(
                incident.id, Warrant(key=f"{incident.id}-notice-{which}")
            )
        except ToolFailed as error:
            _log.warning("notice %s of %s was not sent: %s", which, incident.id, error)
            await self._note(incident.id, f"notice-{which}", "notice", f"{name}没有发出去：{error.spoken}")
            return
        await self._note(incident.id, f"notice-{which}", "notice", f"{name}：{sent.summary}")

    async def _incident(self, incident_id: str) -> Incident:
        return await in_store(lambda: self._ward.incidents.get(incident_id))

    async def _note_done(self, plan: HealingPlan, what: str, kind: str, text: str, error: CloudError) -> None:
        evidence = {"error": error.code or type(error).__name__, "detail": str(error)[:300]}
        await self._note(plan.attempt.incident_id, f"{_n(plan)}-{what}", kind, text, evidence)

    async def _note(
        self,
        incident_id: str,
        key: str,
        kind: str,
        text: str,
        evidence: Mapping[str, JsonValue] | None = None,
    ) -> None:
        event = TimelineEvent(
            at=self._ward.clock.now(),
            kind=kind,
            text=text,
            evidence_json=json.dumps(dict(evidence or {}), ensure_ascii=False),
        )
        await in_store(lambda: self._ward.incidents.add_event(incident_id, event, key=key))


async def within_bounds(
    tools: CloudTools, place: Place, arguments: dict[str, JsonValue], bounds: ReplicaBounds
) -> dict[str, JsonValue]:
    """Return the arguments of a scaling with as many pods as are wanted, and the policy allows.

    Raises:
        CloudError: How many there are now cannot be seen.
    """
    wanted = arguments.get("replicas")
    if not isinstance(wanted, int):
        return arguments
    now = (await tools.diagnose(place)).replicas_wanted
    most = min(bounds.most, int(bounds.factor_at_most * max(1, now)))
    return {**arguments, "replicas": max(bounds.least, min(wanted, most))}


def _ending(incident: Incident, end: str, reason: str) -> Ending:
    return Ending(incident_id=incident.id, status=incident.status, end=end, reason=reason)


def _n(plan: HealingPlan) -> str:
    return f"attempt-{plan.attempt.number}"
