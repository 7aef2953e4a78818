"""The port of a voice: one sentence becomes sound."""

from __future__ import annotations

from typing import Protocol

from hardware.audio import AudioClip

NORMAL_SPEED_PERCENT = 100
"""The speed a voice speaks at by itself."""


class Synthesizer(Protocol):
    """A voice. Calls block until the sentence is ready, may come from any thread, and take turns."""

    def synthesize(self, sentence: str, *, speed_percent: int = NORMAL_SPEED_PERCENT) -> AudioClip:
        """Return how a sentence sounds; without a sample when it holds nothing that can be spoken.

        Args:
            sentence: Chinese, with English words and letters in it.
            speed_percent: 100 is the voice's own speed, 200 twice as fast.

        Raises:
            SynthesisFailed: the voice cannot say it now; another sentence may go well.
            SynthesizerMissing: the voice is not installed.
        """
        ...

    def close(self) -> None:
        """Let go of whatever the voice holds; closing twice does nothing."""
        ...
