"""Whether it was called: what the spotter heard against the wake phrase (pure), and the spotter's port."""

from __future__ import annotations

from typing import Protocol

from hardware.audio import Samples


class WakeSpotter(Protocol):
    """Listens for the wake phrase among everything else that is said. Used from one thread."""

    def accept(self, samples: Samples) -> str | None:
        """Take the next piece of sound, 16 kHz; return what was said when a stretch of speech is over.

        Returns:
            The words of a finished stretch, without spaces, unknown ones as “?”; None while it goes on.
        """
        ...

    def finish(self) -> str:
        """Return what was said since the last result, and be ready for the next stretch."""
        ...

    def listen_for(self, phrase: str) -> None:
        """Change the wake phrase from now on.

        Raises:
            WakePhraseError: it cannot be called by that.
        """
        ...

    def reset(self) -> None:
        """Forget what was said so far."""
        ...
