"""How loud, how clipped, how dead the last moments of a sound were (pure)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.audio import FULL_SCALE, RATE_HZ, Samples

_CLIPPED = FULL_SCALE - 2
_SILENT_AFTER_S = 5.0
"""A live microphone always rustles in its last bit: zeros for so long mean a mute switch or no signal."""


@dataclass(frozen=True, slots=True)
class Level:
    """What the meter showed last.

    Args:
        level_db: Root mean square of the last second, dBFS.
        clipped_share: Share of the last second's samples at full scale, 0 to 1.
        silent: Nothing but zeros for five seconds.
    """

    level_db: float = -100.0
    clipped_share: float = 0.0
    silent: bool = False


class LevelMeter:
    """Measures second by second, as the samples come."""

    def __init__(self) -> None:
        self.level = Level()
        self._count = 0
        self._power = 0.0
        self._clipped = 0
        self._zeros_s = 0.0

    def add(self, samples: Samples) -> None:
        """Take the next samples at 16 kHz."""
        if not len(samples):
            return
        self._count += len(samples)
        self._power += float(np.sum(np.square(samples, dtype=np.float64)))
        self._clipped += int(np.count_nonzero((samples >= _CLIPPED) | (samples <= -_CLIPPED)))
        self._zeros_s = 0.0 if samples.any() else self._zeros_s + len(samples) / RATE_HZ
        if self._count >= RATE_HZ:
            self._close_second()

    def _close_second(self) -> None:
        power = self._power / self._count / FULL_SCALE**2
        self.level = Level(
            level_db=max(-100.0, 10.0 * float(np.log10(power))) if power > 0 else -100.0,
            clipped_share=self._clipped / self._count,
            silent=self._zeros_s >= _SILENT_AFTER_S,
        )
        self._count, self._power, self._clipped = 0, 0.0, 0
