"""A week with the appliance: nights, greetings, acts, a power cut, a network outage, a full disk."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from sqlmodel import Session, select

from assistant.conversation.answer import Awaiting, TurnOutcome
from assistant.night_house import let_heal
from assistant.people import Person
from mcp_tencent.devops.healing.plan_records import HealingPlanRow
from mcp_tencent.gateway.call import Permission
from scheduler.digest_claims import ClaimState
from scheduler.digest_json import digest_from_json
from scheduler.records import JobOutcome
from tests.assistant.week_rig import DeviceClock, Week, a_weeks_trouble, full_disk
from tests.mcp_tencent.devops.ward import standing_cloud
from tests.scheduler.nights import installation_on

ACTS = {"restart_workload", "scale_workload", "roll_back"}
NAMES = {"订单服务": "order-service", "商品服务": "item-service", "网关": "web-gateway"}


async def greetings(week: Week, *people: Person) -> None:
    """Everybody greets five times at once, and once more: each is told the digest once."""
    everybody = [person for person in people for _ in range(5)]
    answers = await asyncio.gather(*(week.say("你好", person) for person in everybody))
    answers += [await week.say("早上好", person) for person in people]
    told = Counter(one.person.name for one in answers if one.outcome is TurnOutcome.DIGEST and one.person)
    assert told == Counter(person.name for person in people)
    assert all(one.outcome in {TurnOutcome.DIGEST, TurnOutcome.GREETED} for one in answers)


async def work(week: Week, owner: Person, reader: Person, replicas: int) -> None:
    """A confirmed act, one without permission, one that nobody confirms."""
    asked = await week.say(f"把商品服务扩到{replicas}个副本", owner)
    assert asked.awaiting is Awaiting.CONFIRMATION, asked
    done = await week.say("确认", owner)
    assert done.outcome is TurnOutcome.ANSWERED, done
    assert (await week.say("重启网关", reader)).outcome is TurnOutcome.REFUSED
    assert (await week.say("重启网关", owner)).awaiting is Awaiting.CONFIRMATION
    week.house.conversation.give_up()
    assert (await week.say("确认", owner)).steps == ()


def audited(week: Week, owner: Person) -> Counter[str]:
    """Return the acts that were done, by workload; each has begun on record, and by who may."""
    by_trace: dict[str, list[str]] = {}
    acts: Counter[str] = Counter()
    for line in week.house.night.trail.lines():
        if line.tool not in ACTS:
            continue
        outcomes = by_trace.setdefault(line.trace_id, [])
        if line.outcome == "done":
            assert outcomes[-1:] == ["started"], (line.tool, outcomes)
            assert line.person in {owner.name, "night"}, "the job under its plan, or who may"
            (name,) = [one for one in NAMES.values() if one in line.arguments]
            acts[name] += 1
        outcomes.append(line.outcome)
    return acts


def asked_and_planned(week: Week, owner: Person) -> tuple[int, int]:
    """Return how many plans the night has registered, and how often the owner was asked for a yes."""
    with Session(week.house.night.engine) as session:
        plans = session.exec(select(HealingPlanRow)).all()
    asked = [
        line
        for line in week.house.night.trail.lines()
        if (line.tool, line.person, line.outcome) == ("scale_workload", owner.name, "confirmation_required")
    ]
    return len(plans), len(asked)


def keeps_its_promises(week: Week, first: Counter[str], owner: Person, reader: Person) -> None:
    """What holds at the end of every day."""
    house = week.house
    for person in (owner, reader):
        claim = house.claims.get(person.id, week.today)
        assert claim is not None
        assert claim.state is ClaimState.DELIVERED
    acts = audited(week, owner)
    assert week.changes() - first == acts, "what changed is what is on record"
    incidents, confirmed = asked_and_planned(week, owner)
    assert acts["order-service"] <= incidents, "healed under a plan"
    assert acts["item-service"] <= confirmed, "asked for before it was done"
    assert not house.night.trail.verify()
    runs = house.night.runs.latest("night", limit=30)
    assert len({run.for_date for run in runs}) == len(runs)
    assert runs[0].for_date == week.today
    kept = {turn.id for turn in house.journal.latest(limit=10_000)}
    assert set(week.turns) <= kept
    with house.night.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


async def night(week: Week) -> JobOutcome | None:
    end = await week.house.night.nights.run(week.today)
    return end.outcome


async def test_a_week_in_which_everything_happens(tmp_path: Path) -> None:
    with standing_cloud(a_weeks_trouble()) as cloud:
        week = Week(cloud=cloud, folder=tmp_path, device=DeviceClock(cloud.clock.now()))
        let_heal(installation_on(cloud, tmp_path), "act", {"shop"})
        first = week.changes()
        async with week.opened():
            owner = week.person("张敏", *Permission)
            reader = week.person("李雷", Permission.READ)
            assert await night(week) is JobOutcome.SUCCEEDED
            week.wait_until(7)
            await greetings(week, owner, reader)
            await work(week, owner, reader, 4)
            assert audited(week, owner) == {"order-service": 1, "item-service": 1}, "healed at night; scaled"
            keeps_its_promises(week, first, owner, reader)

            week.wait_until(5, days=1)
            assert await night(week) is JobOutcome.SUCCEEDED
            told = week.house.night.digests.get(week.today)
            assert told is not None
            assert digest_from_json(told.content_json).facts.incidents, "the second trouble"
            week.wait_until(7)
            await greetings(week, owner, reader)
            await work(week, owner, reader, 3)
            keeps_its_promises(week, first, owner, reader)

            week.wait_until(5, days=1)
            await night(week)
            week.wait_until(7)
            cut = await week.house.conversation.take_turn(week.heard("", owner))
            assert cut.claim is not None
            week.house.claims.report(cut.claim, spoken_seconds=20.0, now=week.device.now())
        async with week.opened():
            await greetings(week, owner, reader)
            await work(week, owner, reader, 4)
            keeps_its_promises(week, first, owner, reader)

            week.wait_until(5, days=1)
            assert await night(week) is not JobOutcome.SUCCEEDED
            stored = week.house.night.digests.get(week.today)
            assert stored is not None
            assert digest_from_json(stored.content_json).facts.unread, "it tells what it could not read"
            week.wait_until(7)
            before = week.changes()
            await greetings(week, owner, reader)
            lost = await week.say("订单服务有几个副本", owner)
            assert lost.outcome is not TurnOutcome.ANSWERED
            assert (await week.say("把商品服务扩到3个副本", owner)).outcome is not TurnOutcome.ANSWERED
            await week.say("确认", owner)
            assert week.changes() == before
            keeps_its_promises(week, first, owner, reader)

            week.wait_until(5, days=1)
            assert await night(week) is JobOutcome.SUCCEEDED
            week.wait_until(7)
            await on_a_full_disk(week, owner)
            await greetings(week, owner, reader)
            keeps_its_promises(week, first, owner, reader)

            for replicas in (3, 4):
                week.wait_until(5, days=1)
                assert await night(week) is JobOutcome.SUCCEEDED
                week.wait_until(7)
                await greetings(week, owner, reader)
                await work(week, owner, reader, replicas)
                keeps_its_promises(week, first, owner, reader)
            assert len(week.house.night.runs.latest("night", limit=30)) == 7


async def on_a_full_disk(week: Week, owner: Person) -> None:
    """Nothing is done, and no digest told unasked, that cannot be put on record; looking goes on.

    These turns are not looked for in the journal: it lies on the same disk.
    """
    before = week.changes()
    with full_disk(week.house):
        greeted = await week.house.conversation.take_turn(week.heard("", owner))
        assert greeted.outcome is TurnOutcome.GREETED, greeted
        assert "磁盘满了" in greeted.spoken
        asked_for = await week.house.conversation.take_turn(week.heard("播一下日报", owner))
        assert asked_for.digest is not None, asked_for
        looked = await week.house.conversation.take_turn(week.heard("订单服务有几个副本", owner))
        assert looked.outcome is TurnOutcome.ANSWERED, looked
        asked = await week.house.conversation.take_turn(week.heard("把商品服务扩到5个副本", owner))
        said = await week.house.conversation.take_turn(week.heard("确认", owner))
        assert not any(step.done for step in (*asked.steps, *said.steps)), (asked, said)
    assert week.changes() == before
