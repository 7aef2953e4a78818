"""What is put on record of talking with people: strangers in the audit, turns in the journal, answers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from assistant.conversation.answer import Answer, Heard, Step
from assistant.journal import Turn, TurnLatencies
from assistant.people import Person
from assistant.planner.plan import Arguments
from assistant.reports import KeptAnswer, LastAnswers
from mcp_tencent.gateway.audit_trail import AuditTrail, Entry
from mcp_tencent.gateway.call import CallerKind, Risk, canonical_json
from mcp_tencent.gateway.errors import StoreUnavailable
from mcp_tencent.gateway.redact import STRICT
from mcp_tencent.gateway.stores import in_store

STRANGER = "speaker_unknown"
"""The outcome that the audit names where somebody unknown spoke."""
_MOST_ROWS = 30
_log = logging.getLogger(__name__)


class HouseWitness:
    """Satisfies the conversation's `Witness`.

    Args:
        trail: The audit chain.
        answers: What people were told last.
        now: The device's time.
    """

    def __init__(self, trail: AuditTrail, answers: LastAnswers, now: Callable[[], datetime]) -> None:
        self._trail = trail
        self._answers = answers
        self._now = now

    async def stranger(self, heard: Heard, *, now: datetime) -> None:
        """Record that somebody unknown spoke and was refused; not what they said."""
        _log.warning("somebody who was not recognised spoke: %s", heard.speaker.why or "unknown voice")
        told: JsonValue = {"score": round(heard.speaker.score, 3), "why": heard.speaker.why}
        entry = Entry(
            at=self._now(),
            trace_id=uuid.uuid4().hex,
            person="",
            kind=CallerKind.PERSON.value,
            tool="conversation",
            risk=Risk.READ.value,
            arguments=canonical_json(told),
            outcome=STRANGER,
            origin=heard.device,
        )
        try:
            await in_store(lambda: self._trail.append(entry, anchored=True))
        except StoreUnavailable as error:  # they are refused all the same
            _log.error("a stranger is missing from the audit: %s", error)

    async def answered(self, person: Person, heard: Heard, steps: Sequence[Step], *, now: datetime) -> None:
        """Keep the last answer, so that it can be sent on."""
        spoken = "".join(step.spoken for step in steps)
        rows = tuple(row for step in steps for row in _rows(step.content))[:_MOST_ROWS]
        question = heard.hearing.text
        self._answers.keep(person.name, KeptAnswer(id=heard.id, question=question, spoken=spoken, rows=rows))


def turn_of(heard: Heard, answer: Answer, *, at: datetime, latencies: TurnLatencies) -> Turn:
    """Return a turn as the journal keeps it: arguments masked, and no words of a stranger."""
    plan: JsonValue = [
        {"tool": call.tool, "arguments": STRICT.value(_json(call.arguments))} for call in answer.planned
    ]
    return Turn(
        id=heard.id,
        started_at=at,
        person_id=answer.person.id if answer.person else None,
        heard=heard.hearing.text if answer.person else "",
        plan_json=canonical_json(plan),
        spoken=answer.spoken,
        outcome=answer.outcome.value,
        latencies=latencies,
    )


def _json(arguments: Arguments) -> JsonValue:
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in arguments.items()}


def _rows(content: Mapping[str, JsonValue]) -> Iterator[str]:
    """Write the rows of an answer's lists as lines of text."""
    for value in content.values():
        if not isinstance(value, list):
            continue
        for row in value:
            if isinstance(row, Mapping):
                cells = (f"{name}: {cell}" for name, cell in row.items() if _is_plain(cell))
                yield "，".join(cells)


def _is_plain(cell: JsonValue) -> bool:
    return isinstance(cell, str | int | float) and cell != ""
