"""`xiaozhi doctor`: looks at everything once, and says what to do about what it finds."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption, JsonOption

if TYPE_CHECKING:
    from assistant.doctor import Finding
    from assistant.home import Home
    from assistant.settings import Settings

_MARKS = {"fine": "ok", "warning": "warn", "broken": "FAIL"}


def doctor(
    home: HomeOption = None,
    sound: Annotated[
        bool, typer.Option("--sound/--no-sound", help="Listen for a second and play a short sweep.")
    ] = True,
    cloud: Annotated[
        bool, typer.Option("--cloud/--no-cloud", help="Ask each cloud account for its clusters.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Check device, audio, models, clock, credentials, permissions and channels; ends with 1 if broken."""
    from assistant.doctor import broken
    from assistant.home import find_home

    findings = []
    for finding in _findings(find_home(home, os.environ), sound=sound, cloud=cloud):
        findings.append(finding)
        if not as_json:
            typer.echo(f"{_MARKS[finding.weight]:5} {finding.subject}: {finding.problem}")
            if finding.remedy:
                typer.echo(f"      {finding.remedy}")
    if as_json:
        told = {"ok": not broken(findings), "findings": [asdict(one) for one in findings]}
        typer.echo(json.dumps(told, ensure_ascii=False))
    if broken(findings):
        raise typer.Exit(1)


def _findings(home: Home, *, sound: bool, cloud: bool) -> Iterator[Finding]:
    from assistant.doctor import (
        check_channels,
        check_device,
        check_files,
        check_models,
        check_settings,
        check_step,
    )
    from assistant.settings import Settings

    settings, findings = check_settings(home, os.environ)
    yield from findings
    yield from check_files(home)
    yield from check_device(home)
    yield from check_models(home.models_dir)
    yield check_step("voice", _try_voice)
    if sound:
        yield from _try_sound(settings or Settings())
    if settings is None:
        return
    in_force = settings
    yield check_step("database", lambda: _try_database(home, in_force))
    yield from check_channels(settings)
    if cloud:
        yield from asyncio.run(_try_clouds(home, settings))


def _try_voice() -> str:
    from voice.synthesizer_pyttsx3 import Pyttsx3Synthesizer

    voice = Pyttsx3Synthesizer()
    try:
        return f"it can speak: {voice.synthesize('我在').duration_s:.1f} s"
    finally:
        voice.close()


def _try_sound(settings: Settings) -> Iterator[Finding]:
    from assistant.doctor import check_sound
    from hardware.loudspeaker_sounddevice import SounddeviceLoudspeaker
    from hardware.microphone_sounddevice import SounddeviceMicrophone

    yield from check_sound(
        SounddeviceMicrophone(settings.audio.microphone), SounddeviceLoudspeaker(settings.audio.loudspeaker)
    )


def _try_database(home: Home, settings: Settings) -> str:
    from assistant.app import open_records

    with open_records(home, settings) as database:
        return f"{database.engine.dialect.name} answers, on the newest schema"


async def _try_clouds(home: Home, settings: Settings) -> list[Finding]:
    from assistant.doctor import Finding
    from assistant.servers import configured
    from hardware.device_health import Weight
    from mcp_tencent.cloud.accounts import TencentClouds
    from mcp_tencent.errors import CloudError

    if not settings.cloud.accounts:
        remedy = "Set cloud.accounts.<name>.secret_id and secret_key of a CAM sub-user."
        problem = "no cloud account is configured"
        return [Finding(subject="cloud", weight=Weight.WARNING, problem=problem, remedy=remedy)]
    installation = configured(home, settings, os.environ)
    findings = []
    for account in installation.accounts:
        subject = f"cloud {account.name}"
        try:
            clouds = TencentClouds([account], installation.calling)
            clusters = await clouds.all_clusters()
        except CloudError as error:
            findings.append(
                Finding(subject=subject, weight=Weight.BROKEN, problem=str(error), remedy=error.hint)
            )
        else:
            problem = f"answers, {len(clusters)} clusters are seen"
            findings.append(Finding(subject=subject, weight=Weight.FINE, problem=problem))
    return findings
