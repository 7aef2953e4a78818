"""A turn of which only the plan is wanted: who speaks is told, nothing is carried out, nothing is kept."""

from __future__ import annotations

import time
from typing import Protocol

from assistant.conversation.answer import Answer, Heard, TurnOutcome
from assistant.planner.context import after_call
from assistant.planner.plan import Clarification, Outcome, Plan, TurnContext


class Understanding(Protocol):
    """Understands sentences."""

    async def plan(self, say: str, context: TurnContext | None = None) -> Outcome:
        """Return what a sentence would lead to."""
        ...


class PlanningOnly:
    """Answers with plans; what was planned is remembered as if it had been done.

    Args:
        understanding: Understands sentences.
    """

    def __init__(self, understanding: Understanding) -> None:
        self._understanding = understanding
        self._context = TurnContext()

    async def answer(self, heard: Heard) -> Answer:
        """Return what a sentence would lead to."""
        say = heard.hearing.text
        if not say:
            return Answer(outcome=TurnOutcome.GREETED)
        began = time.perf_counter()
        outcome = await self._understanding.plan(say, self._context)
        planning_ms = round((time.perf_counter() - began) * 1000)
        if isinstance(outcome, Plan):
            for call in outcome.calls:
                self._context = after_call(self._context, call)
            return Answer(outcome=TurnOutcome.ANSWERED, planned=outcome.calls, planning_ms=planning_ms)
        asked = isinstance(outcome, Clarification)
        return Answer(
            outcome=TurnOutcome.ASKED_BACK if asked else TurnOutcome.NOT_UNDERSTOOD,
            parts=(outcome.spoken,),
            planning_ms=planning_ms,
        )
