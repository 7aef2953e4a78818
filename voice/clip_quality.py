"""Whether a recording is good enough for enrolment: length, level, noise. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hardware.audio import RATE_HZ
from voice.errors import ClipOverdriven, ClipRateWrong, ClipTooNoisy, ClipTooShort, ClipUnusable

MIN_SPEECH_S = 0.25
MIN_SNR_DB = 12.0
MAX_CLIPPED_SHARE = 0.001

_FRAME = 320
_LONGEST_PAUSE = 15
"""In frames: a shorter pause (300 ms) is part of the speech around it."""
_SILENCE_DBFS = -60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipQuality:
    """What a recording is like.

    Attributes:
        speech_s: how much of it stands out from its background.
        snr_db: loudness of speech over that of the background.
        clipped_share: share of samples that lie in flattened peaks.
    """

    speech_s: float
    snr_db: float
    clipped_share: float


def measure_clip(samples: NDArray[np.float32], *, rate_hz: int) -> ClipQuality:
    """Measure a recording.

    The background is the quietest tenth of its frames (20 ms each), speech those within 10 dB of the loudest;
    a frame counts as speech from a third of the way between them.

    Raises:
        ClipRateWrong: not at 16 kHz.
        ClipUnusable: empty, not mono, silent, or holding what is no number.
    """
    if rate_hz != RATE_HZ:
        raise ClipRateWrong(f"the sample rate is {rate_hz} Hz, needed {RATE_HZ} Hz")
    if samples.ndim != 1:
        raise ClipUnusable("the sound is not mono")
    if not np.isfinite(samples).all():
        raise ClipUnusable("there are samples that are no numbers")
    if len(samples) < _FRAME or not samples.any():
        raise ClipUnusable("there is no sound in it")
    levels = _frame_levels(samples)
    background, speech = _background_and_speech(levels)
    spoken = _spoken(levels)
    return ClipQuality(
        speech_s=float(_without_short_pauses(spoken).sum()) * _FRAME / RATE_HZ,
        snr_db=speech - background,
        clipped_share=_clipped_share(samples),
    )


def require_good_clip(samples: NDArray[np.float32], *, rate_hz: int, clip: int) -> ClipQuality:
    """Return what a clip is like, or refuse it.

    Args:
        samples: the sound.
        rate_hz: its sample rate.
        clip: its number among the clips, counted from 0, for the error.

    Raises:
        EnrolmentRefused: one of its kinds, for the first thing that is wrong.
    """
    try:
        quality = measure_clip(samples, rate_hz=rate_hz)
    except (ClipRateWrong, ClipUnusable) as error:
        raise type(error)(str(error), clip=clip) from error
    if quality.clipped_share > MAX_CLIPPED_SHARE:
        raise ClipOverdriven(f"{quality.clipped_share:.1%} of it is cut off at the peaks", clip=clip)
    if quality.snr_db < MIN_SNR_DB:
        raise ClipTooNoisy(
            f"speech is {quality.snr_db:.0f} dB over noise, needed {MIN_SNR_DB:.0f}", clip=clip
        )
    if quality.speech_s < MIN_SPEECH_S:
        raise ClipTooShort(f"{quality.speech_s:.1f} s of speech, needed {MIN_SPEECH_S:.1f}", clip=clip)
    return quality


def speech_only(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a recording from its first to its last speech, with a tenth of a second around."""
    if len(samples) < _FRAME:
        return samples
    places = np.flatnonzero(_spoken(_frame_levels(samples)))
    if not len(places):
        return samples[:0]
    start, end = max(0, places[0] - 5) * _FRAME, (places[-1] + 6) * _FRAME
    return samples[start:end]


def _spoken(levels: NDArray[np.float64]) -> NDArray[np.bool_]:
    background, speech = _background_and_speech(levels)
    return np.asarray(levels > max(background + (speech - background) / 3, speech - 30.0))


def _frame_levels(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    frames = frames - frames.mean(axis=1, keepdims=True)
    levels: NDArray[np.float64] = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    return levels


def _background_and_speech(levels: NDArray[np.float64]) -> tuple[float, float]:
    background = max(float(np.percentile(levels, 10)), _SILENCE_DBFS)
    loud = levels[levels >= np.percentile(levels, 97) - 10]
    return background, max(float(loud.mean()), background)


def _without_short_pauses(spoken: NDArray[np.bool_]) -> NDArray[np.bool_]:
    filled = spoken.copy()
    places = np.flatnonzero(spoken)
    for before, after in pairwise(places):
        if after - before <= _LONGEST_PAUSE:
            filled[before:after] = True
    return filled


def _clipped_share(samples: NDArray[np.float32]) -> float:
    """Count samples in runs of three or more that lie within half a percent of the peak, on either side."""
    share = 0.0
    for side in (samples, -samples):
        peak = float(side.max())
        if peak <= 0:
            continue
        high = np.concatenate([[False], side >= 0.995 * peak, [False]])
        edges = np.flatnonzero(high[1:] != high[:-1]).reshape(-1, 2)
        runs = edges[:, 1] - edges[:, 0]
        share += float(runs[runs >= 3].sum()) / len(samples)
    return share
