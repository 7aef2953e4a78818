"""Two spotters as one: the first listens for the wake phrase, the second for everything else."""

from __future__ import annotations

from hardware.audio import Samples
from voice.errors import WakePhraseError
from voice.wake import UNKNOWN, WakePhrase, WakeSpotter


class SpotterPair:
    """Whether it was called, the first decides; stop words and what was begun are told by the second.

    Both already listen for the same phrase. The second's hint of the phrase is passed on, because it comes
    early; its result is not.

    Args:
        caller: Knows the phrase well, and perhaps nothing else.
        others: Knows stop words and tells other words from them.
        phrase: What both listen for, Chinese characters only.
    """

    def __init__(self, *, caller: WakeSpotter, others: WakeSpotter, phrase: str) -> None:
        self._caller = caller
        self._others = others
        self._phrase = phrase

    def listen_for(self, phrase: str) -> WakePhrase:
        """Change the wake phrase from the next stretch on; return it as it is listened for.

        Raises:
            WakePhraseError: one of both cannot listen for it; the old one stays.
        """
        planned = self._caller.listen_for(phrase)
        try:
            self._others.listen_for(phrase)
        except WakePhraseError:
            self._caller.listen_for(self._phrase)
            raise
        self._phrase = planned.phrase
        return planned

    def accept(self, samples: Samples) -> None:
        """Take the next piece of sound.

        Raises:
            VoiceError: it cannot be decoded.
        """
        self._caller.accept(samples)
        self._others.accept(samples)

    def partial(self) -> str:
        """Return what it seems to be so far."""
        called = self._caller.partial()
        return called if self._phrase in called else self._others.partial()

    def finish(self) -> str:
        """Return what was said in this stretch."""
        called, other = self._caller.finish(), self._others.finish()
        return called if self._phrase in called else other.replace(self._phrase, UNKNOWN)

    def reset(self) -> None:
        """Forget what was said so far."""
        self._caller.reset()
        self._others.reset()
