"""The appliance on real sound: real voices into the real ear, the real mouth recognised again."""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from assistant.appliance.phases import Phase
from assistant.people import Person
from assistant.run import Body, at_work
from assistant.settings import CloudSettings, Settings
from assistant.speech import open_speakers
from assistant.speech_models import models_in_use
from hardware.audio import RATE_HZ, AudioChunk, AudioClip, Samples
from hardware.lamp import SimulatedLamp
from hardware.microphone import DeviceState, MicrophoneHealth
from hardware.recordings import RecordingLoudspeaker
from mcp_tencent.gateway.call import Permission
from tests.assistant.house_rig import Rig, house_rig
from tests.voice.speech import EMBEDDED_RECOGNIZER, spoken
from voice.recognizer_vosk import VoskRecognizer
from voice.vosk_model import VoskModel

BLOCK = 512
ENROLMENT = (
    "今天早上的天气不错，我们先开个会，把昨天的问题过一遍",
    "请帮我看看生产集群里面有没有正在重启的容器",
    "晚饭以后我准备去公园散步，顺便买一点水果回来",
    "这个版本上线以后错误变多了，需要回滚到上一个版本",
    "明天下午三点在会议室讨论下个季度的扩容计划",
)


class Room:
    """A microphone in a quiet room, in which clips are heard when they are put there."""

    def __init__(self) -> None:
        self._said: queue.Queue[Samples] = queue.Queue()
        self._closed = threading.Event()
        self._noise = np.random.default_rng(1)

    def hear(self, clip: AudioClip) -> None:
        self._said.put(clip.samples)

    def chunks(self) -> Iterator[AudioChunk]:
        at = 0
        rest: Samples = np.zeros(0, np.int16)
        while not self._closed.wait(BLOCK / RATE_HZ):  # as slowly as sound is
            if not len(rest) and not self._said.empty():
                rest = self._said.get()
            block, rest = rest[:BLOCK], rest[BLOCK:]
            heard = self._noise.normal(0, 20, BLOCK).astype(np.int16)
            heard[: len(block)] += block
            yield AudioChunk(samples=heard, captured_at_s=at / RATE_HZ)
            at += BLOCK

    @property
    def health(self) -> MicrophoneHealth:
        return MicrophoneHealth(state=DeviceState.OPEN)

    def close(self) -> None:
        self._closed.set()


class Stage:
    """An appliance at work, and what is heard of it."""

    def __init__(self, rig: Rig, room: Room, loudspeaker: RecordingLoudspeaker, lamp: SimulatedLamp) -> None:
        self.rig, self.room, self.loudspeaker, self.lamp = rig, room, loudspeaker, lamp

    def until(self, phase: Phase, *, within_s: float = 40.0) -> None:
        """Wait until the lamp has come to show a phase, and forget what it showed."""
        deadline = time.monotonic() + within_s
        while phase not in self.lamp.shown:
            assert time.monotonic() < deadline, f"{phase} was not shown, but {self.lamp.shown}"
            threading.Event().wait(0.02)
        self.lamp.shown = self.lamp.shown[self.lamp.shown.index(phase) + 1 :]

    def heard_again(self, recognizer: VoskRecognizer) -> str:
        """Return what the recogniser understands of everything that was said."""
        recognizer.reset()
        recognizer.accept(self.loudspeaker.recorded.samples)
        return recognizer.finish().text


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    settings = Settings(cloud=CloudSettings(default_cluster="生产集群"))
    with house_rig(tmp_path_factory.mktemp("house"), settings=settings) as rig:
        yield rig


@pytest.fixture(scope="module")
def recognizer() -> VoskRecognizer:
    return VoskRecognizer(VoskModel(EMBEDDED_RECOGNIZER))


