"""How a sentence is to be read: Chinese by pinyin, abbreviations by letters, English as English (pure).

espeak-ng reads Chinese characters from a small dictionary of its own: 重启 becomes “zhòng qǐ”, 地域 “de yù”.
Written as pinyin with tone digits every syllable comes out right, so pypinyin, which knows words, chooses the
reading. Latin text would be taken for pinyin (“can”, “java”), so it is given to an English voice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from pypinyin import Style, lazy_pinyin, load_phrases_dict


class Language(StrEnum):
    """Which voice reads a stretch."""

    PINYIN = "pinyin"
    ENGLISH = "english"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a sentence that one voice reads.

    Args:
        text: As the voice wants it: pinyin with tone digits, or English.
        language: Which voice.
    """

    text: str
    language: Language


LONGEST_ABBREVIATION = 5
"""Longer capitals (GRAFANA) are words that are shouted."""
_ABBREVIATIONS = frozenset({"tke", "cpu", "api", "url", "dns", "ip", "id", "io", "ui", "https"})
"""With a vowel in it or not, these are spelled in lower case too."""
_SPOKEN_AS_WORDS = frozenset({"RAM", "JSON", "YAML", "SAAS", "PAAS", "OOM"})
_PHRASES = {  # readings of operations that pypinyin's dictionary lacks or has otherwise
    "重启": [["chóng"], ["qǐ"]],
    "重试": [["chóng"], ["shì"]],
    "重连": [["chóng"], ["lián"]],
    "重建": [["chóng"], ["jiàn"]],
    "重播": [["chóng"], ["bō"]],
    "调用": [["diào"], ["yòng"]],
    "调度": [["diào"], ["dù"]],
    "一行": [["yī"], ["háng"]],
    "行数": [["háng"], ["shù"]],
    "重置": [["chóng"], ["zhì"]],
}
load_phrases_dict(_PHRASES)

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*[%％]")
_DOTTED = re.compile(r"\d+(?:\.\d+){2,}")
_DECIMAL = re.compile(r"(?<=\d)\.(\d+)")
_MINUS = re.compile(r"(?<![\w-])[-−](?=\d)")
_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_TIME = re.compile(r"\b(\d{1,2}):(\d{2})(?::\d{2})?\b", re.ASCII)
_VERSION = re.compile(r"\b[vV](?=\d)")
_LATIN = re.compile(r"[A-Za-z][A-Za-z']*")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_JOINTS = re.compile(r"(?<=[A-Za-z0-9])[-_/.:@]+(?=[A-Za-z])|(?<=[A-Za-z])[-_/.:@]+(?=[A-Za-z0-9])")
_UNSPEAKABLE = re.compile(r"[^\w\s.,!?;:，。！？；：、…“”‘’（）()《》%-]", re.ASCII)
_DIGITS = "零一二三四五六七八九"


def stretches(sentence: str) -> tuple[Stretch, ...]:
    """Return a sentence as its voices read it, in order; nothing when there is nothing to be spoken."""
    text = _written_out(sentence)
    parts: list[Stretch] = []
    at = 0
    for word in _LATIN.finditer(text):
        if _is_spelled(word.group()):
            continue
        _append(parts, text[at : word.start()], Language.PINYIN)
        _append(parts, word.group(), Language.ENGLISH)
        at = word.end()
    _append(parts, text[at:], Language.PINYIN)
    return tuple(parts)


def _written_out(sentence: str) -> str:
    """Return a sentence without signs that no voice reads, or reads wrongly."""
    text = _DATE.sub(r"\1年\2月\3日", sentence)
    text = _TIME.sub(r"\1点\2分", text).replace("点00分", "点")
    text = _PERCENT.sub(r"百分之\1", _MINUS.sub("负", text))
    text = _DOTTED.sub(_digit_by_digit, text)
    text = _DECIMAL.sub(lambda found: "点" + _digit_by_digit(found)[1:], text)
    text = _VERSION.sub("V ", text)
    text = _CAMEL.sub(" ", _JOINTS.sub(" ", text))
    return " ".join("".join(char if _may_be_read(char) else " " for char in text).split())


def _digit_by_digit(found: re.Match[str]) -> str:
    return "".join("点" if char == "." else _DIGITS[int(char)] for char in found.group())


def _may_be_read(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff" or not _UNSPEAKABLE.match(char)


def _is_spelled(word: str) -> bool:
    """Whether a Latin word is read letter by letter: CPU, P, tke."""
    if len(word) == 1:
        return True
    if word in _SPOKEN_AS_WORDS:
        return False
    if word.lower() in _ABBREVIATIONS:
        return True
    if word.isupper():
        return len(word) <= LONGEST_ABBREVIATION
    return not re.search(r"[aeiouy]", word.lower())


def _append(parts: list[Stretch], text: str, language: Language) -> None:
    if not re.search(r"\w", text):
        if parts and re.search(r"[,.!?;:，。！？；：、…]", text):
            # The pause belongs to what was said before it.
            last = parts.pop()
            parts.append(Stretch(text=last.text + ",", language=last.language))
        return
    if language is Language.PINYIN:
        text = _pinyin(text)
    if parts and parts[-1].language is language:
        text = f"{parts.pop().text} {text}"
    parts.append(Stretch(text=text.strip(), language=language))


def _pinyin(text: str) -> str:
    """Return Chinese as pinyin with tone digits, everything else as it is, abbreviations as letters."""
    syllables = lazy_pinyin(
        text, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False, tone_sandhi=True, errors=_spelled
    )
    return " ".join(part.strip() for part in syllables if part.strip())


def _spelled(text: str) -> str:
    return _LATIN.sub(lambda word: " " + " ".join(word.group().lower().replace("'", "")) + " ", text)
