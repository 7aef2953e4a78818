"""Which words the recogniser knows, how they sound, how frequent they are in general.

Four sources: words of operations (``texts/operations.txt``), English terms and letters, all characters of
everyday writing (so that a grammar may hold any name), and the most frequent words of jieba's dictionary.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass

import jieba
from pypinyin import Style, pinyin

from voice.training.characters import common_characters
from voice.training.phones import PHONES, Pronunciation, phones_of_syllable

UNKNOWN = "[unk]"
GENERAL_WORDS = 14_000
"""How many words of jieba's dictionary are taken, by frequency."""

LETTERS: Mapping[str, str] = {
    "a": "ei", "b": "b i", "c": "s ei/x i", "d": "d i", "e": "i", "f": "ai f/ai f u", "g": "j i",
    "h": "ei ch/ei q", "i": "ai", "j": "zh ei/j ie", "k": "k ei", "l": "ai l/ai l ou", "m": "ai m/ai m u",
    "n": "en", "o": "ou", "p": "p i", "q": "k iu", "r": "a er/a", "s": "ai s/ai s iz", "t": "t i", "u": "iu",
    "v": "ui i/f ei", "w": "d a b u l iu/d a b u iu", "x": "ai k s/ai k e s iz", "y": "uai",
    "z": "z i/z ei/z ai d",
}  # fmt: skip
"""Letters as people in China spell them; espeak-ng's English voice comes closest to the first reading."""

# Readings that a dictionary of single characters gets wrong for speech; rare readings are left out.
_CHARACTER_READINGS: Mapping[str, str] = {
    "的": "d e", "了": "l e", "得": "d e/d ei", "吗": "m a", "呢": "n e", "着": "zh e/zh ao", "地": "d i/d e",
    "不": "b u", "一": "i", "行": "x ing/h ang", "那": "n a", "这": "zh e", "和": "h e", "还": "h ai/h uan",
    "都": "d ou/d u", "什": "sh en/sh ir", "为": "ui", "大": "d a", "么": "m e", "吧": "b a", "啊": "a",
    "个": "g e", "上": "sh ang", "没": "m ei", "说": "sh uo", "给": "g ei", "会": "h ui", "能": "n eng",
    "子": "z iz", "里": "l i", "下": "x ia", "嗯": "en", "哦": "o", "谁": "sh ei/sh ui",
    "去": "q v", "看": "k an",
}  # fmt: skip
_TAGS_LEFT_OUT = ("nr", "ns", "nt", "nz", "x", "eng", "o", "g", "zg", "mq", "i", "j", "l")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnglishTerm:
    """An English word of the trade."""

    term: str
    """As written in answers of the recogniser: lower case."""
    spoken: str
    """What an English synthesizer is given to say."""
    pronunciations: tuple[Pronunciation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Words with their pronunciations and general frequencies."""

    pronunciations: Mapping[str, frozenset[Pronunciation]]
    counts: Mapping[str, float]
    """How often a word occurs in jieba's corpus (at least 1)."""
    tags: Mapping[str, str]
    """Part of speech of general words, in jieba's letters (``n``, ``v``, ``a`` …)."""


def text_lines(name: str) -> list[str]:
    """Lines of a file in ``texts/`` without comments and blank lines."""
    text = importlib.resources.files("voice.training").joinpath("texts", name).read_text("utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@functools.lru_cache(maxsize=1)
def operations_words() -> tuple[str, ...]:
    """Words of operations and of talking to the appliance."""
    return tuple(dict.fromkeys(word for line in text_lines("operations.txt") for word in line.split()))


@functools.lru_cache(maxsize=1)
def english_terms() -> tuple[EnglishTerm, ...]:
    """English words of the trade with their sounds."""
    terms = []
    for line in text_lines("english_terms.txt"):
        term, spoken, sounds = (part.strip() for part in line.split("|"))
        terms.append(EnglishTerm(term=term, spoken=spoken, pronunciations=_readings(sounds)))
    return tuple(terms)


def _readings(sounds: str) -> tuple[Pronunciation, ...]:
    readings = tuple(tuple(reading.split()) for reading in sounds.split("/"))
    unknown = {phone for reading in readings for phone in reading} - set(PHONES)
    if unknown:
        raise ValueError(f"no such phones: {sorted(unknown)} in {sounds!r}")
    return readings


def letter_pronunciations() -> dict[str, tuple[Pronunciation, ...]]:
    """Spelled letters ``a`` to ``z``."""
    return {letter: _readings(sounds) for letter, sounds in LETTERS.items()}


def pronunciations_of(word: str) -> frozenset[Pronunciation]:
    """Return all readings of a Chinese word: of a phrase the one in context, of a character each reading."""
    if word in _CHARACTER_READINGS:
        return frozenset(_readings(_CHARACTER_READINGS[word]))
    if len(word) == 1:
        found = (
            phones_of_syllable(reading) for reading in pinyin(word, style=Style.TONE3, heteronym=True)[0]
        )
        return frozenset(phones for phones in found if phones)
    phones: list[str] = []
    for reading in pinyin(word, style=Style.TONE3):
        syllable = phones_of_syllable(reading[0])
        if syllable is None:
            return frozenset()
        phones += syllable
    return frozenset({tuple(phones)})


def _is_chinese(word: str) -> bool:
    return all("一" <= character <= "鿿" for character in word)


def _jieba_entries() -> list[tuple[str, float, str]]:
    text = importlib.resources.files(jieba).joinpath("dict.txt").read_text("utf-8")
    rows = (line.split(" ") for line in text.splitlines())
    return [(row[0], float(row[1]), row[2]) for row in rows if len(row) == 3]


def build_lexicon(*, general_words: int = GENERAL_WORDS) -> Lexicon:
    """Gather all words, their sounds and frequencies.

    Args:
        general_words: How many words of two to four characters are taken from jieba's dictionary.
    """
    entries = _jieba_entries()
    known = {word: (count, tag) for word, count, tag in entries}
    general = sorted(
        (
            row
            for row in entries
            if 2 <= len(row[0]) <= 4 and _is_chinese(row[0]) and row[2] not in _TAGS_LEFT_OUT
        ),
        key=lambda row: -row[1],
    )[:general_words]
    words = list(dict.fromkeys([*operations_words(), *common_characters(), *(row[0] for row in general)]))
    sounds = {word: readings for word in words if (readings := pronunciations_of(word))}
    for line in text_lines("synthesizer_readings.txt"):
        word, _, reading = line.partition(" | ")
        if word in sounds:  # a smaller lexicon may lack it
            sounds[word] |= frozenset(_readings(reading))
    for term in english_terms():
        sounds[term.term] = frozenset(term.pronunciations)
    for letter, letter_readings in letter_pronunciations().items():
        sounds[letter] = frozenset(letter_readings)
    return Lexicon(
        pronunciations=sounds,
        counts={word: max(1.0, known[word][0] if word in known else 1.0) for word in sounds},
        tags={word: known[word][1] for word in sounds if word in known},
    )


def syllables(lexicon: Lexicon) -> frozenset[Pronunciation]:
    """All syllables that single characters of the lexicon can be read with."""
    return frozenset(
        reading
        for word, readings in lexicon.pronunciations.items()
        if len(word) == 1 and _is_chinese(word)
        for reading in readings
    )
