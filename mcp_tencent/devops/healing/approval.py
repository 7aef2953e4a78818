"""The healing book, and the guards' answer at the very moment of an act."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from pydantic import JsonValue

from mcp_tencent.devops.errors import PlanUnsound
from mcp_tencent.devops.healing.guards import (
    Facts,
    Guard,
    History,
    Refusal,
    Surroundings,
    fails_too_often,
    judge,
    judge_taking_back,
)
from mcp_tencent.devops.healing.plan_records import Moment, Registered, SqlPlanStore, unknown_plan
from mcp_tencent.devops.healing.plans import (
    CHECKPOINT_TOOL,
    REREAD,
    RESTART_TOOL,
    RESTORE_TOOL,
    TOOLS_OF_RUNG,
    Finished,
    HealingPlan,
    PlannedCall,
)
from mcp_tencent.devops.healing.surroundings import Lookout
from mcp_tencent.devops.incidents import Attempt, AttemptOutcome, IncidentStore, Rung
from mcp_tencent.devops.policy.file import PolicySource
from mcp_tencent.devops.policy.model import HealingMode
from mcp_tencent.devops.policy.modes import ModeStore
from mcp_tencent.errors import CloudError
from mcp_tencent.gateway.call import Arguments, ToolCall, canonical_json
from mcp_tencent.gateway.confirm import Approval
from mcp_tencent.gateway.errors import StoreUnavailable
from mcp_tencent.gateway.stores import in_store

FAILURE_BREAKER = "failure_breaker"
"""Under this name the breaker chooses to observe."""
_SAY_MORE = frozenset({"replicas", "revision", "incident", "reason"})
_OUT_OF_SIGHT = Surroundings(cluster_workloads=0, replicas_wanted=0, replicas_ready=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedHealing:
    """Registers plans, asks the guards, approves calls; satisfies `HealingBook` and `PlanApproval`.

    Args:
        plans: The memory of plans and claims.
        incidents: The memory of incidents.
        policy: In force.
        modes: The memory of healing modes.
        lookout: Sees the clusters.
        now: Tells the present.
        zone: In which windows and nights are meant.
    """

    plans: SqlPlanStore
    incidents: IncidentStore
    policy: PolicySource
    modes: ModeStore
    lookout: Lookout
    now: Callable[[], datetime]
    zone: tzinfo

    async def register(self, plan: HealingPlan) -> str:
        """Record attempt and plan, and return the plan's id; see `HealingBook.register`."""
        for call in plan.calls:
            _check(call, plan)
        await in_store(lambda: self.incidents.get(plan.attempt.incident_id))
        await in_store(lambda: self.plans.register(plan))
        return plan.id

    async def ask(self, plan_id: str) -> Refusal | None:
        """Ask all guards; None takes the workload and a share of the budgets."""
        try:
            plan = await in_store(lambda: self.plans.get(plan_id))
            return unknown_plan(plan_id) if plan is None else await self._claim(plan)
        except StoreUnavailable:
            return _unreadable("记录", "The database cannot be read or written.")

    async def approve(self, call: ToolCall) -> Approval:
        """Judge a write that a service job wants to make under a plan, at this moment."""
        try:
            refusal = await self._judged(call)
        except StoreUnavailable:
            refusal = _unreadable("记录", "The database cannot be read or written.")
        if refusal is None:
            return Approval(approved=True)
        return Approval(approved=False, reason=refusal.hint, guard=refusal.guard.value, spoken=refusal.reason)

    async def note_checkpoint(self, plan_id: str, checkpoint_id: str) -> None:
        """Record the checkpoint that takes this attempt back; see `HealingBook.note_checkpoint`."""
        await in_store(lambda: self.plans.note_checkpoint(plan_id, checkpoint_id))

    async def finish(
        self, plan_id: str, outcome: AttemptOutcome, *, reason: str, evidence_json: str = "{}"
    ) -> Finished:
        """Record how an attempt ended, and let the failure breaker judge; see `HealingBook.finish`."""
        now = self.now()
        plan = await in_store(lambda: self.plans.get(plan_id))
        if plan is None:
            raise PlanUnsound(f"no plan has the id {plan_id}")
        attempt = await in_store(
            lambda: self.incidents.finish_attempt(
                plan.attempt_id, outcome, at=now, reason=reason, evidence_json=evidence_json
            )
        )
        moment = await in_store(lambda: self._moment(now))
        history = await in_store(lambda: self.plans.history(plan_id, moment))
        return Finished(attempt=attempt, fell_back=await self._fall_back(moment, history, attempt))

    async def release(self, incident_id: str) -> None:
        """Give back every workload that the incident holds."""
        await in_store(lambda: self.plans.release(incident_id))

    async def attempts(self, incident_id: str) -> Sequence[Attempt]:
        """Return the attempts of an incident in their order."""
        return await in_store(lambda: self.incidents.attempts(incident_id))

    async def failed_before(self, incident_id: str, changes: Sequence[datetime] = ()) -> frozenset[Rung]:
        """Return rungs that did not help: the same trouble in two days, this workload in two hours.

        What failed before one of `changes` (releases and configurations that were not its own) is worth
        another try.
        """
        now = self.now()
        return await in_store(lambda: self.plans.failed_before(incident_id, now, changes))

    async def _judged(self, call: ToolCall) -> Refusal | None:
        plan_id = call.plan or ""
        plan = await in_store(lambda: self.plans.get(plan_id))
        if plan is None:
            return unknown_plan(plan_id)
        if plan.job != call.caller.name:
            return _not_planned("The plan was registered by another job.")
        if _takes_back(call, plan):
            return await self._taking_back(plan)
        return await self._beside(call, plan) or await self._claim(plan)

    async def _beside(self, call: ToolCall, plan: Registered) -> Refusal | None:
        """Return why a call is not one of the plan's; None when it is."""
        if not any(_same(call, one) for one in (*plan.calls, *_implied(plan))):
            return _not_planned("The plan has no such tool with these arguments under this key.")
        if plan.taken_back_at is not None:
            return _not_planned("The attempt is being taken back.")
        if call.tool.name != CHECKPOINT_TOOL and plan.checkpoint_id is None:
            return _not_planned("No checkpoint of the attempt is noted yet: it could not be taken back.")
        if call.tool.name == RESTORE_TOOL:
            wanted = str(call.arguments.get("checkpoint", ""))
            if await in_store(lambda: self.plans.checkpoint_target(wanted)) != plan.target:
                return _not_planned("The checkpoint is of another workload.")
        return None

    async def _claim(self, plan: Registered) -> Refusal | None:
        now = self.now()
        moment = await in_store(lambda: self._moment(now))
        if self.policy.trouble is not None:
            return _unreadable("自愈策略", "The policy file is wrong: see `xiaozhi policy check`.")
        try:
            around = await self.lookout.look(plan.target)
        except CloudError as error:
            return _unreadable("集群", f"The cluster could not be looked at: {type(error).__name__}.")
        mode = await in_store(
            lambda: self.modes.book().mode_of(plan.target.cluster_id, plan.target.namespace)
        )
        seen: list[History] = []

        def decide(standing: Registered, history: History) -> Refusal | None:
            seen.append(history)
            return _closed(standing) or judge(
                moment.policy, self._facts(standing, moment, mode, around, history)
            )

        refusal = await in_store(
            lambda: self.plans.claim(plan.id, moment, decide, replicas_now=around.replicas_wanted)
        )
        if refusal is not None and refusal.guard is Guard.FAILURE_BREAKER and seen:
            await self._fall_back(moment, seen[-1], None)
        return refusal

    async def _taking_back(self, plan: Registered) -> Refusal | None:
        now = self.now()
        moment = await in_store(lambda: self._moment(now))

        def decide(standing: Registered, history: History) -> Refusal | None:
            if standing.attempt_ended:
                return _ended("The attempt has ended.")
            facts = self._facts(standing, moment, HealingMode.OBSERVE, _OUT_OF_SIGHT, history)
            return judge_taking_back(moment.policy, facts)

        return await in_store(lambda: self.plans.begin_taking_back(plan.id, moment, decide))

    def _moment(self, now: datetime) -> Moment:
        book = self.modes.book()
        return Moment(
            now=now,
            zone=self.zone,
            policy=self.policy.current().policy,
            trusted_since=max((choice.chosen_at for choice in book.choices), default=None),
            fallen_back=book.fallen_back.reason if book.fallen_back is not None else "",
        )

    def _facts(
        self,
        plan: Registered,
        moment: Moment,
        mode: HealingMode,
        around: Surroundings,
        history: History,
    ) -> Facts:
        target = plan.target
        return Facts(
            now=moment.now,
            zone=moment.zone,
            cluster_id=target.cluster_id,
            namespace=target.namespace,
            workload=target.workload,
            rung=plan.rung,
            mode=mode,
            around=around,
            history=history,
            replicas=_replicas_wanted(plan),
            replicas_before=plan.replicas_before,
        )

    async def _fall_back(self, moment: Moment, history: History, attempt: Attempt | None) -> str:
        """Go back to observing when healing fails too often; return why, or an empty string."""
        why = fails_too_often(moment.policy, history)
        if not why:
            return ""
        if not moment.fallen_back:
            await in_store(lambda: self.modes.fall_back(by=FAILURE_BREAKER, reason=why, at=moment.now))
            return why
        # Asked again after a crash: it was this attempt after which the device fell back.
        book = await in_store(self.modes.book)
        since = book.fallen_back.chosen_at if book.fallen_back is not None else None
        ended = attempt.finished_at if attempt is not None else None
        return moment.fallen_back if since is not None and ended is not None and since >= ended else ""


