"""What the appliance is doing, and what makes it do something else. Pure; lamp and tones follow."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from hardware.lamp import LampState
from voice.tones import Tone


class Signal(StrEnum):
    """Something that happened."""

    CALLED = "called"
    """The wake phrase."""
    BEING_SPOKEN_TO = "being_spoken_to"
    UNDERSTOOD = "understood"
    """Somebody has finished a sentence."""
    ANSWERING = "answering"
    ASKING_BACK = "asking_back"
    """It speaks, and wants an answer: a yes, digits, a choice."""
    SAID = "said"
    """It has finished speaking."""
    NOTHING_SAID = "nothing_said"
    STOPPED = "stopped"
    """The listener wants silence."""
    MUTED = "muted"
    UNMUTED = "unmuted"
    DEVICE_LOST = "device_lost"
    DEVICE_BACK = "device_back"


Phase = LampState
"""One phase, one look of the lamp."""

_MOVES: Mapping[Signal, Mapping[Phase, Phase]] = {
    Signal.CALLED: dict.fromkeys(
        (Phase.IDLE, Phase.LISTENING, Phase.SPEAKING, Phase.CONFIRMING), Phase.WOKEN
    ),
    Signal.BEING_SPOKEN_TO: dict.fromkeys((Phase.IDLE, Phase.WOKEN), Phase.LISTENING),
    Signal.UNDERSTOOD: dict.fromkeys(
        (Phase.IDLE, Phase.WOKEN, Phase.LISTENING, Phase.CONFIRMING), Phase.THINKING
    ),
    Signal.ANSWERING: dict.fromkeys(
        (Phase.IDLE, Phase.WOKEN, Phase.THINKING, Phase.LISTENING), Phase.SPEAKING
    ),
    Signal.ASKING_BACK: dict.fromkeys((Phase.THINKING, Phase.SPEAKING), Phase.CONFIRMING),
    Signal.SAID: {Phase.SPEAKING: Phase.LISTENING, Phase.WOKEN: Phase.LISTENING},
    Signal.NOTHING_SAID: dict.fromkeys((Phase.WOKEN, Phase.LISTENING, Phase.CONFIRMING), Phase.IDLE),
    Signal.STOPPED: dict.fromkeys((Phase.SPEAKING, Phase.CONFIRMING), Phase.LISTENING),
    Signal.MUTED: dict.fromkeys(Phase, Phase.MUTED),
    Signal.UNMUTED: {Phase.MUTED: Phase.IDLE},
    Signal.DEVICE_LOST: dict.fromkeys(set(Phase) - {Phase.MUTED}, Phase.FAULT),
    Signal.DEVICE_BACK: {Phase.FAULT: Phase.IDLE},
}
_TONES: Mapping[Phase, Tone] = {
    Phase.WOKEN: Tone.WOKEN,
    Phase.MUTED: Tone.MUTED,
    Phase.CONFIRMING: Tone.CONFIRMING,
}


def after(phase: Phase, signal: Signal) -> Phase:
    """Return the phase that follows; the same where the signal means nothing."""
    return _MOVES[signal].get(phase, phase)


def tone_of(before: Phase, now: Phase) -> Tone | None:
    """Return the tone that tells of a change, if it has one."""
    return _TONES.get(now) if now is not before else None
