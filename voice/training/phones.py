"""Sounds of toneless Mandarin: 21 initials and 38 finals, and the way from pinyin to them."""

from __future__ import annotations

import re

SILENCE = "SIL"
"""Silence; also the blank of CTC, which is why it has index 0."""

_INITIAL_LETTERS = "b p m f d t n l g k h zh ch sh r z c s j q x"
INITIALS = tuple(_INITIAL_LETTERS.split())
_FINAL_LETTERS = """
a o e ai ei ao ou an en ang eng ong er i iz ir ia ie iao iu ian in iang ing iong
u ua uo uai ui uan un uang ueng v ve van vn
"""
FINALS = tuple(_FINAL_LETTERS.split())
PHONES = (SILENCE, *INITIALS, *FINALS)
PHONE_INDEX = {phone: index for index, phone in enumerate(PHONES)}

Pronunciation = tuple[str, ...]
"""Phones of a word, in order."""

_WITHOUT_INITIAL = {
    "yi": "i", "ya": "ia", "ye": "ie", "yao": "iao", "you": "iu", "yan": "ian", "yin": "in", "yang": "iang",
    "ying": "ing", "yong": "iong", "yo": "o", "wu": "u", "wa": "ua", "wo": "uo", "wai": "uai", "wei": "ui",
    "wan": "uan", "wen": "un", "wang": "uang", "weng": "ueng", "yu": "v", "yue": "ve", "yuan": "van",
    "yun": "vn",
}  # fmt: skip
_BARE_FINALS = frozenset(["a", "o", "e", "ai", "ei", "ao", "ou", "an", "en", "ang", "eng", "er"])
_FULL_SPELLINGS = {"uen": "un", "iou": "iu", "uei": "ui"}
_AFTER_PALATALS = {"u": "v", "ue": "ve", "uan": "van", "un": "vn"}


def phones_of_syllable(pinyin: str) -> Pronunciation | None:
    """Split one pinyin syllable (``xiao3``, ``lü``, ``zhi``) into its phones; the tone is dropped.

    Returns:
        One or two phones, or None when it is no Mandarin syllable of this phone set.
    """
    syllable = re.sub(r"[0-9]", "", pinyin.lower()).replace("u:", "v").replace("ü", "v")
    if syllable in _WITHOUT_INITIAL:
        return (_WITHOUT_INITIAL[syllable],)
    if syllable in _BARE_FINALS:
        return (syllable,)
    for length in (2, 1):
        initial, final = syllable[:length], syllable[length:]
        if initial in INITIALS and final:
            return _joined(initial, final)
    return None


def _joined(initial: str, final: str) -> Pronunciation | None:
    """Spell the final as it sounds after this initial."""
    if initial in ("j", "q", "x"):
        final = _AFTER_PALATALS.get(final, final)
    if final == "i" and initial in ("z", "c", "s"):
        final = "iz"
    if final == "i" and initial in ("zh", "ch", "sh", "r"):
        final = "ir"
    if final == "ue" and initial in ("l", "n"):
        final = "ve"
    final = _FULL_SPELLINGS.get(final, final)
    return (initial, final) if final in FINALS else None
