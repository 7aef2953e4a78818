"""Incidents and what was done about them, told from the records."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mcp_tencent.devops.alerts.lessons import lessons_of_outcomes
from mcp_tencent.devops.alerts.weights import LessonKind
from mcp_tencent.devops.incidents import (
    Attempt,
    AttemptOutcome,
    Incident,
    IncidentStatus,
    IncidentStore,
    Rung,
    TimelineEvent,
)
from mcp_tencent.tables import stable_id
from tests.mcp_tencent.basic.office import ANSWER_BYTES, MORNING
from tests.mcp_tencent.devops.house import house_at

FACTS = json.dumps(
    {
        "factors": {"impact": 80, "severity": 70, "importance": 50, "urgency": 60},
        "reasons": [{"factor": "impact", "points": 30, "text": "影响3个服务"}],
    }
)


def incident(number: int, status: IncidentStatus, *, score: float = 70.0) -> Incident:
    at = MORNING - timedelta(hours=number)
    return Incident(
        id=stable_id("inc", str(number)),
        idempotency_key=f"incident-{number}",
        fingerprint=f"fp-{number}",
        cluster_id="cls-shop0001",
        namespace="shop",
        workload_kind="Deployment",
        workload="order-service",
        title=f"订单服务错误率过高{number}",
        score=score,
        alert_count=number,
        status=status,
        opened_at=at,
        last_seen_at=at,
        policy_version="policy-1",
        facts_json=FACTS,
    )


def attempted(store: IncidentStore, of: Incident, number: int, outcome: AttemptOutcome | None) -> None:
    attempt = Attempt(
        id=stable_id("att", f"{of.id}/{number}"),
        incident_id=of.id,
        number=number,
        rung=Rung.RESTART,
        action="重启订单服务",
        idempotency_key=f"{of.id}/{number}",
        checkpoint_id=None,
        started_at=of.opened_at + timedelta(minutes=number),
    )
    assert store.start_attempt(attempt)
    if outcome is not None:
        at = attempt.started_at + timedelta(minutes=1)
        store.finish_attempt(attempt.id, outcome, at=at, reason="看过了", evidence_json="{}")


def a_night(store: IncidentStore) -> list[Incident]:
    night = [
        incident(1, IncidentStatus.HEALED, score=92),
        incident(2, IncidentStatus.HUMAN, score=71),
        incident(3, IncidentStatus.OPEN, score=40),
        incident(30, IncidentStatus.HEALED),
    ]
    for one in night:
        assert store.open(one)
    attempted(store, night[0], 1, AttemptOutcome.NOT_BETTER_RESTORED)
    attempted(store, night[0], 2, AttemptOutcome.HEALED)
    attempted(store, night[1], 1, AttemptOutcome.OUT_OF_BUDGET)
    attempted(store, night[2], 1, None)
    return night


async def test_incidents_of_a_period_are_listed_newest_first_with_the_worst_unsolved_told(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        night = a_night(house.desk_of_alerts.incidents)
        answer = await house.call("list_incidents")
        assert [line["id"] for line in answer["incidents"]] == [one.id for one in night[:3]]
        assert answer["counts"] == {"open": 1, "healed": 1, "human": 1}
        assert answer["summary"] == (
            "共3起故障，1起转给了人，1起还在处理，1起已经恢复。最要紧的是订单服务错误率过高2，7.1分。"
        )


@pytest.mark.parametrize(("status", "number"), [("open", 3), ("healed", 1), ("human", 2)])
async def test_incidents_are_chosen_by_status(tmp_path, status, number):
    async with house_at("quiet", tmp_path) as house:
        a_night(house.desk_of_alerts.incidents)
        (line,) = (await house.call("list_incidents", status=status))["incidents"]
        assert line["alerts"] == number


async def test_a_night_without_incidents_is_said(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        assert (await house.call("list_incidents"))["summary"] == "这段时间没有故障记录。"
        assert (await house.call("remediation_history"))["summary"] == "这段时间没有自动处理过。"


async def test_many_incidents_come_in_pages_that_fit(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        for number in range(1, 41):
            one = incident(1, IncidentStatus.HEALED)
            made = replace(
                one,
                id=stable_id("inc", f"many-{number}"),
                idempotency_key=f"many-{number}",
                opened_at=one.opened_at - timedelta(minutes=number),
            )
            assert house.desk_of_alerts.incidents.open(made)
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = await house.call("list_incidents", cursor=cursor)
            assert len(json.dumps(page, ensure_ascii=False).encode()) <= ANSWER_BYTES
            seen += [line["id"] for line in page["incidents"]]
            cursor = page["cursor"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 40


async def test_an_incident_is_told_from_beginning_to_end(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        store = house.desk_of_alerts.incidents
        first = a_night(store)[0]
        for minute, (kind, text) in enumerate(
            [
                ("alert", "订单服务报警"),
                ("diagnosis", "怀疑新版本"),
                ("action", "重启"),
                ("verification", "好了"),
            ]
        ):
            event = TimelineEvent(at=first.opened_at + timedelta(minutes=minute), kind=kind, text=text)
            assert store.add_event(first.id, event, key=kind)
        answer = await house.call("describe_incident", incident=first.id)
        assert [event["kind"] for event in answer["timeline"]] == [
            "alert",
            "diagnosis",
            "action",
            "verification",
        ]
        assert [attempt["outcome"] for attempt in answer["attempts"]] == ["not_better_restored", "healed"]
        assert answer["reasons"] == ["影响3个服务"]
        assert answer["summary"] == (
            "订单服务错误率过高1，9.2分，已经恢复。处理了2次，最后一次是重启订单服务，治好了。"
        )


async def test_a_long_timeline_comes_in_pages_that_fit(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        store = house.desk_of_alerts.incidents
        first = a_night(store)[0]
        for number in range(60):
            event = TimelineEvent(
                at=first.opened_at + timedelta(seconds=number), kind="alert", text=f"第{number}条" * 8
            )
            store.add_event(first.id, event, key=str(number))
        texts: list[str] = []
        cursor: str | None = None
        while True:
            page = await house.call("describe_incident", incident=first.id, cursor=cursor)
            assert len(json.dumps(page, ensure_ascii=False).encode()) <= ANSWER_BYTES
            texts += [event["text"] for event in page["timeline"]]
            cursor = page["cursor"]
            if cursor is None:
                break
        assert texts == [f"第{number}条" * 8 for number in range(60)]


async def test_an_incident_that_is_not_there_is_said(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        error = await house.refused("describe_incident", incident="inc-000000000000")
        assert error["code"] == "incident_unknown"
        assert error["message"] == "没有这个故障的记录。"


async def test_history_counts_what_came_of_attempts(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        a_night(house.desk_of_alerts.incidents)
        answer = await house.call("remediation_history")
        assert answer["outcomes"] == {"not_better_restored": 1, "healed": 1, "out_of_budget": 1}
        assert [line["outcome"] for line in answer["attempts"]] == [
            "healed",
            "not_better_restored",
            "out_of_budget",
            None,
        ]
        assert answer["summary"] == (
            "共处理4次，涉及3起故障：治好了1次，没有好转，已还原1次，次数用完1次，正在进行1次。"
        )


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_incidents", {"period": "never"}),
        ("list_incidents", {"status": "gone"}),
        ("remediation_history", {"period": "0h"}),
        ("describe_incident", {}),
        ("describe_incident", {"incident": ""}),
    ],
)
async def test_bad_arguments_are_refused(tmp_path, tool, arguments):
    async with house_at("quiet", tmp_path) as house:
        error = await house.refused(tool, **arguments)
        assert error["code"] in {"invalid_arguments", "invalid_period", "period_too_long"}


async def test_outcomes_teach_the_weights(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        store = house.desk_of_alerts.incidents
        a_night(store)
        lessons = lessons_of_outcomes(store, MORNING - timedelta(days=2), MORNING)
        assert [lesson.kind for lesson in lessons] == [LessonKind.NEEDED_A_PERSON]
        assert lessons[0].factors.impact == 80
