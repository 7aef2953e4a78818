"""What the appliance is doing, and what makes it do something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.appliance.phases import Phase, Signal, after, tone_of
from voice.tones import Tone


@pytest.mark.parametrize(
    ("signals", "phase"),
    [
        ([Signal.CALLED], Phase.WOKEN),
        ([Signal.CALLED, Signal.BEING_SPOKEN_TO], Phase.LISTENING),
        ([Signal.CALLED, Signal.UNDERSTOOD], Phase.THINKING),
        ([Signal.CALLED, Signal.UNDERSTOOD, Signal.ANSWERING], Phase.SPEAKING),
        ([Signal.CALLED, Signal.UNDERSTOOD, Signal.ANSWERING, Signal.SAID], Phase.LISTENING),
        ([Signal.CALLED, Signal.UNDERSTOOD, Signal.ASKING_BACK], Phase.CONFIRMING),
        ([Signal.CALLED, Signal.UNDERSTOOD, Signal.ASKING_BACK, Signal.NOTHING_SAID], Phase.IDLE),
        ([Signal.CALLED, Signal.ANSWERING, Signal.CALLED], Phase.WOKEN),
        ([Signal.CALLED, Signal.ANSWERING, Signal.STOPPED, Signal.NOTHING_SAID], Phase.IDLE),
        ([Signal.DEVICE_LOST, Signal.CALLED, Signal.DEVICE_BACK], Phase.IDLE),
    ],
)
def test_a_day_goes_from_phase_to_phase(signals: list[Signal], phase: Phase) -> None:
    now = Phase.IDLE
    for signal in signals:
        now = after(now, signal)
    assert now is phase


@given(
    st.sampled_from(Phase), st.lists(st.sampled_from([one for one in Signal if one is not Signal.UNMUTED]))
)
def test_once_muted_nothing_but_unmuting_wakes_it(phase: Phase, signals: list[Signal]) -> None:
    now = after(phase, Signal.MUTED)
    for signal in signals:
        now = after(now, signal)
    assert now is Phase.MUTED
    assert after(now, Signal.UNMUTED) is Phase.IDLE


@given(st.sampled_from(Phase))
def test_from_every_phase_it_comes_to_rest(phase: Phase) -> None:
    for signal in (Signal.UNMUTED, Signal.DEVICE_BACK, Signal.ANSWERING, Signal.SAID, Signal.NOTHING_SAID):
        phase = after(phase, signal)
    assert phase is Phase.IDLE


def test_a_tone_tells_of_a_change_only() -> None:
    assert tone_of(Phase.IDLE, Phase.WOKEN) is Tone.WOKEN
    assert tone_of(Phase.WOKEN, Phase.WOKEN) is None
    assert tone_of(Phase.SPEAKING, Phase.LISTENING) is None
