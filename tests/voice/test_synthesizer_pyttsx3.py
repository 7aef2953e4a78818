"""The real voice, its real worker process, and workers that break down."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soxr
import vosk
from pypinyin import lazy_pinyin
from rapidfuzz.distance import Levenshtein

from hardware.audio import AudioClip
from voice.errors import SynthesisFailed, SynthesizerMissing
from voice.synthesizer_pyttsx3 import WORKER, Pyttsx3Synthesizer, WorkerLimits

MODEL = Path(__file__).parents[2] / "voice" / "models" / "vosk-synth-cn"


@pytest.fixture(scope="module")
def voice():
    synthesizer = Pyttsx3Synthesizer()
    yield synthesizer
    synthesizer.close()


@pytest.fixture(scope="module")
def model() -> vosk.Model:
    vosk.SetLogLevel(-1)
    return vosk.Model(str(MODEL))


def recognised(model: vosk.Model, clip: AudioClip) -> str:
    recognizer = vosk.KaldiRecognizer(model, 16_000)
    sound = soxr.resample(clip.samples, clip.rate_hz, 16_000)
    recognizer.AcceptWaveform(np.concatenate([sound, np.zeros(8_000, np.int16)]).tobytes())
    return str(json.loads(recognizer.FinalResult())["text"]).replace(" ", "")


@pytest.mark.parametrize(
    "sentence",
    [
        "昨天夜里一共有三条告警",
        "订单服务已经恢复",
        "支付服务重启了三次",
        "集群一切正常",
        "回滚到上一个版本",
        "凌晨五点的告警",
    ],
)
def test_what_is_said_is_understood_by_its_sound(voice, model, sentence):
    heard = recognised(model, voice.synthesize(sentence))
    said_sounds, heard_sounds = lazy_pinyin(sentence), lazy_pinyin(heard)
    assert Levenshtein.distance(said_sounds, heard_sounds) <= 1, heard


def test_letters_inside_a_sentence_are_understood(voice, model):
    heard = recognised(model, voice.synthesize("支付服务的 CPU 使用率"))
    assert re.search("c.?p.?u", heard.lower()), heard


def test_a_sentence_of_signs_is_a_clip_without_samples(voice):
    assert len(voice.synthesize("……").samples) == 0


def test_faster_is_shorter_and_limits_hold(voice):
    sentence = "订单服务已经恢复"
    normal, fast = (voice.synthesize(sentence, speed_percent=percent) for percent in (100, 200))
    assert fast.duration_s < 0.75 * normal.duration_s
    slowest = voice.synthesize(sentence, speed_percent=1)
    assert slowest.duration_s == pytest.approx(
        voice.synthesize(sentence, speed_percent=40).duration_s, rel=0.02
    )


def test_every_speed_that_is_asked_for_is_spoken(voice):
    lengths = [
        voice.synthesize("订单服务已经恢复", speed_percent=speed).duration_s
        for speed in (50, 100, 80, 150, 100, 50)
    ]
    slow, normal, slower, fast, normal_again, slow_again = lengths
    assert slow > slower > normal > fast
    assert (normal_again, slow_again) == (pytest.approx(normal, rel=0.02), pytest.approx(slow, rel=0.02))


def test_threads_take_turns_and_each_gets_its_own_sentence(voice):
    sentences = ["好", "订单服务已经恢复", "昨天夜里一共有三条告警，一条已经恢复"]
    alone = {one: voice.synthesize(one).duration_s for one in sentences}
    got: dict[str, list[float]] = {one: [] for one in sentences}

    def ask(sentence: str) -> None:
        for _ in range(4):
            got[sentence].append(voice.synthesize(sentence).duration_s)

    threads = [threading.Thread(target=ask, args=(one,)) for one in sentences]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {one: [pytest.approx(alone[one], rel=0.1)] * 4 for one in sentences}


def test_a_killed_worker_is_replaced_and_the_sentence_is_said(voice):
    before = voice.worker_pid
    os.kill(before, signal.SIGKILL)
    assert voice.synthesize("我在").duration_s > 0.2
    assert voice.worker_pid != before


def test_a_stopped_worker_is_given_up_at_its_deadline(tmp_path):
    voice = Pyttsx3Synthesizer(WorkerLimits(sentence_s=0.5))
    voice.synthesize("好")
    before = voice.worker_pid
    assert before is not None
    os.kill(before, signal.SIGSTOP)
    began = time.monotonic()
    assert voice.synthesize("我在").duration_s > 0.2
    assert time.monotonic() - began < 5
    assert voice.worker_pid != before
    voice.close()


def test_a_worker_is_replaced_after_its_share_of_speech():
    voice = Pyttsx3Synthesizer(WorkerLimits(speech_s=1.0))
    voice.synthesize("好")
    first = voice.worker_pid
    voice.synthesize("昨天夜里一共有三条告警")
    assert voice.worker_pid != first
    assert voice.synthesize("好").duration_s > 0.1
    voice.close()


def test_without_the_mandarin_voice_it_says_what_to_install():
    with (
        closing(Pyttsx3Synthesizer(worker=(*WORKER, "no/such-voice"))) as voice,
        pytest.raises(SynthesizerMissing) as raised,
    ):
        voice.synthesize("我在")
    assert "espeak-ng" in raised.value.hint


@pytest.mark.parametrize("command", [("/no/such/program",), (sys.executable, "-c", "")])
def test_a_worker_that_never_starts_is_one_precise_error(command):
    with pytest.raises(SynthesisFailed), closing(Pyttsx3Synthesizer(worker=command)) as voice:
        voice.synthesize("我在")


def test_after_closing_nothing_is_said_and_nothing_is_left(voice):
    other = Pyttsx3Synthesizer()
    pid = other.worker_pid
    assert pid is not None
    other.close()
    other.close()
    with pytest.raises(SynthesisFailed):
        other.synthesize("我在")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
