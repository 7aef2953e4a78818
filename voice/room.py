"""What a room is like for listening: its noise, and how loudly the device hears itself (pure)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.audio import RATE_HZ, AudioClip, Samples, from_float, level_db

QUIET_DB, LOUD_DB = -50.0, -35.0
"""Noise floors: below the first all is well, above the second words drown (speech at 2 m: some -30)."""
STRONG_ECHO_DB = -6.0
_FRAME_S = 0.02
_CERTAIN = 8.0
_PROBE_S = 0.5
_PROBE_PEAK = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """How the device hears itself.

    Args:
        delay_s: From playing to hearing.
        gain_db: How loud it comes back, against what was played.
    """

    delay_s: float
    gain_db: float


def noise_floor_db(clip: AudioClip) -> float:
    """Return the level of the quietest tenth of a recording in dBFS; -100 when it is digital silence."""
    frame = round(_FRAME_S * clip.rate_hz)
    count = len(clip.samples) // frame
    if not count:
        return level_db(clip.samples)
    levels = [level_db(part) for part in clip.samples[: count * frame].reshape(count, frame)]
    return float(np.percentile(levels, 10))


def probe() -> AudioClip:
    """Return a sound that is easily found again: a sweep from 300 to 4,000 Hz, soft at both ends."""
    times_s = np.arange(round(_PROBE_S * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * (300.0 * times_s + (4_000.0 - 300.0) * times_s**2 / (2 * _PROBE_S))
    edge = np.clip(np.minimum(times_s, _PROBE_S - times_s) / 0.02, 0, 1)
    return AudioClip(samples=from_float(_PROBE_PEAK * np.sin(phase) * edge))


def find_echo(played: AudioClip, heard: AudioClip) -> Echo | None:
    """Return the strongest echo of what was played; None when it was not heard.

    By matched filter: at the right delay, correlation divided by the energy of what was played is the gain.
    """
    if len(heard.samples) < len(played.samples):
        return None
    sent, got = _float(played.samples), _float(heard.samples)
    length = 1 << (len(sent) + len(got)).bit_length()
    spectrum = np.fft.rfft(got, length) * np.conj(np.fft.rfft(sent, length))
    correlation = np.abs(np.fft.irfft(spectrum, length)[: len(got) - len(sent) + 1])
    at = int(np.argmax(correlation))
    energy = float(np.sum(sent**2))
    if not energy or correlation[at] < _CERTAIN * float(np.median(correlation)) or not correlation[at]:
        return None
    return Echo(delay_s=at / heard.rate_hz, gain_db=20 * float(np.log10(correlation[at] / energy)))


def _float(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(samples, dtype=np.float64) / 32_768
