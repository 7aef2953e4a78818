"""The voice on pyttsx3 and espeak-ng: one worker process, one file a sentence, deadlines, a new one in time.

pyttsx3 can neither stop nor speak two sentences in a row nor serve two threads, and libespeak-ng has
crashed after seven hours of speech in one process. So it runs apart, is asked for files only, and is
replaced long before.
"""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import tempfile
import threading
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware.audio import AudioClip, Samples
from voice.errors import SynthesisFailed, SynthesizerMissing
from voice.pronunciation import Language, Stretch, stretches
from voice.synthesizer import NORMAL_SPEED_PERCENT

VOICES = {Language.PINYIN: "sit/cmn-latn-pinyin", Language.ENGLISH: "gmw/en-us"}
"""Identifiers of espeak-ng's voices. `sit/cmn` would read tone digits as English numbers."""
WORKER = (sys.executable, "-m", "voice.synthesizer_pyttsx3_worker", *VOICES.values())
RATE_HZ = 22_050
NORMAL_WORDS_PER_MINUTE = 200
SLOWEST_WORDS_PER_MINUTE, FASTEST_WORDS_PER_MINUTE = 80, 450
_LONGEST_GAP_S = 0.06
_QUIET = 150
_PACKAGES_FOLDER = Path(__file__).parents[1]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """When a worker is given up.

    Args:
        start_s: So long it may take to be ready.
        sentence_s: So long it may take for a sentence; eight seconds of speech take 0.02 s.
        speech_s: After so much speech it is replaced, between two sentences.
    """

    start_s: float = 20.0
    sentence_s: float = 6.0
    speech_s: float = 3_600.0


class Pyttsx3Synthesizer:
    """Speaks with espeak-ng through pyttsx3; satisfies `Synthesizer`.

    The worker starts with the object, so that the first sentence does not wait for it.

    Args:
        limits: When a worker is given up.
        worker: The command that runs a worker.
    """

    def __init__(self, limits: WorkerLimits | None = None, worker: Sequence[str] = WORKER) -> None:
        self._limits = limits or WorkerLimits()
        self._command = tuple(worker)
        self._lock = threading.Lock()
        self._closed = False
        self._worker: _Worker | None = _Worker(self._command)
        self._folder = tempfile.TemporaryDirectory(prefix="xiaozhi-voice-")

    def synthesize(self, sentence: str, *, speed_percent: int = NORMAL_SPEED_PERCENT) -> AudioClip:
        """Return how a sentence sounds.

        Raises:
            SynthesisFailed: two workers one after the other broke down at it, or it is closed.
            SynthesizerMissing: espeak-ng or its Mandarin voice is not installed.
        """
        parts = stretches(sentence)
        if not parts:
            return AudioClip(samples=np.zeros(0, np.int16), rate_hz=RATE_HZ)
        with self._lock:
            try:
                samples = self._once(parts, speed_percent)
            except SynthesisFailed as error:
                logger.warning("The voice is started anew: %s", error)
                samples = self._once(parts, speed_percent)
            clip = AudioClip(samples=samples, rate_hz=RATE_HZ)
            self._replace_in_time(clip.duration_s)
            return clip

    def close(self) -> None:
        """End the worker; closing twice does nothing."""
        with self._lock:
            self._closed = True
            self._give_up()
            self._folder.cleanup()

    @property
    def worker_pid(self) -> int | None:
        """The process that speaks, for the log and the doctor."""
        return self._worker.process.pid if self._worker else None

    def _once(self, parts: Sequence[Stretch], speed_percent: int) -> Samples:
        worker = self._worker or self._start()
        rate = round(NORMAL_WORDS_PER_MINUTE * speed_percent / 100)
        rate = min(max(rate, SLOWEST_WORDS_PER_MINUTE), FASTEST_WORDS_PER_MINUTE)
        files = [Path(self._folder.name) / f"{number}.wav" for number in range(len(parts))]
        asked = [
            [VOICES[part.language], rate, part.text, str(file)]
            for part, file in zip(parts, files, strict=True)
        ]
        try:
            worker.ask({"stretches": asked}, self._limits)
            return _joined([_read(file) for file in files])
        except (SynthesisFailed, SynthesizerMissing):
            self._give_up()
            raise
        finally:
            for file in files:
                file.unlink(missing_ok=True)

    def _start(self) -> _Worker:
        if self._closed:
            raise SynthesisFailed("the synthesizer is closed")
        self._worker = _Worker(self._command)
        return self._worker

    def _give_up(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _replace_in_time(self, spoken_s: float) -> None:
        if self._worker is None:
            return
        self._worker.spoken_s += spoken_s
        if self._worker.spoken_s >= self._limits.speech_s:
            self._give_up()
            self._start()


class _Worker:
    """One process of `synthesizer_pyttsx3_worker.py`."""

    def __init__(self, command: Sequence[str]) -> None:
        self.spoken_s = 0.0
        self._ready = False
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(_PACKAGES_FOLDER)},
                start_new_session=True,  # Ctrl-C ends the sentence through us, not through the worker
            )
        except OSError as error:
            raise SynthesisFailed(f"the voice's process cannot be started: {error}") from error

    def ask(self, request: dict[str, object], limits: WorkerLimits) -> None:
        """Have a request done, or raise."""
        if not self._ready:
            answer = self._answer(limits.start_s)
            if "missing" in answer:
                raise SynthesizerMissing(f"no voice: {answer['missing']}")
            self._ready = True
        assert self.process.stdin is not None  # noqa: S101 - opened with a pipe
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except OSError as error:
            raise SynthesisFailed("the voice's process has died") from error
        answer = self._answer(limits.sentence_s)
        if "failed" in answer:
            raise SynthesisFailed(f"the voice refused: {answer['failed']}")

    def _answer(self, deadline_s: float) -> dict[str, object]:
        stdout = self.process.stdout
        assert stdout is not None  # noqa: S101 - opened with a pipe
        if not select.select([stdout], [], [], deadline_s)[0]:
            raise SynthesisFailed(f"the voice did not answer within {deadline_s:g} s")
        line = stdout.readline()
        if not line:
            raise SynthesisFailed(f"the voice's process ended with {self.process.wait(1)}")
        answer = json.loads(line)
        return answer if isinstance(answer, dict) else {}

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    logger.debug("A request was lost with the voice's process.")


def _read(file: Path) -> Samples:
    try:
        with wave.open(str(file), "rb") as source:
            samples = np.frombuffer(source.readframes(source.getnframes()), np.int16)
    except (OSError, EOFError, wave.Error) as error:
        raise SynthesisFailed(f"the voice wrote no sound: {error}") from error
    if not len(samples):
        raise SynthesisFailed("the voice wrote a file without sound")
    return samples


def _joined(parts: Sequence[Samples]) -> Samples:
    """Return stretches as one sentence, without the pauses that espeak-ng puts behind each."""
    gap = int(_LONGEST_GAP_S * RATE_HZ)
    kept = []
    for number, part in enumerate(parts):
        loud = np.flatnonzero(np.abs(part.astype(np.int32)) > _QUIET)
        first = max(0, int(loud[0]) - gap) if len(loud) and number else 0
        last = int(loud[-1]) + gap if len(loud) and number < len(parts) - 1 else len(part)
        kept.append(part[first:last])
    return np.concatenate(kept)
