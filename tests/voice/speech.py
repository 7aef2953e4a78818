"""Speech for the tests, by espeak-ng."""

import subprocess
from pathlib import Path

import numpy as np

from hardware.audio import AudioChunk, AudioClip
from hardware.recordings import read_recording
from voice.activity_silero import SileroActivity
from voice.listening import Ear
from voice.models import EMBEDDED_FOLDER
from voice.recognizer_vosk import VoskRecognizer
from voice.vosk_model import VoskModel
from voice.wake import WakeDecision
from voice.wake_vosk import VoskSpotter

EMBEDDED_RECOGNIZER = EMBEDDED_FOLDER / "vosk-synth-cn"


def embedded_ear(phrase: str = "你好小智") -> Ear:
    model = VoskModel(EMBEDDED_RECOGNIZER)
    return Ear(
        detector=SileroActivity(),
        spotter=VoskSpotter(model, phrase),
        recognizer=VoskRecognizer(model),
        decision=WakeDecision(phrase),
    )


def spoken(text: str, folder: Path, *, variant: str = "m3", words_per_minute: int = 165) -> AudioClip:
    """Return a sentence in one of espeak-ng's voices."""
    file = folder / f"{variant}-{words_per_minute}-{abs(hash(text))}.wav"
    if not file.exists():
        voice = f"cmn-latn-pinyin+{variant}"
        command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-w", str(file), text]
        subprocess.run(command, check=True)
    clip = read_recording(file)
    return AudioClip(samples=(clip.samples * 0.5).astype(np.int16))


def silence(seconds: float) -> AudioClip:
    return AudioClip(samples=np.zeros(round(seconds * 16_000), np.int16))


def one_after_the_other(*clips: AudioClip) -> AudioClip:
    return AudioClip(samples=np.concatenate([clip.samples for clip in clips]))


def in_chunks(clip: AudioClip, from_s: float = 0.0):
    """Yield a clip as a microphone would."""
    for start in range(0, len(clip.samples), 500):
        piece = clip.samples[start : start + 500]
        yield AudioChunk(samples=piece, captured_at_s=from_s + start / 16_000)