@pytest.fixture(scope="module")
def owner(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Person:
    person = rig.person("张敏", *Permission)
    folder = tmp_path_factory.mktemp("clips")
    check = open_speakers(models_in_use(rig.house.installation.home, rig.house.installation.settings.models))
    rig.house.voices(check).enrol(person, [noisy(spoken(one, folder)) for one in ENROLMENT])
    return person


def noisy(clip: AudioClip) -> AudioClip:
    """Return a clip as a quiet room adds to it."""
    noise = np.random.default_rng(len(clip.samples)).normal(0, 20, len(clip.samples) + 8000)
    noise[4000 : 4000 + len(clip.samples)] += clip.samples
    return AudioClip(samples=noise.astype(np.int16))


@contextmanager
def stage(rig: Rig) -> Iterator[Stage]:
    """Put an appliance into the house for as long as the block lasts."""
    room, loudspeaker, lamp = Room(), RecordingLoudspeaker(), SimulatedLamp()
    models = models_in_use(rig.house.installation.home, rig.house.installation.settings.models)
    leaving = threading.Event()
    there = threading.Event()

    async def work() -> None:
        body = Body(microphone=room, loudspeaker=loudspeaker, lamp=lamp)
        async with at_work(rig.house, open_speakers(models), models, body) as appliance:
            running = asyncio.create_task(appliance.run())
            there.set()
            await asyncio.to_thread(leaving.wait)
            room.close()
            await running

    done = asyncio.run_coroutine_threadsafe(work(), rig.loop)
    assert there.wait(60)
    try:
        yield Stage(rig, room, loudspeaker, lamp)
    finally:
        leaving.set()
        done.result(30)


def test_who_calls_it_hears_a_tone_and_that_it_is_there(
    rig: Rig, owner: Person, recognizer: VoskRecognizer, tmp_path: Path
) -> None:
    with stage(rig) as scene:
        scene.room.hear(spoken("你好，小智", tmp_path, words_per_minute=150))
        scene.until(Phase.WOKEN)
        scene.until(Phase.SPEAKING)
        scene.until(Phase.LISTENING)
        assert "我在" in scene.heard_again(recognizer)
    assert rig.house.journal.latest(limit=1)[0].person_id == owner.id


def test_a_spoken_question_gets_a_spoken_answer_and_a_follow_up_needs_no_call(
    rig: Rig, owner: Person, tmp_path: Path
) -> None:
    with stage(rig) as scene:
        scene.room.hear(spoken("你好小智，订单服务有没有在重启的容器", tmp_path, words_per_minute=155))
        scene.until(Phase.SPEAKING)
        scene.until(Phase.LISTENING)
        scene.room.hear(spoken("支付服务有几个副本", tmp_path, words_per_minute=160))
        scene.until(Phase.SPEAKING)
        scene.until(Phase.LISTENING)
        assert scene.loudspeaker.recorded.duration_s > 3
    follow_up, question = rig.house.journal.latest(limit=2)
    assert {follow_up.outcome, question.outcome} == {"answered"}
    assert question.latencies.first_word_ms is not None


def test_muted_it_hears_nothing(rig: Rig, owner: Person, tmp_path: Path) -> None:
    with stage(rig) as scene:
        rig.wait(rig.house.controls.mute(None))
        scene.until(Phase.MUTED)
        before = scene.loudspeaker.recorded.duration_s
        scene.room.hear(spoken("你好，小智", tmp_path, words_per_minute=170))
        threading.Event().wait(3.0)
        assert scene.lamp.shown == []
        assert scene.loudspeaker.recorded.duration_s - before < 1.0


def test_without_any_sound_device_it_runs_and_ends_at_sigterm_at_once(tmp_path: Path) -> None:
    environ = {**os.environ, "PULSE_SERVER": "none", "XIAOZHI_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "assistant", "run", "--scenario", "quiet"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "stop with Ctrl-C" in line:
                break
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert time.monotonic() - began < 3
    told = "".join(lines)
    assert "recognizer: " in told
    assert "speaker: " in told
