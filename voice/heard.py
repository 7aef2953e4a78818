"""What was heard: facts, each from one stage of the ear."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hardware.audio import AudioClip


class UtteranceEnd(StrEnum):
    """Why an utterance was taken to be over."""

    PAUSE = "pause"
    TOO_LONG = "too_long"
    SOURCE_ENDED = "source_ended"
    """A recording ended, or the microphone was closed."""
    MUTED = "muted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What somebody said in one go, as sound at 16 kHz.

    Args:
        audio: From a little before the first word to the end of the pause behind the last.
        started_at_s: When the audio begins, on the microphone's clock.
        speech_s: How much of it is voice.
        ended_by: Why it was taken to be over.
        after_wake: It followed the wake phrase; else it came in the time for follow-up questions.
    """

    audio: AudioClip
    started_at_s: float
    speech_s: float
    ended_by: UtteranceEnd = UtteranceEnd.PAUSE
    after_wake: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """It was called.

    Args:
        phrase: The wake phrase.
        at_s: When the phrase was over, on the microphone's clock.
        likeness: How near what was heard came to the phrase by sound, 0 to 1.
        audio: The phrase as it was said, for the voiceprint.
    """

    phrase: str
    at_s: float
    likeness: float
    audio: AudioClip


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another reading of the same sound.

    Args:
        text: Without spaces between Chinese words.
        confidence: 0 to 1; all readings of an utterance add up to 1.
    """

    text: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """An utterance in words.

    Args:
        text: The best reading, without the wake phrase; empty when there was nothing to understand.
        confidence: 0 to 1.
        alternatives: Other readings, best first.
    """

    text: str
    confidence: float = 0.0
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerMatch:
    """Whose voice it is.

    Args:
        person: The nearest enrolled person, or None when nobody is enrolled or nobody is near.
        score: Likeness to that person, -1 to 1 (cosine).
        threshold: What that person's score must reach.
        runner_up: Score of the second nearest, or None when there is only one.
        accepted: The voice is taken to be that person's. Everything else means: a stranger.
        why: Why not, in English, for the log; empty when accepted.
    """

    person: str | None
    score: float
    threshold: float
    accepted: bool
    runner_up: float | None = None
    why: str = ""

    @classmethod
    def stranger(cls, why: str) -> SpeakerMatch:
        """Return what is said of a voice that cannot be judged: it is nobody's."""
        return cls(person=None, score=0.0, threshold=1.0, accepted=False, why=why)
