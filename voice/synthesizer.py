"""The port of a voice: one sentence becomes sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """One spoken sentence.

    Attributes:
        text: what is said, as it was given.
        samples: 16 bit, mono; empty when the text holds nothing that can be spoken.
        rate_hz: samples in a second.
    """

    text: str
    samples: NDArray[np.int16]
    rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it takes to say."""
        return len(self.samples) / self.rate_hz


class Synthesizer(Protocol):
    """A voice. Calls block until the sentence is ready, and may come from any thread."""

    def synthesize(self, sentence: str, *, speed_percent: int = 100) -> Speech:
        """Say one sentence; `speed_percent` 100 is the voice's normal speed.

        Raises:
            SynthesisFailed: the voice cannot say it now; another sentence may go well.
            SynthesizerMissing: the voice is not installed.
        """
        ...

    def close(self) -> None:
        """Let go of whatever the voice holds; closing twice does nothing."""
        ...
