"""What the lamp shows: one state, as a colour and a rhythm that can be told apart across a room.

Colour alone is never the message (one man in twelve does not see it well): states that matter differ in
rhythm as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class LampState(StrEnum):
    """What 小智 is doing, as far as somebody in the room needs to know."""

    IDLE = "idle"
    WOKEN = "woken"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    CONFIRMING = "confirming"
    MUTED = "muted"
    FAULT = "fault"


class Rhythm(StrEnum):
    """How the light changes in time."""

    STEADY = "steady"
    BLINK = "blink"
    PULSE = "pulse"


@dataclass(frozen=True, slots=True, kw_only=True)
class LampPattern:
    """One look of the lamp.

    Attributes:
        red: brightness of the red light, 0 to 1.
        green: brightness of the green light, 0 to 1.
        blue: brightness of the blue light, 0 to 1.
        rhythm: steady, on and off, or swelling and fading.
        period_seconds: length of one blink or pulse; 0 when steady.
    """

    red: float
    green: float
    blue: float
    rhythm: Rhythm = Rhythm.STEADY
    period_seconds: float = 0.0


PATTERNS: dict[LampState, LampPattern] = {
    LampState.IDLE: LampPattern(red=0, green=0, blue=0),
    LampState.WOKEN: LampPattern(red=0, green=1, blue=1),
    LampState.LISTENING: LampPattern(red=0, green=0, blue=1, rhythm=Rhythm.PULSE, period_seconds=1.6),
    LampState.THINKING: LampPattern(red=0, green=0, blue=1, rhythm=Rhythm.BLINK, period_seconds=0.4),
    LampState.SPEAKING: LampPattern(red=0, green=1, blue=0, rhythm=Rhythm.PULSE, period_seconds=1.0),
    LampState.CONFIRMING: LampPattern(red=1, green=0.5, blue=0, rhythm=Rhythm.BLINK, period_seconds=0.8),
    LampState.MUTED: LampPattern(red=0.3, green=0, blue=0),
    LampState.FAULT: LampPattern(red=1, green=0, blue=0, rhythm=Rhythm.BLINK, period_seconds=2.0),
}
"""The look of every state."""


class Lamp(Protocol):
    """A light. No call blocks."""

    @property
    def state(self) -> LampState | None:
        """What is shown; None once it is closed."""
        ...

    def show(self, state: LampState) -> None:
        """Show a state until another is shown; showing the same again does not disturb its rhythm.

        Raises:
            LampError: the lamp cannot be switched.
        """
        ...

    def close(self) -> None:
        """Switch the light off and let go of it; closing twice does nothing."""
        ...


class SimulatedLamp:
    """Keeps what it was told to show; for machines without a lamp, and for tests. Satisfies `Lamp`.

    Attributes:
        shown: every change of state since the start, oldest first; the last 1,000.
    """

    def __init__(self) -> None:
        self.shown: list[LampState] = []
        self._state: LampState | None = LampState.IDLE

    @property
    def state(self) -> LampState | None:
        """What is shown; None once it is closed."""
        return self._state

    def show(self, state: LampState) -> None:
        """Remember the state."""
        if self._state is None or state is self._state:
            return
        self._state = state
        self.shown = [*self.shown[-999:], state]

    def close(self) -> None:
        """Show nothing any more."""
        self._state = None
