"""How a name sounds: pinyin without tones, and with the sounds made equal that are often mixed up (pure).

Mixed up are z/zh, c/ch, s/sh, n/l at the beginning of a syllable and an/ang, en/eng, in/ing at its end: the
mergers that southern speakers of Mandarin make most, and that small recognition models make with everybody.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pypinyin import Style, lazy_pinyin

_KEPT = 65_536
_WORDS = re.compile(r"[a-z]+|[0-9]")
_DIGITS = dict(enumerate(["ling", "yi", "er", "san", "si", "wu", "liu", "qi", "ba", "jiu"]))


@lru_cache(maxsize=_KEPT)
def syllables(text: str) -> tuple[str, ...]:
    """Return the toneless syllables of a name in lower case; Latin words stay words, digits are read out.

    >>> syllables("订单服务v2")
    ('ding', 'dan', 'fu', 'wu', 'v', 'er')
    """
    found: list[str] = []
    for part in lazy_pinyin(text.lower(), style=Style.NORMAL):
        found += [_DIGITS[int(word)] if word.isdecimal() else word for word in _WORDS.findall(part)]
    return tuple(found)


@lru_cache(maxsize=_KEPT)
def folded(text: str) -> tuple[str, ...]:
    """Return the syllables of a name with the sounds made equal that are often mixed up."""
    return tuple(_fold(syllable) for syllable in syllables(text))


def _fold(syllable: str) -> str:
    if len(syllable) > 1 and syllable[0] in "zcs" and syllable[1] == "h":
        syllable = syllable[0] + syllable[2:]
    elif syllable[0] == "n" and syllable[1:2] in tuple("aeiouv"):
        syllable = "l" + syllable[1:]
    return syllable[:-1] if syllable.endswith(("ang", "eng", "ing")) else syllable
