"""`xiaozhi people …`: who is known, what they may do, how their voice sounds.

Whoever may run these commands on the device is trusted as its administrator: so the first one is made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption, JsonOption

if TYPE_CHECKING:
    from assistant.clock import SystemClock
    from assistant.people import Grant, Person
    from assistant.people_records import SqlPeopleStore
    from assistant.settings import Settings
    from mcp_tencent.gateway.call import Permission
    from mcp_tencent.push.channels import Channel
    from mcp_tencent.push.records import SqlPreferenceStore
    from mcp_tencent.serving.tokens import TokenStore
    from voice.heard import SpeakerMatch
    from voice.voiceprint import Level

app = typer.Typer(name="people", help="People, permissions, voiceprints.", no_args_is_help=True)

NOT_RECOGNISED = 4

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the person.")]
PermissionArgument = Annotated[
    str, typer.Argument(metavar="PERMISSION", help="read, operate, rollback, configure or admin.")
]
TimeOption = Annotated[datetime | None, typer.Option(formats=["%H:%M"], help="Local time, HH:MM.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    people: SqlPeopleStore
    tokens: TokenStore
    delivery: SqlPreferenceStore
    settings: Settings
    clock: SystemClock


@app.command()
def add(name: NameArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Add a person, who may do nothing yet."""
    with _records(home) as records:
        _show([records.people.add(name, now=records.clock.now())], records, as_json=as_json)


