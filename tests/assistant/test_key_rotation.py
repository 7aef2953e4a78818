"""A new key for everything that is sealed, also when the power fails in between."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.database import Database, open_database
from assistant.errors import DatabaseInUse, KeyNotWritable
from assistant.home import Home, find_home
from assistant.key_rotation import rotate_key
from assistant.people_records import SqlPeopleStore
from assistant.sealing import new_key, open_sealer, read_key_file
from assistant.settings_editing import set_settings
from assistant.settings_loading import load_settings
from mcp_tencent.devops.checkpoint_records import Checkpoint, SqlCheckpointStore
from mcp_tencent.models.changes import ObjectRef, SavedObject

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
REF = ObjectRef(api_version="v1", kind="Secret", namespace="shop", name="db")
SAVED = (SavedObject(ref=REF, content_json='{"a": 1}'), SavedObject(ref=REF, content_json=None))
PRINTS = [bytes([n]) * 8 for n in range(3)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return find_home(tmp_path / "home", {})


def fill(home: Home, database: Database) -> None:
    sealer = open_sealer(home, {}, create=True)
    set_settings(home, {}, {"wecom.robots.default.key": "planted"})
    people = SqlPeopleStore(database.engine, sealer)
    people.add("值班员", now=NOW)
    people.enrol("值班员", model="ecapa", embeddings=PRINTS, now=NOW)
    checkpoint = Checkpoint(
        id="cp-1",
        idempotency_key="cp-1",
        cluster_id="cls-a",
        workload_kind="Deployment",
        workload="x",
        namespace="shop",
        reason="",
        created_by="night",
        incident_id=None,
        taken_at=NOW,
    )
    SqlCheckpointStore(database.engine, sealer).add(checkpoint, SAVED)


def assert_all_opens(home: Home, database: Database) -> None:
    settings, _ = load_settings(home, {})
    assert settings.wecom.robots["default"].key.get_secret_value() == "planted"
    sealer = open_sealer(home, {})
    prints = SqlPeopleStore(database.engine, sealer).voiceprints(model="ecapa")
    assert sorted(one.embedding for one in prints) == PRINTS
    assert SqlCheckpointStore(database.engine, sealer).snapshot("cp-1").objects == SAVED


def test_everything_opens_with_the_new_key_alone(home: Home, database: Database):
    fill(home, database)
    before = read_key_file(home.key_file)
    rotation = rotate_key(home, {}, database.engine)
    after = read_key_file(home.key_file)
    assert (rotation.settings, rotation.records) == (1, 4)
    assert len(after) == 1
    assert after != before
    assert_all_opens(home, database)


@pytest.mark.parametrize("step", ["read_config", "_sealed_tables", "_reseal"])
def test_a_rotation_that_was_interrupted_is_finished_by_the_next(
    home: Home, database: Database, monkeypatch: pytest.MonkeyPatch, step: str
):
    fill(home, database)
    with monkeypatch.context() as failing:
        failing.setattr(f"assistant.key_rotation.{step}", _fail)
        with pytest.raises(RuntimeError, match="power"):
            rotate_key(home, {}, database.engine)
    assert_all_opens(home, database)
    rotate_key(home, {}, database.engine)
    assert len(read_key_file(home.key_file)) == 1
    assert_all_opens(home, database)


def _fail(*_arguments: object) -> None:
    raise RuntimeError("power failed")


def test_a_key_that_systemd_provides_is_not_changed(home: Home, database: Database, tmp_path: Path):
    (tmp_path / "xiaozhi.key").write_text(new_key())
    with pytest.raises(KeyNotWritable):
        rotate_key(home, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, database.engine)


def test_the_command_waits_for_nobody(home: Home):
    from typer.testing import CliRunner

    from assistant.config_commands import app

    arguments = ["rotate-key", "--home", str(home.config_dir)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    with open_database(home.database_url):
        refused = CliRunner().invoke(app, arguments)
    assert isinstance(refused.exception, DatabaseInUse)
    assert len(read_key_file(home.key_file)) == 1
