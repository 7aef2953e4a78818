"""Lamp and buttons: simulated ones and gpiozero's on its imitated pins keep the same contract."""

from __future__ import annotations

import gpiozero  # type: ignore[import-untyped]
import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin  # type: ignore[import-untyped]

from hardware.button import SimulatedButton
from hardware.button_gpiozero import GpiozeroButton
from hardware.errors import PinsUnavailable
from hardware.lamp import PATTERNS, LampState, Rhythm, SimulatedLamp
from hardware.lamp_gpiozero import GpiozeroLamp

RED, GREEN, BLUE, TALK = 17, 27, 22, 5


@pytest.fixture
def pins(monkeypatch):
    factory = MockFactory(pin_class=MockPWMPin)
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    yield factory
    factory.close()


@pytest.fixture(params=["simulated", "gpiozero"])
def lamp(request, pins):
    lamp = (
        SimulatedLamp()
        if request.param == "simulated"
        else GpiozeroLamp(red_pin=RED, green_pin=GREEN, blue_pin=BLUE)
    )
    yield lamp
    lamp.close()


@pytest.fixture(params=["simulated", "gpiozero"])
def button_and_press(request, pins):
    if request.param == "simulated":
        button = SimulatedButton()
        yield button, button.press
        return
    real = GpiozeroButton(TALK)
    pin = pins.pin(TALK)

    def press() -> None:
        pin.drive_low()
        pin.drive_high()

    yield real, press
    real.close()


def test_a_lamp_is_dark_at_first_and_shows_every_state(lamp):
    assert lamp.state is LampState.IDLE
    for state in LampState:
        lamp.show(state)
        assert lamp.state is state


def test_a_closed_lamp_shows_nothing_and_stays_closed(lamp):
    lamp.show(LampState.FAULT)
    lamp.close()
    lamp.close()
    lamp.show(LampState.IDLE)
    assert lamp.state is None


def test_the_led_has_the_colour_of_the_state(pins):
    lamp = GpiozeroLamp(red_pin=RED, green_pin=GREEN, blue_pin=BLUE)
    lamp.show(LampState.WOKEN)
    assert [pins.pin(number).state for number in (RED, GREEN, BLUE)] == [0, 1, 1]
    lamp.show(LampState.MUTED)
    assert [round(pins.pin(number).state, 1) for number in (RED, GREEN, BLUE)] == [0.3, 0, 0]
    lamp.close()


def test_a_rhythm_runs_and_ends_with_its_state(pins):
    lamp = GpiozeroLamp(red_pin=RED, green_pin=GREEN, blue_pin=BLUE)
    lamp.show(LampState.THINKING)
    lamp.show(LampState.LISTENING)
    lamp.show(LampState.IDLE)
    assert [pins.pin(number).state for number in (RED, GREEN, BLUE)] == [0, 0, 0]
    lamp.close()


def test_pins_that_are_taken_are_a_precise_error(pins):
    first = GpiozeroLamp(red_pin=RED, green_pin=GREEN, blue_pin=BLUE)
    with pytest.raises(PinsUnavailable):
        GpiozeroLamp(red_pin=RED, green_pin=6, blue_pin=7)
    with pytest.raises(PinsUnavailable):
        GpiozeroButton(GREEN)
    first.close()


def test_every_state_has_a_look_of_its_own():
    assert set(PATTERNS) == set(LampState)
    assert len(set(PATTERNS.values())) == len(LampState)
    assert all((one.rhythm is Rhythm.STEADY) == (one.period_seconds == 0) for one in PATTERNS.values())


def test_a_press_is_told_once_to_whoever_asked_last(button_and_press):
    button, press = button_and_press
    earlier: list[int] = []
    told: list[int] = []
    button.when_pressed(lambda: earlier.append(1))
    button.when_pressed(lambda: told.append(1))
    press()
    assert (earlier, told) == ([], [1])


def test_a_closed_button_tells_nothing(button_and_press):
    button, press = button_and_press
    told: list[int] = []
    button.when_pressed(lambda: told.append(1))
    button.close()
    button.close()
    press()
    assert told == []
