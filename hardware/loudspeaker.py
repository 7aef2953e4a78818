"""Where sound goes (port), and what became of each piece of it."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import Protocol

from hardware.audio import AudioClip
from hardware.microphone import DeviceState


class PlaybackState(StrEnum):
    """What became of a piece of sound."""

    WAITING = "waiting"
    PLAYING = "playing"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    """The device was lost before it was heard to its end."""


class Playback:
    """One piece of sound on its way out. Its loudspeaker moves it on; everybody else looks.

    Args:
        clip: The sound.
        text: What is said in it, so that the ear does not answer to it; empty for tones.
    """

    def __init__(self, clip: AudioClip, text: str = "") -> None:
        self.clip = clip
        self.text = text
        self.played_s = 0.0
        self.state = PlaybackState.WAITING
        self._over = threading.Event()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is over, however it ended; return whether it is."""
        return self._over.wait(timeout_s)

    @property
    def over(self) -> bool:
        """Whether nothing more of it will be heard."""
        return self._over.is_set()

    def advance(self, played_s: float) -> None:
        """Note that it has been heard for so long (for loudspeakers)."""
        self.played_s = played_s
        self.state = PlaybackState.PLAYING

    def end(self, state: PlaybackState) -> None:
        """Note how it ended (for loudspeakers); the first end counts."""
        if not self._over.is_set():
            self.state = state
            self._over.set()


class Loudspeaker(Protocol):
    """Plays one piece after the other."""

    def play(self, clip: AudioClip, text: str = "") -> Playback:
        """Queue a piece of sound behind what is waiting, and return at once.

        Args:
            clip: The sound, at any rate.
            text: What is said in it.

        Raises:
            HardwareError: it cannot be opened.
        """
        ...

    def stop(self) -> None:
        """Silence it (what the device holds back, some 50 ms, is still heard) and forget what is waiting."""
        ...

    @property
    def playing(self) -> Playback | None:
        """What is to be heard right now, if anything."""
        ...

    @property
    def state(self) -> DeviceState:
        """How it fares."""
        ...

    def close(self) -> None:
        """Stop and let the device go; may be called twice."""
        ...
