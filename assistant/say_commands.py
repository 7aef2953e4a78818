"""`xiaozhi say`: one sentence or more, over the loudspeaker or into a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.settings import AudioSettings
    from voice.synthesizer import Synthesizer


def say(
    text: Annotated[str, typer.Argument(help="What to say.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.wav", help="Write a WAV file instead of playing.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Say something."""
    from assistant.errors import NothingToSay
    from assistant.home import find_home
    from assistant.settings_loading import load_settings
    from assistant.speakable import sentences_of
    from voice.synthesizer_pyttsx3 import Pyttsx3Synthesizer

    settings, _ = load_settings(find_home(home, os.environ), os.environ)
    sentences = sentences_of(text)
    if not sentences:
        raise NothingToSay("there is nothing in it that could be said")
    voice = Pyttsx3Synthesizer()
    try:
        if out is None:
            _play(sentences, voice, settings.audio)
        else:
            _write(sentences, voice, settings.audio, out)
    finally:
        voice.close()


def _play(sentences: Sequence[str], voice: Synthesizer, audio: AudioSettings) -> None:
    from hardware.loudspeaker_sounddevice import SounddeviceLoudspeaker
    from voice.errors import SynthesisFailed
    from voice.speaking import Mouth, SpeakingEnd

    loudspeaker = SounddeviceLoudspeaker(audio.loudspeaker)
    mouth = Mouth(voice, loudspeaker, volume_percent=audio.volume_percent, speed_percent=audio.speed_percent)
    try:
        speaking = mouth.say(sentences)
        if speaking.wait() is not SpeakingEnd.FINISHED:
            raise speaking.error or SynthesisFailed("the loudspeaker was lost while it spoke")
    finally:
        mouth.close()
        loudspeaker.close()


def _write(sentences: Sequence[str], voice: Synthesizer, audio: AudioSettings, out: Path) -> None:
    import numpy as np

    from assistant.errors import RecordingNotWritten
    from hardware.audio import AudioClip
    from hardware.recordings import write_recording
    from voice.speaking import louder

    clips = [voice.synthesize(one, speed_percent=audio.speed_percent) for one in sentences]
    samples = louder(np.concatenate([clip.samples for clip in clips]), audio.volume_percent)
    clip = AudioClip(samples=samples, rate_hz=clips[0].rate_hz)
    try:
        with out.open("wb"):
            pass  # names the cause where soundfile would only say "System error"
        write_recording(out, clip)
    except OSError as error:
        raise RecordingNotWritten(f"{out} cannot be written: {error.strerror}") from error
    typer.echo(f"{out}: {clip.duration_s:.1f} s")
