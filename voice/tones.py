"""Earcons, generated (pure): short, soft at both ends, each with a melody of its own."""

from __future__ import annotations

from enum import StrEnum
from functools import cache

import numpy as np

from hardware.audio import AudioClip, from_float

RATE_HZ = 22_050
PEAK = 0.35
"""Of full scale: clearly heard, quieter than speech at its loudest."""
_FADE_S = 0.008
_SECOND_HARMONIC = 0.25


class Tone(StrEnum):
    """What a tone says."""

    WOKEN = "woken"
    DONE = "done"
    ERROR = "error"
    MUTED = "muted"
    CONFIRMING = "confirming"


_MELODIES: dict[Tone, tuple[tuple[float, float], ...]] = {
    Tone.WOKEN: ((880.0, 0.06), (1318.5, 0.08)),
    Tone.DONE: ((1046.5, 0.07), (1318.5, 0.07), (1568.0, 0.10)),
    Tone.ERROR: ((392.0, 0.14), (0.0, 0.03), (311.1, 0.20)),
    Tone.MUTED: ((784.0, 0.07), (523.3, 0.12)),
    Tone.CONFIRMING: ((659.3, 0.09), (0.0, 0.05), (659.3, 0.09), (0.0, 0.05), (880.0, 0.12)),
}
"""Notes in order, each frequency in Hz (0: silence) and length in seconds. Rising is good, falling is not."""


@cache
def earcon(tone: Tone) -> AudioClip:
    """Return how a tone sounds."""
    notes = [_note(frequency_hz, seconds) for frequency_hz, seconds in _MELODIES[tone]]
    return AudioClip(samples=from_float(np.concatenate(notes)), rate_hz=RATE_HZ)


def _note(frequency_hz: float, seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    if not frequency_hz:
        return np.zeros_like(times_s)
    wave = np.sin(2 * np.pi * frequency_hz * times_s)
    wave += _SECOND_HARMONIC * np.sin(4 * np.pi * frequency_hz * times_s)
    # Without a fade every edge would click.
    edge = np.minimum(np.minimum(times_s, times_s[::-1]) / _FADE_S, 1.0)
    return np.asarray(PEAK / (1 + _SECOND_HARMONIC) * wave * edge, dtype=np.float64)
