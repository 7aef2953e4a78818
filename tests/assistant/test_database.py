"""Opening, migrating and refusing databases, on SQLite and on PostgreSQL."""

from __future__ import annotations

import ast
import sqlite3
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import StatementError
from sqlmodel import select

from assistant.database import (
    MIGRATIONS,
    RECORD_MODULES,
    Database,
    alone_with,
    known_revisions,
    open_database,
    parse_url,
    record_metadata,
    schema_revision,
)
from assistant.errors import (
    DatabaseDamaged,
    DatabaseInUse,
    DatabaseNewer,
    DatabaseUnavailable,
    DatabaseUnsupported,
)
from mcp_tencent.tables import insert_once, reading, writing
from scheduler.records import DigestRow, JobRunRow
from tests.races import race, race_of_processes

NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))


def test_the_migrations_lead_to_the_schema_that_the_code_expects(database: Database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, record_metadata()) == []


def test_every_module_that_defines_tables_is_listed():
    root = MIGRATIONS.parents[1]
    found = set()
    for package in ("assistant", "mcp_tencent", "scheduler", "hardware", "voice"):
        for path in (root / package).rglob("*.py"):
            if any(
                isinstance(node, ast.ClassDef) and any(keyword.arg == "table" for keyword in node.keywords)
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            ):
                found.add(".".join(path.relative_to(root).with_suffix("").parts))
    assert found == set(RECORD_MODULES)


def test_the_revisions_are_a_single_line_named_by_their_files():
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_heads() == [known_revisions()[-1]]
    assert sorted(script.revision for script in scripts.walk_revisions()) == known_revisions()


def test_an_empty_database_is_migrated_and_opens_again(empty_database_url: str):
    for _ in range(2):
        with open_database(empty_database_url) as database, database.engine.connect() as connection:
            assert schema_revision(connection) == known_revisions()[-1]


def test_of_processes_that_start_at_once_one_migrates(empty_database_url: str):
    assert race_of_processes(_open, empty_database_url) == [1, 1]
    with open_database(empty_database_url) as database, database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1


def _open(url: str) -> int:
    with open_database(url) as database, database.engine.connect() as connection:
        return int(schema_revision(connection) == known_revisions()[-1])


def test_threads_that_start_at_once_all_get_a_migrated_database(empty_database_url: str):
    databases = race([lambda: open_database(empty_database_url)] * 6)
    for database in databases:
        with database, reading(database.engine) as session:
            assert session.exec(select(JobRunRow)).all() == []


def test_a_database_newer_than_the_code_is_refused(database: Database, database_url: str):
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewer, match="9999"):
        open_database(database_url)


def test_a_failing_migration_leaves_nothing_behind(empty_database_url: str, monkeypatch: pytest.MonkeyPatch):
    def fail(connection):
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise DatabaseDamaged("the second half failed")

    with monkeypatch.context() as broken:
        broken.setattr("assistant.database._upgrade", fail)
        with pytest.raises(DatabaseDamaged):
            open_database(empty_database_url)
    with open_database(empty_database_url) as database, database.engine.connect() as connection:
        assert not connection.dialect.has_table(connection, "half")
        assert connection.dialect.has_table(connection, "incidents")


def test_instants_come_back_aware_and_equal_from_any_offset(database: Database):
    row = DigestRow(on_date=NOON.date(), written_at=NOON, content_json="{}", spoken="", html="")
    with writing(database.engine) as session:
        session.add(row)
    with reading(database.engine) as session:
        stored = session.exec(select(DigestRow)).one()
    assert stored.written_at == NOON
    assert stored.written_at.utcoffset() == timedelta(0)


def test_an_instant_without_an_offset_is_not_stored(database: Database):
    naive = NOON.replace(tzinfo=None)
    row = DigestRow(on_date=NOON.date(), written_at=naive, content_json="", spoken="", html="")
    refused = pytest.raises(StatementError, match="only timezone-aware instants are stored")
    with refused, writing(database.engine) as session:
        session.add(row)


