"""A push button on a GPIO pin, through gpiozero."""

from __future__ import annotations

from collections.abc import Callable

import gpiozero  # type: ignore[import-untyped]

from hardware.errors import PinsUnavailable

_BOUNCE_S = 0.03


class GpiozeroButton:
    """A button between a pin and ground; satisfies `Button`.

    Args:
        pin: BCM number of the pin.

    Raises:
        PinsUnavailable: there is no such pin here, or others hold it.
    """

    def __init__(self, pin: int) -> None:
        try:
            self._button = gpiozero.Button(pin, bounce_time=_BOUNCE_S)
        except (gpiozero.GPIOZeroError, OSError) as error:
            raise PinsUnavailable(f"the button on {pin}: {error}") from error

    def when_pressed(self, act: Callable[[], None]) -> None:
        """Call `act` once for every press from now on."""
        if not self._button.closed:
            self._button.when_pressed = act

    def close(self) -> None:
        """Let go of the pin."""
        if not self._button.closed:
            self._button.when_pressed = None
            self._button.close()
