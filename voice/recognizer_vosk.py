"""Free recognition by Vosk: partials, several readings, and the inventory's names in them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

import numpy as np

from hardware.audio import Samples
from voice.biasing import possible, ranked
from voice.errors import RecognizerFailed
from voice.heard import Hearing
from voice.vosk_model import UNKNOWN_WORD, VoskModel
from voice.wake import segment

_READINGS = 5
_NAME_IS_LIKELIER = 1.0
"""A name that is expected is taken when the sound fits it so little worse (log likelihood)."""
_SPACE_IN_CHINESE = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")


class VoskRecognizer:
    """Understands one utterance at a time.

    Args:
        model: The speech model; how widely it searches stands in its conf/model.conf.
    """

    def __init__(self, model: VoskModel) -> None:
        self._model = model
        self._recognizer = model.recognizer()
        self._recognizer.SetMaxAlternatives(_READINGS)
        self._names: tuple[str, ...] = ()
        self._before = ""
        self._sound: list[Samples] = []

    def expect(self, names: Sequence[str]) -> None:
        """Prefer these names."""
        self._names = tuple(dict.fromkeys(names))

    def accept(self, samples: Samples) -> None:
        """Take the next piece of the utterance.

        Raises:
            RecognizerFailed: Vosk cannot take it.
        """
        self._sound.append(samples)
        try:
            complete = self._recognizer.AcceptWaveform(samples.tobytes())
        except Exception as error:
            raise RecognizerFailed("Vosk cannot take the sound") from error
        if complete and (readings := _readings(self._recognizer.Result())):
            self._before += readings[0][0]

    def partial(self) -> str:
        """Return what has been understood so far."""
        return self._before + _joined(json.loads(self._recognizer.PartialResult()).get("partial", ""))

    def finish(self) -> Hearing:
        """Return the whole utterance in words."""
        readings = _readings(self._recognizer.FinalResult()) or [("", 0.0)]
        whole = ranked([(self._before + text, score) for text, score in readings], self._names)
        best, *others = whole
        text = self._named(best.text)
        self._before = ""
        self._sound.clear()
        return Hearing(text=text, confidence=best.confidence if text else 0.0, alternatives=tuple(others))

    def reset(self) -> None:
        """Forget the utterance."""
        # Reset() keeps a front end that FinalResult() has flushed: what follows would begin with garbage.
        self._recognizer.FinalResult()
        self._before = ""
        self._sound.clear()

    def _named(self, text: str) -> str:
        """Return the text with a name in it that was heard as something alike, if the sound bears it out.

        The sound is heard once more, and may be this text or one with a name: what language makes likely no
        longer counts.
        """
        texts = {one: segment(one, self._model.knows) for one in (text, *possible(text, self._names))}
        phrases = [words for words in texts.values() if words]
        if len(phrases) < 2 or not texts[text]:
            return text
        again = self._model.recognizer(phrases)
        again.SetMaxAlternatives(len(phrases))
        again.AcceptWaveform(np.concatenate(self._sound).tobytes())
        scores = dict(reversed(_readings(again.FinalResult())))
        heard = scores.get(text, -math.inf)
        named = {one: scores[one] for one in texts if one != text and one in scores}
        best = max(named, key=lambda one: named[one], default=text)
        return best if best != text and named[best] >= heard - _NAME_IS_LIKELIER else text


def _readings(result: str) -> list[tuple[str, float]]:
    alternatives = json.loads(result).get("alternatives", [])
    return [(_joined(one["text"]), float(one["confidence"])) for one in alternatives]


def _joined(words: str) -> str:
    """Take the spaces out from between Chinese words; between Latin ones they stay."""
    return _SPACE_IN_CHINESE.sub("", words.replace(UNKNOWN_WORD, "")).strip()
