"""What is held in mind between two turns of one person (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from assistant.conversation.answer import Answer, Step
from assistant.conversation.greeting import SpokenDigest
from assistant.planner.plan import Clarification, PlannedCall, TurnContext
from mcp_tencent.serving.envelope import Question
from voice.challenge import Challenge

PATIENCE = timedelta(seconds=45)
"""For how long a question back waits; then it is as if it had been answered with no."""
REMEMBERED_FOR = timedelta(minutes=5)
"""For how long “它” still means what was spoken of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAct:
    """A dangerous act that waits for its yes, and what was to follow it."""

    call: PlannedCall
    key: str
    question: Question
    rest: tuple[PlannedCall, ...]
    before: tuple[Step, ...]
    speech_s: float
    challenge: Challenge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChoice:
    """A question back that waits for its answer."""

    clarification: Clarification


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAddress:
    """A spoken address that was spelled and waits to be called right, and what was to follow it."""

    call: PlannedCall
    rest: tuple[PlannedCall, ...]
    before: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """All of it: what was said, what is waited for, what was spoken of."""

    person_id: str
    at: datetime
    say: str = ""
    context: TurnContext = field(default_factory=TurnContext)
    pending: PendingAct | PendingAddress | PendingChoice | None = None
    digest: SpokenDigest | None = None
    last: Answer | None = None
