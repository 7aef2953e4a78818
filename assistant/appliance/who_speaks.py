"""Which sound a speaker is judged by, and how strictly: the wake phrase, the question, or both together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.audio import AudioClip
from voice.clip_quality import measure_clip
from voice.errors import EnrolmentRefused
from voice.heard import Wake
from voice.listening import Understood
from voice.voiceprint import Level

SHORT_FOLLOW_UP_S = 1.0
"""A follow-up with less speech, such as 确认, cannot be judged more strictly than a greeting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerSound:
    """What a speaker is judged by.

    Args:
        audio: The sound.
        level: How strictly.
        speech_s: How much of it is voice, in seconds.
    """

    audio: AudioClip
    level: Level
    speech_s: float


class WhoSpeaks:
    """Keeps the wake phrase until the question comes, for both count together."""

    def __init__(self) -> None:
        self._wake: Wake | None = None

    def called(self, wake: Wake) -> None:
        """Note that it was called."""
        self._wake = wake

    def greeting(self) -> SpeakerSound | None:
        """Return the sound of the wake phrase alone; None when it was not called."""
        wake, self._wake = self._wake, None
        return None if wake is None else _sound(wake.audio, Level.GREETING)

    def sentence(self, heard: Understood) -> SpeakerSound:
        """Return the sound of a sentence, with the wake phrase before it."""
        wake, self._wake = self._wake, None
        utterance = heard.utterance
        if wake is not None and utterance.after_wake and utterance.started_at_s >= wake.at_s:
            # They came apart; in one breath the phrase is in the utterance already.
            both = np.concatenate([wake.audio.samples, utterance.audio.samples])
            return _sound(AudioClip(samples=both), Level.QUESTION)
        short = not utterance.after_wake and utterance.speech_s < SHORT_FOLLOW_UP_S
        return _sound(utterance.audio, Level.GREETING if short else Level.QUESTION)


def _sound(audio: AudioClip, level: Level) -> SpeakerSound:
    try:
        speech_s = measure_clip(audio.as_float, rate_hz=audio.rate_hz).speech_s
    except EnrolmentRefused:  # no voice stands out of it
        speech_s = 0.0
    return SpeakerSound(audio=audio, level=level, speech_s=speech_s)
