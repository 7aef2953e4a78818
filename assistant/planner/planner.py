"""One sentence to a plan: the entrance of the planner."""

from __future__ import annotations

from datetime import datetime

from assistant.planner.inventory import Inventory
from assistant.planner.plan import NoPlan, Outcome, TurnContext


class Planner:
    """Understands Mandarin ops language; pure but for caches of names. Lexicon and tools are read once."""

    def plan(
        self, say: str, *, inventory: Inventory, now: datetime, context: TurnContext | None = None
    ) -> Outcome:
        """Return what a sentence asks for.

        Args:
            say: The sentence, as typed or as a recognizer wrote it.
            inventory: What can be named.
            now: The present, timezone-aware; days begin in its zone.
            context: What the turn before left behind.
        """
        return NoPlan(spoken="这句我没听懂。", reason="not_understood")
