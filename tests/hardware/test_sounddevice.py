"""Real PortAudio on virtual devices; the processes are needed because it lists devices when imported."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hardware.audio import AudioClip
from hardware.recordings import write_recording
from tests.hardware.pulse import MISSING, virtual_audio
from tests.voice.speech import one_after_the_other, silence, spoken

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
ROOT = Path(__file__).parents[2]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.hardware.device_process", *arguments]


def result(environment, *arguments: str):
    done = subprocess.run(
        command(*arguments),
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    with virtual_audio(tmp_path_factory.mktemp("pulse")) as found:
        yield found


def test_question_played_in_the_room_is_heard_through_the_sound_card(environment, tmp_path):
    sound = one_after_the_other(silence(1), spoken("你好小智，订单服务怎么样", tmp_path), silence(1.5))
    write_recording(tmp_path / "room.wav", sound)
    heard = result(environment, "hear", str(tmp_path / "room.wav"))
    assert heard == {"woken": True, "texts": ["订单服务怎么样"], "overruns": 0}


def test_loudspeaker_plays_in_turn_and_stops_at_once(environment, tmp_path):
    tone = (np.sin(np.arange(24_000) / 5) * 8000).astype(np.int16)
    write_recording(tmp_path / "tone.wav", AudioClip(samples=tone))
    stopped = result(environment, "play", str(tmp_path / "tone.wav"), "0.5")
    assert stopped["ended"] == [True, True]
    assert stopped["states"] == ["stopped", "stopped"]
    assert stopped["playing"] == "第一句"
    assert 0.2 < stopped["played_s"] < 0.9
    whole = result(environment, "play", str(tmp_path / "tone.wav"), "5")
    assert whole["states"] == ["finished", "stopped"]
    assert whole["playing"] == "第二句"


def test_silence_follows_a_stop_within_a_tenth_of_a_second(environment, tmp_path):
    tone = (np.sin(np.arange(48_000) / 5) * 8000).astype(np.int16)
    write_recording(tmp_path / "tone.wav", AudioClip(samples=tone))
    command = ["parec", "--device=speaker.monitor", "--rate=16000", "--channels=1", "--format=s16le"]
    with (tmp_path / "recorded.raw").open("wb") as out:
        recorder = subprocess.Popen([*command, "--latency-msec=5"], env=environment, stdout=out)
        try:
            stopped = result(environment, "stop", str(tmp_path / "tone.wav"), str(tmp_path / "recorded.raw"))
        finally:
            recorder.terminate()
            recorder.wait(5)
    assert sorted(stopped["behind_s"])[2] < 0.1


def test_microphone_that_was_lost_is_opened_again(tmp_path):
    with virtual_audio(_new(tmp_path / "first")) as environment:
        process = subprocess.Popen(
            command("unplug"), env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"state": "open"}
    assert json.loads(process.stdout.readline()) == {"state": "lost"}
    for left in (tmp_path / "first").iterdir():
        left.rename(tmp_path / f"old-{left.name}")
    with virtual_audio(tmp_path / "first"):
        last = json.loads(process.stdout.readline())
        process.wait(20)
    process.stdout.close()
    assert last["state"] == "open"
    assert last["reopened"] >= 1


def test_machine_without_a_sound_card_says_so(tmp_path):
    code = "from hardware.microphone_sounddevice import SounddeviceMicrophone as M; next(M().chunks())"
    empty = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=empty, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "hardware.errors.AudioUnavailable: no input device" in done.stderr


def test_unknown_device_is_named_with_those_that_are_there(environment):
    code = "from hardware.microphone_sounddevice import SounddeviceMicrophone as M; next(M('火星').chunks())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "AudioDeviceNotFound: no audio device is called '火星'; there are: " in done.stderr
    assert "pulse" in done.stderr


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