@app.command("list")
def list_people(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List everybody, with permissions, digest and voiceprint."""
    with _records(home) as records:
        _show(records.people.everybody(), records, as_json=as_json, always_list=True)


@app.command()
def remove(name: NameArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Forget a person: voiceprint, permissions, preferences and traces are deleted, MCP tokens end."""
    with _records(home) as records:
        person = records.people.get(name)
        # Tokens first: should anything fail after this, too little is allowed rather than too much.
        ended = sum(
            records.tokens.revoke(token.id)
            for known_as in (person.id, person.name)
            for token in records.tokens.of(known_as)
        )
        records.people.remove(person.id)
    if as_json:
        _print_json({"removed": person.name, "tokens_revoked": ended})
    else:
        typer.echo(f"Removed {person.name}; {ended} tokens revoked.")


@app.command()
def grant(
    name: NameArgument,
    permission: PermissionArgument,
    namespace: Annotated[
        list[str] | None, typer.Option("--namespace", help="Only there (rollback only); repeatable.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a permission, in place of what the person had of it."""
    from assistant.people import Grant

    wanted = _permission(permission)
    try:
        given = Grant(permission=wanted, namespaces=frozenset(namespace) if namespace else None)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with _records(home) as records:
        _show([records.people.grant(name, given)], records, as_json=as_json)


@app.command()
def revoke(
    name: NameArgument, permission: PermissionArgument, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Take a permission away."""
    with _records(home) as records:
        _show([records.people.revoke(name, _permission(permission))], records, as_json=as_json)


@app.command()
def prefer(
    name: NameArgument,
    window_start: TimeOption = None,
    window_end: TimeOption = None,
    max_seconds: Annotated[
        int | None, typer.Option(min=20, max=600, help="Longest spoken digest, in seconds.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Addresses for the copy; 'off' ends it.")] = None,
    dingtalk: Annotated[str | None, typer.Option(help="Robot and mobiles for it; 'off' ends it.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set when and how long somebody hears the digest, and where the copy goes; the rest stays as it is."""
    from mcp_tencent.push.channels import Channel

    with _records(home) as records:
        person = _prefer_digest(records, name, window_start, window_end, max_seconds)
        for channel, text in ((Channel.EMAIL, email), (Channel.DINGTALK, dingtalk)):
            if text is not None:
                _prefer_channel(records, person, channel, text)
        _show([person], records, as_json=as_json)


@app.command()
def enrol(
    name: NameArgument,
    files: Annotated[list[Path], typer.Argument(metavar="FILES…", help="Five recordings or more.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make somebody's voiceprint of recordings, in place of an earlier one."""
    from assistant.speaker_model import open_speaker_check
    from hardware.recordings import read_recording
    from voice.voiceprint_bytes import voiceprint_bytes

    with _records(home) as records:
        person = records.people.get(name)
        check = open_speaker_check()
        enrolment = check.enrol(person.id, [read_recording(file) for file in files])
        records.people.enrol(
            person.id,
            model=enrolment.model,
            embeddings=[voiceprint_bytes(enrolment)],
            now=records.clock.now(),
        )
    fit = sum(enrolment.own_scores) / len(enrolment.own_scores)
    if as_json:
        _print_json(
            {"person": person.name, "model": enrolment.model, "clips": len(files), "fit": round(fit, 3)}
        )
    else:
        typer.echo(f"Enrolled {person.name} with {len(files)} clips; they fit together by {fit:.2f}.")


@app.command()
def unlearn(
    name: NameArgument,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what was learned since; default: all.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Undo what somebody's voiceprint has taken in since it was enrolled."""
    from voice.voiceprint import unlearn as without_learned
    from voice.voiceprint_bytes import read_voiceprint, voiceprint_bytes

    begin = None if since is None else since.astimezone()
    undone = 0
    with _records(home) as records:
        person = records.people.get(name)
        for model in sorted(records.people.enrolled_models().get(person.id, ())):
            stored = [one for one in records.people.voiceprints(model=model) if one.person_id == person.id]
            before = [read_voiceprint(one.embedding, model=model) for one in stored]
            after = [without_learned(one, since=begin) for one in before]
            undone += sum(len(one.learned) for one in before) - sum(len(one.learned) for one in after)
            kept = [voiceprint_bytes(one) for one in after]
            records.people.enrol(person.id, model=model, embeddings=kept, now=records.clock.now())
    if as_json:
        _print_json({"person": person.name, "undone": undone})
    else:
        typer.echo(f"{undone} learned utterances of {person.name} are forgotten.")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording of one utterance.")],
    question: Annotated[
        bool, typer.Option("--question", help="As strictly as for a question: a second of speech.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell whose voice it is; ends with 4 when it is nobody's for sure."""
    from assistant.known_people import KnownVoices
    from assistant.speaker_model import open_speaker_check
    from hardware.recordings import read_recording
    from voice.voiceprint import Level

    audio = read_recording(file)
    with _records(home) as records:
        check = open_speaker_check()
        level = Level.QUESTION if question else Level.GREETING
        known = KnownVoices(records.people, check, records.clock.now).known()
        match = check.identify(audio, known, level)
        person = records.people.get(match.person) if match.person and match.accepted else None
    _show_match(match, person, level, as_json=as_json)
    if person is None:
        raise typer.Exit(NOT_RECOGNISED)


def _show_match(match: SpeakerMatch, person: Person | None, level: Level, *, as_json: bool) -> None:
    if as_json:
        _print_json(
            {
                "name": person.name if person else None,
                "accepted": person is not None,
                "score": round(match.score, 3),
                "threshold": round(match.threshold, 3),
                "level": level.value,
                "why": match.why,
            }
        )
    elif person:
        typer.echo(f"{person.name} (score {match.score:.2f}, needed {match.threshold:.2f})")
    else:
        typer.echo(f"not recognised: {match.why}", err=True)


def _prefer_digest(
    records: _Records, name: str, start: datetime | None, end: datetime | None, max_seconds: int | None
) -> Person:
    from assistant.people import DigestPreferences

    before = records.people.get(name)
    wanted = DigestPreferences(
        window_start=start.time() if start else before.preferences.window_start,
        window_end=end.time() if end else before.preferences.window_end,
        max_seconds=max_seconds or before.preferences.max_seconds,
    )
    digest = records.settings.digest
    if (wanted.window_start or digest.window_start) >= (wanted.window_end or digest.window_end):
        raise typer.BadParameter("the window must begin before it ends")
    return records.people.prefer(before.id, wanted)


def _prefer_channel(records: _Records, person: Person, channel: Channel, text: str) -> None:
    from dataclasses import replace

    from mcp_tencent.push.channels import parse_target
    from mcp_tencent.push.records import DeliveryPreference

    if text == "off":
        for one in records.delivery.of(person.id):
            if one.channel is channel:
                records.delivery.set(replace(one, enabled=False))
        return
    email, robots = records.settings.email, frozenset(records.settings.dingtalk.robots)
    domains = frozenset(email.allowed_domains) if email else frozenset[str]()
    target = parse_target(channel, text, robots=robots, allowed_domains=domains)
    records.delivery.set(DeliveryPreference(person=person.id, channel=channel, target=target.text))


def _permission(text: str) -> Permission:
    from mcp_tencent.gateway.call import Permission

    try:
        return Permission(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: choose from {', '.join(Permission)}") from error


def _show(people: Sequence[Person], records: _Records, *, as_json: bool, always_list: bool = False) -> None:
    models = records.people.enrolled_models()
    if as_json:
        told = [_told(one, records, sorted(models.get(one.id, ()))) for one in people]
        _print_json(told if always_list else told[0])
        return
    for one in people:
        permissions = ", ".join(_grant_text(held) for held in one.grants) or "no permission"
        voiceprint = "voiceprint" if one.id in models else "no voiceprint"
        typer.echo(f"{one.name}  {permissions}  {voiceprint}")
    if not people:
        typer.echo("Nobody is known yet: xiaozhi people add NAME")


def _told(person: Person, records: _Records, models: list[str]) -> dict[str, object]:
    preferences = person.preferences
    return {
        "id": person.id,
        "name": person.name,
        "permissions": [
            {
                "permission": one.permission.value,
                "namespaces": None if one.namespaces is None else sorted(one.namespaces),
            }
            for one in person.grants
        ],
        "digest": {
            "window_start": preferences.window_start and f"{preferences.window_start:%H:%M}",
            "window_end": preferences.window_end and f"{preferences.window_end:%H:%M}",
            "max_seconds": preferences.max_seconds,
            "channels": {
                one.channel.value: one.target for one in records.delivery.of(person.id) if one.enabled
            },
        },
        "voiceprint_models": models,
    }


def _grant_text(held: Grant) -> str:
    if held.namespaces is None:
        return held.permission.value
    return f"{held.permission.value} ({', '.join(sorted(held.namespaces))})"


def _print_json(told: object) -> None:
    typer.echo(json.dumps(told, ensure_ascii=False))


@contextmanager
def _records(home: Path | None) -> Iterator[_Records]:
    from assistant.app import open_records
    from assistant.clock import SystemClock
    from assistant.home import find_home
    from assistant.known_people import people_store
    from assistant.sealing import open_sealer
    from assistant.settings_loading import load_settings
    from mcp_tencent.push.records import SqlPreferenceStore
    from mcp_tencent.serving.tokens import TokenStore

    place = find_home(home, os.environ)
    settings, _ = load_settings(place, os.environ)
    sealer = open_sealer(place, os.environ, create=True)
    with open_records(place, settings) as database:
        engine, clock = database.engine, SystemClock()
        yield _Records(
            people=people_store(engine, sealer),
            tokens=TokenStore(engine, clock),
            delivery=SqlPreferenceStore(engine),
            settings=settings,
            clock=clock,
        )