def _check(call: PlannedCall, plan: HealingPlan) -> None:
    """Make sure that a call is of the plan's rung and names its workload in full; raises PlanUnsound."""
    rung, tool, arguments = plan.attempt.rung, call.tool, _meant(call.arguments)
    if tool not in TOOLS_OF_RUNG[rung]:
        raise PlanUnsound(f"{tool} is no tool of the rung {rung.value}")
    if not call.idempotency_key:
        raise PlanUnsound(f"{tool} has no idempotency key")
    if tool == RESTORE_TOOL:
        if set(arguments) != {"checkpoint"}:
            raise PlanUnsound(f"{tool} takes a checkpoint only")
        return
    rest = {name: value for name, value in arguments.items() if name not in _SAY_MORE}
    if rest != plan.target.arguments:
        raise PlanUnsound(f"{tool} does not name the plan's workload, namespace and cluster")
    if arguments.get("incident") not in (None, plan.attempt.incident_id):
        raise PlanUnsound(f"{tool} names another incident")


def _meant(arguments: Arguments) -> dict[str, JsonValue]:
    """Return arguments without those that say nothing."""
    return {
        name: value
        for name, value in arguments.items()
        if value is not None and not (name == "dry_run" and value is False)
    }


def _same(call: ToolCall, planned: PlannedCall) -> bool:
    return (
        call.tool.name == planned.tool
        and call.idempotency_key == planned.idempotency_key
        and canonical_json(_meant(call.arguments)) == canonical_json(_meant(planned.arguments))
    )


