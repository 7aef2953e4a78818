"""What is kept about people, on both databases, and that it is gone when they are."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from assistant.database import Database, open_database
from assistant.errors import PersonExists, UnknownPerson
from assistant.journal import SqlJournal, Turn, TurnLatencies
from assistant.people import DigestPreferences, Grant
from assistant.people_records import SqlPeopleStore
from assistant.sealing import Sealer, new_key
from mcp_tencent.gateway.call import Permission
from mcp_tencent.push.channels import Channel
from mcp_tencent.push.records import DeliveryPreference, SqlPreferenceStore
from scheduler.digest_claims import SqlDigestClaimStore
from tests.postgres import PostgresServer
from tests.races import race

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
VOICE = os.urandom(768)


@pytest.fixture
def people(database: Database) -> SqlPeopleStore:
    traces = (
        SqlJournal(database.engine),
        SqlPreferenceStore(database.engine),
        SqlDigestClaimStore(database.engine),
    )
    return SqlPeopleStore(database.engine, Sealer([new_key()]), traces=traces)


def turn(number: int = 1, *, person_id: str | None = None, started_at: datetime = NOW) -> Turn:
    return Turn(
        id=f"turn-{number}",
        started_at=started_at,
        person_id=person_id,
        heard="订单服务怎么样",
        plan_json="[]",
        spoken="一切正常",
        outcome="answered",
        latencies=TurnLatencies(endpointing_ms=400, first_word_ms=620),
    )


def test_a_person_is_found_by_id_and_by_name(people: SqlPeopleStore):
    made = people.add("值班员", now=NOW)
    assert people.get(made.id) == people.get("值班员") == made
    assert (made.grants, made.created_at) == ((), NOW)


def test_two_people_cannot_have_one_name(people: SqlPeopleStore):
    people.add("值班员", now=NOW)
    with pytest.raises(PersonExists, match="值班员"):
        people.add("值班员", now=NOW)


def test_of_ten_at_once_one_gets_the_name(people: SqlPeopleStore):
    def add() -> bool:
        try:
            people.add("值班员", now=NOW)
        except PersonExists:
            return False
        return True

    assert race([add] * 10).count(True) == 1


def test_permissions_are_given_narrowed_and_taken(people: SqlPeopleStore):
    people.add("值班员", now=NOW)
    people.grant("值班员", Grant(permission=Permission.ROLLBACK))
    people.grant("值班员", Grant(permission=Permission.READ))
    limited = Grant(permission=Permission.ROLLBACK, namespaces=frozenset({"shop", "pay"}))
    person = people.grant("值班员", limited)
    assert person.grants == (Grant(permission=Permission.READ), limited)
    assert people.get("值班员") == person
    assert people.revoke("值班员", Permission.ROLLBACK).grants == (Grant(permission=Permission.READ),)


def test_a_limited_permission_holds_in_its_namespaces_only(people: SqlPeopleStore):
    people.add("值班员", now=NOW)
    person = people.grant("值班员", Grant(permission=Permission.ROLLBACK, namespaces=frozenset({"shop"})))
    assert person.may(Permission.ROLLBACK, namespace="shop")
    assert not person.may(Permission.ROLLBACK, namespace="pay")
    assert not person.may(Permission.ROLLBACK)
    assert not person.may(Permission.ADMIN)


@pytest.mark.parametrize(
    ("permission", "namespaces"), [(Permission.READ, {"shop"}), (Permission.ROLLBACK, set())]
)
def test_a_limit_that_means_nothing_is_refused(permission: Permission, namespaces: set[str]):
    with pytest.raises(ValueError, match=r"limit"):
        Grant(permission=permission, namespaces=frozenset(namespaces))


def test_digest_preferences_are_kept(people: SqlPeopleStore):
    people.add("负责人", now=NOW)
    wanted = DigestPreferences(window_start=time(7, 30), window_end=time(9), max_seconds=45)
    assert people.prefer("负责人", wanted).preferences == wanted
    assert people.get("负责人").preferences == wanted


def test_everybody_is_listed(people: SqlPeopleStore):
    made = {people.add(name, now=NOW) for name in ("值班员", "负责人")}
    assert set(people.everybody()) == made


def test_enrolling_again_replaces_the_voiceprints_of_that_model(people: SqlPeopleStore):
    people.add("值班员", now=NOW)
    people.enrol("值班员", model="ecapa", embeddings=[b"old"], now=NOW)
    people.enrol("值班员", model="other", embeddings=[b"kept"], now=NOW)
    people.enrol("值班员", model="ecapa", embeddings=[b"new-1", b"new-2"], now=NOW)
    assert {print_.embedding for print_ in people.voiceprints(model="ecapa")} == {b"new-1", b"new-2"}
    assert [print_.embedding for print_ in people.voiceprints(model="other")] == [b"kept"]


def test_voiceprints_are_sealed_in_the_database(people: SqlPeopleStore, database: Database):
    people.add("值班员", now=NOW)
    people.enrol("值班员", model="ecapa", embeddings=[VOICE], now=NOW)
    assert people.voiceprints(model="ecapa")[0].embedding == VOICE
    assert repr(VOICE) not in repr(people.voiceprints(model="ecapa"))
    with database.engine.connect() as connection:
        sealed = bytes(connection.execute(text("SELECT sealed FROM voiceprints")).scalar_one())
    assert VOICE not in sealed


def test_nothing_is_left_of_a_removed_person(people: SqlPeopleStore, database: Database):
    journal, preferences = SqlJournal(database.engine), SqlPreferenceStore(database.engine)
    gone, stays = people.add("值班员", now=NOW), people.add("负责人", now=NOW)
    for number, person in enumerate((gone, stays)):
        people.grant(person.id, Grant(permission=Permission.READ))
        people.enrol(person.id, model="ecapa", embeddings=[VOICE], now=NOW)
        journal.write(turn(number, person_id=person.id))
        assert SqlDigestClaimStore(database.engine).claim(person.id, NOW.date(), device="kitchen", now=NOW)
        preferences.set(DeliveryPreference(person=person.id, channel=Channel.EMAIL, target="x@example.com"))
    people.remove("值班员")
    with pytest.raises(UnknownPerson):
        people.get(gone.id)
    assert {print_.person_id for print_ in people.voiceprints(model="ecapa")} == {stays.id}
    assert [one.person_id for one in journal.latest()] == [stays.id]
    assert preferences.of(gone.id) == []
    assert len(preferences.of(stays.id)) == 1
    with database.engine.connect() as connection:
        tables = connection.dialect.get_table_names(connection)
        for table in tables:
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).all()
            assert gone.id not in repr(rows), table


def test_not_even_the_sealed_voiceprint_is_left_in_the_bytes_of_the_file(
    migrated_sqlite_file: Path, tmp_path: Path
):
    file = tmp_path / "people.db"
    file.write_bytes(migrated_sqlite_file.read_bytes())
    with open_database(f"sqlite:///{file}") as database:
        people = SqlPeopleStore(database.engine, Sealer([new_key()]))
        people.add("值班员", now=NOW)
        people.enrol("值班员", model="ecapa", embeddings=[VOICE], now=NOW)
        with sqlite3.connect(file) as other:
            sealed = other.execute("SELECT sealed FROM voiceprints").fetchone()[0]
        other.close()
        assert any(sealed in path.read_bytes() for path in tmp_path.glob("people.db*"))
        people.remove("值班员")
        assert not any(sealed[:64] in path.read_bytes() for path in tmp_path.glob("people.db*"))


def test_not_even_the_sealed_voiceprint_is_left_in_the_files_of_postgresql(postgres_server: PostgresServer):
    def stored(connection: Connection) -> bytes:
        connection.execute(text("CHECKPOINT"))
        read = text("SELECT pg_read_binary_file(pg_relation_filepath('voiceprints'))")
        return bytes(connection.execute(read).scalar_one())

    with open_database(postgres_server.create_database()) as database:
        people = SqlPeopleStore(database.engine, Sealer([new_key()]))
        people.add("值班员", now=NOW)
        people.enrol("值班员", model="ecapa", embeddings=[VOICE], now=NOW)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            sealed = bytes(connection.execute(text("SELECT sealed FROM voiceprints")).scalar_one())
            assert sealed in stored(connection)
            people.remove("值班员")
            assert sealed[:64] not in stored(connection)


def test_strangers_are_an_error_everywhere(people: SqlPeopleStore):
    for act in (
        lambda: people.get("nobody"),
        lambda: people.remove("nobody"),
        lambda: people.grant("nobody", Grant(permission=Permission.READ)),
        lambda: people.revoke("nobody", Permission.READ),
        lambda: people.prefer("nobody", DigestPreferences()),
        lambda: people.enrol("nobody", model="ecapa", embeddings=[], now=NOW),
    ):
        with pytest.raises(UnknownPerson, match="nobody"):
            act()


def test_a_turn_comes_back_as_it_was(database: Database):
    journal = SqlJournal(database.engine)
    assert journal.write(turn())
    assert not journal.write(turn())
    assert journal.latest() == [turn()]
    assert journal.latest(person_id="person-1") == []


def test_old_turns_are_forgotten(database: Database):
    journal = SqlJournal(database.engine)
    for days in range(5):
        journal.write(turn(days, started_at=NOW - timedelta(days=days)))
    assert journal.forget_older(keep_days=2, now=NOW) == 2
    assert [one.id for one in journal.latest()] == ["turn-0", "turn-1", "turn-2"]
