"""People of the demo, as sound: espeak-ng in different voices, never twice exactly alike."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assistant.demo.errors import DemoStepFailed
from hardware.audio import AudioClip
from hardware.recordings import read_recording, write_recording

LANGUAGE = "cmn-latn-pinyin"
_PACES = (140, 146, 136, 150, 142, 148, 138)
"""Words a minute. Nobody says a sentence twice alike; who does is a recording, and refused."""
_LOUDNESS = 0.5
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
        pace = _PACES[self._said % len(_PACES)]
        self._said += 1
        file = self.folder / f"{self.variant}-{self._said:02}.wav"
        # Hanzi, commas and full stops go through; the pitch wanders a little, as in people.
        command = [
            "espeak-ng",
            "-v",
            f"{LANGUAGE}+{self.variant}",
            "-s",
            str(pace),
            "-p",
            str(48 + self._said % 5),
        ]
        try:
            subprocess.run(  # noqa: S603 - our own words, no shell
                [*command, "-w", str(file), text], check=True, capture_output=True, timeout=_DEADLINE_S
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise DemoStepFailed(f"espeak-ng could not speak for {self.name}: {error}") from error
        clip = read_recording(file)
        write_recording(file, AudioClip(samples=(clip.samples * _LOUDNESS).astype(np.int16)))
        return file
