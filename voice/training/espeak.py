"""libespeak-ng through ctypes: text to samples and to the phonemes it really spoke.

The command line tool would start a process for each of some 20,000 sentences; the library does not. It is
only stable for about two hours of speech in one process (1.51 crashes after several thousand changes of
voice), so callers work in short-lived processes.
"""

from __future__ import annotations

import ctypes
import functools
import re

import numpy as np
from numpy.typing import NDArray
from pypinyin import Style, pinyin
from scipy.signal import resample_poly

from voice.training.characters import common_characters
from voice.training.errors import TrainingToolMissing
from voice.training.phones import PHONE_INDEX, Pronunciation, phones_of_syllable

MANDARIN = "cmn-latn-pinyin"
ENGLISH = "en-us"
_SYNCHRONOUS, _RATE, _PITCH, _RANGE = 2, 1, 3, 4
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """One loaded libespeak-ng; a process should hold one."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as exc:
            raise TrainingToolMissing("libespeak-ng.so.1", "install espeak-ng") from exc
        self._pieces: list[NDArray[np.int16]] = []
        self._callback = _CALLBACK(self._received)  # kept: the library holds only its address
        self.native_rate_hz = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, 0))
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p

    def _received(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: object) -> int:
        if count > 0 and ctypes.cast(samples, ctypes.c_void_p).value:
            self._pieces.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    def set_voice(self, language: str, variant: str = "") -> None:
        """Choose a language (``cmn-latn-pinyin``) and a voice variant of ``!v`` (empty: the default)."""
        name = f"{language}+{variant}" if variant else language
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise TrainingToolMissing(f"espeak-ng voice {name}", "install espeak-ng-data 1.51 or later")

    def set_delivery(self, *, words_per_minute: int, pitch: int, pitch_range: int = 50) -> None:
        """Set speed, and pitch and its range on espeak's scale of 0 to 100."""
        for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)

    def speak(self, text: str) -> NDArray[np.float32]:
        """Say a text: samples at 16 kHz in the scale of int16, empty when espeak finds nothing to say."""
        self._pieces.clear()
        encoded = text.encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, 1, None, None)
        self._library.espeak_Synchronize()
        if not self._pieces:
            return np.zeros(0, np.float32)
        native = np.concatenate(self._pieces).astype(np.float32)
        return np.asarray(resample_poly(native, 16_000, self.native_rate_hz), np.float32)

    def phonemes(self, text: str) -> str:
        """Return espeak's own phonemes of a text in the chosen language, syllables parted by ``|``."""
        cursor = ctypes.c_char_p(text.encode() + b"\0")
        clauses: list[str] = []
        while cursor.value:
            spoken = self._library.espeak_TextToPhonemes(ctypes.byref(cursor), 1, 0)
            if spoken:
                clauses.append(spoken.decode())
        return " | ".join(clauses)


def syllable_key(phonemes: str) -> str:
    """Strip tones, stress and separators from espeak's phonemes of one syllable."""
    return re.sub(r"[0-9',_| ]", "", phonemes)


@functools.lru_cache(maxsize=1)
def toned_syllables() -> tuple[str, ...]:
    """All toned pinyin syllables that common characters are read with (``xiao3``; neutral tone is 5)."""
    readings: set[str] = set()
    for character in common_characters():
        for reading in pinyin(character, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True)[0]:
            if phones_of_syllable(reading):
                readings.add(reading.replace("ü", "v"))
    return tuple(sorted(readings))


class SpokenLabels:
    """What espeak-ng says for a Chinese text, in our phones: labels from its mouth, not from a dictionary."""

    def __init__(self, espeak: Espeak) -> None:
        self._espeak = espeak
        espeak.set_voice(MANDARIN)
        self._table = {
            syllable_key(espeak.phonemes(syllable)): phones for syllable in toned_syllables()
            if (phones := phones_of_syllable(syllable)) is not None
        }  # fmt: skip

    def of(self, text: str) -> Pronunciation | None:
        """Return the phones of a text (a Mandarin voice must be set), or None for an unknown syllable."""
        phones: list[str] = []
        for token in re.split(r"_\||\|", self._espeak.phonemes(text)):
            key = syllable_key(token)
            if not key:
                continue
            if key not in self._table:
                return None
            phones += self._table[key]
        return tuple(phones)


def label_indices(phones: Pronunciation) -> list[int]:
    """Numbers of phones as the network puts them out."""
    return [PHONE_INDEX[phone] for phone in phones]
