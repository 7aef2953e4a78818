from datetime import UTC, datetime, timedelta

import pytest

from mcp_tencent.local_cloud.conditions import Condition, LogPattern, Timeline
from mcp_tencent.local_cloud.life.alarm_history import ScenarioAlarmHistory, WatchedAlarm
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.scenario.model import Alarm
from mcp_tencent.local_cloud.simulation import ManualClock
from mcp_tencent.local_cloud.tencent.cls.state import ClsState
from mcp_tencent.local_cloud.tencent.identifiers import Identifiers
from mcp_tencent.local_cloud.tencent.ports import AlarmLevel, AlertStatus

REF = WorkloadRef("cls-a0001", "shop", "web")
BEGINNING = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
REGION = "ap-guangzhou"


def minute(number):
    return BEGINNING + timedelta(minutes=number)


class History:
    """One alarm on one workload, whose fate the test writes."""

    def __init__(self, *, declared=(), **changes):
        fields = {
            "name": "错误率",
            "topic": "日志",
            "query": "*",
            "watches": [{"workload": str(REF), "symptom": "error_ratio", "above": 0.1}],
            "repeat_every": "15m",
            **changes,
        }
        alarm = Alarm.model_validate(fields, strict=False)
        self.clock = ManualClock(BEGINNING)
        self.timeline = Timeline()
        self.cls = ClsState(clock=self.clock, identifiers=Identifiers(1))
        policy = self.cls.add_alarm(REGION, alarm.name, {}, scripted=True)
        self.policy_id = policy.alarm_id
        watched = WatchedAlarm(
            alarm=alarm, alarm_id=policy.alarm_id, topic_id="t", region=REGION, notices=(), declared=declared
        )
        self.history = ScenarioAlarmHistory(
            alarms=[watched],
            timelines={REF: self.timeline},
            memory_shares={REF: 0.5},
            policies=self.cls,
            beginning=BEGINNING,
            now=self.clock.now,
        )
        self.timeline.record(BEGINNING, Condition())

    def at(self, number):
        self.clock.advance(minute(number) - self.clock.now())
        return self.history.records(BEGINNING, self.clock.now() + timedelta(seconds=1))


def test_an_alarm_fires_at_the_first_check_repeats_and_recovers():
    story = History()
    story.timeline.record(minute(10) + timedelta(seconds=20), Condition(error_ratio=0.5))
    story.timeline.record(minute(50) + timedelta(seconds=20), Condition())
    records = story.at(60)
    assert [record.started_at for record in records] == [minute(11), minute(26), minute(41)]
    assert {record.ended_at for record in records} == {minute(51)}
    assert {record.status_at(minute(60)) for record in records} == {AlertStatus.RECOVERED}


def test_an_alert_is_open_while_the_symptom_lasts():
    story = History()
    story.timeline.record(minute(10), Condition(error_ratio=0.5))
    (record,) = story.at(12)
    assert record.status_at(minute(12)) is AlertStatus.OPEN
    assert record.ended_at is None


def test_a_symptom_at_the_threshold_does_not_fire():
    story = History()
    story.timeline.record(minute(10), Condition(error_ratio=0.1))
    assert story.at(60) == []


def test_a_symptom_shorter_than_the_checks_in_a_row_does_not_fire():
    story = History(trigger_count=3)
    story.timeline.record(minute(10), Condition(error_ratio=0.5))
    story.timeline.record(minute(12), Condition())
    story.timeline.record(minute(20), Condition(error_ratio=0.5))
    story.timeline.record(minute(30), Condition())
    assert [record.started_at for record in story.at(60)] == [minute(22)]


def test_looking_earlier_changes_nothing_of_what_is_seen_later():
    looked, blind = History(), History()
    for story in (looked, blind):
        story.timeline.record(minute(10), Condition(error_ratio=0.5))
    early = looked.at(20)
    for story in (looked, blind):
        story.timeline.record(minute(40), Condition())
    late = looked.at(60)
    assert [record.record_id for record in late][: len(early)] == [record.record_id for record in early]
    assert [(record.started_at, record.ended_at) for record in late] == [
        (record.started_at, record.ended_at) for record in blind.at(60)
    ]


def test_two_watches_are_one_symptom():
    watches = [
        {"workload": str(REF), "symptom": "error_ratio", "above": 0.1},
        {"workload": str(REF), "symptom": "latency", "above": 2},
    ]
    story = History(watches=watches, repeat_every="1h")
    story.timeline.record(minute(10), Condition(error_ratio=0.5))
    story.timeline.record(minute(20), Condition(error_ratio=0.5, latency=5))
    story.timeline.record(minute(30), Condition(latency=5))
    story.timeline.record(minute(40), Condition())
    (record,) = story.at(60)
    assert (record.started_at, record.ended_at) == (minute(10), minute(40))


@pytest.mark.parametrize(
    ("symptom", "condition"),
    [
        ("not_ready", Condition(ready_ratio=0.5)),
        ("pending", Condition(pending_ratio=0.5)),
        ("latency", Condition(latency=3)),
        ("cpu", Condition(cpu=3)),
        ("memory", Condition(memory=2.2)),
        ("lines", Condition(patterns=(LogPattern(template="disk full", level="ERROR", per_minute=1),))),
    ],
)
def test_each_symptom_is_seen(symptom, condition):
    above = {"latency": 2, "cpu": 2, "memory": 1}.get(symptom, 0)
    story = History(watches=[{"workload": str(REF), "symptom": symptom, "above": above, "text": "disk"}])
    assert story.at(5) == []
    story.timeline.record(minute(10), condition)
    assert len(story.at(11)) == 1


def test_declared_records_are_told_once_their_time_has_come():
    story = History(declared=((minute(30), minute(35)),), watches=[])
    assert story.at(29) == []
    assert [record.status_at(minute(36)) for record in story.at(36)] == [AlertStatus.RECOVERED]


def test_a_disabled_alarm_fires_no_more_and_keeps_its_past():
    story = History()
    story.timeline.record(minute(10), Condition(error_ratio=0.5))
    assert len(story.at(12)) == 1
    alarms = story.cls.region(REGION).alarms
    policy = alarms[story.policy_id]
    del alarms[story.policy_id]
    assert len(story.at(60)) == 1 + (60 - 10) // 15
    assert len(story.at(120)) == 1 + (60 - 10) // 15
    alarms[story.policy_id] = policy
    assert len(story.at(121)) == 1 + (121 - 10) // 15


def test_levels_are_numbered_as_the_service_does():
    story = History(level="critical")
    story.timeline.record(minute(10), Condition(error_ratio=0.5))
    assert story.at(12)[0].level is AlarmLevel.CRITICAL