def _implied(plan: Registered) -> Sequence[PlannedCall]:
    """Return the restarts by which pods read configuration that a planned restore has brought back."""
    return [
        PlannedCall(
            tool=RESTART_TOOL,
            arguments=plan.target.arguments,
            idempotency_key=f"{call.idempotency_key}{REREAD}",
        )
        for call in plan.calls
        if call.tool == RESTORE_TOOL
    ]


def _takes_back(call: ToolCall, plan: Registered) -> bool:
    """Tell whether a call undoes what the device itself has changed under this plan."""
    if plan.checkpoint_id is None or plan.claimed_at is None:
        return False
    if call.tool.name == RESTORE_TOOL:
        return _meant(call.arguments) == {"checkpoint": plan.checkpoint_id}
    restarts = call.tool.name == RESTART_TOOL and plan.taken_back_at is not None
    return restarts and _meant(call.arguments) == plan.target.arguments


def _replicas_wanted(plan: Registered) -> int | None:
    for call in plan.calls:
        wanted = call.arguments.get("replicas")
        if isinstance(wanted, int):
            return wanted
    return None


def _closed(plan: Registered) -> Refusal | None:
    if plan.attempt_ended:
        return _ended("The attempt has ended.")
    return None if plan.incident_open else _ended("The incident is not open.")


def _ended(hint: str) -> Refusal:
    return Refusal(guard=Guard.INCIDENT, reason="这个故障已经处理结束了", hint=hint)


def _not_planned(hint: str) -> Refusal:
    return Refusal(guard=Guard.PLAN, reason="这个操作不在登记的计划里", hint=hint)


def _unreadable(what: str, hint: str) -> Refusal:
    return Refusal(guard=Guard.UNREADABLE, reason=f"读不到{what}，为了安全不自动处理", hint=hint)
