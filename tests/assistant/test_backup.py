"""Backup and restore while everybody writes: whole, verified, and never half done."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from assistant.backup import Manifest, back_up, read_manifest, restore
from assistant.backup_commands import backup as backup_command
from assistant.backup_commands import restore as restore_command
from assistant.database import known_revisions, open_database
from assistant.errors import (
    AssistantError,
    BackupDamaged,
    BackupNotPossible,
    BackupTargetUnusable,
    DatabaseInUse,
    DatabaseNewer,
    KeyMissing,
)
from assistant.home import Home, find_home
from assistant.settings_editing import set_settings
from assistant.settings_loading import load_settings
from mcp_tencent.tables import writing
from scheduler.records import JobRun, JobRunRow, SqlJobRunStore

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
PLANTED = "planted-s3cret-value"


@pytest.fixture
def home(tmp_path: Path, migrated_sqlite_file: Path) -> Home:
    made = find_home(tmp_path / "home", {})
    made.data_dir.mkdir(parents=True)
    made.database_file.write_bytes(migrated_sqlite_file.read_bytes())
    set_settings(made, {}, {"wecom.robots.default.key": PLANTED, "robot.name": "小云"})
    return made


def add_run(home: Home, name: str) -> None:
    with open_database(home.database_url) as database:
        run = JobRun(id=name, job="night", for_date=date(2026, 11, 20), started_at=NOW)
        assert SqlJobRunStore(database.engine).start(run)


def runs(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM job_runs ORDER BY id")]


def make(home: Home, target: Path, *, with_key: bool = False) -> Manifest:
    return back_up(home, home.database_file, target, with_key=with_key, now=NOW)


def put_back(home: Home, source: Path, *, database_only: bool = False) -> tuple[Path, ...]:
    return restore(home, home.database_file, source, database_only=database_only, now=NOW).kept


def test_what_was_backed_up_comes_back_and_what_was_there_is_kept(home: Home, tmp_path: Path):
    add_run(home, "before")
    make(home, tmp_path / "b.zip")
    add_run(home, "after")
    set_settings(home, {}, {"robot.name": "小新"})
    kept = put_back(home, tmp_path / "b.zip")
    assert runs(home.database_file) == ["before"]
    assert load_settings(home, {})[0].robot.name == "小云"
    assert [path.name for path in kept] == [
        "config.toml.before-20261120T050000",
        "xiaozhi.db.before-20261120T050000",
    ]
    assert runs(kept[1]) == ["after", "before"]
    assert "小新" in kept[0].read_text(encoding="utf-8")
    add_run(home, "later")


def test_the_settings_stay_when_only_the_database_is_wanted(home: Home, tmp_path: Path):
    make(home, tmp_path / "b.zip")
    set_settings(home, {}, {"robot.name": "小新"})
    put_back(home, tmp_path / "b.zip", database_only=True)
    assert load_settings(home, {})[0].robot.name == "小新"


def test_the_healing_policy_travels_with_the_settings(home: Home, tmp_path: Path):
    add_run(home, "before")
    home.policy_file.write_text("guards: {actions_per_hour: 3}\n", encoding="utf-8")
    make(home, tmp_path / "b.zip")
    home.policy_file.unlink()
    put_back(home, tmp_path / "b.zip")
    assert home.policy_file.read_text(encoding="utf-8") == "guards: {actions_per_hour: 3}\n"


def test_the_manifest_states_what_is_in_it(home: Home, tmp_path: Path):
    manifest = make(home, tmp_path / "b.zip")
    assert read_manifest(tmp_path / "b.zip") == manifest
    assert (manifest.made_at, manifest.schema_revision) == (NOW, known_revisions()[-1])
    assert (manifest.has_key, manifest.plain_secrets) == (False, ())
    assert [member.name for member in manifest.members] == ["xiaozhi.db", "config.toml"]
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        for member in manifest.members:
            content = archive.read(member.name)
            assert (len(content), hashlib.sha256(content).hexdigest()) == (member.size_bytes, member.sha256)


def test_a_backup_is_for_its_owner_only_and_holds_no_readable_secret(home: Home, tmp_path: Path):
    make(home, tmp_path / "b.zip")
    assert (tmp_path / "b.zip").stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert home.key_file.name not in archive.namelist()
        assert not any(PLANTED.encode() in archive.read(name) for name in archive.namelist())


def test_the_key_goes_along_only_when_asked_for(home: Home, tmp_path: Path):
    assert make(home, tmp_path / "b.zip", with_key=True).has_key
    elsewhere = find_home(tmp_path / "elsewhere", {})
    put_back(elsewhere, tmp_path / "b.zip")
    assert elsewhere.key_file.stat().st_mode & 0o777 == 0o600
    restored = load_settings(elsewhere, {})[0].wecom
    assert restored.robots["default"].key.get_secret_value() == PLANTED
    home.key_file.unlink()
    with pytest.raises(KeyMissing):
        make(home, tmp_path / "c.zip", with_key=True)


def test_plain_secrets_in_the_settings_are_declared(home: Home, tmp_path: Path):
    home.config_file.write_text(f'[wecom.robots.default]\nkey = "{PLANTED}"\n')
    assert make(home, tmp_path / "b.zip").plain_secrets == ("wecom.robots.default.key",)


@contextmanager
def writers(home: Home, *, count: int) -> Iterator[threading.Event]:
    """Let threads write pairs of rows, each pair in one transaction, until the context ends."""
    stop, begun = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        number = 0
        try:
            with open_database(home.database_url) as database:
                while not stop.is_set():
                    with writing(database.engine) as session:
                        for half in "ab":
                            session.add(
                                JobRunRow(
                                    id=f"{writer}-{number:06}-{half}",
                                    job="night",
                                    for_date=date(2026, 11, 20),
                                    started_at=NOW,
                                    detail="x" * 500,
                                )
                            )
                            session.flush()
                    number += 1
                    begun.set()
        except BaseException as exc:
            failures.append(exc)
            begun.set()
            raise

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(count)]
    for thread in threads:
        thread.start()
    try:
        assert begun.wait(timeout=30)
        yield begun
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_backup_under_constant_writing_is_one_instant(home: Home, tmp_path: Path):
    sizes = []
    with writers(home, count=3):
        for number in range(5):
            target = tmp_path / f"{number}.zip"
            make(home, target)
            with zipfile.ZipFile(target) as archive:
                archive.extract("xiaozhi.db", tmp_path / f"x{number}")
            seen = runs(tmp_path / f"x{number}" / "xiaozhi.db")
            pairs = {name[:-2] for name in seen}
            assert len(seen) == 2 * len(pairs), "a transaction was torn"
            for writer in range(3):
                numbers = sorted(int(name[2:8]) for name in pairs if name.startswith(f"{writer}-"))
                assert numbers == list(range(len(numbers))), "a committed transaction is missing"
            sizes.append(len(seen))
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def test_nothing_is_restored_while_somebody_uses_the_database(home: Home, tmp_path: Path):
    add_run(home, "before")
    make(home, tmp_path / "b.zip")
    add_run(home, "after")
    with open_database(home.database_url), pytest.raises(DatabaseInUse):
        put_back(home, tmp_path / "b.zip")
    assert runs(home.database_file) == ["after", "before"]


def test_what_is_only_in_the_log_of_a_killed_process_is_kept(home: Home, tmp_path: Path):
    make(home, tmp_path / "b.zip")
    child = os.fork()
    if child == 0:
        database = open_database(home.database_url)
        run = JobRun(id="in-the-log", job="night", for_date=date(2026, 11, 20), started_at=NOW)
        SqlJobRunStore(database.engine).start(run)
        os._exit(0)
    os.waitpid(child, 0)
    assert home.database_file.with_name("xiaozhi.db-wal").stat().st_size > 0
    kept = put_back(home, tmp_path / "b.zip")
    assert runs(home.database_file) == []
    assert runs(kept[-1]) == ["in-the-log"]


def test_a_damaged_database_is_not_backed_up_and_can_be_replaced(home: Home, tmp_path: Path):
    for number in range(50):
        add_run(home, f"run-{number}" + "x" * 50)
    make(home, tmp_path / "good.zip")
    content = bytearray(home.database_file.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    home.database_file.write_bytes(content)
    with pytest.raises(BackupDamaged):
        make(home, tmp_path / "bad.zip")
    assert not (tmp_path / "bad.zip").exists()
    put_back(home, tmp_path / "good.zip")
    assert len(runs(home.database_file)) == 50


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_a_damaged_archive_changes_nothing(home: Home, tmp_path: Path, data: st.DataObject):
    good = tmp_path / "good.zip"
    if not good.exists():
        make(home, good)
    content = bytearray(good.read_bytes())
    if data.draw(st.booleans(), label="cut"):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] ^= data.draw(st.integers(1, 255))
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(content)
    before = home.database_file.read_bytes()
    elsewhere = find_home(tmp_path / "elsewhere", {})
    try:
        put_back(elsewhere, damaged)
    except BackupDamaged:
        assert not elsewhere.database_file.exists()
    else:
        # Some bytes of a ZIP archive, such as its dates, mean nothing to us.
        assert elsewhere.database_file.exists()
        elsewhere.database_file.unlink()
    assert home.database_file.read_bytes() == before


@pytest.mark.parametrize("change", ["name", "hash", "size", "format", "extra"])
def test_a_forged_manifest_is_refused(home: Home, tmp_path: Path, change: str):
    make(home, tmp_path / "good.zip")
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(tmp_path / "good.zip") as good, zipfile.ZipFile(forged, "w") as archive:
        manifest = json.loads(good.read("manifest.json"))
        first = manifest["members"][0]
        match change:
            case "name":
                first["name"] = "../../outside"
            case "hash":
                first["sha256"] = "0" * 64
            case "size":
                first["size_bytes"] -= 1
            case "format":
                manifest["format"] = "xiaozhi-backup-99"
            case _:
                manifest["members"].append({**first, "name": "extra"})
        archive.writestr("manifest.json", json.dumps(manifest))
        for name in ("xiaozhi.db", "config.toml"):
            archive.writestr(name, good.read(name))
    with pytest.raises(BackupDamaged):
        put_back(home, forged)
    assert load_settings(home, {})[0].robot.name == "小云"


def test_a_backup_of_a_later_version_is_refused(home: Home, tmp_path: Path):
    with closing(sqlite3.connect(home.database_file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    make(home, tmp_path / "b.zip")
    with pytest.raises(DatabaseNewer, match="9999"):
        put_back(find_home(tmp_path / "elsewhere", {}), tmp_path / "b.zip")


def test_an_existing_file_is_never_overwritten(home: Home, tmp_path: Path):
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(BackupTargetUnusable, match="exists already"):
        make(home, tmp_path / "letter")
    with pytest.raises(BackupTargetUnusable, match="cannot be written"):
        make(home, tmp_path / "no-such-folder" / "b.zip")
    assert (tmp_path / "letter").read_text() == "dear"


def test_nothing_is_left_beside_a_backup(home: Home, tmp_path: Path):
    folder = tmp_path / "backups"
    folder.mkdir()
    make(home, folder / "b.zip")
    put_back(home, folder / "b.zip")
    assert [path.name for path in folder.iterdir()] == ["b.zip"]
    assert not [path for path in home.data_dir.iterdir() if path.name.startswith(".")]


def run(command: object, *arguments: str) -> Result:
    import typer

    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    result = CliRunner().invoke(app, list(arguments))
    assert PLANTED not in result.output
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        assert isinstance(result.exception, AssistantError), result.exception
        raise result.exception
    return result


def test_the_commands_say_what_they_did(home: Home, tmp_path: Path):
    place = ("--home", str(home.config_dir))
    written = run(backup_command, str(tmp_path / "b.zip"), *place).output
    assert "does not hold the key" in written
    assert "holds the key" in run(backup_command, str(tmp_path / "c.zip"), "--with-key", *place).output
    report = json.loads(run(backup_command, str(tmp_path / "d.zip"), "--json", *place).output)
    assert report["schema_revision"] == known_revisions()[-1]
    restored = run(restore_command, str(tmp_path / "b.zip"), *place).output
    assert "Restored the backup of" in restored
    assert restored.count("Kept what was there before") == 2


def test_restoring_mends_settings_that_refuse_to_start(home: Home, tmp_path: Path):
    make(home, tmp_path / "b.zip")
    home.config_file.write_text("[digest\n")
    run(restore_command, str(tmp_path / "b.zip"), "--home", str(home.config_dir))
    assert load_settings(home, {})[0].robot.name == "小云"


def test_postgresql_is_left_to_its_own_tools(home: Home, tmp_path: Path):
    set_settings(home, {}, {"database_url": f"postgresql://u:{PLANTED}@h/x"})
    with pytest.raises(BackupNotPossible, match="pg_dump"):
        run(backup_command, str(tmp_path / "b.zip"), "--home", str(home.config_dir))


def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path):
    with pytest.raises(BackupNotPossible, match="no database"):
        run(backup_command, str(tmp_path / "b.zip"), "--home", str(tmp_path / "new"))
