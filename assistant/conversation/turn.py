"""One turn, top to bottom: heard → who → understood → allowed → confirmed → done → said."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Protocol

from assistant.conversation.addresses import address_of, spelled, with_other_address
from assistant.conversation.answer import Answer, Awaiting, Heard, Step, TurnOutcome
from assistant.conversation.confirmation import ABOUT_WORKLOAD, DIGITS_ASKED, Present, present_of, read_back
from assistant.conversation.dialogue import (
    PATIENCE,
    REMEMBERED_FOR,
    Dialogue,
    PendingAct,
    PendingAddress,
    PendingChoice,
)
from assistant.conversation.greeting import Greeting
from assistant.conversation.placing import all_placed, placed
from assistant.conversation.remembered import remembered
from assistant.conversation.toolbox import ToolAnswer, Toolbox
from assistant.conversation.words import (
    Reply,
    Steer,
    Steering,
    choice_of,
    reply_of,
    says_right,
    steering_of,
)
from assistant.people import Person, caller_of
from assistant.planner.inventory import Inventory
from assistant.planner.plan import Clarification, NoPlan, Outcome, Plan, PlannedCall, TurnContext
from assistant.planner.planner import Planner
from mcp_tencent.gateway.call import Clock
from mcp_tencent.gateway.errors import StoreUnavailable
from voice.challenge import Challenge, ChallengeOutcome, answer, new_challenge

ENOUGH_SPEECH_S = 3.0
"""Whose voice was heard for less, question and yes together, reads digits before anything dangerous."""
_log = logging.getLogger(__name__)
_REFUSALS = frozenset({"not_permitted", "namespace_not_permitted", "caller_unknown", "confirmation_refused"})


class KnownPeople(Protocol):
    """The people that the device knows."""

    async def person(self, name: str) -> Person | None:
        """Return the person of this id or name as they are now, with their permissions."""
        ...


class Names(Protocol):
    """What can be named."""

    async def inventory(self) -> Inventory:
        """Return everything with a name, some seconds old at most."""
        ...


class Witness(Protocol):
    """Keeps on record what is nobody's tool call."""

    async def stranger(self, heard: Heard, *, now: datetime) -> None:
        """Record that somebody unknown spoke and was refused."""
        ...

    async def answered(self, person: Person, heard: Heard, steps: Sequence[Step], *, now: datetime) -> None:
        """Keep what somebody was just told, so that it can be sent on."""
        ...


