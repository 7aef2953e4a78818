"""The model for the wake phrase: fetched as a user does, then used by the ear, or said why it is not."""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli import app
from assistant.doctor import check_models
from assistant.home import find_home
from assistant.settings import ModelSettings
from assistant.speech import open_ear
from assistant.speech_models import models_in_use
from hardware.device_health import Weight
from tests.voice.sherpa_model import write_sherpa_model
from tests.voice.speech import in_chunks, one_after_the_other, silence, spoken
from tests.voice.test_model_pulling import FileServer
from voice.errors import SpeechLibraryMissing, SpeechModelMissing
from voice.heard import Wake
from voice.listening import StopHeard
from voice.model_catalogue import CATALOGUE, SHERPA_FILES, ModelUse
from voice.models import RECORD_FILE
from voice.wake_pair import SpotterPair
from voice.wake_vosk import VoskSpotter

(OFFICIAL,) = (model for model in CATALOGUE if model.use is ModelUse.WAKE)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for which the model has been pulled, from a server in place of the publisher's."""
    folder, home = tmp_path_factory.mktemp("publisher"), tmp_path_factory.mktemp("home")
    write_sherpa_model(folder / OFFICIAL.name)
    with tarfile.open(folder / "model.tar.bz2", "w:bz2") as packed:
        packed.add(folder / OFFICIAL.name, OFFICIAL.name)
    server = FileServer()
    (address,) = OFFICIAL.remote_files[0].addresses
    server.files["/" + address.split("/", 3)[3]] = (folder / "model.tar.bz2").read_bytes()
    try:
        told = run("models", "pull", OFFICIAL.name, "--mirror", server.url, home=home)
    finally:
        server.close()
    assert f"{OFFICIAL.name} is installed" in told
    return home


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)


def run(*words: str, home: Path) -> str:
    result = CliRunner().invoke(app, [*words, "--home", str(home)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def in_use(home: Path, settings: ModelSettings | None = None) -> dict[ModelUse, str]:
    chosen = models_in_use(find_home(home, {}), settings or ModelSettings())
    return {one.model.use: one.model.name for one in chosen}


def test_pulled_it_is_used_and_said_to_be(home):
    folder = find_home(home, {}).models_dir / OFFICIAL.name
    assert {file.name for file in folder.iterdir()} == {*SHERPA_FILES, RECORD_FILE}
    assert in_use(home)[ModelUse.WAKE] == OFFICIAL.name
    (listed,) = (line for line in run("models", "list", home=home).splitlines() if OFFICIAL.name in line)
    assert "in use (pulled)" in listed
    told = {one["name"]: one for one in json.loads(run("models", "list", "--json", home=home))}
    assert told[OFFICIAL.name]["used"]
    assert f"{OFFICIAL.name}: sound" in run("models", "verify", home=home)
    *_, last = check_models(folder.parent)
    assert last.remedy == "Run: xiaozhi models pull"


def test_the_ear_wakes_with_it_and_stops_as_before(home, tmp_path):
    saying: list[str | None] = [None]
    models = models_in_use(find_home(home, {}), ModelSettings())
    ear = open_ear(models, "你好，小智", being_said=lambda: saying[0])
    assert isinstance(ear._spotter, SpotterPair)

    def heard(*words: str, from_s: float = 0.0) -> list[type]:
        parts = [clip for word in words for clip in (silence(0.8), spoken(word, tmp_path))]
        chunks = in_chunks(one_after_the_other(*parts, silence(1)), from_s)
        return [type(event) for chunk in chunks for event in ear.hear(chunk)]

    assert heard("今天天气不错", "你好小鸡") == []
    assert Wake in heard("你好小智", from_s=20)
    ear.stop_waiting()
    saying[0] = "昨晚一切正常"
    assert heard("停", from_s=40) == [StopHeard]
    saying[0] = None
    assert ear.call_it("大白大白") == ()
    assert Wake not in heard("你好小智", from_s=60)
    assert Wake in heard("大白大白", from_s=80)


def test_without_the_library_the_recogniser_listens_and_it_is_said_what_to_install(home, without_library):
    assert ModelUse.WAKE not in in_use(home)
    ear = open_ear(models_in_use(find_home(home, {}), ModelSettings()), "你好小智")
    assert isinstance(ear._spotter, VoskSpotter)
    assert "needs pip install 'xiaozhi[sherpa]'" in run("models", "list", home=home)
    (finding,) = (one for one in check_models(find_home(home, {}).models_dir) if OFFICIAL.name in one.problem)
    assert finding.weight is Weight.WARNING
    assert finding.remedy == "Run: pip install 'xiaozhi[sherpa]'"


def test_settings_that_name_it_have_it_or_are_told_what_is_missing(home, tmp_path, without_library):
    named = ModelSettings(wake=OFFICIAL.name)
    with pytest.raises(SpeechLibraryMissing, match="sherpa-onnx"):
        in_use(home, named)
    with pytest.raises(SpeechModelMissing, match="not here"):
        in_use(tmp_path, named)


def test_damaged_it_is_passed_over_and_the_doctor_says_how_to_mend_it(home, tmp_path):
    folder = find_home(tmp_path, {}).models_dir / OFFICIAL.name
    folder.mkdir(parents=True)
    (folder / "tokens.txt").write_text("n 1\n")
    assert ModelUse.WAKE not in in_use(tmp_path)
    (finding,) = (one for one in check_models(folder.parent) if OFFICIAL.name in one.problem)
    assert finding.weight is Weight.BROKEN
    assert finding.remedy == f"Run: xiaozhi models pull {OFFICIAL.name}"
