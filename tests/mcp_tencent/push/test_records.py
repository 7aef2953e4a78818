"""The memory of deliveries keeps its promises on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from assistant.database import Database, open_database
from mcp_tencent.push.channels import Channel, Target
from mcp_tencent.push.delivery import Delivery, DeliveryStatus
from mcp_tencent.push.errors import DeliveryUnknown
from mcp_tencent.push.message import Attachment, Report
from mcp_tencent.push.pacing import Pace, RateLimit, block, take_turn
from mcp_tencent.push.records import DeliveryPreference, SqlDeliveryStore, SqlPreferenceStore
from mcp_tencent.tables import writing
from tests.races import race, race_of_processes

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
REPORT = Report(
    reference="digest-2026-11-20",
    title="日报",
    spoken="昨天一切正常。",
    markdown="# 日报",
    attachments=(Attachment(filename="chart.png", media_type="image/png", content=b"\x89PNG\x00\xff"),),
)
DELIVERY = Delivery(
    id="delivery-digest-2026-11-20-email",
    report=REPORT,
    target=Target(channel=Channel.EMAIL, recipients=("duty@example.com",), mentions=()),
    person="person-1",
    created_at=NOW,
    updated_at=NOW,
)


@pytest.fixture
def deliveries(database: Database) -> SqlDeliveryStore:
    return SqlDeliveryStore(database.engine)


@pytest.fixture
def preferences(database: Database) -> SqlPreferenceStore:
    return SqlPreferenceStore(database.engine)


def test_a_delivery_comes_back_as_it_was(deliveries: SqlDeliveryStore):
    assert deliveries.add(DELIVERY)
    assert deliveries.find(DELIVERY.id) == DELIVERY
    assert deliveries.find("delivery-none") is None


def test_a_delivery_is_recorded_once(deliveries: SqlDeliveryStore):
    assert deliveries.add(DELIVERY)
    assert not deliveries.add(replace(DELIVERY, person=None))
    assert deliveries.find(DELIVERY.id) == DELIVERY


def test_of_twenty_requests_at_once_one_is_recorded(deliveries: SqlDeliveryStore):
    assert race([partial(deliveries.add, DELIVERY)] * 20).count(True) == 1


def test_of_two_processes_one_records(database_url: str):
    assert race_of_processes(_add, database_url) == [0, 1]


def _add(url: str) -> int:
    with open_database(url) as database:
        return int(SqlDeliveryStore(database.engine).add(DELIVERY))


@pytest.mark.parametrize("status", list(DeliveryStatus))
def test_how_it_stands_is_kept(deliveries: SqlDeliveryStore, status: DeliveryStatus):
    deliveries.add(DELIVERY)
    stands = replace(
        DELIVERY,
        status=status,
        attempts=3,
        reason="邮箱不存在",
        updated_at=NOW + timedelta(minutes=1),
        next_attempt_at=NOW + timedelta(minutes=2),
    )
    deliveries.save(stands)
    assert deliveries.find(DELIVERY.id) == stands
    assert (DELIVERY.id in deliveries.unfinished()) == (not status.final)


def test_an_unknown_delivery_cannot_be_saved(deliveries: SqlDeliveryStore):
    with pytest.raises(DeliveryUnknown):
        deliveries.save(DELIVERY)


def test_deliveries_are_listed_newest_first_by_time_and_status(deliveries: SqlDeliveryStore):
    made = [replace(DELIVERY, id=f"d{n}", created_at=NOW + timedelta(minutes=n)) for n in range(3)]
    made[1] = replace(made[1], status=DeliveryStatus.DEAD)
    for one in made:
        deliveries.add(one)
    until = NOW + timedelta(hours=1)
    assert [one.id for one in deliveries.between(NOW, until)] == ["d2", "d1", "d0"]
    assert [one.id for one in deliveries.between(NOW, until, limit=1)] == ["d2"]
    assert [one.id for one in deliveries.between(NOW, until, statuses=[DeliveryStatus.DEAD])] == ["d1"]
    assert deliveries.unfinished() == ["d0", "d2"]


def test_turns_taken_at_once_are_all_different(deliveries: SqlDeliveryStore):
    limit = RateLimit(messages=1, per_s=60)

    def take() -> datetime:
        pace = deliveries.change_pace("robot", lambda pace: take_turn(pace, limit, NOW)[0])
        return pace.turns[-1]

    turns = race([take] * 12)
    assert sorted(turns) == [NOW + timedelta(minutes=n) for n in range(12)]


def test_a_pace_is_remembered_for_each_target(deliveries: SqlDeliveryStore):
    blocked = deliveries.change_pace("a", lambda pace: block(pace, NOW, 600))
    assert blocked.blocked_until == NOW + timedelta(minutes=10)
    assert deliveries.change_pace("a", lambda pace: pace) == blocked
    assert deliveries.change_pace("b", lambda pace: pace) == Pace()


def test_a_preference_replaces_the_one_before(preferences: SqlPreferenceStore):
    first = DeliveryPreference(person="person-1", channel=Channel.EMAIL, target="a@example.com")
    robot = DeliveryPreference(person="person-1", channel=Channel.DINGTALK, target="default", enabled=False)
    other = DeliveryPreference(person="person-2", channel=Channel.EMAIL, target="b@example.com")
    for one in (first, robot, other):
        preferences.set(one)
    changed = replace(first, target="c@example.com", enabled=False)
    preferences.set(changed)
    assert preferences.of("person-1") == [robot, changed]
    assert preferences.of("person-3") == []


def test_of_a_removed_person_no_address_is_left(
    deliveries: SqlDeliveryStore, preferences: SqlPreferenceStore, database: Database
):
    sent = replace(DELIVERY, id="sent", status=DeliveryStatus.SENT)
    others = replace(DELIVERY, id="others", person="person-2")
    for one in (DELIVERY, sent, others):
        deliveries.add(one)
    preferences.set(DeliveryPreference(person="person-1", channel=Channel.EMAIL, target="duty@example.com"))
    with writing(database.engine) as session:
        deliveries.forget(session, "person-1")
        preferences.forget(session, "person-1")
    assert preferences.of("person-1") == []
    waiting, done = deliveries.find(DELIVERY.id), deliveries.find("sent")
    assert waiting is not None
    assert done is not None
    assert (waiting.status, done.status) == (DeliveryStatus.DEAD, DeliveryStatus.SENT)
    assert "duty@example.com" not in waiting.target.text + done.target.text
    assert deliveries.find("others") == others
