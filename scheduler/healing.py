"""One incident up the ladder, as a list of steps that survives crashes.

The walk is `heal`. It runs on a durable engine: each step's result is recorded, and after a crash the walk
goes on behind the last recorded step. Every step may be repeated: what it writes has a key, and what it does
to the cluster goes out under an idempotency key of its attempt, so that nothing is done twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Protocol

from mcp_tencent.devops.healing.guards import Refusal
from mcp_tencent.devops.healing.ladder import End, Stop
from mcp_tencent.devops.healing.plans import HealingPlan
from mcp_tencent.devops.incidents import AttemptOutcome, IncidentStatus, Rung
from mcp_tencent.durable import Durable

_DECIDED = frozenset({AttemptOutcome.HEALED, AttemptOutcome.RESTORE_FAILED})
"""After these nothing is tried any more, whatever one would see."""
_KEPT = {"healed": AttemptOutcome.HEALED, "better": AttemptOutcome.BETTER_KEPT}
"""Verdicts after which what was done stays. One that is better only goes on with the next rung from there: to
take back what has helped would make it worse again."""
_RESTART = "restart_workload"
"""It changes nothing that could be brought back; to bring back its mark would roll every pod once more."""
MOST_ROUNDS = 12
"""No ladder is so long: six rungs, each at most twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RungView:
    """What the remediation plan says of one rung."""

    rung: Rung
    help: str
    why: str
    tool: str | None
    arguments_json: str
    """Of the call, as one JSON object."""
    kind: str = ""
    """Of what is acted on, e.g. a neighbour: Deployment, StatefulSet or DaemonSet; empty without a call."""
    name: str = ""
    """How people call that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen of a workload."""

    known: bool
    """Whether it could be looked at at all."""
    quiet: bool
    """Nothing is the matter (any more)."""
    cause: str
    """The likeliest, as the diagnosis calls it; empty when it could not look."""
    culprit: str = ""
    """The dependency, neighbour or node to blame, if any."""
    spoken: str
    """In Chinese."""
    rungs: tuple[RungView, ...] = ()
    gaps: tuple[str, ...] = ()
    changed_at: tuple[str, ...] = ()
    """When it was released or configured lately, ISO 8601."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The next rung, ready to be asked for."""

    plan: HealingPlan
    act: str
    """What is done to what, in Chinese."""


class Doing(StrEnum):
    """What became of an act."""

    DONE = "done"
    UNKNOWN = "unknown"
    """Nobody can say whether it took effect: what follows looks at the workload, not at the answer."""
    REFUSED = "refused"
    """The guards changed their mind; nothing was done."""
    NOT_DONE = "not_done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a call."""

    doing: Doing
    at: str
    """ISO 8601: for an act, since when its effect may show; else when the call went out."""
    spoken: str
    """In Chinese."""
    wait_s: float = 0.0
    """How long to wait before its effect can be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Whether an act helped."""

    verdict: str
    """healed, better, not_better, worse or inconclusive."""
    spoken: str
    evidence_json: str = "{}"
    wait_s: float = 0.0
    """Above 0: it cannot be told yet; look again after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the healing of an incident ended."""

    incident_id: str
    status: IncidentStatus
    end: str
    """A value of `End`, or proposed, or repeated."""
    reason: str
    """In Chinese."""
    cause: str = ""
    """The likeliest when it was first looked at, as the diagnosis calls it."""
    culprit: str = ""
    """The dependency, neighbour or node to blame, if any."""


class HealingSteps(Protocol):
    """What a walk consists of; each step may be repeated after a crash."""

    async def begin(self, incident_id: str) -> Ending | None:
        """Look the incident up; an ending when it is not (or no longer) to be worked on."""
        ...

    async def announce(self, incident_id: str) -> None:
        """Send the first alert, if the incident is urgent enough."""
        ...

    async def look(self, incident_id: str, round_number: int) -> Sight:
        """See what is the matter and what would help."""
        ...

    async def decide(self, incident_id: str, sight: Sight) -> Planned | Stop:
        """Choose the next rung, if any."""
        ...

    async def ask(self, planned: Planned, after: tuple[str, ...]) -> Refusal | None:
        """Register the attempt and ask the guards, once the incidents of `after` have asked or ended."""
        ...

    async def block(self, planned: Planned, refusal: Refusal) -> None:
        """Record that the guards refused the attempt."""
        ...

    async def checkpoint(self, planned: Planned) -> Done:
        """Put the workload on record as it is."""
        ...

    async def act(self, planned: Planned, untouched_at: str) -> Done:
        """Climb the rung; `untouched_at`, ISO 8601, is when the workload was last seen as it was found.

        It is on record, so that an act repeated after a crash is measured against the time before the first.
        """
        ...

    async def verify(self, planned: Planned, done: Done, looks: int) -> Verified:
        """Tell whether it helped; `looks` counts from 1."""
        ...

    async def restore(self, planned: Planned) -> Done:
        """Bring back what the checkpoint holds."""
        ...

    async def finish(
        self, planned: Planned, outcome: AttemptOutcome, reason: str, evidence_json: str
    ) -> None:
        """Record how the attempt ended."""
        ...

    async def close(self, incident_id: str, stop: Stop, refusal: Refusal | None) -> Ending:
        """Record how the incident stands, give the workload back, and tell whom it concerns."""
        ...

    async def notify(self, incident_id: str, ending: Ending) -> None:
        """Send the notice that an ending wants, if any."""
        ...

    async def crashed(self, incident_id: str) -> Ending:
        """Hand an incident whose walk broke to a person, and tell whom it concerns."""
        ...


