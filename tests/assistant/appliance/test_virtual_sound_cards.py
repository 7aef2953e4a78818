"""`xiaozhi run` on virtual sound cards: speech is played into the room, and what it says is recorded."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from hardware.audio import AudioClip, Samples
from hardware.recordings import write_recording
from tests.hardware.pulse import MISSING, virtual_audio
from tests.voice.speech import EMBEDDED_RECOGNIZER, one_after_the_other, silence, spoken
from voice.pinyin import find
from voice.recognizer_vosk import VoskRecognizer
from voice.vosk_model import VoskModel

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
BLOCK = 160
AUDIBLE = 100.0


class Recorder:
    """Keeps what goes through a sink."""

    def __init__(self, sink: str, file: Path, environment: dict[str, str]) -> None:
        self._file = file
        self._out = file.open("wb")
        command = ["parec", f"--device={sink}.monitor", "--rate=16000", "--channels=1", "--format=s16le"]
        self._process = subprocess.Popen(
            [*command, "--latency-msec=10"], env=environment, stdout=self._out, stderr=subprocess.DEVNULL
        )

    @property
    def samples(self) -> Samples:
        heard = self._file.read_bytes()
        return np.frombuffer(heard[: len(heard) // 2 * 2], np.int16)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(5)
        self._out.close()


class Room:
    """A room with the appliance in it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self.microphone = Recorder("mic_pipe", folder / "microphone.raw", environment)
        self.loudspeaker = Recorder("speaker", folder / "loudspeaker.raw", environment)

    def say(self, clip: AudioClip) -> None:
        """Play a clip to its end."""
        file = self._folder / "said.wav"
        write_recording(file, one_after_the_other(clip, silence(0.3)))
        subprocess.run(["paplay", "--device=mic_pipe", str(file)], env=self._environment, check=True)

    def await_voice(self, from_sample: int, *, seconds: float) -> None:
        """Wait until so much of it has been heard since then."""
        deadline = time.monotonic() + 40
        while loud(self.loudspeaker.samples[from_sample:]).sum() * BLOCK / 16_000 < seconds:
            assert time.monotonic() < deadline, "nothing was heard of it"
            time.sleep(0.02)

    def await_silence(self) -> None:
        """Wait until nothing has been heard of it for a while."""
        deadline = time.monotonic() + 40
        while loud(self.loudspeaker.samples[-24_000:]).any():
            assert time.monotonic() < deadline, "it does not fall silent"
            time.sleep(0.1)

    def silent_after_s(self, mark: int) -> float:
        """Return how long after the last word into the microphone the loudspeaker still played."""
        microphone, loudspeaker = self.microphone.samples, self.loudspeaker.samples
        ends = []
        for samples in (microphone, loudspeaker):
            audible = np.flatnonzero(loud(samples[mark:]))
            # Both go on all the time: the ends of the recordings are the same moment.
            ends.append(mark + (audible[-1] + 1) * BLOCK - len(samples))
        return float(ends[1] - ends[0]) / 16_000

    def close(self) -> None:
        self.microphone.close()
        self.loudspeaker.close()


def loud(samples: Samples) -> np.ndarray:
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float64)
    return np.asarray(np.sqrt((blocks**2).mean(axis=1)) > AUDIBLE)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("room")
    with ExitStack() as stack:
        environment = stack.enter_context(virtual_audio(folder))
        environment |= {"XIAOZHI_HOME": str(folder / "home"), "PATH": os.environ["PATH"]}
        command = [sys.executable, "-m", "assistant", "run", "--scenario", "quiet"]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)
        assert process.stderr is not None
        stack.callback(process.stderr.close)
        assert any("stop with Ctrl-C" in line for line in process.stderr), "it does not come up"
        room = Room(folder, environment)
        stack.callback(room.close)
        time.sleep(1.0)  # its sound cards open in a thread of their own
        yield room


def understood(samples: Samples) -> str:
    recognizer = VoskRecognizer(VoskModel(EMBEDDED_RECOGNIZER))
    recognizer.accept(np.concatenate([samples, np.zeros(8_000, np.int16)]))
    return recognizer.finish().text


def test_stranger_who_calls_it_is_answered_through_the_loudspeaker(room: Room, tmp_path: Path) -> None:
    before = len(room.loudspeaker.samples)
    room.say(spoken("你好，小智", tmp_path, words_per_minute=150))
    room.await_voice(before, seconds=1.5)
    room.await_silence()
    text = understood(room.loudspeaker.samples[before:])
    assert find("没认出你的声音", text).likeness > 0.7, text


def test_question_after_the_greeting_needs_no_second_call(room: Room, tmp_path: Path) -> None:
    room.await_silence()
    before = len(room.loudspeaker.samples)
    room.say(spoken("支付服务有几个副本", tmp_path, words_per_minute=160))
    room.await_voice(before, seconds=1.5)
    room.await_silence()
    text = understood(room.loudspeaker.samples[before:])
    assert find("没认出你的声音", text).likeness > 0.7, text


def test_stop_word_silences_it_in_mid_speech(room: Room, tmp_path: Path) -> None:
    room.await_silence()
    time.sleep(9)  # the time for a follow-up question passes
    before = len(room.loudspeaker.samples)
    room.say(spoken("你好，小智", tmp_path, words_per_minute=150))
    room.await_voice(before, seconds=0.6)
    mark = len(room.loudspeaker.samples)
    room.say(spoken("停", tmp_path, words_per_minute=150))
    room.await_silence()
    took_s = room.silent_after_s(min(mark, len(room.microphone.samples)))
    # Some 120 ms of it are PulseAudio's buffers, which a sound card of one's own does not have.
    assert took_s < 0.5
