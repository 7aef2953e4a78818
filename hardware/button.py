"""A button on the device: one to talk without the wake phrase, one that mutes the microphone."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol


class ButtonUse(StrEnum):
    """What a press means."""

    TALK = "talk"
    MUTE = "mute"


class Button(Protocol):
    """Something that can be pressed."""

    def when_pressed(self, act: Callable[[], None]) -> None:
        """Call `act` once for every press from now on, from a thread of the button's own.

        The act must return at once; whoever called before is called no more.
        """
        ...

    def close(self) -> None:
        """Let go of the button: no press is reported any more; closing twice does nothing."""
        ...


class SimulatedButton:
    """A button that is pressed by `press`; satisfies `Button`."""

    def __init__(self) -> None:
        self._act: Callable[[], None] | None = None

    def when_pressed(self, act: Callable[[], None]) -> None:
        """Call `act` at every press."""
        self._act = act

    def press(self) -> None:
        """Press and release."""
        if self._act is not None:
            self._act()

    def close(self) -> None:
        """Report no press any more."""
        self._act = None
