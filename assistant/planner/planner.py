"""One sentence to a plan, top to bottom: read, cut into requests, choose a tool for each, check, answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from assistant.planner import asking, checks
from assistant.planner.choosing import ENOUGH, Candidate, candidates
from assistant.planner.context import corrected, followed_up
from assistant.planner.corrections import repaired
from assistant.planner.heard import LONGEST_SENTENCE, sentence_of
from assistant.planner.inventory import Inventory
from assistant.planner.lexicon import Lexicon, load_lexicon
from assistant.planner.names import NameIndex
from assistant.planner.plan import Explanation, NoPlan, Outcome, Plan, PlannedCall, TurnContext
from assistant.planner.reading import Piece, Reading, read
from assistant.planner.reasons import without_asides, without_reasons, without_refusals
from assistant.planner.rehearsing import rehearsed
from assistant.planner.requests import Request, requests_in
from assistant.planner.several import for_each_name

_NOT_UNDERSTOOD = "这句我没听懂，换个说法好吗？"
_MOST_SLIPS = 2
_TOO_LONG = NoPlan(spoken="这句太长了，请一件一件说。", reason="not_understood")


@dataclass(frozen=True, slots=True)
class _Known:
    inventory: Inventory
    names: NameIndex


class Planner:
    """Understands Mandarin ops language; pure but for the index of the last inventory's names.

    Args:
        lexicon: Words and tools; those that are shipped when left out.
    """

    def __init__(self, lexicon: Lexicon | None = None) -> None:
        self._lexicon = lexicon or load_lexicon()
        self._known: _Known | None = None

    def plan(
        self, say: str, *, inventory: Inventory, now: datetime, context: TurnContext | None = None
    ) -> Outcome:
        """Return what a sentence asks for.

        Args:
            say: The sentence, as typed or as a recognizer wrote it.
            inventory: What can be named; the same object again costs no new index.
            now: The present, timezone-aware; days begin in its zone.
            context: What the turn before left behind.
        """
        if len(say.strip()) > LONGEST_SENTENCE:
            return _TOO_LONG
        if (act := rehearsed(say, inventory)) is not None:
            for said in (act, f"执行{act}"):  # 演练一下夜间任务: the rehearsal is the act
                outcome = self.plan(said, inventory=inventory, now=now, context=context)
                if isinstance(outcome, Plan) and any(self._changes(call) for call in outcome.calls):
                    return replace(outcome, calls=tuple(map(self._as_rehearsal, outcome.calls)))
        reading = self._read(say, inventory, now)
        explanations = _explained(reading)
        outcome = self._outcome(reading, inventory, context or TurnContext())
        return replace(outcome, explanations=explanations)

    def _read(self, say: str, inventory: Inventory, now: datetime) -> Reading:
        reading = read(say, lexicon=self._lexicon, names=self._names(inventory), now=now)
        for _ in range(_MOST_SLIPS):
            meant = repaired(reading)
            if meant is None:
                break
            reading = read(meant, lexicon=self._lexicon, names=self._names(inventory), now=now)
        return reading

    def warm(self, inventory: Inventory) -> None:
        """Prepare the index of an inventory's names, and all that the first sentence would wait for."""
        self._names(inventory)
        sentence_of("预热")

    def _changes(self, call: PlannedCall) -> bool:
        return self._lexicon.tools[call.tool].risk != "read"

    def _as_rehearsal(self, call: PlannedCall) -> PlannedCall:
        if not self._changes(call):
            return call
        return replace(call, arguments={**call.arguments, "dry_run": True})

    def _names(self, inventory: Inventory) -> NameIndex:
        if self._known is None or self._known.inventory is not inventory:
            self._known = _Known(inventory, NameIndex(inventory))
        return self._known.names

    def _outcome(self, reading: Reading, inventory: Inventory, context: TurnContext) -> Outcome:
        if no := checks.not_a_request(reading):
            return no
        if call := corrected(reading, lexicon=self._lexicon, inventory=inventory, context=context):
            return self._checked_again(reading, call, inventory)
        if call := followed_up(reading, lexicon=self._lexicon, inventory=inventory, context=context):
            return self._checked_again(reading, call, inventory)
        return self._planned(reading, inventory, context)

    def _checked_again(self, reading: Reading, call: PlannedCall, inventory: Inventory) -> Outcome:
        tool = self._lexicon.tools[call.tool]
        if trouble := asking.names_trouble(tool, reading, call, strict=tool.risk == "danger"):
            return trouble
        return Plan(calls=(call,), confidence=0.9)

    def _planned(self, reading: Reading, inventory: Inventory, context: TurnContext) -> Outcome:
        def choose(part: Reading, remembered: TurnContext, *, goes_on: bool) -> list[Candidate]:
            return candidates(
                part, lexicon=self._lexicon, inventory=inventory, context=remembered, goes_on=goes_on
            )

        calls: list[PlannedCall] = []
        confidence = 1.0
        pointed = without_asides(without_refusals(reading))
        for request in requests_in(without_reasons(pointed), context, choose):
            answer = self._request(request, pointed, self._names(inventory), context.last_alerts)
            if not isinstance(answer, Plan):
                return answer
            calls = _without_repetitions([*calls, *answer.calls])
            confidence = min(confidence, answer.confidence)
        if not calls:
            return NoPlan(spoken=_NOT_UNDERSTOOD, reason="not_understood")
        return Plan(calls=tuple(calls), confidence=round(confidence, 2))

    def _request(
        self, request: Request, whole: Reading, names: NameIndex, alerts: tuple[str, ...]
    ) -> Outcome:
        best = request.best
        if best is None or best.score < ENOUGH:
            if best is not None and (near := asking.nearest_names(best, request.reading, names)):
                return near
            return NoPlan(spoken=_NOT_UNDERSTOOD, reason="not_understood")
        trouble = checks.trouble_with(best, request.reading, whole)
        if trouble is checks.UNSURE and best.missing:
            return asking.question_for(best, request.reading, names)
        if trouble:
            return trouble
        if best.missing:
            return asking.question_for(best, request.reading, names)
        calls = for_each_name(best, request.reading, alerts)
        surely = 1.0 - 0.15 * len(best.unexplained) - (0.2 if len(request.near) > 1 else 0.0)
        return Plan(calls=tuple(calls), confidence=max(0.3, surely))


def _without_repetitions(calls: list[PlannedCall]) -> list[PlannedCall]:
    """Return the calls without those that say less of what another one says: 只许看着，改成观察模式."""
    kept: list[PlannedCall] = []
    for call in calls:
        if any(one.tool == call.tool and call.arguments.items() <= one.arguments.items() for one in kept):
            continue
        kept = [
            one
            for one in kept
            if one.tool != call.tool or not one.arguments.items() <= call.arguments.items()
        ]
        kept.append(call)
    return kept


def _explained(reading: Reading) -> tuple[Explanation, ...]:
    return tuple(
        Explanation(text=piece.text, meaning=_meaning(piece))
        for piece in reading.pieces
        if "@mark" not in piece.keys
    )


def _meaning(piece: Piece) -> str:
    if piece.things:
        return "|".join(f"{thing.kind}={thing.id}" for thing in piece.things)
    if "@text" in piece.keys:
        return "?"
    return "|".join(sorted(piece.keys)) + (f"={piece.value}" if piece.value is not None else "")
