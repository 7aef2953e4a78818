"""The memory of incidents and checkpoints keeps its promises on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from assistant.database import Database, open_database
from mcp_tencent.devops.checkpoint_records import Checkpoint, CheckpointStore, SqlCheckpointStore
from mcp_tencent.devops.errors import (
    AttemptFinished,
    AttemptUnknown,
    CheckpointUnknown,
    IncidentChanged,
    IncidentUnknown,
)
from mcp_tencent.devops.incidents import (
    Attempt,
    AttemptOutcome,
    Incident,
    IncidentQuery,
    IncidentStatus,
    IncidentStore,
    Rung,
    TimelineEvent,
)
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.models.changes import ObjectRef, SavedObject
from mcp_tencent.tables import stable_id
from tests.races import race, race_of_processes

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)


class FernetCipher:
    """Seals with a fresh key."""

    def __init__(self) -> None:
        self._fernet = Fernet(Fernet.generate_key())

    def seal(self, plain: bytes) -> bytes:
        return self._fernet.encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        return self._fernet.decrypt(sealed)


def incident(key: str = "alert-1", **changes) -> Incident:
    made = Incident(
        id=stable_id("inc", key),
        idempotency_key=key,
        fingerprint="order-service/5xx",
        cluster_id="cls-a",
        namespace="shop",
        workload_kind="Deployment",
        workload="order-service",
        title="订单服务错误率升高",
        score=91.5,
        alert_count=7,
        status=IncidentStatus.OPEN,
        opened_at=NOW,
        last_seen_at=NOW,
        policy_version="p1",
        facts_json='{"重要": true}',
    )
    return replace(made, **changes)


def attempt(number: int = 1, **changes) -> Attempt:
    made = Attempt(
        id=stable_id("att", f"alert-1/{number}"),
        incident_id=incident().id,
        number=number,
        rung=Rung.ROLL_BACK,
        action="把订单服务回滚到版本 3",
        idempotency_key=f"alert-1/{number}",
        checkpoint_id=None,
        started_at=NOW + timedelta(minutes=number),
    )
    return replace(made, **changes)


@pytest.fixture
def incidents(database: Database) -> IncidentStore:
    return SqlIncidentStore(database.engine)


@pytest.fixture
def checkpoints(database: Database) -> CheckpointStore:
    return SqlCheckpointStore(database.engine, FernetCipher())


def test_an_incident_comes_back_as_it_was(incidents: IncidentStore):
    assert incidents.open(incident())
    assert incidents.get(incident().id) == incident()
    assert incidents.find_by_key("alert-1") == incident()
    assert incidents.find_by_key("another") is None


def test_the_same_trouble_is_opened_once(incidents: IncidentStore):
    assert incidents.open(incident())
    assert not incidents.open(incident(id="inc-other", title="again"))
    assert incidents.get(incident().id).title == "订单服务错误率升高"


def test_a_saved_incident_is_the_new_one(incidents: IncidentStore):
    incidents.open(incident())
    saved = incidents.save(incident(status=IncidentStatus.HEALED, closed_at=NOW + timedelta(hours=1)))
    assert saved.version == 2
    assert incidents.get(saved.id) == saved


def test_what_was_changed_meanwhile_is_not_overwritten(incidents: IncidentStore):
    incidents.open(incident())
    incidents.save(incident(score=50.0))
    with pytest.raises(IncidentChanged, match="version 1, it is 2 now"):
        incidents.save(incident(score=10.0))
    assert incidents.get(incident().id).score == 50.0


def test_of_twenty_savings_of_one_version_one_succeeds(incidents: IncidentStore):
    incidents.open(incident())

    def save(number: int) -> bool:
        try:
            incidents.save(incident(alert_count=number))
        except IncidentChanged:
            return False
        return True

    assert race([partial(save, number) for number in range(20)]).count(True) == 1
    assert incidents.get(incident().id).version == 2


def test_an_unknown_incident_is_an_error(incidents: IncidentStore):
    for act in (
        lambda: incidents.get("inc-none"),
        lambda: incidents.save(incident()),
        lambda: incidents.start_attempt(attempt()),
        lambda: incidents.add_event("inc-none", TimelineEvent(at=NOW, kind="alert", text="x"), key="k"),
        lambda: incidents.find(IncidentQuery(since=NOW, until=NOW, after_id="inc-none")),
    ):
        with pytest.raises(IncidentUnknown):
            act()


def test_incidents_are_found_by_time_and_status_newest_first(incidents: IncidentStore):
    made = [incident(f"k{n}", opened_at=NOW + timedelta(minutes=n)) for n in range(4)]
    made[1] = replace(made[1], status=IncidentStatus.HUMAN)
    for one in made:
        incidents.open(one)
    query = IncidentQuery(since=NOW, until=NOW + timedelta(minutes=3))
    assert incidents.find(query) == [made[2], made[1], made[0]]
    assert incidents.find(replace(query, status=IncidentStatus.HUMAN)) == [made[1]]


def test_pages_neither_repeat_nor_leave_out_incidents_of_one_instant(incidents: IncidentStore):
    made = {stable_id("inc", f"k{n}") for n in range(7)}
    for n in range(7):
        incidents.open(incident(f"k{n}"))
    query = IncidentQuery(since=NOW, until=NOW + timedelta(seconds=1), limit=3)
    seen: list[str] = []
    while page := incidents.find(query):
        seen += [one.id for one in page]
        query = replace(query, after_id=page[-1].id)
    assert len(seen) == 7
    assert set(seen) == made


def test_the_timeline_is_in_order_and_repeats_nothing(incidents: IncidentStore):
    incidents.open(incident())
    later = TimelineEvent(at=NOW + timedelta(seconds=5), kind="action", text="重启", evidence_json='{"a": 1}')
    first = TimelineEvent(at=NOW, kind="alert", text="收到告警")
    second = TimelineEvent(at=NOW, kind="diagnosis", text="镜像拉取失败")
    assert incidents.add_event(incident().id, later, key="3")
    assert incidents.add_event(incident().id, first, key="1")
    assert incidents.add_event(incident().id, second, key="2")
    assert not incidents.add_event(incident().id, later, key="1")
    assert incidents.timeline(incident().id) == [first, second, later]


def test_an_attempt_is_started_once_and_ends_once(incidents: IncidentStore):
    incidents.open(incident())
    assert incidents.start_attempt(attempt())
    assert not incidents.start_attempt(attempt(action="again"))
    end = partial(
        incidents.finish_attempt, attempt().id, at=NOW + timedelta(hours=1), reason="恢复", evidence_json="{}"
    )
    finished = end(AttemptOutcome.HEALED)
    assert finished == attempt(
        finished_at=NOW + timedelta(hours=1), outcome=AttemptOutcome.HEALED, reason="恢复"
    )
    assert end(AttemptOutcome.HEALED) == finished
    with pytest.raises(AttemptFinished, match="healed"):
        end(AttemptOutcome.ABANDONED)
    assert incidents.attempts(incident().id) == [finished]


def test_an_attempt_that_never_began_cannot_end(incidents: IncidentStore):
    with pytest.raises(AttemptUnknown):
        incidents.finish_attempt("att-none", AttemptOutcome.HEALED, at=NOW, reason="", evidence_json="{}")


@pytest.mark.parametrize("outcome", list(AttemptOutcome))
def test_every_outcome_can_be_kept(incidents: IncidentStore, outcome: AttemptOutcome):
    incidents.open(incident())
    incidents.start_attempt(attempt())
    incidents.finish_attempt(attempt().id, outcome, at=NOW, reason="", evidence_json="{}")
    assert incidents.attempts(incident().id)[0].outcome is outcome


def test_attempts_of_a_stretch_of_time_are_found(incidents: IncidentStore):
    incidents.open(incident())
    for number in (1, 2, 3):
        incidents.start_attempt(attempt(number))
    found = incidents.attempts_between(NOW + timedelta(minutes=2), NOW + timedelta(minutes=3))
    assert [one.number for one in found] == [2]


def test_of_two_processes_with_one_key_one_starts(database_url: str):
    with open_database(database_url) as database:
        SqlIncidentStore(database.engine).open(incident())
    assert race_of_processes(_start_attempt, database_url) == [0, 1]


def _start_attempt(url: str) -> int:
    with open_database(url) as database:
        return int(SqlIncidentStore(database.engine).start_attempt(attempt()))


def checkpoint(key: str = "c1", **changes) -> Checkpoint:
    made = Checkpoint(
        id=stable_id("cp", key),
        idempotency_key=key,
        cluster_id="cls-a",
        workload_kind="Deployment",
        workload="order-service",
        namespace="shop",
        reason="回滚之前",
        created_by="night",
        incident_id=None,
        taken_at=NOW,
    )
    return replace(made, **changes)


def saved_object(name: str, content: str | None) -> SavedObject:
    ref = ObjectRef(api_version="v1", kind="Secret", namespace="shop", name=name)
    return SavedObject(ref=ref, content_json=content)


OBJECTS = (
    saved_object("b", '{"data":{"password":"planted-secret-值"},  "x": 1.0}'),
    saved_object("a", None),
)


def test_objects_come_back_to_the_byte_and_in_their_order(checkpoints: CheckpointStore):
    assert checkpoints.add(checkpoint(), OBJECTS)
    snapshot = checkpoints.snapshot(checkpoint().id)
    assert snapshot.objects == OBJECTS
    assert (snapshot.cluster_id, snapshot.taken_at) == ("cls-a", NOW)
    assert checkpoints.get(checkpoint().id) == checkpoint()


def test_a_checkpoint_is_recorded_once(checkpoints: CheckpointStore):
    assert checkpoints.add(checkpoint(), OBJECTS)
    assert not checkpoints.add(checkpoint(id="cp-2"), ())
    assert checkpoints.find_by_key("c1") == checkpoint()
    assert checkpoints.find_by_key("c2") is None
    assert checkpoints.snapshot(checkpoint().id).objects == OBJECTS


def test_secret_values_are_not_readable_in_the_database(checkpoints: CheckpointStore, database: Database):
    checkpoints.add(checkpoint(), OBJECTS)
    with database.engine.connect() as connection:
        stored = connection.execute(text("SELECT sealed FROM checkpoint_objects ORDER BY position")).all()
    assert stored[1][0] is None
    assert b"planted-secret" not in bytes(stored[0][0])


def test_checkpoints_are_found_by_time_and_workload_newest_first(checkpoints: CheckpointStore):
    made = [checkpoint(f"c{n}", taken_at=NOW + timedelta(minutes=n)) for n in range(3)]
    made[1] = replace(made[1], workload="pay")
    for one in made:
        checkpoints.add(one, ())
    until = NOW + timedelta(hours=1)
    assert checkpoints.find(since=NOW, until=until) == made[::-1]
    assert checkpoints.find(since=NOW, until=until, workload="pay", namespace="shop") == [made[1]]
    assert checkpoints.find(since=NOW, until=NOW) == []


def test_the_checkpoints_of_an_incident_stand_in_the_order_of_the_changes(
    checkpoints: CheckpointStore, incidents: IncidentStore
):
    incidents.open(incident())
    later = checkpoint("c2", incident_id=incident().id, taken_at=NOW + timedelta(minutes=1))
    earlier = checkpoint("c1", incident_id=incident().id)
    for one in (later, earlier):
        checkpoints.add(one, ())
    assert checkpoints.of_incident(incident().id) == [earlier, later]


def test_a_restored_checkpoint_says_when(checkpoints: CheckpointStore):
    checkpoints.add(checkpoint(), ())
    checkpoints.mark_restored(checkpoint().id, at=NOW + timedelta(hours=2))
    assert checkpoints.get(checkpoint().id).restored_at == NOW + timedelta(hours=2)


def test_an_unknown_checkpoint_is_an_error(checkpoints: CheckpointStore):
    for act in (checkpoints.get, checkpoints.snapshot, partial(checkpoints.mark_restored, at=NOW)):
        with pytest.raises(CheckpointUnknown):
            act("cp-none")
