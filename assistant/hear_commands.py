"""`xiaozhi hear`: recordings through the whole pipeline, as if they were said in the room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption, JsonOption, ScenarioOption
from assistant.errors import NobodyEnrolled

if TYPE_CHECKING:
    from assistant.recorded_conversation import HeardRecording, RecordedConversation
    from assistant.servers import Installation

NOT_RECOGNISED = 4


def hear(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Sound files: one conversation.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan only; nothing is carried out.")] = False,
    scenario: ScenarioOption = None,
    phrase: Annotated[
        str | None, typer.Option("--wake-phrase", help="Instead of the configured one.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hear recordings: was it called, by whom, what was asked, what came of it.

    Ends with 4 when a voice was not recognised.
    """
    import logging

    from mcp_tencent.serving.masking import log_to_stderr

    log_to_stderr(logging.ERROR)
    heard = asyncio.run(_heard(files, dry_run=dry_run, scenario=scenario, phrase=phrase, home=home))
    if as_json:
        typer.echo(json.dumps([as_object(one) for one in heard], ensure_ascii=False))
    else:
        for one in heard:
            _show(one)
    if any(not turn.heard.speaker.accepted for one in heard for turn in one.turns):
        raise typer.Exit(NOT_RECOGNISED)


async def _heard(
    files: Sequence[Path], *, dry_run: bool, scenario: str | None, phrase: str | None, home: Path | None
) -> list[HeardRecording]:
    from assistant.installing import installed

    with installed(home, scenario) as installation:
        opened = _planning(installation, phrase) if dry_run else _talking(installation, phrase)
        async with opened as conversation:
            return [one async for one in conversation.hear(files)]


@asynccontextmanager
async def _talking(installation: Installation, phrase: str | None) -> AsyncIterator[RecordedConversation]:
    """Compose the whole house, and answer for real."""
    from assistant.house import open_house
    from assistant.night_house import process_name, real_time
    from assistant.recorded_conversation import RecordedConversation
    from assistant.speech import open_ear, open_speakers
    from assistant.speech_models import models_in_use

    settings = installation.settings
    models = models_in_use(installation.home, settings.models)
    check = open_speakers(models)
    async with open_house(installation, real_time(), executor_id=process_name("hear")) as house:
        voices = house.voices(check)
        if not await asyncio.to_thread(voices.known):
            raise NobodyEnrolled("nobody's voice is enrolled, so that nobody can be recognised")
        yield RecordedConversation(
            ear=open_ear(models, phrase or settings.robot.wake_phrase),
            voices=voices,
            answering=house.answer,
            given_up=house.conversation.give_up,
        )


@asynccontextmanager
async def _planning(installation: Installation, phrase: str | None) -> AsyncIterator[RecordedConversation]:
    """Compose names and people only; nothing is carried out."""
    from assistant.conversation.planning import PlanningOnly
    from assistant.house import open_study
    from assistant.recorded_conversation import RecordedConversation
    from assistant.speech import open_ear, open_speakers
    from assistant.speech_models import models_in_use

    settings = installation.settings
    models = models_in_use(installation.home, settings.models)
    async with open_study(installation) as study:
        planning = PlanningOnly(study)
        yield RecordedConversation(
            ear=open_ear(models, phrase or settings.robot.wake_phrase),
            voices=study.voices(open_speakers(models)),
            answering=planning.answer,
            given_up=lambda: None,
        )


def as_object(heard: HeardRecording) -> dict[str, object]:
    """Return what `--json` prints of one recording: its last sentence counts."""
    timings: dict[str, int] = {"hearing": heard.hearing_ms}
    if heard.wakes:
        timings["woken_at"] = round(heard.wakes[0].at_s * 1000)
    told: dict[str, object] = {
        "file": str(heard.file),
        "wake": bool(heard.wakes),
        "speaker": {"name": None, "score": 0.0, "accepted": False},
        "text": "",
        "plan": [],
        "spoken": "",
        "timings_ms": timings,
    }
    if heard.turns:
        turn = heard.turns[-1]
        speaker, answer = turn.heard.speaker, turn.answer
        timings |= {
            "endpoint": turn.endpoint_ms,
            "speaker": turn.speaker_ms,
            "planning": answer.planning_ms,
            "tools": answer.tools_ms,
            "answer": turn.answer_ms,
        }
        name = answer.person.name if answer.person else speaker.person
        told |= {
            "speaker": {
                "name": name if speaker.accepted else None,
                "score": round(speaker.score, 3),
                "accepted": speaker.accepted,
            },
            "text": turn.heard.hearing.text,
            "plan": [{"tool": one.tool, "arguments": dict(one.arguments)} for one in answer.planned],
            "spoken": answer.spoken,
            "outcome": answer.outcome.value,
        }
    return told


def _show(heard: HeardRecording) -> None:
    typer.echo(f"{heard.file}: {'woken' if heard.wakes else 'not woken'}")
    for turn in heard.turns:
        speaker = turn.heard.speaker
        who = turn.answer.person.name if turn.answer.person else f"somebody unknown ({speaker.why})"
        typer.echo(f"  {who}: {turn.heard.hearing.text or '(the wake phrase alone)'}")
        for call in turn.answer.planned:
            typer.echo(f"    {call.tool} {json.dumps(dict(call.arguments), ensure_ascii=False)}")
        typer.echo(f"  小智: {turn.answer.spoken}")