class Conversation:
    """Takes turns with whoever speaks. One turn at a time.

    Args:
        people: Whom the device knows.
        planner: Understands sentences.
        names: What can be named.
        toolbox: What can be done.
        greeting: What a greeting is answered with.
        witness: Keeps strangers and answers on record.
        clock: The time of the cloud that is talked about, in which yesterday is yesterday.
        wall: The device's own time, in which patience ends.
        chance: Where challenge digits come from.
        stopwatch: Seconds that only go forward.
    """

    def __init__(
        self,
        *,
        people: KnownPeople,
        planner: Planner,
        names: Names,
        toolbox: Toolbox,
        greeting: Greeting,
        witness: Witness,
        clock: Clock,
        wall: Clock,
        chance: Random,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._people = people
        self._planner = planner
        self._names = names
        self._toolbox = toolbox
        self._greeting = greeting
        self._witness = witness
        self._clock = clock
        self._wall = wall
        self._chance = chance
        self._stopwatch = stopwatch
        self._dialogue: Dialogue | None = None

    async def take_turn(self, heard: Heard) -> Answer:
        """Return what one sentence comes to; every act it asks for has been done, or waits for its yes."""
        try:
            return await self._turn(heard, self._wall.now())
        except StoreUnavailable as error:
            _log.error("a turn ends without its records: %s", error)
            self._dialogue = None  # a yes must not meet what cannot be put on record
            return Answer(
                outcome=TurnOutcome.FAILED,
                parts=("设备读不到自己的记录，可能是磁盘或数据库的问题，请检查一下。",),
            )

    async def _turn(self, heard: Heard, now: datetime) -> Answer:
        person = await self._who(heard)
        if person is None:
            self._dialogue = None  # whoever goes on must not inherit what somebody else had asked
            await self._witness.stranger(heard, now=now)
            return Answer(
                outcome=TurnOutcome.REFUSED, parts=("抱歉，我没认出你的声音，不能告诉你集群里的事。",)
            )
        dialogue = self._held(person, now)
        answered = await self._go_on(dialogue, heard, person, now)
        if answered is None:
            dialogue = replace(dialogue, pending=None)
            answered = await self._fresh(dialogue, heard, person, now)
        said = replace(answered, person=person)
        self._keep(said, heard, now)
        await self._witnessed(said.steps, heard, person, now)
        return said

    def give_up(self) -> Awaiting:
        """Nobody answered: what waits for a yes is off, and what was spoken of stays known.

        Returns:
            What it had waited for.
        """
        held = self._dialogue
        if held is None or held.pending is None:
            return Awaiting.NOTHING
        self._dialogue = replace(held, pending=None)
        match held.pending:
            case PendingAct(challenge=None) | PendingAddress():
                return Awaiting.CONFIRMATION
            case PendingAct():
                return Awaiting.DIGITS
        return Awaiting.CHOICE

    async def prepare(self) -> Inventory:
        """Look up what can be named, so that the question that follows a call need not wait for it."""
        inventory = await self._names.inventory()
        self._planner.warm(inventory)
        return inventory

    async def plan_only(self, say: str, context: TurnContext | None = None) -> Outcome:
        """Return what a sentence would lead to; nothing is called."""
        inventory = await self._names.inventory()
        return self._planner.plan(say, inventory=inventory, now=self._clock.now(), context=context)

    # --- who ----------------------------------------

    async def _who(self, heard: Heard) -> Person | None:
        match = heard.speaker
        if not match.accepted or match.person is None:
            return None
        return await self._people.person(match.person)

    def _held(self, person: Person, now: datetime) -> Dialogue:
        """Return what is held in mind for this person: nothing of another's, nothing that is too old."""
        held = self._dialogue
        if held is None or held.person_id != person.id or now - held.at > REMEMBERED_FOR:
            held = Dialogue(person_id=person.id, at=now)
        elif now - held.at > PATIENCE:
            held = replace(held, pending=None)
        self._dialogue = held
        return held

    # --- an answer to a question back ----------------------------------------

    async def _go_on(self, dialogue: Dialogue, heard: Heard, person: Person, now: datetime) -> Answer | None:
        """Answer what was waiting; None when the sentence is a new one."""
        match dialogue.pending:
            case PendingAct(challenge=None) as act:
                return await self._confirmed(dialogue, act, heard, person, now)
            case PendingAct(challenge=Challenge() as challenge) as act:
                outcome, _ = answer(challenge, heard.hearing, heard.speaker, now=now)
                if outcome is ChallengeOutcome.PASSED:
                    return await self._done(dialogue, act, heard, person, now)
                return Answer(outcome=TurnOutcome.CANCELLED, parts=(_CANCELLED[outcome],))
            case PendingAddress() as address:
                return await self._addressed(dialogue, address, heard, person, now)
            case PendingChoice(clarification=asked):
                return await self._chosen(dialogue, asked, heard, person, now)
        return None

    async def _confirmed(
        self, dialogue: Dialogue, act: PendingAct, heard: Heard, person: Person, now: datetime
    ) -> Answer | None:
        match reply_of(heard.hearing.text):
            case Reply.NO:
                return Answer(outcome=TurnOutcome.CANCELLED, parts=("好，已取消，什么都没动。",))
            case Reply.UNCLEAR:
                if isinstance(await self._understood(dialogue, heard), Plan):
                    return None  # they went on to something else: what was waiting is dropped
                return Answer(outcome=TurnOutcome.CANCELLED, parts=("没有听到确认，什么都没动。",))
        surely = act.speech_s + heard.speech_s >= ENOUGH_SPEECH_S
        if surely and act.call.tool not in DIGITS_ASKED:
            return await self._done(dialogue, act, heard, person, now)
        challenge = new_challenge(person.id, now=now, chance=self._chance)
        self._dialogue = replace(dialogue, at=now, pending=replace(act, challenge=challenge))
        return Answer(
            outcome=TurnOutcome.ASKED_BACK, parts=(f"{challenge.spoken}。",), awaiting=Awaiting.DIGITS
        )

    async def _addressed(
        self, dialogue: Dialogue, waiting: PendingAddress, heard: Heard, person: Person, now: datetime
    ) -> Answer | None:
        """Send to an address that was called right; spell the one that was named instead."""
        text = heard.hearing.text
        if says_right(text):
            calls = (waiting.call, *waiting.rest)
            return await self._carried_out(
                calls, heard, person, now, before=waiting.before, spelled_out=waiting.call
            )
        corrected = with_other_address(waiting.call, text)
        if corrected is not None:
            return self._spelled(dialogue, replace(waiting, call=corrected), now)
        if reply_of(text) is Reply.UNCLEAR and isinstance(await self._understood(dialogue, heard), Plan):
            return None  # they went on to something else: what was waiting is dropped
        return Answer(outcome=TurnOutcome.CANCELLED, parts=("好，地址没有存，也没有发。",))

    def _spelled(self, dialogue: Dialogue, waiting: PendingAddress, now: datetime) -> Answer:
        """Read an address back letter by letter: what sounds alike must not get somebody's mail."""
        self._dialogue = replace(dialogue, at=now, pending=waiting)
        return Answer(
            outcome=TurnOutcome.ASKED_BACK,
            parts=(*(step.spoken for step in waiting.before), spelled(waiting.call)),
            steps=waiting.before,
            planned=(*(step.call for step in waiting.before), waiting.call, *waiting.rest),
            awaiting=Awaiting.CONFIRMATION,
        )

    async def _done(
        self, dialogue: Dialogue, act: PendingAct, heard: Heard, person: Person, now: datetime
    ) -> Answer:
        began = self._stopwatch()
        inventory = await self._names.inventory()
        made = placed(act.call, inventory)
        result = await self._toolbox.call(
            made, caller=caller_of(person), key=act.key, confirmation=act.question
        )
        self._remember(dialogue, act.call, result)
        steps = (*act.before, _step(made, result))
        if not result.done:
            return self._told(steps, planned=(made, *all_placed(act.rest, inventory)), since=began)
        return await self._carried_out(act.rest, heard, person, now, before=steps, since=began)

    async def _chosen(
        self, dialogue: Dialogue, asked: Clarification, heard: Heard, person: Person, now: datetime
    ) -> Answer | None:
        text = heard.hearing.text
        if reply_of(text) is Reply.NO:
            return Answer(outcome=TurnOutcome.CANCELLED, parts=("好，那就不查了。",))
        chosen = choice_of(text, tuple(choice.label for choice in asked.choices))
        if chosen is not None:
            return await self._carried_out(asked.choices[chosen].calls, heard, person, now)
        whole = await self.plan_only(f"{dialogue.say}，{text}", dialogue.context)
        if isinstance(whole, Plan):
            return await self._carried_out(whole.calls, heard, person, now)
        if isinstance(await self._understood(dialogue, heard), Plan):
            return None
        return Answer(outcome=TurnOutcome.NOT_UNDERSTOOD, parts=("还是没听明白，换个说法再问我吧。",))

    # --- a new sentence ----------------------------------------

    async def _fresh(self, dialogue: Dialogue, heard: Heard, person: Person, now: datetime) -> Answer:
        steering = steering_of(heard.hearing.text)
        if steering is not None:
            steered = await self._steered(dialogue, steering, person)
            if steered is not None:
                return steered
        await self._names.inventory()  # looking names up is not understanding
        began = self._stopwatch()
        outcome = await self._understood(dialogue, heard)
        planning_ms = self._ms_since(began)
        match outcome:
            case Plan():
                carried = await self._carried_out(outcome.calls, heard, person, now)
                return replace(carried, planning_ms=planning_ms)
            case Clarification():
                self._dialogue = replace(
                    dialogue,
                    at=now,
                    say=heard.hearing.text,
                    pending=PendingChoice(clarification=outcome),
                )
                return Answer(
                    outcome=TurnOutcome.ASKED_BACK,
                    parts=(outcome.spoken,),
                    awaiting=Awaiting.CHOICE,
                    planning_ms=planning_ms,
                )
            case NoPlan():
                return Answer(
                    outcome=TurnOutcome.NOT_UNDERSTOOD, parts=(outcome.spoken,), planning_ms=planning_ms
                )

    async def _understood(self, dialogue: Dialogue, heard: Heard) -> Outcome:
        """Plan the best reading; other readings only where it means nothing, and only for looking."""
        now = self._clock.now()
        inventory = await self._names.inventory()
        best = self._planner.plan(heard.hearing.text, inventory=inventory, now=now, context=dialogue.context)
        if not (isinstance(best, NoPlan) and best.reason == "not_understood"):
            return best
        for other in heard.hearing.alternatives:
            outcome = self._planner.plan(other.text, inventory=inventory, now=now, context=dialogue.context)
            if isinstance(outcome, Plan) and not any(self._toolbox.acts(call.tool) for call in outcome.calls):
                return outcome
        return best

    async def _steered(self, dialogue: Dialogue, steering: Steering, person: Person) -> Answer | None:
        match steering.steer:
            case Steer.GREETING:
                return await self._greeted(person)
            case Steer.STOP | Steer.GO_ON | Steer.NEXT:
                return Answer(outcome=TurnOutcome.STEERED, steering=steering)
            case Steer.AGAIN:
                last = dialogue.last
                if last is None:
                    return Answer(outcome=TurnOutcome.ANSWERED, parts=("刚才我什么都没说。",))
                return replace(last, outcome=TurnOutcome.ANSWERED, claim=None, awaiting=Awaiting.NOTHING)
            case Steer.ITEM:
                if dialogue.digest is None:
                    return None  # “第二条” of a list that was just read out: the planner knows which
                if steering.item > len(dialogue.digest.details):
                    count = len(dialogue.digest.details)
                    return Answer(outcome=TurnOutcome.ANSWERED, parts=(f"日报里只有{count}条。",))
                return Answer(
                    outcome=TurnOutcome.ANSWERED, parts=(dialogue.digest.details[steering.item - 1],)
                )

    async def _greeted(self, person: Person) -> Answer:
        welcome = await self._greeting.welcome(person, now=self._clock.now())
        if welcome.held_back:
            return Answer(
                outcome=TurnOutcome.GREETED,
                parts=("我在。设备存不了东西，可能磁盘满了，日报先不自动播。想听就说：播一下日报。",),
            )
        if welcome.digest is None:
            return Answer(outcome=TurnOutcome.GREETED, parts=("我在。",))
        return Answer(
            outcome=TurnOutcome.DIGEST,
            parts=welcome.digest.parts,
            digest=welcome.digest,
            claim=welcome.claim,
        )

    # --- doing ----------------------------------------

    async def _carried_out(
        self,
        calls: Sequence[PlannedCall],
        heard: Heard,
        person: Person,
        now: datetime,
        *,
        before: tuple[Step, ...] = (),
        since: float | None = None,
        spelled_out: PlannedCall | None = None,
    ) -> Answer:
        """Make the calls in order; stop at the first that fails, or that needs a yes."""
        began = self._stopwatch() if since is None else since
        inventory = await self._names.inventory()
        planned = (*(step.call for step in before), *all_placed(calls, inventory))
        steps = before
        for index, call in enumerate(calls):
            if call.tool not in self._toolbox.names:
                unable = Step(
                    call=placed(call, inventory), spoken="这个我还不会。", done=False, error="unknown_tool"
                )
                return self._told((*steps, unable), planned=planned, since=began, outcome=TurnOutcome.UNABLE)
            if call.tool == "replay_digest":
                return await self._replayed(call, steps, planned, person)
            if address_of(call) and call is not spelled_out and not heard.typed:
                waiting = PendingAddress(call=call, rest=tuple(calls[index + 1 :]), before=steps)
                return self._spelled(self._held(person, now), waiting, now)
            await self._witnessed(steps, heard, person, now)
            key = f"{heard.id}-{len(steps)}"
            made = placed(call, inventory)
            result = await self._toolbox.call(made, caller=caller_of(person), key=key)
            if result.question is not None:
                pending = PendingAct(
                    call=call,
                    key=key,
                    question=result.question,
                    rest=tuple(calls[index + 1 :]),
                    before=steps,
                    speech_s=heard.speech_s,
                )
                return await self._asked(pending, heard, person, now, planned, began)
            dialogue = self._held(person, now)
            self._remember(dialogue, call, result, say=heard.hearing.text)
            steps = (*steps, _step(made, result))
            if not result.done:
                break
        return self._told(steps, planned=planned, since=began)

    async def _asked(
        self,
        pending: PendingAct,
        heard: Heard,
        person: Person,
        now: datetime,
        planned: tuple[PlannedCall, ...],
        since: float,
    ) -> Answer:
        """Read a dangerous act back: object, act and effect, in the names that people use."""
        inventory = await self._names.inventory()
        looked = await self._looked_at(placed(pending.call, inventory), person)
        if looked is not None and not looked.done:  # there is no such thing, or several: nothing to confirm
            steps = (*pending.before, _step(placed(pending.call, inventory), looked))
            return self._told(steps, planned=planned, since=since)
        sentence = read_back(
            pending.call,
            pending.question.read_back,
            inventory=inventory,
            present=Present() if looked is None else present_of(looked.content),
        )
        dialogue = self._held(person, now)
        # “不是，是支付网关” corrects what has just been read back.
        context = remembered(dialogue.context, heard.hearing.text, pending.call, {})
        self._dialogue = replace(dialogue, at=now, say=heard.hearing.text, pending=pending, context=context)
        return Answer(
            outcome=TurnOutcome.ASKED_BACK,
            parts=(*(step.spoken for step in pending.before), sentence),
            steps=pending.before,
            planned=planned,
            awaiting=Awaiting.CONFIRMATION,
            tools_ms=self._ms_since(since),
        )

    async def _looked_at(self, call: PlannedCall, person: Person) -> ToolAnswer | None:
        """Return what an act would change as it is now; None where acts of its kind need no look."""
        if call.tool not in ABOUT_WORKLOAD or "describe_workload" not in self._toolbox.names:
            return None
        where = {
            key: call.arguments[key] for key in ("workload", "namespace", "cluster") if key in call.arguments
        }
        look = PlannedCall(tool="describe_workload", arguments=where)
        return await self._toolbox.call(look, caller=caller_of(person))

    async def _replayed(
        self,
        call: PlannedCall,
        steps: tuple[Step, ...],
        planned: tuple[PlannedCall, ...],
        person: Person,
    ) -> Answer:
        """Speak the digest again, whatever the hour; it takes no claim."""
        digest = await self._greeting.again(now=self._clock.now(), person=person)
        if digest is None:
            return Answer(outcome=TurnOutcome.ANSWERED, parts=("今天还没有日报。",), planned=planned)
        again = Step(call=call, spoken="", done=True)
        return Answer(
            outcome=TurnOutcome.ANSWERED,
            parts=(*(step.spoken for step in steps), *digest.parts),
            steps=(*steps, again),
            planned=planned,
            digest=digest,
        )

    # --- said ----------------------------------------

    async def _witnessed(self, steps: Sequence[Step], heard: Heard, person: Person, now: datetime) -> None:
        """Have what was looked up kept; that something was done with it is no answer to be sent on."""
        looks = [step for step in steps if step.done and not self._toolbox.acts(step.call.tool)]
        if looks:
            await self._witness.answered(person, heard, looks, now=now)

    def _told(
        self,
        steps: tuple[Step, ...],
        *,
        planned: tuple[PlannedCall, ...],
        since: float,
        outcome: TurnOutcome | None = None,
    ) -> Answer:
        done = all(step.done for step in steps)
        return Answer(
            outcome=outcome or (TurnOutcome.ANSWERED if done else _failure(steps[-1])),
            parts=tuple(_sentence(step.spoken) for step in steps if step.spoken),
            steps=steps,
            planned=planned,
            tools_ms=self._ms_since(since),
        )

    def _remember(
        self, dialogue: Dialogue, call: PlannedCall, result: ToolAnswer, *, say: str | None = None
    ) -> None:
        context = remembered(dialogue.context, dialogue.say if say is None else say, call, result.content)
        self._dialogue = replace(dialogue, context=context, pending=None)

    def _keep(self, said: Answer, heard: Heard, now: datetime) -> None:
        dialogue = self._dialogue
        if dialogue is None:
            return
        waiting = dialogue.pending if said.awaiting is not Awaiting.NOTHING else None
        last = dialogue.last if said.outcome is TurnOutcome.STEERED else said
        self._dialogue = replace(
            dialogue,
            at=now,
            pending=waiting,
            digest=said.digest or dialogue.digest,
            last=last,
            say=dialogue.say if waiting is not None else heard.hearing.text,
        )

    def _ms_since(self, began: float) -> int:
        return round((self._stopwatch() - began) * 1000)


_CANCELLED = {
    ChallengeOutcome.WRONG_DIGITS: "数字不对，什么都没动。",
    ChallengeOutcome.WRONG_VOICE: "声音对不上，什么都没动。",
    ChallengeOutcome.EXPIRED: "等得太久了，什么都没动。",
    ChallengeOutcome.USED: "这组数字用过了，什么都没动。",
}


def _step(call: PlannedCall, result: ToolAnswer) -> Step:
    return Step(call=call, spoken=result.spoken, done=result.done, error=result.error, content=result.content)


def _failure(step: Step) -> TurnOutcome:
    return TurnOutcome.REFUSED if step.error in _REFUSALS else TurnOutcome.FAILED


def _sentence(text: str) -> str:
    return text if text.endswith(("。", "！", "？", "…")) else f"{text}。"
