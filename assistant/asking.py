"""A typed question, carried out for real: whoever types on the device has it in their hands."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import typer

from assistant.conversation.answer import Answer, Awaiting, Heard, TurnOutcome
from assistant.errors import WhoAsks
from assistant.house import House, open_house, open_study
from assistant.installing import installed
from assistant.known_people import CONSOLE
from assistant.night_house import process_name, real_time
from assistant.people import Person
from assistant.planner.plan import Outcome
from mcp_tencent.gateway.call import Permission
from mcp_tencent.push.delivery import DeliveryStatus
from mcp_tencent.push.records import SqlDeliveryStore
from voice.heard import Hearing, SpeakerMatch

FAILED, REFUSED, OUTSIDE = 1, 3, 5
_DELIVERY_PATIENCE_S = 15.0
_OUTSIDE_ERRORS = frozenset(
    {
        "unavailable",
        "throttled",
        "network_fault",
        "deadline_exceeded",
        "outcome_unknown",
        "circuit_open",
        "unexpected_answer",
        "server_fault",
    }
)
_YES, _NO = "确认", "取消"


async def planned(text: str, home: Path | None, scenario: str | None) -> Outcome:
    """Return what a sentence would lead to, with the names of the live clouds."""
    with installed(home, scenario) as installation:
        async with open_study(installation) as study:
            return await study.plan(text)


async def asked(
    text: str, *, person: str | None, home: Path | None, scenario: str | None, yes: bool, as_json: bool
) -> int:
    """Have a sentence carried out, print what came of it, and return the exit status.

    Args:
        text: The sentence.
        person: Who asks; None for the only administrator.
        home: Folder of settings and data.
        scenario: An embedded local cloud instead of the configured ones.
        yes: Confirm what is read back; acts that want digits ask for them all the same.
        as_json: Print one object instead of sentences.
    """
    with installed(home, scenario) as installation:
        async with open_house(installation, real_time(), executor_id=process_name("ask")) as house:
            who = await asyncio.to_thread(_asker, house.people.everybody(), person)
            answer = await _conversed(house, text, who, yes=yes, as_json=as_json)
            await _delivered(house, answer)
            if as_json:
                typer.echo(json.dumps(_as_object(answer), ensure_ascii=False))
            return _exit_status(answer)


def _asker(known: Sequence[Person], named: str | None) -> Person:
    """Return who asks.

    Raises:
        WhoAsks: nobody of that name is known, or nobody is named and there is not one administrator only.
    """
    if named is not None:
        for one in known:
            if named in (one.name, one.id):
                return one
        raise WhoAsks(f"nobody is known as {named}")
    if not known:
        return CONSOLE
    admins = [one for one in known if one.may(Permission.ADMIN)]
    if len(admins) != 1:
        raise WhoAsks(f"there are {len(admins)} administrators: name who asks with --as")
    return admins[0]


async def _conversed(house: House, text: str, who: Person, *, yes: bool, as_json: bool) -> Answer:
    """Take turns until nothing is asked back, or nobody is there to answer."""
    answer = await house.answer(_typed(text, who))
    while True:
        if not as_json or answer.awaiting is not Awaiting.NOTHING:
            typer.echo(answer.spoken, err=as_json)
        reply = await asyncio.to_thread(_reply_to, answer.awaiting, yes=yes)
        if reply is None:
            return answer
        answer = await house.answer(_typed(reply, who))


def _reply_to(awaiting: Awaiting, *, yes: bool) -> str | None:
    """Ask on the terminal; None when nothing is to be answered, or nobody is there."""
    if awaiting is Awaiting.CONFIRMATION and yes:
        return _YES
    if awaiting is Awaiting.NOTHING or not sys.stdin.isatty():
        return None
    if awaiting is Awaiting.CONFIRMATION:
        return _YES if typer.confirm("", default=False, err=True) else _NO
    typed: str = typer.prompt("", prompt_suffix="> ", default="", show_default=False, err=True)
    return typed or _NO


def _typed(text: str, who: Person) -> Heard:
    certain = SpeakerMatch(person=who.id, score=1.0, threshold=0.0, accepted=True)
    return Heard(
        id=uuid.uuid4().hex,
        hearing=Hearing(text=text, confidence=1.0),
        speaker=certain,
        speech_s=float("inf"),
        device="console",
    )


async def _delivered(house: House, answer: Answer) -> None:
    """Give what is to be sent some seconds to leave; what is not gone then, the next process sends."""
    sent = [
        delivery["id"]
        for step in answer.steps
        if isinstance(deliveries := step.content.get("deliveries"), list)
        for delivery in deliveries
        if isinstance(delivery, dict) and step.call.tool == "send_report"
    ]
    store = SqlDeliveryStore(house.night.engine)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _DELIVERY_PATIENCE_S
    while sent and loop.time() < deadline:
        found = [await asyncio.to_thread(store.find, str(one)) for one in sent]
        waiting = {DeliveryStatus.QUEUED, DeliveryStatus.SENDING}
        if not any(one is not None and one.status in waiting for one in found):
            return
        await asyncio.sleep(0.1)


def _exit_status(answer: Answer) -> int:
    match answer.outcome:
        case TurnOutcome.REFUSED:
            return REFUSED
        case TurnOutcome.FAILED:
            return OUTSIDE if answer.steps[-1].error in _OUTSIDE_ERRORS else FAILED
        case TurnOutcome.NOT_UNDERSTOOD | TurnOutcome.UNABLE | TurnOutcome.ASKED_BACK:
            return FAILED
    return 0


def _as_object(answer: Answer) -> dict[str, object]:
    return {
        "plan": [{"tool": one.tool, "arguments": dict(one.arguments)} for one in answer.planned],
        "spoken": answer.spoken,
        "detail": [
            {"tool": step.call.tool, "done": step.done, "error": step.error, "answer": dict(step.content)}
            for step in answer.steps
        ],
        "outcome": answer.outcome.value,
        "awaiting": answer.awaiting.value,
        "person": answer.person.name if answer.person else None,
        "timings_ms": {"planning": answer.planning_ms, "tools": answer.tools_ms},
    }
