"""A Vosk model folder, checked before it is loaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import vosk

from hardware.audio import RATE_HZ
from voice.errors import SpeechModelDamaged, SpeechModelMissing

_NEEDED = ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf", "graph/HCLr.fst", "graph/Gr.fst")
"""Only a model with these two graphs takes a grammar at run time; a single HCLG.fst does not."""
UNKNOWN_WORD = "[unk]"


class VoskModel:
    """A Mandarin model in memory, to be shared by every recogniser.

    Args:
        folder: What `xiaozhi models list` shows.

    Raises:
        SpeechModelMissing: there is no such folder.
        SpeechModelDamaged: files are missing or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise SpeechModelMissing(f"no speech model in {folder}")
        lacking = [name for name in _NEEDED if not _filled(folder / name)]
        if lacking:
            raise SpeechModelDamaged(f"the speech model in {folder} lacks {', '.join(lacking)}")
        # Below -1 warnings are left out too: one for every reading of a model without word boundaries.
        vosk.SetLogLevel(-2)
        try:
            self._model = vosk.Model(str(folder))
        except Exception as error:
            raise SpeechModelDamaged(f"the speech model in {folder} cannot be loaded") from error
        self.folder = folder
        self._knows = lru_cache(maxsize=16_384)(self._find)

    def knows(self, word: str) -> bool:
        """Return whether a word is in its vocabulary."""
        return self._knows(word)

    def recognizer(self, phrases: Sequence[Sequence[str]] | None = None) -> vosk.KaldiRecognizer:
        """Return a recogniser of 16 kHz sound.

        Args:
            phrases: All it may hear, each in words of the vocabulary; None for everything.

        Raises:
            SpeechModelDamaged: the model takes no grammar.
        """
        try:
            if phrases is None:
                return vosk.KaldiRecognizer(self._model, RATE_HZ)
            # Vosk cuts at spaces, reads no \u escapes, and drops without a word what it does not find.
            grammar = json.dumps([" ".join(words) for words in phrases], ensure_ascii=False)
            return vosk.KaldiRecognizer(self._model, RATE_HZ, grammar)
        except Exception as error:
            raise SpeechModelDamaged(f"the speech model in {self.folder} makes no recogniser") from error

    def _find(self, word: str) -> bool:
        return int(self._model.vosk_model_find_word(word)) >= 0


def _filled(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
