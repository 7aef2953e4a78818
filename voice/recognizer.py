"""From sound to words (port)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hardware.audio import Samples
from voice.heard import Hearing


class Recognizer(Protocol):
    """Understands one utterance at a time, fed while it is being said. Used from one thread."""

    def expect(self, names: Sequence[str]) -> None:
        """Prefer these names from the next utterance on: what the inventory calls its things.

        Args:
            names: As people say them; words the recogniser does not know are matched by sound.
        """
        ...

    def accept(self, samples: Samples) -> None:
        """Take the next piece of the utterance: 16 kHz, one channel.

        Raises:
            VoiceError: it cannot be decoded.
        """
        ...

    def partial(self) -> str:
        """Return what has been understood so far; later sound may change it."""
        ...

    def finish(self) -> Hearing:
        """Return the whole utterance in words and be ready for the next."""
        ...

    def reset(self) -> None:
        """Forget the utterance."""
        ...