def test_instants_are_compared_as_instants(database: Database):
    with writing(database.engine) as session:
        session.add(DigestRow(on_date=NOON.date(), written_at=NOON, content_json="", spoken="", html=""))
    just_before = (NOON - timedelta(microseconds=1)).astimezone(timezone(timedelta(hours=-7)))
    with reading(database.engine) as session:
        assert session.exec(select(DigestRow).where(DigestRow.written_at > just_before)).all()
        assert not session.exec(select(DigestRow).where(DigestRow.written_at < just_before)).all()


def test_of_twenty_threads_one_inserts(database: Database):
    def insert(number: int) -> bool:
        row = JobRunRow(
            id="night-2026-11-20", job="night", for_date=NOON.date(), started_at=NOON, detail=str(number)
        )
        with writing(database.engine) as session:
            return insert_once(session, row, unique=["id"])

    outcomes = race([partial(insert, number) for number in range(20)])
    assert outcomes.count(True) == 1


def test_an_exception_takes_back_what_was_written(database: Database):
    row = JobRunRow(id="night", job="night", for_date=NOON.date(), started_at=NOON, detail="")

    def write_and_fail() -> None:
        with writing(database.engine) as session:
            insert_once(session, row, unique=["id"])
            raise RuntimeError("power failed")

    with pytest.raises(RuntimeError, match="power"):
        write_and_fail()
    with reading(database.engine) as session:
        assert session.exec(select(JobRunRow)).all() == []


def test_sqlite_runs_with_the_settings_that_a_device_needs(tmp_path: Path):
    with open_database(f"sqlite:///{tmp_path / 'x.db'}") as database, database.engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous", "secure_delete")
        }
    assert values == {
        "journal_mode": "wal",
        "busy_timeout": 10_000,
        "foreign_keys": 1,
        "synchronous": 1,
        "secure_delete": 1,
    }


def test_an_sqlite_file_is_for_its_owner_only(tmp_path: Path):
    open_database(f"sqlite:///{tmp_path / 'data' / 'x.db'}").close()
    assert (tmp_path / "data" / "x.db").stat().st_mode & 0o077 == 0
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_a_reader_does_not_wait_for_a_writer_on_sqlite(tmp_path: Path):
    with (
        open_database(f"sqlite:///{tmp_path / 'x.db'}") as database,
        writing(database.engine) as session,
        reading(database.engine) as other,
    ):
        insert_once(
            session,
            JobRunRow(id="a", job="night", for_date=NOON.date(), started_at=NOON, detail=""),
            unique=["id"],
        )
        assert other.exec(select(JobRunRow)).all() == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    (tmp_path / "x.db").write_bytes(b"this is a letter, and no database at all" * 100)
    with pytest.raises(DatabaseDamaged, match="not a database"):
        open_database(f"sqlite:///{tmp_path / 'x.db'}")


def test_a_file_that_cannot_be_made_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'x.db'}")


def test_a_locked_file_is_refused_when_it_stays_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("assistant.database._BUSY_TIMEOUT_MS", 1)
    monkeypatch.setattr("assistant.database._MIGRATION_WAIT_MS", 1)
    file = tmp_path / "x.db"
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("PRAGMA journal_mode = WAL")
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(DatabaseUnavailable, match="locked"):
            open_database(f"sqlite:///{file}")
    finally:
        holder.close()


def test_a_file_that_is_being_restored_is_not_opened(tmp_path: Path):
    file = tmp_path / "x.db"
    open_database(f"sqlite:///{file}").close()
    with alone_with(file), pytest.raises(DatabaseInUse):
        open_database(f"sqlite:///{file}")
    open_database(f"sqlite:///{file}").close()


def test_a_file_in_use_is_left_alone(tmp_path: Path):
    file = tmp_path / "x.db"
    with open_database(f"sqlite:///{file}"), pytest.raises(DatabaseInUse), alone_with(file):
        pass


@pytest.mark.parametrize("url", ["mysql://h/x", "sqlite://", "sqlite:///:memory:", "no url", ""])
def test_other_databases_are_refused(url: str):
    with pytest.raises(DatabaseUnsupported):
        parse_url(url)


def test_a_server_that_does_not_answer_is_named_without_its_password():
    url = "postgresql://xiaozhi:planted-password@127.0.0.1:1/xiaozhi"
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1") as refused:
        open_database(url)
    assert "planted-password" not in str(refused.value)
    assert "planted-password" not in repr(refused.value.__cause__)
