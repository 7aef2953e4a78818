"""Whether somebody speaks: the port of the detector, and a gate by loudness that spares it work (pure)."""

from __future__ import annotations

from typing import Protocol

from hardware.audio import Samples, level_db

BLOCK_SAMPLES = 512
"""What a detector looks at in one go: 32 ms at 16 kHz."""
BLOCK_S = BLOCK_SAMPLES / 16_000
_ABOVE_FLOOR_DB = 6.0
_LOWEST_FLOOR_DB = -70.0
_HIGHEST_FLOOR_DB = -30.0
"""In a room that loud the gate stays open: nobody could be heard over it otherwise."""
_FALLS_DB_PER_S = 60.0
_RISES_DB_PER_S = 2.0
_HOLDS_S = 0.5


class ActivityDetector(Protocol):
    """Tells voice from everything else."""

    def probability(self, block: Samples) -> float:
        """Return how likely a block of BLOCK_SAMPLES holds voice, 0 to 1; blocks follow one another."""
        ...

    def reset(self) -> None:
        """Forget the blocks before, as after a pause in the sound."""
        ...


class EnergyGate:
    """Open while a block is louder than the room: it follows the noise floor, down fast and up slowly."""

    def __init__(self) -> None:
        self.floor_db = -50.0
        self._open_for_s = 0.0

    def open(self, block: Samples) -> bool:
        """Take the next block; return whether it is worth a closer look."""
        level = level_db(block)
        step = -_FALLS_DB_PER_S if level < self.floor_db else _RISES_DB_PER_S
        moved = self.floor_db + step * BLOCK_S
        follows = max(level, moved) if step < 0 else min(level, moved)
        self.floor_db = min(_HIGHEST_FLOOR_DB, max(_LOWEST_FLOOR_DB, follows))
        if level > self.floor_db + _ABOVE_FLOOR_DB:
            self._open_for_s = _HOLDS_S
        else:
            self._open_for_s = max(0.0, self._open_for_s - BLOCK_S)
        return self._open_for_s > 0


class VoiceActivity:
    """Voice or not, block by block: the gate first, the detector only behind it.

    Args:
        detector: Tells voice from noise.
        least_probability: What is as likely as this to be voice counts as voice. A lower border for its
            end would find the last word's end 40 ms later in noise, and find no fewer pauses within words.
    """

    def __init__(self, detector: ActivityDetector, *, least_probability: float = 0.5) -> None:
        self._detector = detector
        self._least = least_probability
        self._gate = EnergyGate()
        self._gate_open = False

    def voice(self, block: Samples) -> bool:
        """Take the next block; return whether it holds voice."""
        if not self._gate.open(block):
            if self._gate_open:
                self._detector.reset()
            self._gate_open = False
            return False
        self._gate_open = True
        return self._detector.probability(block) >= self._least

    @property
    def noise_floor_db(self) -> float:
        """How loud the room is when nobody speaks, dBFS."""
        return self._gate.floor_db
