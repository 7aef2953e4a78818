"""The doctor finds what is wrong, with a remedy each, on a machine that has no sound device at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from assistant.cli import app
from assistant.doctor import (
    Finding,
    broken,
    check_files,
    check_models,
    check_settings,
    check_sound,
    judge_echo,
    judge_noise,
)
from assistant.home import find_home
from hardware.audio import AudioChunk, AudioClip, from_float
from hardware.device_health import Weight
from hardware.errors import AudioUnavailable
from hardware.loudspeaker import Playback
from hardware.recordings import RecordingLoudspeaker, RecordingMicrophone, write_recording
from voice.room import find_echo, noise_floor_db, probe


def noise(seconds: float, level_db: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(5).normal(0, 10 ** (level_db / 20), round(seconds * 16_000))


def room(level_db: float, echo_db: float | None, delay_s: float = 0.12) -> AudioClip:
    """A second of noise, then noise with the probe coming back."""
    sound = noise(2.4, level_db)
    if echo_db is not None:
        at = round((1.0 + delay_s) * 16_000)
        sound[at : at + len(probe().samples)] += probe().as_float * 10 ** (echo_db / 20)
    return AudioClip(samples=from_float(sound))


@pytest.mark.parametrize("level_db", [-70.0, -45.0, -30.0])
def test_the_noise_floor_is_measured_under_speech(level_db):
    sound = noise(1.0, level_db)
    sound[4_000:9_000] += 0.3 * np.sin(np.arange(5_000))
    assert noise_floor_db(AudioClip(samples=from_float(sound))) == pytest.approx(level_db, abs=1.5)


@pytest.mark.parametrize("echo_db", [-25.0, -10.0, 0.0])
def test_echo_is_found_with_its_delay_and_loudness_in_noise(echo_db):
    heard = AudioClip(samples=room(-50.0, echo_db).samples[16_000:])
    echo = find_echo(probe(), heard)
    assert echo is not None
    assert echo.delay_s == pytest.approx(0.12, abs=0.001)
    assert echo.gain_db == pytest.approx(echo_db, abs=1.0)


def test_no_echo_is_found_where_there_is_none():
    assert find_echo(probe(), AudioClip(samples=from_float(noise(1.4, -40.0)))) is None
    assert find_echo(probe(), AudioClip(samples=np.zeros(22_400, np.int16))) is None
    assert find_echo(probe(), AudioClip(samples=np.zeros(3, np.int16))) is None


def examined(tmp_path: Path, clip: AudioClip) -> dict[str, Finding]:
    write_recording(tmp_path / "room.wav", clip)
    microphone = RecordingMicrophone(tmp_path / "room.wav")
    return {one.subject: one for one in check_sound(microphone, RecordingLoudspeaker())}


def test_a_good_room_is_fine(tmp_path):
    found = examined(tmp_path, room(-60.0, -20.0))
    assert {one.weight for one in found.values()} == {Weight.FINE}
    assert "120 ms" in found["echo"].problem


def test_a_noisy_room_and_a_loud_echo_are_told_with_remedies(tmp_path):
    found = examined(tmp_path, room(-32.0, 3.0))
    assert found["room"].weight is Weight.BROKEN
    assert found["echo"].weight is Weight.WARNING
    assert all(one.remedy for one in found.values())


def test_a_microphone_that_is_switched_off_or_ends_early_is_broken(tmp_path):
    silent = examined(tmp_path, AudioClip(samples=np.zeros(40_000, np.int16)))
    assert silent["microphone"].weight is Weight.BROKEN
    short = examined(tmp_path, AudioClip(samples=from_float(noise(0.3, -60.0))))
    assert short["microphone"].weight is Weight.BROKEN
    assert judge_noise(-100.0).weight is Weight.BROKEN
    assert judge_echo(probe(), AudioClip(samples=np.zeros(22_400, np.int16))).remedy


class NoMicrophone(RecordingMicrophone):
    """A machine without any."""

    def chunks(self) -> Iterator[AudioChunk]:
        raise AudioUnavailable("no input device")


class NoLoudspeaker(RecordingLoudspeaker):
    """A machine without any."""

    def play(self, clip: AudioClip, text: str = "") -> Playback:
        raise AudioUnavailable("no output device")


def test_missing_devices_are_findings_not_crashes(tmp_path):
    write_recording(tmp_path / "room.wav", room(-60.0, None))
    (microphone,) = check_sound(NoMicrophone(tmp_path / "room.wav"), RecordingLoudspeaker())
    assert (microphone.subject, microphone.weight) == ("microphone", Weight.BROKEN)
    (loudspeaker,) = check_sound(RecordingMicrophone(tmp_path / "room.wav"), NoLoudspeaker())
    assert (loudspeaker.subject, loudspeaker.weight) == ("loudspeaker", Weight.BROKEN)


def test_a_key_that_others_can_read_is_broken_and_the_command_is_told(tmp_path):
    home = find_home(tmp_path, {})
    home.key_file.write_text("key")
    home.key_file.chmod(0o644)
    (finding,) = check_files(home)
    assert finding.weight is Weight.BROKEN
    assert finding.remedy == f"Run: chmod 600 {home.key_file}"
    home.key_file.chmod(0o600)
    assert not broken(check_files(home))


def test_wrong_settings_are_all_told_and_unreadable_ones_too(tmp_path):
    home = find_home(tmp_path, {})
    home.config_file.write_text("[audio]\nvolume_percent = 300\n[robot]\nnme = 'x'\n")
    settings, findings = check_settings(home, {})
    assert settings is None
    assert {one.problem.split()[0] for one in findings} == {"audio.volume_percent", "robot.nme"}
    home.config_file.write_text("[audio\n")
    settings, findings = check_settings(home, {})
    assert settings is None
    assert broken(findings)


def test_embedded_models_are_sound_and_the_official_ones_recommended(tmp_path):
    findings = list(check_models(tmp_path))
    assert not broken(findings)
    assert findings[-1].remedy == "Run: xiaozhi models pull"


def test_the_command_tells_everything_as_json_without_sound_and_network(tmp_path):
    arguments = ["doctor", "--home", str(tmp_path), "--no-sound", "--no-cloud", "--json"]
    result = CliRunner().invoke(app, arguments)
    told = json.loads(result.stdout)
    assert (result.exit_code == 0) == told["ok"]
    assert {"settings", "disk", "memory", "models", "voice", "database", "channels"} <= {
        one["subject"] for one in told["findings"]
    }
    assert all(one["remedy"] for one in told["findings"] if one["weight"] != "fine")


def test_something_broken_ends_with_one(tmp_path):
    (tmp_path / "config.toml").write_text("[audio]\nvolume_percent = 300\n")
    arguments = ["doctor", "--home", str(tmp_path), "--no-sound", "--no-cloud"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "FAIL  settings: audio.volume_percent" in result.stdout
