"""One attempt and one ladder, walked step by step with verdicts written down beforehand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import pytest

from mcp_tencent.devops.healing.guards import Refusal
from mcp_tencent.devops.healing.ladder import Climb, End, Past, Stop
from mcp_tencent.devops.healing.plans import HealingPlan, PlannedCall, Target
from mcp_tencent.devops.incidents import Attempt, AttemptOutcome, IncidentStatus, Rung
from scheduler.healing import (
    Doing,
    Done,
    Ending,
    HealingSteps,
    Planned,
    Sight,
    Verified,
    attempt,
    heal,
)
from scheduler.healing_readings import over

AT = "2026-11-21T05:00:00+08:00"
TOOLS = {Rung.RESTART: "restart_workload", Rung.SCALE: "scale_workload", Rung.ROLL_BACK: "roll_back"}
Result = TypeVar("Result")


def planned(rung: Rung, number: int = 1) -> Planned:
    key = f"inc-1-attempt-{number}"
    return Planned(
        act="处理",
        plan=HealingPlan(
            job="night",
            target=Target(cluster_id="cls-1", namespace="shop", kind="Deployment", workload="web"),
            attempt=Attempt(
                id=f"att-{number}",
                incident_id="inc-1",
                number=number,
                rung=rung,
                action="处理",
                idempotency_key=key,
                checkpoint_id=None,
                started_at=datetime.fromisoformat(AT),
            ),
            calls=(
                PlannedCall(tool="create_checkpoint", arguments={}, idempotency_key=f"{key}-checkpoint"),
                PlannedCall(tool=TOOLS[rung], arguments={}, idempotency_key=f"{key}-act"),
            ),
        ),
    )


class FakeSteps(HealingSteps):
    """Tells the verdicts that it was given, one an attempt, and remembers what was asked of it."""

    def __init__(self, *climbs: tuple[Rung, str]) -> None:
        self._climbs = list(climbs)
        self._verdicts = [verdict for _, verdict in climbs]
        self.done: list[str] = []
        self.outcomes: list[AttemptOutcome] = []

    async def begin(self, incident_id: str) -> Ending | None:
        return None

    async def announce(self, incident_id: str) -> None:
        self.done.append("announce")

    async def look(self, incident_id: str, round_number: int) -> Sight:
        return Sight(known=True, quiet=False, cause="overload", spoken="忙不过来")

    async def decide(self, incident_id: str, sight: Sight) -> Planned | Stop:
        if not self._climbs:
            healed = self.outcomes[-1] is AttemptOutcome.HEALED
            return Stop(end=End.HEALED if healed else End.NOTHING_HELPS, reason="")
        rung, _ = self._climbs.pop(0)
        return planned(rung, len(self.outcomes) + 1)

    async def ask(self, planned: Planned, after: tuple[str, ...]) -> Refusal | None:
        return None

    async def block(self, planned: Planned, refusal: Refusal) -> None:
        raise AssertionError("nothing is refused here")

    async def checkpoint(self, planned: Planned) -> Done:
        self.done.append("checkpoint")
        return Done(doing=Doing.DONE, at=AT, spoken="")

    async def act(self, planned: Planned, untouched_at: str) -> Done:
        self.done.append(planned.plan.calls[-1].tool)
        return Done(doing=Doing.DONE, at=AT, spoken="")

    async def verify(self, planned: Planned, done: Done, looks: int) -> Verified:
        return Verified(verdict=self._verdicts.pop(0), spoken="")

    async def restore(self, planned: Planned) -> Done:
        self.done.append("restore")
        return Done(doing=Doing.DONE, at=AT, spoken="")

    async def finish(
        self, planned: Planned, outcome: AttemptOutcome, reason: str, evidence_json: str
    ) -> None:
        self.outcomes.append(outcome)

    async def close(self, incident_id: str, stop: Stop, refusal: Refusal | None) -> Ending:
        status = IncidentStatus.HUMAN if stop.hand_over else IncidentStatus.HEALED
        return Ending(incident_id=incident_id, status=status, end=stop.end.value, reason=stop.reason)

    async def notify(self, incident_id: str, ending: Ending) -> None:
        self.done.append("notify")

    async def crashed(self, incident_id: str) -> Ending:
        raise AssertionError("nothing breaks here")


class Onward:
    """An engine that forgets, and waits for nobody; satisfies `Durable`."""

    async def step(self, name: str, action: Callable[[], Awaitable[Result]]) -> Result:
        return await action()

    async def sleep(self, seconds: float) -> None:
        return None


@pytest.mark.parametrize(
    ("verdict", "outcome", "restored"),
    [
        ("healed", AttemptOutcome.HEALED, False),
        ("better", AttemptOutcome.BETTER_KEPT, False),
        ("not_better", AttemptOutcome.NOT_BETTER_RESTORED, True),
        ("inconclusive", AttemptOutcome.NOT_BETTER_RESTORED, True),
        ("worse", AttemptOutcome.WORSE_RESTORED, True),
    ],
)
async def test_only_what_helped_stays(verdict: str, outcome: AttemptOutcome, restored: bool) -> None:
    steps = FakeSteps((Rung.SCALE, verdict))
    assert await attempt(planned(Rung.SCALE), steps, Onward()) is outcome
    assert ("restore" in steps.done) == restored


async def test_what_is_better_but_not_well_stays_and_the_next_rung_goes_on_from_there() -> None:
    steps = FakeSteps((Rung.SCALE, "better"), (Rung.ROLL_BACK, "healed"))
    ending = await heal("inc-1", steps, Onward())
    assert steps.outcomes == [AttemptOutcome.BETTER_KEPT, AttemptOutcome.HEALED]
    assert steps.done == ["announce", "checkpoint", "scale_workload", "checkpoint", "roll_back", "notify"]
    assert ending.status is IncidentStatus.HEALED


@pytest.mark.parametrize("verdict", ["not_better", "worse", "inconclusive"])
async def test_after_a_restart_in_vain_pods_are_not_rolled_once_more(verdict: str) -> None:
    steps = FakeSteps((Rung.RESTART, verdict))
    await attempt(planned(Rung.RESTART), steps, Onward())
    assert steps.done == ["checkpoint", "restart_workload"]


def tried(*outcomes: AttemptOutcome) -> list[Past]:
    return [Past(rung=Rung.SCALE, outcome=one) for one in outcomes]


def test_trouble_that_is_gone_after_a_kept_act_counts_as_healed() -> None:
    nothing = Stop(end=End.NOTHING_HELPS, reason="")
    climb = Climb(rung=Rung.ROLL_BACK, number=2, why="", passed=())
    for decision in (nothing, climb):
        assert over(decision, tried(AttemptOutcome.BETTER_KEPT)).end is End.HEALED
        assert over(decision, tried(AttemptOutcome.NOT_BETTER_RESTORED)).end is End.ALREADY_RECOVERED


def test_a_restore_that_failed_is_for_a_person_even_when_all_seems_quiet() -> None:
    failed = Stop(end=End.RESTORE_FAILED, reason="")
    assert over(failed, tried(AttemptOutcome.RESTORE_FAILED)) is failed