async def heal(
    incident_id: str, steps: HealingSteps, engine: Durable, *, after: tuple[str, ...] = ()
) -> Ending:
    """Walk one incident up the ladder to its end.

    The order of the steps is part of what is recorded: whoever changes it must raise the application version
    of the engine, or healing under way goes astray.

    Args:
        incident_id: Which.
        steps: What it consists of.
        engine: Records the steps.
        after: Worse incidents of the same night, which have the first word on its budget.
    """
    ended = await engine.step("begin", partial(steps.begin, incident_id))
    if ended is not None:
        return ended
    await engine.step("announce", partial(steps.announce, incident_id))
    refused: Refusal | None = None
    cause, culprit = "", ""
    sight: Sight | None = None
    for round_number in range(1, MOST_ROUNDS + 1):
        if sight is None:
            sight = await engine.step("look", partial(steps.look, incident_id, round_number))
        cause, culprit = (cause, culprit) if cause else (sight.cause, sight.culprit)
        planned = await engine.step("decide", partial(steps.decide, incident_id, sight))
        if isinstance(planned, Stop):
            break
        refused = await engine.step("ask", partial(steps.ask, planned, after))
        if refused is not None:
            await engine.step("block", partial(steps.block, planned, refused))
            continue
        if await attempt(planned, steps, engine) not in _DECIDED:
            sight = None
    else:
        planned = Stop(end=End.NOTHING_HELPS, reason="试了很多次都没有恢复")
    ending = await engine.step("close", partial(steps.close, incident_id, planned, refused))
    await engine.step("notify", partial(steps.notify, incident_id, ending))
    return replace(ending, cause=cause, culprit=culprit)


async def attempt(planned: Planned, steps: HealingSteps, engine: Durable) -> AttemptOutcome:
    """Climb one rung: checkpoint, act, wait, verify, and take it back when it did not help."""

    async def finish(outcome: AttemptOutcome, reason: str, evidence_json: str = "{}") -> AttemptOutcome:
        await engine.step("finish", partial(steps.finish, planned, outcome, reason, evidence_json))
        return outcome

    kept = await engine.step("checkpoint", partial(steps.checkpoint, planned))
    if kept.doing is not Doing.DONE:
        return await finish(_undone(kept), kept.spoken)
    done = await engine.step("act", partial(steps.act, planned, kept.at))
    if done.doing in {Doing.REFUSED, Doing.NOT_DONE}:
        return await finish(_undone(done), done.spoken)
    await engine.sleep(done.wait_s)
    looks = 1
    verified = await engine.step("verify", partial(steps.verify, planned, done, looks))
    while verified.wait_s > 0:
        looks += 1
        await engine.sleep(verified.wait_s)
        verified = await engine.step("verify", partial(steps.verify, planned, done, looks))
    if verified.verdict in _KEPT:
        return await finish(_KEPT[verified.verdict], verified.spoken, verified.evidence_json)
    worse = verified.verdict == "worse"
    outcome = AttemptOutcome.WORSE_RESTORED if worse else AttemptOutcome.NOT_BETTER_RESTORED
    if planned.plan.calls[-1].tool == _RESTART:
        return await finish(outcome, verified.spoken, verified.evidence_json)
    restored = await engine.step("restore", partial(steps.restore, planned))
    if restored.doing is not Doing.DONE:
        reason = f"{verified.spoken}恢复原样没有成功：{restored.spoken}"
        return await finish(AttemptOutcome.RESTORE_FAILED, reason, verified.evidence_json)
    return await finish(outcome, verified.spoken, verified.evidence_json)


def _undone(done: Done) -> AttemptOutcome:
    refused = done.doing is Doing.REFUSED
    return AttemptOutcome.BLOCKED_BY_POLICY if refused else AttemptOutcome.ABANDONED
