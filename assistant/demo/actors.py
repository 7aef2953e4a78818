"""People of the demo, as sound: espeak-ng in different voices, never twice exactly alike."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assistant.demo.errors import DemoStepFailed
from hardware.audio import RATE_HZ, AudioClip
from hardware.recordings import read_recording, write_recording

LANGUAGE = "cmn-latn-pinyin"
_PACES = (140, 152, 132, 146, 136, 156, 143)
"""Words a minute, in turn."""
_PITCHES = (50, 45, 54, 47, 57, 43)
"""espeak-ng's 0 to 99, in turn. Nobody says a sentence twice alike; who does is a recording, and refused."""
_LOUDNESS = 0.5
_ROOM_NOISE = 25.0
"""Of 32,768: some 62 dB below the loudest, a quiet office."""
_BEFORE_AND_AFTER_S = 0.4
_DEADLINE_S = 20.0


@dataclass(slots=True)
class Actor:
    """Somebody who speaks.

    Args:
        name: Who.
        variant: espeak-ng's voice variant.
        folder: Where their sentences are recorded.
    """

    name: str
    variant: str
    folder: Path
    _said: int = field(default=0, init=False)

    def record(self, text: str) -> Path:
        """Record a sentence and return the file.

        Raises:
            DemoStepFailed: espeak-ng is missing or failed.
        """
        pace, pitch = _PACES[self._said % len(_PACES)], _PITCHES[self._said % len(_PITCHES)]
        self._said += 1
        file = self.folder / f"{self.variant}-{self._said:02}.wav"
        voice = ["-v", f"{LANGUAGE}+{self.variant}", "-s", str(pace), "-p", str(pitch)]
        try:
            subprocess.run(  # noqa: S603 - our own words, no shell
                ["espeak-ng", *voice, "-w", str(file), text],  # noqa: S607 - as Debian installs it
                check=True,
                capture_output=True,
                timeout=_DEADLINE_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise DemoStepFailed(f"espeak-ng could not speak for {self.name}: {error}") from error
        write_recording(file, _in_a_room(read_recording(file)))
        return file


def _in_a_room(clip: AudioClip) -> AudioClip:
    """Return a sentence as a microphone has it: no room is silent, and no two noises are alike."""
    quiet = np.zeros(int(_BEFORE_AND_AFTER_S * RATE_HZ))
    sound = np.concatenate([quiet, clip.samples * _LOUDNESS, quiet])
    noise = np.random.default_rng().normal(0.0, _ROOM_NOISE, len(sound))
    return AudioClip(samples=(sound + noise).astype(np.int16))
