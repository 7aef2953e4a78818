"""The wake phrase by sherpa-onnx: a small network trained on keywords, for which any phrase can be spelled.

Optional: sherpa-onnx is not among what 小智 needs. It knows only what it listens for; of everything else it
cannot tell one word from another, so stop words, which count only alone, are left to another spotter
(`voice.wake_pair`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hardware.audio import RATE_HZ, Samples
from voice.errors import RecognizerFailed, SpeechLibraryMissing, SpeechModelDamaged, SpeechModelMissing
from voice.model_catalogue import SHERPA_FILES
from voice.pinyin import toned_parts
from voice.wake import UNKNOWN, WakePhrase, plan_wake_phrase

_TAIL_S = 0.66
"""Silence put behind the end, for the network looks ahead; as long as in sherpa-onnx's own examples."""
_FULL_SCALE = 32_768
_NO_KEYWORDS_FILE = "/dev/null"
"""Keywords come with each stream; sherpa-onnx wants a file of further ones."""
_MARKS = ((), (b"model_type",), (b"vocab_size", b"context_size"), ())
"""What stands in each file of a right model. Of another one sherpa-onnx would end the whole process."""


class SherpaOnnxSpotter:
    """Listens for a phrase, and for nothing else.

    Args:
        folder: The model; holds the files of `SHERPA_FILES`.
        phrase: The wake phrase, as the user wrote it.

    Raises:
        SpeechModelMissing: there is no such folder, or sherpa-onnx is not installed.
        SpeechModelDamaged: files are missing or cannot be read.
        WakePhraseError: it cannot be called by that.
    """

    def __init__(self, folder: Path, phrase: str) -> None:
        files = _checked_files(folder)
        self._tokens = _read_tokens(files[0])
        self._spotter = _load(files)
        self._called = self._heard_any = False
        self.listen_for(phrase)
        # Networks that do not fit each other are found out only when sound goes through them.
        try:
            self.accept(np.zeros(RATE_HZ, np.int16))
            self.finish()
        except RecognizerFailed as error:
            raise SpeechModelDamaged(f"the parts of the speech model in {folder} do not fit") from error

    def listen_for(self, phrase: str) -> WakePhrase:
        """Change the wake phrase from the next stretch on; return it as it is listened for.

        Raises:
            WakePhraseError: it cannot be called by that.
        """
        self.phrase = plan_wake_phrase(phrase, self._can_spell)
        self._keyword = f"{' '.join(toned_parts(self.phrase.phrase))} @{self.phrase.phrase}"
        self.reset()
        return self.phrase

    def accept(self, samples: Samples) -> None:
        """Take the next piece of sound.

        Raises:
            RecognizerFailed: sherpa-onnx cannot take it.
        """
        self._heard_any = self._heard_any or len(samples) > 0
        self._listen((samples / _FULL_SCALE).astype(np.float32))

    def partial(self) -> str:
        """Return the phrase when it has been heard; it is noticed some 0.3 s behind its end."""
        if self._called:
            return self.phrase.phrase
        return UNKNOWN if self._heard_any else ""

    def finish(self) -> str:
        """Return whether the phrase was said in this stretch: it, or UNKNOWN, or nothing of no sound.

        Raises:
            RecognizerFailed: sherpa-onnx cannot take what was left.
        """
        try:
            if self._heard_any:
                self._listen(np.zeros(round(_TAIL_S * RATE_HZ), np.float32))
            return self.partial()
        finally:
            self.reset()

    def reset(self) -> None:
        """Forget what was said so far."""
        self._stream = self._spotter.create_stream(self._keyword)
        self._called = self._heard_any = False

    def _listen(self, samples: np.ndarray[Any, np.dtype[np.float32]]) -> None:
        try:
            self._stream.accept_waveform(RATE_HZ, samples)
            while self._spotter.is_ready(self._stream):
                self._spotter.decode_stream(self._stream)
                # A result is told once.
                if self._spotter.get_result(self._stream):
                    self._called = True
                    self._spotter.reset_stream(self._stream)
        except RuntimeError as error:
            raise RecognizerFailed("sherpa-onnx cannot take the sound") from error

    def _can_spell(self, word: str) -> bool:
        return all(part in self._tokens for part in toned_parts(word))


def _checked_files(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise SpeechModelMissing(f"no speech model in {folder}")
    files = tuple(folder / name for name in SHERPA_FILES)
    lacking = [file.name for file in files if not (file.is_file() and file.stat().st_size)]
    if lacking:
        raise SpeechModelDamaged(f"the speech model in {folder} lacks {', '.join(lacking)}")
    for file, marks in zip(files, _MARKS, strict=True):
        content = file.read_bytes() if marks else b""
        if not all(mark in content for mark in marks):
            raise SpeechModelDamaged(f"{file} is no part of a keyword spotting model")
    return files


def _read_tokens(file: Path) -> frozenset[str]:
    try:
        rows = [line.split() for line in file.read_text("utf-8").splitlines() if line.strip()]
        numbers = {token: int(number) for token, number in rows}
    except ValueError as error:
        raise SpeechModelDamaged(f"{file} is no list of tokens and their numbers") from error
    return frozenset(numbers)


def _load(files: tuple[Path, ...]) -> Any:  # noqa: ANN401 - sherpa-onnx has no types
    try:
        from sherpa_onnx import KeywordSpotter
    except ImportError as error:
        raise SpeechLibraryMissing(f"sherpa-onnx, which loads {files[0].parent}, is not installed") from error
    tokens, encoder, decoder, joiner = (str(file) for file in files)
    try:
        return KeywordSpotter(
            tokens=tokens,
            encoder=encoder,
            decoder=decoder,
            joiner=joiner,
            keywords_file=_NO_KEYWORDS_FILE,
            num_threads=1,
        )
    except RuntimeError as error:
        raise SpeechModelDamaged(f"the speech model in {files[0].parent} cannot be loaded") from error
