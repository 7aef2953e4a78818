"""A three-coloured LED on GPIO pins, through gpiozero."""

from __future__ import annotations

import gpiozero  # type: ignore[import-untyped]

from hardware.errors import PinsUnavailable
from hardware.lamp import PATTERNS, LampPattern, LampState, Rhythm


class GpiozeroLamp:
    """Shows states on an RGB LED; satisfies `Lamp`.

    Args:
        red_pin: BCM number of the pin of the red light.
        green_pin: Of the green light.
        blue_pin: Of the blue light.
        active_high: False for LEDs with a common anode.

    Raises:
        PinsUnavailable: there are no such pins here, or others hold them.
    """

    def __init__(self, *, red_pin: int, green_pin: int, blue_pin: int, active_high: bool = True) -> None:
        self._state: LampState | None = LampState.IDLE
        try:
            self._led = gpiozero.RGBLED(red_pin, green_pin, blue_pin, active_high=active_high)
        except (gpiozero.GPIOZeroError, OSError) as error:
            raise PinsUnavailable(f"the lamp on {red_pin}, {green_pin}, {blue_pin}: {error}") from error

    @property
    def state(self) -> LampState | None:
        """What is shown; None once it is closed."""
        return self._state

    def show(self, state: LampState) -> None:
        """Show a state until another is shown.

        Raises:
            PinsUnavailable: the lamp cannot be switched.
        """
        if self._state is None or state is self._state:
            return
        try:
            self._shine(PATTERNS[state])
        except (gpiozero.GPIOZeroError, OSError) as error:
            raise PinsUnavailable(f"the lamp cannot be switched: {error}") from error
        self._state = state

    def close(self) -> None:
        """Switch the light off and let go of the pins."""
        if self._state is not None:
            self._state = None
            self._led.close()

    def _shine(self, pattern: LampPattern) -> None:
        colour = (pattern.red, pattern.green, pattern.blue)
        half_s = pattern.period_seconds / 2
        if pattern.rhythm is Rhythm.STEADY:
            self._led.color = colour
        elif pattern.rhythm is Rhythm.BLINK:
            self._led.blink(on_time=half_s, off_time=half_s, on_color=colour)
        else:
            self._led.pulse(fade_in_time=half_s, fade_out_time=half_s, on_color=colour)
