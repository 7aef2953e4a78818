"""Sound as numbers: what a microphone hears and a loudspeaker plays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
"""The rate that everything behind the microphone works at."""
FULL_SCALE = 32_768
Samples: TypeAlias = NDArray[np.int16]


@dataclass(frozen=True, kw_only=True, eq=False)
class AudioClip:
    """A piece of sound, one channel.

    Args:
        samples: 16 bit, one after another.
        rate_hz: How many of them a second.
    """

    samples: Samples
    rate_hz: int = RATE_HZ

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate_hz

    @cached_property
    def as_float(self) -> NDArray[np.float32]:
        """The samples between -1 and 1."""
        return self.samples.astype(np.float32) / np.float32(FULL_SCALE)

    @cached_property
    def level_db(self) -> float:
        """Root mean square against full scale (dBFS): 0 at the loudest, -100 for silence."""
        return level_db(self.samples)


@dataclass(frozen=True, kw_only=True, eq=False)
class AudioChunk(AudioClip):
    """The next piece of sound from a microphone.

    Args:
        captured_at_s: When its first sample was heard, in seconds of the microphone's own clock:
            monotonic for a device, the position in the file for a recording.
    """

    captured_at_s: float


def level_db(samples: Samples) -> float:
    """Return the root mean square of samples in dBFS, not below -100."""
    if not len(samples):
        return -100.0
    wide = samples.astype(np.float64)
    power = float(np.dot(wide, wide)) / len(wide) / FULL_SCALE**2
    return max(-100.0, 10.0 * float(np.log10(power))) if power > 0 else -100.0


def from_float(samples: NDArray[np.floating]) -> Samples:
    """Return samples between -1 and 1 as 16 bit: louder ones are clipped, NaN and infinity are silence.

    Args:
        samples: One channel.
    """
    finite = np.where(np.isfinite(samples), samples, 0.0)
    clipped = np.clip(np.rint(finite * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    return np.asarray(clipped, dtype=np.int16)
