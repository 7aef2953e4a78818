"""Whether somebody speaks: the port of the detector, and a gate by loudness that spares it work."""

from __future__ import annotations

from typing import Protocol

from hardware.audio import Samples

BLOCK_SAMPLES = 512
"""What a detector looks at in one go: 32 ms at 16 kHz."""
BLOCK_S = BLOCK_SAMPLES / 16_000


class ActivityDetector(Protocol):
    """Tells voice from everything else."""

    def probability(self, block: Samples) -> float:
        """Return how likely a block of BLOCK_SAMPLES holds voice, 0 to 1; blocks follow one another."""
        ...

    def reset(self) -> None:
        """Forget the blocks before, as after a pause in the sound."""
        ...
