"""`xiaozhi hear`: recordings through the whole ear, as if they were said in the room."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption, JsonOption

if TYPE_CHECKING:
    from voice.heard import SpeakerMatch, Wake
    from voice.listening import Ear, Understood

_SILENCE_BEHIND_S = 1.5
"""People stop speaking; files stop with the last word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardRecording:
    """What came of one recording.

    Args:
        file: Which.
        wake: The call, if it was called.
        understood: What was asked, if anything.
        ended_at_s: When it was over, on the ear's clock.
        recognised_ms: Work of the ear, in milliseconds.
        speaker: Whose voice it is; None while nobody looks.
    """

    file: Path
    wake: Wake | None
    understood: Understood | None
    ended_at_s: float
    recognised_ms: float
    speaker: SpeakerMatch | None = None

    @property
    def text(self) -> str:
        """What was asked; empty when nothing was."""
        return self.understood.hearing.text if self.understood else ""


def hear(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Sound files: one conversation.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan only; nothing is carried out.")] = False,
    phrase: Annotated[
        str | None, typer.Option("--wake-phrase", help="Instead of the configured one.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", metavar="DIR", help="A Vosk model instead of the embedded one.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hear recordings: was it called, by whom, and what was asked."""
    import os

    from assistant.home import find_home
    from assistant.settings_loading import load_settings

    settings, _ = load_settings(find_home(home, os.environ), os.environ)
    ear = build_ear(model or embedded_model(), phrase or settings.robot.wake_phrase)
    heard = list(hear_conversation(ear, files))
    if as_json:
        typer.echo(json.dumps([as_object(one) for one in heard], ensure_ascii=False))
        return
    for one in heard:
        typer.echo(f"{one.file}: {'woken' if one.wake else 'not woken'}; {one.text or '(nothing asked)'}")


def embedded_model() -> Path:
    """Return the folder of the speech model that comes with the product."""
    import voice

    return Path(next(iter(voice.__path__))) / "models" / "vosk-synth-cn"


def build_ear(model_folder: Path, phrase: str) -> Ear:
    """Compose the ear on Vosk and Silero.

    Args:
        model_folder: A Vosk model.
        phrase: The wake phrase.

    Raises:
        VoiceError: the model or the phrase cannot be used.
    """
    from voice.activity_silero import SileroActivity
    from voice.listening import Ear
    from voice.recognizer_vosk import VoskRecognizer
    from voice.vosk_model import VoskModel
    from voice.wake import WakeDecision
    from voice.wake_vosk import VoskSpotter

    model = VoskModel(model_folder)
    spotter = VoskSpotter(model, phrase)
    return Ear(
        detector=SileroActivity(),
        spotter=spotter,
        recognizer=VoskRecognizer(model),
        decision=WakeDecision(spotter.phrase.phrase),
    )


def hear_conversation(ear: Ear, files: Sequence[Path]) -> Iterator[HeardRecording]:
    """Feed recordings to the ear, one right after the other: a question may follow the wake phrase's file.

    Raises:
        RecordingError: a file cannot be used.
        VoiceError: the ear failed.
    """
    now_s = 0.0
    for file in files:
        heard = hear_recording(ear, file, starts_at_s=now_s)
        now_s = heard.ended_at_s
        if heard.text:
            ear.follow_up()
        yield heard


def hear_recording(ear: Ear, file: Path, *, starts_at_s: float = 0.0) -> HeardRecording:
    """Feed one recording to the ear; the first call and the first question in it count.

    Args:
        ear: Goes on from the recording before.
        file: A sound file.
        starts_at_s: What the ear's clock shows.

    Raises:
        RecordingError: the file cannot be used.
        VoiceError: the ear failed.
    """
    from hardware.recordings import RecordingMicrophone
    from voice.heard import Wake
    from voice.listening import EarEvent, HearingFailed, Understood

    events: list[EarEvent] = []
    work_s = 0.0
    ended_at_s = starts_at_s
    microphone = RecordingMicrophone(file, silence_after_s=_SILENCE_BEHIND_S, starts_at_s=starts_at_s)
    for chunk in microphone.chunks():
        ended_at_s = chunk.captured_at_s + chunk.duration_s
        started_s = time.perf_counter()
        events += [one for one in ear.hear(chunk) if isinstance(one, Wake | Understood | HearingFailed)]
        work_s += time.perf_counter() - started_s
    started_s = time.perf_counter()
    events += ear.finish()
    work_s += time.perf_counter() - started_s
    for one in events:
        if isinstance(one, HearingFailed):
            raise one.error
    return HeardRecording(
        file=file,
        wake=next((one for one in events if isinstance(one, Wake)), None),
        understood=next((one for one in events if isinstance(one, Understood)), None),
        ended_at_s=ended_at_s,
        recognised_ms=round(work_s * 1000, 1),
    )


def as_object(heard: HeardRecording) -> dict[str, object]:
    """Return what `--json` prints of one recording."""
    speaker, understood = heard.speaker, heard.understood
    timings = {"hearing": heard.recognised_ms}
    if heard.wake:
        timings["woken_at"] = round(heard.wake.at_s * 1000, 1)
    if understood:
        timings["endpoint"] = round(understood.pause_s * 1000, 1)
    return {
        "file": str(heard.file),
        "wake": heard.wake is not None,
        "speaker": {
            "name": speaker.person if speaker and speaker.accepted else None,
            "score": speaker.score if speaker else 0.0,
            "accepted": bool(speaker and speaker.accepted),
        },
        "text": heard.text,
        "plan": [],
        "spoken": "",
        "timings_ms": timings,
    }
