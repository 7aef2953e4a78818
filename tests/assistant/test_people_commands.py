"""`xiaozhi people`: the real command on a real database, with real voices."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from assistant.app import open_records
from assistant.cli import app
from assistant.home import find_home
from assistant.known_people import KnownVoices, people_store
from assistant.sealing import open_sealer
from assistant.settings import Settings
from assistant.speaker_model import open_speaker_check
from hardware.audio import AudioClip
from hardware.recordings import read_recording
from voice.voiceprint import Level

TESTPACK = Path(__file__).parents[1] / "voice" / "testpack"
OWNER, STRANGER = "libri-2033", "libri-3331"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def people(*words: str, home: Path, expect: int = 0) -> str:
    result = CliRunner().invoke(app, ["people", *words, "--home", str(home)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == expect, result.output
    return result.stdout


def told(*words: str, home: Path, expect: int = 0) -> Any:
    return json.loads(people(*words, "--json", home=home, expect=expect))


def clips(speaker: str) -> list[str]:
    return [str(file) for file in sorted((TESTPACK / speaker).glob("*.flac"))]


def test_the_first_admin_is_made_on_the_device(home: Path):
    assert "Nobody is known yet" in people("list", home=home)
    people("add", "值班员", home=home)
    made = told("grant", "值班员", "admin", home=home)
    assert made["permissions"] == [{"permission": "admin", "namespaces": None}]
    assert "值班员  admin  no voiceprint" in people("list", home=home)
    assert told("revoke", "值班员", "admin", home=home)["permissions"] == []


def test_a_rollback_may_be_limited_and_nothing_else(home: Path):
    people("add", "值班员", home=home)
    limited = told("grant", "值班员", "rollback", "--namespace", "shop", "--namespace", "pay", home=home)
    assert limited["permissions"] == [{"permission": "rollback", "namespaces": ["pay", "shop"]}]
    people("grant", "值班员", "read", "--namespace", "shop", home=home, expect=2)
    people("grant", "值班员", "everything", home=home, expect=2)


def test_preferences_of_the_digest_are_kept_one_by_one(home: Path):
    people("add", "值班员", home=home)
    people("prefer", "值班员", "--window-start", "07:30", home=home)
    people("prefer", "值班员", "--max-seconds", "60", "--email", "ops@example.com", home=home)
    (kept,) = told("list", home=home)
    assert kept["digest"] == {
        "window_start": "07:30",
        "window_end": None,
        "max_seconds": 60,
        "channels": {"email": "ops@example.com"},
    }
    assert told("prefer", "值班员", "--email", "off", home=home)["digest"]["channels"] == {}
    people("prefer", "值班员", "--window-start", "11:00", "--window-end", "09:00", home=home, expect=2)


def test_an_enrolled_voice_is_known_and_a_strangers_ends_with_four(home: Path, tmp_path: Path):
    people("add", "值班员", home=home)
    assert told("verify", clips(OWNER)[0], home=home, expect=4)["why"] == "nobody is enrolled"
    made = told("enrol", "值班员", *clips(OWNER), home=home)
    assert made["clips"] == 5
    assert told("verify", clips(OWNER)[4], home=home)["name"] == "值班员"
    stranger = told("verify", clips(STRANGER)[4], home=home, expect=4)
    assert (stranger["name"], stranger["accepted"]) == (None, False)
    assert "below" in stranger["why"]


def test_a_voiceprint_of_an_earlier_model_asks_for_a_new_enrolment(home: Path):
    people("add", "值班员", home=home)
    people("enrol", "值班员", *clips(OWNER), home=home)
    with sqlite3.connect(home / "data" / "xiaozhi.db") as database:
        database.execute("UPDATE voiceprints SET model = 'old@1'")
    command = [sys.executable, "-m", "assistant", "people", "verify", clips(OWNER)[0], "--home", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "the voiceprints of 值班员 were made with another model" in done.stderr
    assert "xiaozhi people enrol" in done.stderr


def test_enrolment_of_two_people_or_of_a_broken_file_changes_nothing(home: Path, tmp_path: Path):
    from hardware.errors import HardwareError
    from voice.errors import TooFewClips, VoicesDiffer

    people("add", "值班员", home=home)
    with pytest.raises(VoicesDiffer):
        people("enrol", "值班员", *clips(OWNER)[:4], clips(STRANGER)[0], home=home)
    with pytest.raises(TooFewClips):
        people("enrol", "值班员", *clips(OWNER)[:3], home=home)
    broken = tmp_path / "broken.wav"
    shutil.copy(clips(OWNER)[0], broken)
    os.truncate(broken, 20)
    with pytest.raises(HardwareError):
        people("enrol", "值班员", str(broken), *clips(OWNER), home=home)
    assert told("list", home=home)[0]["voiceprint_models"] == []


def test_who_is_removed_leaves_no_voiceprint_and_no_valid_token(home: Path):
    people("add", "值班员", home=home)
    people("enrol", "值班员", *clips(OWNER), home=home)
    issue = ["tokens", "issue", "值班员", "--permission", "read", "--home", str(home)]
    assert CliRunner().invoke(app, issue).exit_code == 0
    with sqlite3.connect(home / "data" / "xiaozhi.db") as database:
        (sealed,) = database.execute("SELECT sealed FROM voiceprints").fetchone()
    assert told("remove", "值班员", home=home) == {"removed": "值班员", "tokens_revoked": 1}
    assert told("list", home=home) == []
    assert told("verify", clips(OWNER)[0], home=home, expect=4)["name"] is None
    for file in (home / "data").iterdir():
        assert sealed[40:80] not in file.read_bytes()
    listed = CliRunner().invoke(app, ["tokens", "list", "值班员", "--home", str(home)])
    assert "revoked" in listed.stdout


def test_a_sure_voice_is_learned_from_once_a_day_and_that_can_be_undone(home: Path):
    people("add", "值班员", home=home)
    people("enrol", "值班员", *clips(OWNER), home=home)
    place = find_home(home, {})
    with open_records(place, Settings()) as database:
        check = open_speaker_check()
        clock = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
        times = iter([clock, clock + timedelta(hours=1), clock + timedelta(days=1)])
        store = people_store(database.engine, open_sealer(place, {}, create=False))
        voices = KnownVoices(store, check, lambda: next(times))
        (enrolled,) = voices.known()
        sounds = [read_recording(Path(one)).samples for one in clips(OWNER)]
        for one, other in ((0, 1), (2, 3), (4, 0)):
            heard = AudioClip(samples=np.concatenate([sounds[one], sounds[other]]))
            assert voices.identify(heard, Level.QUESTION, speech_s=4.0).accepted
        (learned,) = voices.known()
        assert [one.at for one in learned.learned] == [clock, clock + timedelta(days=1)]
    assert told("unlearn", "值班员", "--since", "2026-11-21", home=home)["undone"] == 1
    assert told("unlearn", "值班员", home=home)["undone"] == 1
    with open_records(place, Settings()) as database:
        store = people_store(database.engine, open_sealer(place, {}, create=False))
        (again,) = KnownVoices(store, check, lambda: clock).known()
    assert again.learned == ()
    np.testing.assert_allclose(again.centre(), enrolled.centre(), atol=1e-6)
