"""Wake phrase and stop words by Vosk: a grammar of them, of near-misses, and of everything else."""

from __future__ import annotations

import json
from functools import lru_cache

from hardware.audio import Samples
from voice.errors import RecognizerFailed, WakePhraseUnknown
from voice.pinyin import Syllable, syllables
from voice.vosk_model import UNKNOWN_WORD, VoskModel
from voice.wake import STOP_WORDS, UNKNOWN, WakePhrase, plan_wake_phrase, segment

_MOST_DECOYS = 16


class VoskSpotter:
    """Listens for a phrase with a grammar so small that it costs next to nothing.

    Args:
        model: The speech model.
        phrase: The wake phrase, as the user wrote it.

    Raises:
        WakePhraseError: it cannot be called by that.
    """

    def __init__(self, model: VoskModel, phrase: str) -> None:
        self._model = model
        self.listen_for(phrase)

    def listen_for(self, phrase: str) -> WakePhrase:
        """Change the wake phrase from the next stretch on; return it as it is listened for.

        Raises:
            WakePhraseError: it cannot be called by that.
        """
        if not self._model.knows(UNKNOWN_WORD):
            raise WakePhraseUnknown(f"the model in {self._model.folder} has no word for anything unknown")
        planned = plan_wake_phrase(phrase, self._model.knows)
        stops = (segment(word, self._model.knows) for word in STOP_WORDS)
        known = [words for words in stops if words]
        phrases = [planned.words, (UNKNOWN_WORD,), *known, *self._decoys(planned)]
        self.phrase = planned
        self._recognizer = self._model.recognizer(phrases)
        self._said: list[str] = []
        return planned

    def accept(self, samples: Samples) -> None:
        """Take the next piece of sound.

        Raises:
            RecognizerFailed: Vosk cannot take it.
        """
        try:
            complete = self._recognizer.AcceptWaveform(samples.tobytes())
        except Exception as error:
            raise RecognizerFailed("Vosk cannot take the sound") from error
        if complete:
            self._said.append(_words(self._recognizer.Result(), "text"))

    def partial(self) -> str:
        """Return what it seems to be so far."""
        return "".join([*self._said, _words(self._recognizer.PartialResult(), "partial")])

    def finish(self) -> str:
        """Return what was said in this stretch."""
        said = "".join([*self._said, _words(self._recognizer.FinalResult(), "text")])
        self._said = []
        return said

    def reset(self) -> None:
        """Forget what was said so far."""
        self._recognizer.Reset()
        self._said = []

    def _decoys(self, planned: WakePhrase) -> list[tuple[str, ...]]:
        """Return the phrase's beginning, and the phrase with its last syllable taken for a near one."""
        decoys = [planned.words[:-1]] if len(planned.words) > 1 else []
        stem, last = planned.phrase[:-1], syllables(planned.phrase)[-1]
        near = [
            char
            for char, sound in _one_of_each_sound()
            if sound != last and (sound.initial == last.initial or sound.final == last.final)
        ]
        for char in near:
            words = segment(stem + char, self._model.knows)
            if words and len(decoys) < _MOST_DECOYS:
                decoys.append(words)
        return decoys


@lru_cache(maxsize=1)
def _one_of_each_sound() -> tuple[tuple[str, Syllable], ...]:
    """Return a common character for every syllable: the first in GB 2312's level 1, sorted by sound."""
    by_sound: dict[Syllable, str] = {}
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF):
            try:
                char = bytes((row, cell)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            by_sound.setdefault(syllables(char)[0], char)
    return tuple((char, sound) for sound, char in by_sound.items())


def _words(result: str, key: str) -> str:
    return "".join(json.loads(result).get(key, "").replace(UNKNOWN_WORD, UNKNOWN).split())
