"""Through the real gateway: a service job does what its plan says, when the guards allow it, and no more."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mcp_tencent.devops.healing.approval import GuardedHealing
from mcp_tencent.devops.healing.plan_records import SqlPlanStore
from mcp_tencent.devops.healing.plans import HealingPlan, PlannedCall
from mcp_tencent.devops.healing.surroundings import ClusterLookout
from mcp_tencent.devops.incidents import AttemptOutcome, Rung
from mcp_tencent.devops.policy.file import PolicyFile
from mcp_tencent.devops.policy.model import HealingMode
from mcp_tencent.devops.policy.modes import SqlModeStore
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.gateway.answer import META_ORIGIN, META_PLAN
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.models.workloads import WorkloadKind, WorkloadRef
from tests.mcp_tencent.basic.office import MORNING, ZONE, error_of
from tests.mcp_tencent.devops.healing.conftest import every_tool
from tests.mcp_tencent.devops.healing.plans import choose, open_incident, restart_plan, target
from tests.mcp_tencent.devops.ward import CLUSTER, Ward, standing_cloud, ward_at

NIGHT_JOB = Caller(name="night", kind=CallerKind.SERVICE_JOB, permissions=frozenset({Permission.ADMIN}))
ORDER = target(cluster=CLUSTER)


@dataclass
class Bedside:
    """The night job at the tools, with its book."""

    ward: Ward
    book: GuardedHealing
    engine: Engine
    policy_file: Path

    async def call(self, call: PlannedCall, plan: str | None):
        meta = None if plan is None else {META_PLAN: plan}
        arguments: dict[str, object] = {**call.arguments, "idempotency_key": call.idempotency_key}
        return await self.ward.result(call.tool, arguments, meta)

    async def refused(self, call: PlannedCall, plan: str | None) -> dict[str, object]:
        error = error_of(await self.call(call, plan))
        assert error["code"] == "plan_refused", error
        return error

    async def restarted(self) -> bool:
        ref = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="order-service")
        cluster = await self.ward.desk.naming.cluster(CLUSTER)
        return (await self.ward.desk.inside(cluster).workload(ref)).restarted_at is not None

    async def begun(self, plan: HealingPlan) -> str:
        """Register a plan, and do all before the act."""
        name = await self.book.register(plan)
        made = await self.call(plan.calls[0], name)
        assert not made.is_error, made.structured_content
        await self.book.note_checkpoint(name, made.structured_content["checkpoint"])
        return name

    def outcomes(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.execute(text("SELECT outcome FROM gateway_audit ORDER BY seq")).scalars())


@asynccontextmanager
async def bedside(tmp_path: Path, scenario: str = "deadlock"):
    kept: list[tuple[GuardedHealing, Engine]] = []
    file = tmp_path / "policy.yaml"

    def approve(basic, engine: Engine) -> GuardedHealing:
        guards = GuardedHealing(
            plans=SqlPlanStore(engine),
            incidents=SqlIncidentStore(engine),
            policy=PolicyFile(file),
            modes=SqlModeStore(engine),
            lookout=ClusterLookout(basic),
            now=basic.now,
            zone=ZONE,
        )
        kept.append((guards, engine))
        return guards

    with standing_cloud(scenario) as cloud:
        async with ward_at(cloud, tmp_path, every_tool, approve=approve) as ward:
            ward.caller = NIGHT_JOB
            ((book, engine),) = kept
            choose(engine, HealingMode.ACT)
            yield Bedside(ward, book, engine, file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


async def test_without_a_plan_a_service_job_changes_nothing(folder):
    async with bedside(folder) as here:
        plan = restart_plan(open_incident(here.engine, on=ORDER), on=ORDER)
        for call in plan.calls:
            await here.refused(call, None)
            refused = await here.refused(call, "plan-nowhere")
            assert refused["guard"] == "plan"

        assert not await here.restarted()


async def test_what_is_planned_and_allowed_is_done_once(folder):
    async with bedside(folder) as here:
        plan = restart_plan(open_incident(here.engine, on=ORDER), on=ORDER)
        name = await here.begun(plan)

        first = await here.call(plan.calls[1], name)
        again = await here.call(plan.calls[1], name)
        other_key = await here.refused(replace(plan.calls[1], idempotency_key="another-key"), name)

        assert not first.is_error
        assert again.meta[META_ORIGIN] == "recorded"
        assert other_key["guard"] == "plan"
        assert await here.restarted()
        assert here.outcomes().count("plan_refused:plan") == 1


async def test_changed_arguments_another_workload_or_another_tool_are_not_the_plan(folder):
    async with bedside(folder) as here:
        plan = restart_plan(open_incident(here.engine, on=ORDER), on=ORDER)
        name = await here.begun(plan)
        act = plan.calls[1]
        elsewhere = {**act.arguments, "workload": "item-service"}
        for changed in (
            replace(act, arguments=elsewhere),
            replace(act, arguments={"workload": "order-service"}),
            replace(act, tool="isolate_workload"),
            replace(act, tool="scale_workload", arguments={**act.arguments, "replicas": 0}),
            replace(act, tool="restore_checkpoint", arguments={"checkpoint": "cp-of-somebody"}),
        ):
            assert (await here.refused(changed, name))["guard"] == "plan"

        assert not await here.restarted()


async def test_the_plan_of_another_job_is_none(folder):
    async with bedside(folder) as here:
        plan = restart_plan(open_incident(here.engine, on=ORDER), on=ORDER)
        name = await here.book.register(replace(plan, job="events"))

        assert (await here.refused(plan.calls[0], name))["guard"] == "plan"


async def test_nothing_acts_before_its_checkpoint_is_noted(folder):
    async with bedside(folder) as here:
        plan = restart_plan(open_incident(here.engine, on=ORDER), on=ORDER)
        name = await here.book.register(plan)

        assert (await here.refused(plan.calls[1], name))["guard"] == "plan"


async def test_observing_means_observing_and_the_sentence_says_so(folder):
    async with bedside(folder) as here:
        choose(here.engine, HealingMode.OBSERVE)
        plan = restart_plan(open_incident(here.engine, on=ORDER), on=ORDER)

        refused = await here.refused(plan.calls[0], await here.book.register(plan))

        assert refused["guard"] == "observe_mode"
        assert refused["message"] == "shop设为只观察，不自动处理，没有执行"
        assert here.outcomes() == ["plan_refused:observe_mode"]


async def test_a_window_that_closes_between_grant_and_act_stops_the_act_but_not_taking_it_back(folder):
    async with bedside(folder) as here:
        plan = restart_plan(open_incident(here.engine, on=ORDER), on=ORDER)
        name = await here.begun(plan)
        closed = '{forbidden: [{start: "04:00", end: "06:00", reason: 大促}]}'
        assert MORNING.astimezone(ZONE).hour == 5
        here.policy_file.write_text(closed)

        refused = await here.refused(plan.calls[1], name)
        assert refused["guard"] == "closed_window"
        assert not await here.restarted()

        (attempt,) = await here.book.attempts(plan.attempt.incident_id)
        back = PlannedCall(
            tool="restore_checkpoint",
            arguments={"checkpoint": attempt.checkpoint_id},
            idempotency_key="taking-back",
        )
        restored = await here.call(back, name)
        assert not restored.is_error, restored.structured_content


async def test_a_scale_up_is_taken_back_when_the_mode_has_changed_meanwhile(folder):
    async with bedside(folder) as here:
        incident = open_incident(here.engine, on=ORDER)
        plain = restart_plan(incident, on=ORDER)
        scale = PlannedCall(
            tool="scale_workload", arguments={**ORDER.arguments, "replicas": 6}, idempotency_key="scaling-up"
        )
        plan = replace(plain, attempt=replace(plain.attempt, rung=Rung.SCALE), calls=(plain.calls[0], scale))
        name = await here.begun(plan)
        done = await here.call(scale, name)
        assert done.structured_content["replicas_before"] == 4
        choose(here.engine, HealingMode.OBSERVE)

        (attempt,) = await here.book.attempts(incident)
        back = PlannedCall(
            tool="restore_checkpoint",
            arguments={"checkpoint": attempt.checkpoint_id},
            idempotency_key="taking-back",
        )
        assert not (await here.call(back, name)).is_error
        # Once it is being taken back, the act cannot be done again under any key.
        assert (await here.refused(replace(scale, idempotency_key="scaling-up-again"), name))[
            "guard"
        ] == "plan"
        reread = PlannedCall(
            tool="restart_workload", arguments=ORDER.arguments, idempotency_key="taking-back-restart"
        )
        assert not (await here.call(reread, name)).is_error
        await here.book.finish(name, AttemptOutcome.NOT_BETTER_RESTORED, reason="没有好转")
        late = await here.refused(replace(back, idempotency_key="too-late-now"), name)
        assert late["guard"] == "incident"


async def test_more_replicas_than_the_policy_allows_are_refused(folder):
    async with bedside(folder) as here:
        plain = restart_plan(open_incident(here.engine, on=ORDER), on=ORDER)
        scale = PlannedCall(
            tool="scale_workload", arguments={**ORDER.arguments, "replicas": 9}, idempotency_key="scaling-up"
        )
        plan = replace(plain, attempt=replace(plain.attempt, rung=Rung.SCALE), calls=(scale,))

        refusal = await here.book.ask(await here.book.register(plan))

        assert refusal is not None
        assert refusal.guard.value == "replicas"
        assert "1到8个" in refusal.reason


async def test_a_protected_namespace_is_never_touched_whatever_is_planned(folder):
    async with bedside(folder, "protected-namespace") as here:
        place = target("coredns", namespace="kube-system", cluster=CLUSTER)
        plan = restart_plan(open_incident(here.engine, on=place), on=place)

        refused = await here.refused(plan.calls[0], await here.book.register(plan))

        assert refused["guard"] == "protected_namespace"


async def test_a_workload_that_is_not_there_is_no_target(folder):
    async with bedside(folder) as here:
        place = target("no-such-service", cluster=CLUSTER)
        plan = restart_plan(open_incident(here.engine, on=place), on=place)

        refusal = await here.book.ask(await here.book.register(plan))

        assert refusal is not None
        assert refusal.guard.value == "unreadable"
