"""Workloads and budgets are taken once, by one, whoever asks at the same time and whoever is killed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from assistant.database import open_database
from mcp_tencent.devops.errors import AttemptFinished, CheckpointUnknown, IncidentUnknown, PlanUnsound
from mcp_tencent.devops.healing.guards import Guard
from mcp_tencent.devops.healing.plan_records import LEASE, night_began
from mcp_tencent.devops.incidents import AttemptOutcome, Rung
from mcp_tencent.devops.policy.file import PolicyFile
from mcp_tencent.devops.policy.guards import Guards
from mcp_tencent.devops.policy.model import HealingMode, Policy
from mcp_tencent.devops.policy.modes import SqlModeStore
from mcp_tencent.errors import NetworkFault
from tests.mcp_tencent.devops.healing.plans import (
    NIGHT,
    ZONE,
    HandClock,
    StillLookout,
    book_on,
    choose,
    close_incident,
    keep_checkpoint,
    open_incident,
    restart_plan,
    target,
)
from tests.races import race, race_of_processes

HEALED, NOT_BETTER = AttemptOutcome.HEALED, AttemptOutcome.NOT_BETTER_RESTORED


@pytest.fixture
def engine(database):
    choose(database.engine, HealingMode.ACT)
    return database.engine


def several(engine, count: int, *, apart: bool = True) -> list[str]:
    """Register one attempt for each of `count` incidents, on workloads of their own or on one; plan ids."""
    book = book_on(engine)
    plans = []
    for number in range(count):
        place = target(f"service-{number}" if apart else "order-service")
        incident = open_incident(engine, f"inc-{number}", on=place, fingerprint=f"print-{number}")
        plans.append(asyncio.run(book.register(restart_plan(incident, on=place))))
    return plans


def ask(engine, plan: str, **how) -> Guard | None:
    refusal = asyncio.run(book_on(engine, **how).ask(plan))
    return None if refusal is None else refusal.guard


def granted(engine, plans, **how) -> int:
    return sum(ask(engine, plan, **how) is None for plan in plans)


def test_of_many_that_ask_at_once_only_as_many_as_the_night_allows_get_through(engine):
    plans = several(engine, 8)

    answers = race([partial(ask, engine, plan) for plan in plans])

    assert sorted(answers, key=str) == [None] * 5 + [Guard.WORKLOADS_PER_NIGHT] * 3


def test_of_many_that_want_one_workload_one_gets_it(engine):
    plans = several(engine, 6, apart=False)

    answers = race([partial(ask, engine, plan) for plan in plans])

    assert sorted(answers, key=str) == [None] + [Guard.WORKLOAD_BUSY] * 5


def test_one_attempt_that_asks_many_times_at_once_counts_once(engine):
    first, second = several(engine, 2)
    policy = Policy(guards=Guards(actions_per_hour=2))

    answers = race([lambda: ask(engine, first, policy=policy) for _ in range(6)])

    assert answers == [None] * 6
    assert ask(engine, second, policy=policy) is None


def _claim_all(url: str) -> int:
    with open_database(url) as database:
        plans = database.engine.connect().execute(text("SELECT id FROM healing_plans ORDER BY id")).scalars()
        return granted(database.engine, list(plans))


def test_processes_share_one_budget_and_a_granted_attempt_stays_granted(engine, database_url):
    plans = several(engine, 8)

    counts = race_of_processes(_claim_all, database_url, count=3)

    # Every process goes through all plans in the same order: those that were granted are to each of them.
    assert counts == [5, 5, 5]
    assert granted(engine, plans) == 5


def test_after_a_restart_the_same_attempt_gets_the_same_answer(engine, database_url):
    plans = several(engine, 6)
    assert granted(engine, plans) == 5

    with open_database(database_url) as reopened:
        assert [ask(reopened.engine, plan) for plan in plans] == [None] * 5 + [Guard.WORKLOADS_PER_NIGHT]


def test_a_killed_process_does_not_block_a_workload_for_ever(engine):
    clock = HandClock()
    killed, waiting = several(engine, 2, apart=False)
    assert ask(engine, killed, clock=clock) is None

    clock.later(seconds=LEASE.total_seconds() - 1)
    assert ask(engine, waiting, clock=clock) is Guard.WORKLOAD_BUSY
    clock.later(seconds=1)
    assert ask(engine, waiting, clock=clock) is None


def test_a_resumed_incident_goes_on_and_its_hold_is_renewed(engine):
    clock = HandClock()
    killed, waiting = several(engine, 2, apart=False)
    assert ask(engine, killed, clock=clock) is None

    clock.later(minutes=50)
    assert ask(engine, killed, clock=clock) is None
    clock.later(minutes=50)
    assert ask(engine, waiting, clock=clock) is Guard.WORKLOAD_BUSY


def test_who_was_overtaken_after_its_hold_ran_out_does_not_act_any_more(engine):
    clock = HandClock()
    killed, waiting = several(engine, 2, apart=False)
    assert ask(engine, killed, clock=clock) is None
    clock.later(hours=2)
    assert ask(engine, waiting, clock=clock) is None

    assert ask(engine, killed, clock=clock) is Guard.WORKLOAD_BUSY


async def test_a_released_workload_is_free_at_once(engine):
    incidents = [open_incident(engine, name) for name in ("one", "two")]
    book = book_on(engine)
    first, second = [await book.register(restart_plan(one)) for one in incidents]
    assert await book.ask(first) is None
    assert await book.ask(second) is not None

    await book.release(incidents[0])

    assert await book.ask(second) is None


def test_a_night_lasts_from_noon_to_noon():
    assert night_began(NIGHT, ZONE) == NIGHT.replace(hour=12) - timedelta(days=1)
    assert night_began(NIGHT.replace(hour=12), ZONE) == NIGHT.replace(hour=12)
    assert night_began(NIGHT.replace(hour=23), ZONE) == NIGHT.replace(hour=12)


def test_the_next_night_has_its_own_budget(engine):
    plans = several(engine, 6)
    assert granted(engine, plans[:5]) == 5
    clock = HandClock()
    clock.later(hours=6, minutes=59)
    assert ask(engine, plans[5], clock=clock) is Guard.WORKLOADS_PER_NIGHT

    clock.later(minutes=1)
    assert ask(engine, plans[5], clock=clock) is None


def test_a_second_rung_on_the_same_workload_needs_no_further_share_of_the_night(engine):
    policy = Policy(guards=Guards(workloads_per_night=1))
    book = book_on(engine, policy=policy)
    incident = open_incident(engine)
    for number in (1, 2):
        plan = asyncio.run(book.register(restart_plan(incident, number)))
        assert asyncio.run(book.ask(plan)) is None
        asyncio.run(book.finish(plan, NOT_BETTER, reason="没有好转"))


def test_actions_are_counted_for_an_hour(engine):
    policy = Policy(guards=Guards(actions_per_hour=2))
    clock, plans = HandClock(), several(engine, 3)
    assert granted(engine, plans[:2], policy=policy, clock=clock) == 2
    assert ask(engine, plans[2], policy=policy, clock=clock) is Guard.ACTIONS_PER_HOUR

    clock.later(hours=1)
    assert ask(engine, plans[2], policy=policy, clock=clock) is None


def test_a_share_of_each_cluster_is_counted_for_that_cluster(engine):
    policy = Policy(guards=Guards(percent_of_cluster=0.2))
    first, second = several(engine, 2)
    other = target("service-9", cluster="cls-b")
    incident = open_incident(engine, "elsewhere", on=other)
    third = asyncio.run(book_on(engine).register(restart_plan(incident, on=other)))

    assert ask(engine, first, policy=policy) is None
    assert ask(engine, first, policy=policy) is None
    found = ask(engine, second, policy=Policy(guards=Guards(percent_of_cluster=0.1)))
    assert found is Guard.PERCENT_OF_CLUSTER
    assert ask(engine, third, policy=policy) is None


async def heal_and_break(engine, times: int, clock: HandClock) -> None:
    for number in range(times):
        book = book_on(engine, clock=clock)
        incident = open_incident(engine, f"again-{number}")
        plan = await book.register(restart_plan(incident))
        assert await book.ask(plan) is None
        await book.finish(plan, HEALED, reason="恢复正常")
        await book.release(incident)
        clock.later(hours=2)


async def test_what_was_healed_and_broke_three_times_in_a_day_is_for_a_person(engine):
    clock = HandClock()
    await heal_and_break(engine, 3, clock)
    plan = await book_on(engine).register(restart_plan(open_incident(engine, "the-fourth")))

    refusal = await book_on(engine, clock=clock).ask(plan)
    assert refusal is not None
    assert refusal.guard is Guard.LOOP_BREAKER
    clock.later(hours=20)
    assert await book_on(engine, clock=clock).ask(plan) is None


async def fail(engine, outcomes, clock: HandClock) -> list[str]:
    said = []
    for number, outcome in enumerate(outcomes):
        place = target(f"service-{number}")
        incident = open_incident(engine, f"inc-{number}", on=place, fingerprint=f"print-{number}")
        book = book_on(engine, clock=clock)
        plan = await book.register(restart_plan(incident, on=place))
        said.append((await book.finish(plan, outcome, reason="见证据")).fell_back)
    return said


async def test_too_many_failures_in_a_day_put_the_whole_device_back_to_observing_and_it_says_so(engine):
    clock = HandClock()

    said = await fail(engine, [HEALED, HEALED, HEALED, NOT_BETTER, NOT_BETTER], clock)

    assert said[:4] == ["", "", "", ""]
    assert said[4] == "24小时内5次处理有2次失败，全部转为只观察"
    fallen = SqlModeStore(engine).book().fallen_back
    assert fallen is not None
    assert (fallen.chosen_by, fallen.reason) == ("failure_breaker", said[4])
    plan = await book_on(engine).register(restart_plan(open_incident(engine, "next")))
    refusal = await book_on(engine, clock=clock).ask(plan)
    assert refusal is not None
    assert refusal.guard is Guard.FAILURE_BREAKER


async def test_who_finishes_again_after_a_crash_hears_again_that_the_device_fell_back(engine):
    clock = HandClock()
    said = await fail(engine, [NOT_BETTER] * 5, clock)

    plan = restart_plan(open_incident(engine, "inc-4"), on=target("service-4"))
    again = await book_on(engine, clock=clock).finish(plan.id, NOT_BETTER, reason="见证据")

    assert again.fell_back == said[4]


async def test_what_was_blocked_or_recovered_by_itself_is_no_failure(engine):
    outcomes = [AttemptOutcome.BLOCKED_BY_POLICY, AttemptOutcome.ALREADY_RECOVERED, AttemptOutcome.ABANDONED]

    assert not any(await fail(engine, [*outcomes, HEALED, HEALED, HEALED, HEALED], HandClock()))


async def test_a_choice_of_a_person_ends_the_fall_back_and_forgets_the_failures_before(engine):
    clock = HandClock()
    await fail(engine, [NOT_BETTER] * 5, clock)
    plan = await book_on(engine).register(restart_plan(open_incident(engine, "next")))
    clock.later(minutes=1)
    choose(engine, HealingMode.ACT, at=clock.now())

    assert await book_on(engine, clock=clock).ask(plan) is None


def test_a_fall_back_that_a_crash_prevented_is_made_up_for_by_the_next_who_asks(engine):
    clock = HandClock()
    asyncio.run(fail(engine, [NOT_BETTER] * 5, clock))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM healing_modes WHERE namespace = '*'"))
    plan = asyncio.run(book_on(engine).register(restart_plan(open_incident(engine, "next"))))

    assert ask(engine, plan, clock=clock) is Guard.FAILURE_BREAKER
    assert SqlModeStore(engine).book().fallen_back is not None


@pytest.mark.parametrize(
    ("mode", "guard"),
    [(HealingMode.OBSERVE, Guard.OBSERVE_MODE), (HealingMode.PROPOSE, Guard.PROPOSE_MODE)],
)
def test_the_mode_of_the_namespace_counts(engine, mode, guard):
    (plan,) = several(engine, 1)
    choose(engine, mode, namespace="shop")

    assert ask(engine, plan) is guard


def test_a_mode_that_changes_after_the_grant_stops_what_was_not_done_yet(engine):
    (plan,) = several(engine, 1)
    assert ask(engine, plan) is None
    choose(engine, HealingMode.OBSERVE)

    assert ask(engine, plan) is Guard.OBSERVE_MODE


def test_what_was_refused_takes_nothing(engine):
    plans = several(engine, 6)
    choose(engine, HealingMode.OBSERVE)
    assert granted(engine, plans) == 0
    choose(engine, HealingMode.ACT)

    assert granted(engine, plans) == 5


def test_a_cluster_that_cannot_be_seen_means_no(engine):
    (plan,) = several(engine, 1)
    blind = StillLookout(trouble=NetworkFault("connection refused"))

    assert ask(engine, plan, lookout=blind) is Guard.UNREADABLE


def test_a_policy_file_that_became_wrong_means_no_until_it_is_right(engine, tmp_path):
    (plan,) = several(engine, 1)
    file = tmp_path / "policy.yaml"
    file.write_text("guards: {workloads_per_night: 3}\n")
    source = PolicyFile(file)
    assert ask(engine, plan, policy=source) is None

    file.write_text("guards: {workloads_per_night: many}\n")
    assert ask(engine, plan, policy=source) is Guard.UNREADABLE
    file.write_text("guards: {workloads_per_night: 4}\n")
    assert ask(engine, plan, policy=source) is None


@pytest.mark.parametrize("table", ["healing_plans", "healing_held_workloads", "healing_modes", "attempts"])
def test_records_that_cannot_be_read_mean_no(engine, table):
    (plan,) = several(engine, 1)
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_gone"))

    assert ask(engine, plan) is Guard.UNREADABLE


def test_nothing_is_done_for_an_incident_that_is_closed(engine):
    incident = open_incident(engine)
    plan = asyncio.run(book_on(engine).register(restart_plan(incident)))
    close_incident(engine, incident)

    assert ask(engine, plan) is Guard.INCIDENT


def test_nothing_is_done_for_an_attempt_that_has_ended(engine):
    (plan,) = several(engine, 1)
    asyncio.run(book_on(engine).finish(plan, HEALED, reason="恢复正常"))

    assert ask(engine, plan) is Guard.INCIDENT


def test_a_plan_that_nobody_registered_is_refused(engine):
    assert ask(engine, "plan-0123456789ab") is Guard.PLAN


async def test_registering_twice_registers_once(engine):
    plan = restart_plan(open_incident(engine))
    book = book_on(engine)

    assert await book.register(plan) == await book.register(plan)
    assert len(await book.attempts(plan.attempt.incident_id)) == 1


async def test_an_attempt_cannot_be_registered_anew_with_other_calls(engine):
    plan = restart_plan(open_incident(engine))
    book = book_on(engine)
    await book.register(plan)

    with pytest.raises(PlanUnsound):
        await book.register(replace(plan, calls=plan.calls[:1]))
    other = replace(plan.attempt, id="att-other", idempotency_key="other")
    with pytest.raises(PlanUnsound):
        await book.register(replace(plan, attempt=other))


@pytest.mark.parametrize(
    ("tool", "changes"),
    [
        ("delete_pod", {}),
        ("apply_manifest", {}),
        ("roll_back", {}),
        ("restart_workload", {"workload": "pay-service"}),
        ("restart_workload", {"namespace": "pay"}),
        ("restart_workload", {"cluster": None}),
        ("restart_workload", {"dry_run": True}),
        ("create_checkpoint", {"incident": "inc-other"}),
    ],
)
async def test_a_plan_has_only_calls_of_its_rung_on_its_workload(engine, tool, changes):
    plan = restart_plan(open_incident(engine))
    call = replace(plan.calls[1], tool=tool, arguments={**plan.target.arguments, **changes})

    with pytest.raises(PlanUnsound):
        await book_on(engine).register(replace(plan, calls=(call,)))


async def test_handing_over_has_no_calls(engine):
    plan = restart_plan(open_incident(engine))

    with pytest.raises(PlanUnsound):
        await book_on(engine).register(replace(plan, attempt=replace(plan.attempt, rung=Rung.HAND_OVER)))


async def test_a_plan_belongs_to_an_incident(engine):
    with pytest.raises(IncidentUnknown):
        await book_on(engine).register(restart_plan("inc-nowhere"))


async def test_a_checkpoint_is_noted_once_and_only_of_the_same_workload_and_incident(engine):
    incident = open_incident(engine)
    book = book_on(engine)
    plan = await book.register(restart_plan(incident))
    first = keep_checkpoint(engine, incident)
    await book.note_checkpoint(plan, first)
    await book.note_checkpoint(plan, first)
    (attempt,) = await book.attempts(incident)
    assert attempt.checkpoint_id == first

    for wrong in (
        keep_checkpoint(engine, incident, key="b"),
        keep_checkpoint(engine, None, key="c"),
        keep_checkpoint(engine, incident, target("pay-service"), key="d"),
    ):
        with pytest.raises(PlanUnsound):
            await book.note_checkpoint(plan, wrong)
    with pytest.raises(CheckpointUnknown):
        await book.note_checkpoint(plan, "cp-nowhere")


async def test_an_attempt_ends_once(engine):
    book = book_on(engine)
    plan = await book.register(restart_plan(open_incident(engine)))
    await book.finish(plan, HEALED, reason="恢复正常")
    await book.finish(plan, HEALED, reason="恢复正常")

    with pytest.raises(AttemptFinished):
        await book.finish(plan, NOT_BETTER, reason="没有好转")
    with pytest.raises(PlanUnsound):
        await book.finish("plan-nowhere", HEALED, reason="恢复正常")


async def test_what_failed_last_night_is_remembered_tonight_but_not_for_ever(engine):
    clock = HandClock()
    book = book_on(engine, clock=clock)
    plan = await book.register(restart_plan(open_incident(engine, "last night")))
    await book.finish(plan, NOT_BETTER, reason="没有好转")
    tonight = open_incident(engine, "tonight")
    elsewhere = open_incident(engine, "elsewhere", fingerprint="pay-service/5xx")

    clock.later(hours=25)
    assert await book.failed_before(tonight) == {Rung.RESTART}
    assert await book.failed_before(elsewhere) == frozenset()
    clock.later(hours=24)
    assert await book.failed_before(tonight) == frozenset()


async def test_what_failed_is_worth_another_try_once_somebody_has_changed_something(engine):
    clock = HandClock()
    book = book_on(engine, clock=clock)
    plan = await book.register(restart_plan(open_incident(engine, "last night")))
    clock.later(minutes=5)
    own_change = clock.now()
    clock.later(minutes=5)
    await book.finish(plan, NOT_BETTER, reason="没有好转")
    before = clock.now() - timedelta(hours=3)
    tonight = open_incident(engine, "tonight")

    clock.later(hours=20)
    release = clock.now()
    clock.later(hours=2)
    assert await book.failed_before(tonight, [before]) == {Rung.RESTART}
    assert await book.failed_before(tonight, [own_change]) == {Rung.RESTART}, "changed by itself"
    assert await book.failed_before(tonight, [release, before]) == frozenset()
