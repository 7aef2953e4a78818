"""How long a Chinese sentence takes to speak at the normal rate: an upper estimate (pure).

Measured with pyttsx3 on espeak-ng, voice sit/cmn-latn-pinyin at its normal rate of 200: 0.24 to 0.26 s a
syllable, 0.22 s a comma, 0.3 s a full stop within a text, and about 0.3 s more for each sentence that is
synthesised alone. The figures below lie above that, so that a digest is rather too short than too long.
"""

from __future__ import annotations

import re

import cn2an

_SYLLABLE_S = 0.26
_COMMA_S = 0.22
_STOP_S = 0.6
_SPELLED_LETTER_S = 0.35
_LETTER_S = 0.15
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_STOPS = frozenset("。！？!?…")
_PAUSES = frozenset('，、；：,;:（）()“”"')
_LONGEST_NUMBER = 10
"""Longer runs of digits are read one by one."""


def estimated_seconds(text: str) -> float:
    """Return how many seconds `text` takes at most at the normal rate."""
    return _numbers_s(text) + sum(_seconds(one) for one in _NUMBER.sub("", text))


def _numbers_s(text: str) -> float:
    return sum(_SYLLABLE_S * _syllables(number) for number in _NUMBER.findall(text))


def _syllables(number: str) -> int:
    whole, _, fraction = number.partition(".")
    read = len(cn2an.an2cn(str(int(whole)))) if len(whole) <= _LONGEST_NUMBER else len(whole)
    return max(read, len(whole) if whole.startswith("0") else 0) + (1 + len(fraction) if fraction else 0)


def _seconds(one: str) -> float:
    if one in _STOPS:
        return _STOP_S
    if one in _PAUSES:
        return _COMMA_S
    if one.isascii():
        if one.isupper():
            return _SPELLED_LETTER_S
        return _LETTER_S if one.isprintable() and not one.isspace() else 0.0
    return _SYLLABLE_S
