"""Where sound comes from (port)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hardware.audio import AudioChunk


class DeviceState(StrEnum):
    """How a sound device fares; the lamp shows it."""

    CLOSED = "closed"
    OPEN = "open"
    LOST = "lost"
    """It has gone silent or was unplugged; it is being opened again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MicrophoneHealth:
    """What is known of a microphone since it was opened.

    Args:
        state: How it fares.
        overruns: Pieces of sound that were dropped because nobody fetched them in time.
        device_flags: Callbacks in which the device itself reported lost samples.
        reopened: How often it was opened again.
        level_db: Loudness of the last second, dBFS.
        clipped_share: Share of the last second's samples at full scale, 0 to 1: the gain is too high.
        silent: The last seconds were digital silence: it is muted or broken.
    """

    state: DeviceState
    overruns: int = 0
    device_flags: int = 0
    reopened: int = 0
    level_db: float = -100.0
    clipped_share: float = 0.0
    silent: bool = False


class Microphone(Protocol):
    """A source of sound at 16 kHz, one channel."""

    def chunks(self) -> Iterator[AudioChunk]:
        """Open it and yield what it hears, until it is closed or a recording ends.

        Raises:
            HardwareError: it cannot be opened. Once open, a lost device is opened again instead.
        """
        ...

    @property
    def health(self) -> MicrophoneHealth:
        """How it fares; may be asked from any thread."""
        ...

    def close(self) -> None:
        """End `chunks`; may be called from any thread, and twice."""
        ...
