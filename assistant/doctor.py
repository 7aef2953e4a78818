"""Examines an installation; every check ends in findings, each with its remedy, whatever is broken."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.errors import AssistantError
from assistant.home import Home
from assistant.settings import Settings
from assistant.settings_findings import Severity
from assistant.settings_loading import examine
from assistant.speech_models import missing_extra
from hardware.audio import AudioClip
from hardware.device_health import Weight, judge, read_device
from hardware.errors import HardwareError
from hardware.loudspeaker import Loudspeaker
from hardware.microphone import Microphone
from voice.errors import VoiceError
from voice.model_catalogue import ModelUse
from voice.models import ModelState, look_at_models, verify_model
from voice.room import LOUD_DB, QUIET_DB, STRONG_ECHO_DB, find_echo, noise_floor_db, probe

LISTEN_S = 1.0
_ECHO_TAIL_S = 0.7
_SILENCE_DB = -95.0
_LONGEST_WAIT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Args:
        subject: What, such as `microphone`.
        weight: broken, warning or fine.
        problem: What was found, in English.
        remedy: What to do; empty when it is fine.
    """

    subject: str
    weight: Weight
    problem: str
    remedy: str = ""


def check_settings(home: Home, environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    """Return the settings, None where they cannot be used, and what is wrong with them."""
    try:
        found = examine(home, environ)
    except AssistantError as error:
        return None, [_broken("settings", error)]
    findings = [
        Finding(
            subject="settings",
            weight=Weight.BROKEN if one.severity is Severity.ERROR else Weight.WARNING,
            problem=f"{one.key} {one.problem}",
            remedy=one.remedy,
        )
        for one in found.findings
    ]
    return found.settings, findings or [_fine("settings", "all settings can be used")]


def check_files(home: Home) -> Iterator[Finding]:
    """Look at who may read the files that others must not read."""
    for subject, path in (("key file", home.key_file), ("settings file", home.config_file)):
        if not path.exists():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            weight = Weight.BROKEN if path == home.key_file else Weight.WARNING
            yield Finding(
                subject=subject,
                weight=weight,
                problem=f"{path} can be read by others (mode {mode:04o})",
                remedy=f"Run: chmod 600 {path}",
            )
        else:
            yield _fine(subject, f"only its owner can read it (mode {mode:04o})")


def check_device(home: Home) -> Iterator[Finding]:
    """Look at temperature, power, disk, memory and clock."""
    for one in judge(read_device(home.data_dir)):
        yield Finding(subject=one.subject, weight=one.weight, problem=one.problem, remedy=one.remedy)


def check_models(models_folder: Path) -> Iterator[Finding]:
    """Compare every file of the speech models that are here."""
    pulled = False
    for status in look_at_models(models_folder):
        if status.state is ModelState.ABSENT:
            continue
        understands = status.model.use is ModelUse.RECOGNIZER
        pulled = pulled or (understands and status.state is ModelState.PULLED)
        problems = verify_model(status)
        if problems or not status.usable:
            told = "; ".join(dict.fromkeys((*status.problems, *problems)))
            remedy = f"Run: xiaozhi models pull {status.model.name}"
            if not status.model.remote_files:
                remedy = "Install xiaozhi anew: this model comes with it."
            yield Finding(
                subject="models", weight=Weight.BROKEN, problem=f"{status.model.name}: {told}", remedy=remedy
            )
        elif extra := missing_extra(status.model.format):
            yield Finding(
                subject="models",
                weight=Weight.WARNING,
                problem=f"{status.model.name} is sound but not used: {status.model.format} is not installed",
                remedy=f"Run: pip install 'xiaozhi[{extra}]'",
            )
        else:
            yield _fine("models", f"{status.model.name} is sound")
    if not pulled:
        yield Finding(
            subject="models",
            weight=Weight.WARNING,
            problem="only the small embedded recogniser is here; in a real room it understands less",
            remedy="Run: xiaozhi models pull",
        )


def check_channels(settings: Settings) -> Iterator[Finding]:
    """Look whether reports can leave the device at all; nothing is sent."""
    channels = {
        "email": settings.email is not None,
        "dingtalk": bool(settings.dingtalk.robots),
        "wecom": bool(settings.wecom.robots),
        "feishu": bool(settings.feishu.robots),
    }
    there = [name for name, configured in channels.items() if configured]
    if there:
        yield _fine("channels", f"configured: {', '.join(there)}")
    else:
        yield Finding(
            subject="channels",
            weight=Weight.WARNING,
            problem="no channel is configured: reports are spoken only",
            remedy="Set [email] or a robot under [dingtalk], [wecom] or [feishu].",
        )


def check_step(subject: str, act: Callable[[], str]) -> Finding:
    """Try something; `act` returns what is fine about it, or raises one of our errors."""
    try:
        return _fine(subject, act())
    except (AssistantError, HardwareError, VoiceError) as error:
        return _broken(subject, error)


def check_sound(microphone: Microphone, loudspeaker: Loudspeaker) -> Iterator[Finding]:
    """Listen for a second, then play a sweep and look for it in what is heard."""
    sound = probe()
    quiet_samples = round(LISTEN_S * 16_000)
    needed = quiet_samples + len(sound.samples) + round(_ECHO_TAIL_S * 16_000)
    pieces: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []
    length, playing = 0, False
    # A device that is there and never delivers would keep us for ever.
    alarm = threading.Timer(_LONGEST_WAIT_S, microphone.close)
    alarm.start()
    try:
        for chunk in microphone.chunks():
            pieces.append(chunk.samples)
            length += len(chunk.samples)
            if length >= quiet_samples and not playing:
                playing = True
                loudspeaker.play(sound)
            if length >= needed:
                break
    except HardwareError as error:
        yield _broken("loudspeaker" if playing else "microphone", error)
        return
    finally:
        alarm.cancel()
        microphone.close()
        loudspeaker.close()
    heard = np.concatenate([np.zeros(0, np.int16), *pieces])
    if length < quiet_samples:
        yield Finding(
            subject="microphone",
            weight=Weight.BROKEN,
            problem=f"it delivered {length / 16_000:.1f} s of sound in {_LONGEST_WAIT_S:.0f} s",
            remedy="Unplug it and plug it in again; try another USB socket.",
        )
        return
    yield judge_noise(noise_floor_db(AudioClip(samples=heard[:quiet_samples])))
    yield judge_echo(sound, AudioClip(samples=heard[quiet_samples:]))


def judge_noise(floor_db: float) -> Finding:
    """Say what a noise floor means (pure)."""
    told = f"the room's noise is {floor_db:.0f} dBFS"
    if floor_db <= _SILENCE_DB:
        return Finding(
            subject="microphone",
            weight=Weight.BROKEN,
            problem="it delivers digital silence",
            remedy="Switch the microphone on, raise its level (alsamixer), or choose another in [audio].",
        )
    if floor_db > QUIET_DB:
        return Finding(
            subject="room",
            weight=Weight.BROKEN if floor_db > LOUD_DB else Weight.WARNING,
            problem=told,
            remedy="Move the device away from fans and windows, or lower the microphone's gain.",
        )
    return _fine("room", told)


def judge_echo(played: AudioClip, heard: AudioClip) -> Finding:
    """Say what comes back of a sound that was played (pure)."""
    echo = find_echo(played, heard)
    if echo is None:
        return Finding(
            subject="echo",
            weight=Weight.WARNING,
            problem="the microphone did not hear the loudspeaker",
            remedy="If you heard nothing, check volume and audio.loudspeaker; with a headset this is right.",
        )
    told = f"its own voice comes back after {echo.delay_s * 1000:.0f} ms with {echo.gain_db:.0f} dB"
    if echo.gain_db > STRONG_ECHO_DB:
        return Finding(
            subject="echo",
            weight=Weight.WARNING,
            problem=told,
            remedy="Move the loudspeaker away, lower audio.volume_percent, or use echo cancellation.",
        )
    return _fine("echo", told)


def broken(findings: Iterable[Finding]) -> bool:
    """Whether anything does not work."""
    return any(one.weight is Weight.BROKEN for one in findings)


def _fine(subject: str, told: str) -> Finding:
    return Finding(subject=subject, weight=Weight.FINE, problem=told)


def _broken(subject: str, error: AssistantError | HardwareError | VoiceError) -> Finding:
    return Finding(subject=subject, weight=Weight.BROKEN, problem=str(error), remedy=error.hint)
