"""Recordings of people: Opus files at 16 kHz, and ``index.json`` with the clips of each speaker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr
from pydantic import BaseModel, ConfigDict

from voice.training.errors import TrainingDataMissing
from voice.training.mfcc import SAMPLES_PER_SECOND, Samples

MANDARIN_GROUP = "mandarin_words"
NOISE_GROUP = "noise"
HELD_OUT_SPEAKERS = ("mandarin06", "mandarin12", "mandarin18", "mandarin24", "mandarin30")
"""Mandarin speakers no model is trained on."""

_INDEX = "index.json"


class Speaker(BaseModel):
    """One speaker of the index."""

    model_config = ConfigDict(frozen=True)

    speaker: str
    group: str
    file: str
    clips: tuple[tuple[int, int] | tuple[int, int, str], ...]
    """Start and length in samples at 16 kHz, and the word where it is known."""
    licence: str


class _Index(BaseModel):
    speakers: tuple[Speaker, ...]


def read_index(speech: Path) -> tuple[Speaker, ...]:
    """Read who is recorded in a folder.

    Raises:
        TrainingDataMissing: There is no ``index.json``.
    """
    for folder in (speech, speech / "speakers"):
        if (folder / _INDEX).is_file():
            return _Index.model_validate_json((folder / _INDEX).read_bytes()).speakers
    raise TrainingDataMissing(speech)


def read_recording(speech: Path, speaker: Speaker) -> Samples:
    """Read all samples of a speaker at 16 kHz, from −1 to 1.

    Raises:
        TrainingDataMissing: The file is not there.
    """
    path = next((p for p in (speech / speaker.file, speech / "speakers" / speaker.file) if p.is_file()), None)
    if path is None:
        raise TrainingDataMissing(speech / speaker.file)
    samples, rate_hz = soundfile.read(path, dtype="float32")
    if rate_hz != SAMPLES_PER_SECOND:
        samples = soxr.resample(samples, rate_hz, SAMPLES_PER_SECOND)
    return np.asarray(samples, np.float32)


def clips_of(samples: Samples, speaker: Speaker) -> list[tuple[Samples, str]]:
    """Cut a recording into its clips, each with its word (empty where none is known)."""
    return [
        (samples[clip[0] : clip[0] + clip[1]], clip[2] if len(clip) > 2 else "")
        for clip in speaker.clips
    ]  # fmt: skip


def trimmed(samples: Samples, *, margin: int = 800, relative_threshold: float = 0.02) -> Samples | None:
    """Cut silence at both ends, by the power of frames of 10 ms; None when hardly anything is spoken."""
    frames = len(samples) // 160
    if frames < 10:
        return None
    power = np.sqrt((samples[: frames * 160].reshape(frames, 160) ** 2).mean(axis=1))
    threshold = max(relative_threshold * np.percentile(power, 97), np.percentile(power, 5) * 2.0)
    spoken = np.flatnonzero(power > threshold)
    if len(spoken) < 8:
        return None
    return samples[max(0, spoken[0] * 160 - margin) : (spoken[-1] + 1) * 160 + margin]
