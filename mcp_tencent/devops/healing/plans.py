"""What a service job registers before it heals, and the book in which guards and attempts are kept.

How a workflow uses it, for each rung (`ladder.next_step` says which):

1. `plan = planned(...)`: the attempt, what it acts on, and its calls, each with its idempotency key.
2. `plan_id = await book.register(plan)`: records attempt and plan; the same again changes nothing.
3. `refusal = await book.ask(plan_id)`: None takes the workload and the budget; a refusal names its guard. A
   refused attempt is finished as `blocked_by_policy`; `refusal.proposes` means: ask in the morning.
4. Each call goes out with `meta=under_plan(plan_id)` and exactly the registered arguments and key. The
   gateway asks the guards once more at that moment. First `create_checkpoint` (with `incident`), then
   `await book.note_checkpoint(…)`: without it no other call passes.
5. To take it back: `restore_checkpoint(checkpoint=<the noted one>)` under the same plan, under any key; it
   needs no budget and no window. Then, when it says `needs_restart`, `restart_workload` with
   `target.arguments`.
6. `finished = await book.finish(plan_id, outcome, …)`: `finished.fell_back` says that the failure breaker has
   put the whole device back to observing.
7. At the end of the ladder `await book.release(incident_id)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from mcp_tencent.devops.healing.guards import Refusal
from mcp_tencent.devops.incidents import Attempt, AttemptOutcome, Rung
from mcp_tencent.tables import stable_id

CHECKPOINT_TOOL = "create_checkpoint"
RESTORE_TOOL = "restore_checkpoint"
RESTART_TOOL = "restart_workload"
REREAD = "-restart"
"""A planned restore allows one restart of its workload as well, under its own key with this behind it."""
TOOLS_OF_RUNG: Mapping[Rung, frozenset[str]] = {
    Rung.RESTART: frozenset({CHECKPOINT_TOOL, RESTART_TOOL}),
    Rung.SCALE: frozenset({CHECKPOINT_TOOL, "scale_workload"}),
    Rung.ROLL_BACK: frozenset({CHECKPOINT_TOOL, "roll_back"}),
    Rung.ISOLATE: frozenset({CHECKPOINT_TOOL, "isolate_workload"}),
    Rung.RESTORE: frozenset({CHECKPOINT_TOOL, RESTORE_TOOL}),
    Rung.HAND_OVER: frozenset(),
}
"""The only tools that a plan may call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The workload that is acted on; not always the one in trouble, e.g. a noisy neighbour."""

    cluster_id: str
    namespace: str
    kind: str
    """Deployment, StatefulSet or DaemonSet."""
    workload: str

    @property
    def arguments(self) -> dict[str, JsonValue]:
        """How a call must name it: in full, so that nothing is left to be resolved."""
        return {"workload": self.workload, "namespace": self.namespace, "cluster": self.cluster_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """One tool call, exactly as it will be made."""

    tool: str
    arguments: Mapping[str, JsonValue]
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealingPlan:
    """An attempt before it begins.

    Args:
        job: Name of the service identity that will make the calls.
        attempt: What is recorded of it; its outcome is None.
        target: What it acts on.
        calls: In their order.
    """

    job: str
    attempt: Attempt
    target: Target
    calls: tuple[PlannedCall, ...]

    @property
    def id(self) -> str:
        """The same for the same attempt."""
        return stable_id("plan", self.attempt.idempotency_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What came of finishing an attempt."""

    attempt: Attempt
    fell_back: str = ""
    """In Chinese: why the whole device has gone back to observing; empty when it has not."""


class HealingBook(Protocol):
    """Where healing is registered, allowed, and settled. Every call may be repeated after a crash."""

    async def register(self, plan: HealingPlan) -> str:
        """Record attempt and plan, and return the plan's id.

        Raises:
            PlanUnsound: a call uses a tool that is not of the rung, or means another workload; or the same
                attempt was registered with other calls.
            IncidentUnknown: there is no such incident.
        """
        ...

    async def ask(self, plan_id: str) -> Refusal | None:
        """Ask all guards; None means that the workload and a share of the budgets are taken for this plan.

        Asking again takes nothing more. A store, policy or cluster that cannot be read refuses.
        """
        ...

    async def note_checkpoint(self, plan_id: str, checkpoint_id: str) -> None:
        """Record the checkpoint that takes this attempt back; once noted it does not change.

        Raises:
            PlanUnsound: there is no such plan, or the checkpoint is of another workload or incident, or
                another one was noted before.
            CheckpointUnknown: there is no such checkpoint.
        """
        ...

    async def finish(
        self, plan_id: str, outcome: AttemptOutcome, *, reason: str, evidence_json: str = "{}"
    ) -> Finished:
        """Record how an attempt ended, and let the failure breaker judge.

        Raises:
            PlanUnsound: there is no such plan.
            AttemptFinished: it ended with another outcome.
        """
        ...

    async def release(self, incident_id: str) -> None:
        """Give back every workload that the incident holds."""
        ...

    async def attempts(self, incident_id: str) -> Sequence[Attempt]:
        """Return the attempts of an incident in their order."""
        ...

    async def failed_before(self, incident_id: str, changes: Sequence[datetime] = ()) -> frozenset[Rung]:
        """Return rungs that did not help: the same trouble in two days, this workload in two hours.

        What failed before one of `changes` (releases and configurations that were not its own) is worth
        another try.
        """
        ...
