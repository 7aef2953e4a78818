"""What comes into a turn and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isinf

from pydantic import JsonValue

from assistant.conversation.greeting import SpokenDigest
from assistant.conversation.words import Steering
from assistant.people import Person
from assistant.planner.plan import PlannedCall
from scheduler.digest_claims import DigestClaim
from voice.heard import Hearing, SpeakerMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One sentence of somebody, spoken or typed.

    Args:
        id: Names the turn; acts of a turn that comes twice are done once.
        hearing: What was said; no text at all is a greeting.
        speaker: Whose voice it was, decided on as much sound as what they want calls for.
        speech_s: How much of their voice that was, in seconds; without end for who typed at the device.
        device: Where it was heard, for the audit.
    """

    id: str
    hearing: Hearing
    speaker: SpeakerMatch
    speech_s: float
    device: str = "device"

    @property
    def typed(self) -> bool:
        """Whether it was typed, so that every letter is as it was meant."""
        return isinf(self.speech_s)


class TurnOutcome(StrEnum):
    """How a turn ended."""

    GREETED = "greeted"
    DIGEST = "digest"
    ANSWERED = "answered"
    """Every tool did what it was asked."""
    ASKED_BACK = "asked_back"
    """It waits for a yes, for digits, or for a choice."""
    CANCELLED = "cancelled"
    """Something was waiting for a yes and did not get it: nothing was done."""
    STEERED = "steered"
    NOT_UNDERSTOOD = "not_understood"
    UNABLE = "unable"
    """Understood, but no tool of this installation does it."""
    REFUSED = "refused"
    """The speaker is not known, or may not."""
    FAILED = "failed"


class Awaiting(StrEnum):
    """What the next sentence is expected to be."""

    NOTHING = "nothing"
    CONFIRMATION = "confirmation"
    DIGITS = "digits"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of a turn and what came of it.

    Args:
        call: What was called.
        spoken: What the tool said.
        done: Whether it did what it was asked.
        error: The code of its failure, empty when it did.
        content: Its structured answer, for the console and the long form.
    """

    call: PlannedCall
    spoken: str
    done: bool
    error: str = ""
    content: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a turn comes to.

    Args:
        outcome: How it ended.
        parts: What is said, paragraph by paragraph, in written Chinese.
        person: Who spoke, when they are known.
        steps: The calls that were made, in order.
        planned: The calls that were planned, made or not.
        awaiting: What the next sentence is expected to be.
        steering: What the mouth is to do, instead of speaking `parts`.
        digest: The digest of which `parts` are made.
        claim: To which whoever speaks the digest reports.
        planning_ms: What understanding took, in milliseconds.
        tools_ms: What the tools took, in milliseconds.
    """

    outcome: TurnOutcome
    parts: tuple[str, ...] = ()
    person: Person | None = None
    steps: tuple[Step, ...] = ()
    planned: tuple[PlannedCall, ...] = ()
    awaiting: Awaiting = Awaiting.NOTHING
    steering: Steering | None = None
    digest: SpokenDigest | None = None
    claim: DigestClaim | None = None
    planning_ms: int = 0
    tools_ms: int = 0

    @property
    def spoken(self) -> str:
        """All that is said, as one text."""
        return "".join(self.parts)
