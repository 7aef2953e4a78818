"""A sentence made ready: one writing, and its syllables with the places where they stand (pure)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from pypinyin import Style, lazy_pinyin

from mcp_tencent.naming.sound import folded, syllables

_CJK = r"\u3400-\u9fff"
_SPACE_BESIDE_CJK = re.compile(rf"(?<=[{_CJK}，。；！？、])\s+|\s+(?=[{_CJK}，。；！？、])")
_COMMA = re.compile(rf"(?<=[{_CJK}]),|,(?=\s*[{_CJK}])")
_TOKEN = re.compile(rf"[{_CJK}]|[A-Za-z]+|\d")
LONGEST_SENTENCE = 200  # characters; nobody says more in one breath


@dataclass(frozen=True, slots=True)
class Syllable:
    """One syllable (or Latin word) and where it stands; `sound` has the mixed-up sounds made equal."""

    start: int
    end: int
    plain: str
    sound: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in one writing: NFKC, no spaces beside Chinese characters."""

    text: str
    syllables: tuple[Syllable, ...]


def one_writing(say: str) -> str:
    """Return a text in full-width-free writing, without the spaces that recognizers put between words."""
    text = unicodedata.normalize("NFKC", say[:LONGEST_SENTENCE]).strip()
    text = _COMMA.sub("，", text).replace("?", "？").replace("!", "！").replace(";", "；")
    return re.sub(r"\s+", " ", _SPACE_BESIDE_CJK.sub("", text))


def sentence_of(say: str) -> Sentence:
    """Return a sentence in one writing with its syllables, read in context (重启 is chóng, not zhòng)."""
    text = one_writing(say)
    matches = list(_TOKEN.finditer(text))
    read = {}
    for run in re.finditer(rf"[{_CJK}]+", text):
        for offset, sound in enumerate(lazy_pinyin(run[0], style=Style.NORMAL)):
            read[run.start() + offset] = sound
    found = []
    for match in matches:
        plain = read.get(match.start()) or "".join(syllables(match[0]))
        found.append(Syllable(match.start(), match.end(), plain, "".join(_folded_sound(plain))))
    return Sentence(text, tuple(found))


def _folded_sound(plain: str) -> tuple[str, ...]:
    return folded(plain)
