"""Random sentences from ``texts/sentences.yaml``: for the language model and for synthetic speech."""

from __future__ import annotations

import functools
import importlib.resources
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import jieba
import yaml

from voice.training.lexicon import LETTERS, Lexicon, english_terms, operations_words

_INNERMOST_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_DIGITS = "零一二三四五六七八九"
_PLACE_TAGS, _NOUN_TAGS, _VERB_TAGS, _ADJECTIVE_TAGS = ("s",), ("n",), ("v", "vn"), ("a",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceBook:
    """The patterns: slots by name, and groups of patterns with the share each gets."""

    slots: Mapping[str, Sequence[str]]
    groups: Sequence[tuple[float, Sequence[str]]]


@functools.lru_cache(maxsize=1)
def sentence_book() -> SentenceBook:
    """Read the patterns that travel with this package."""
    text = importlib.resources.files("voice.training").joinpath("texts", "sentences.yaml").read_text("utf-8")
    raw = yaml.safe_load(text)
    return SentenceBook(
        slots={name: tuple(choices) for name, choices in raw["slots"].items()},
        groups=tuple(
            (float(group["weight"]), tuple(group["sentences"])) for group in raw["patterns"].values()
        ),
    )


def spoken_number(number: int) -> str:
    """Say a whole number below 10,000 as Mandarin does (105: 一百零五; 12: 十二; 2000: 两千).

    ``cn2an`` writes 一十二 and 二千; people do not say that.
    """
    if number < 10:
        return _DIGITS[number]
    parts, zero_owed = "", False
    for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, power)
        if digit:
            name = "两" if digit == 2 and power >= 1000 else _DIGITS[digit]
            skip_one = power == 10 and digit == 1 and not parts
            parts += ("零" if zero_owed else "") + ("" if skip_one else name) + unit
            zero_owed = False
        else:
            zero_owed = bool(parts)
    return parts


class SentenceWriter:
    """Draws sentences at random.

    Args:
        lexicon: General words fill slots such as ``{noun}`` by their part of speech and frequency.
        random_source: The only source of chance.
        damping: General words are drawn by their frequency to this power, so that rare words have their turn.
    """

    def __init__(self, lexicon: Lexicon, random_source: random.Random, *, damping: float = 0.6) -> None:
        self._random = random_source
        self._book = sentence_book()
        general = {
            name: _general_words(lexicon, tags, damping)
            for name, tags in (
                ("noun", _NOUN_TAGS), ("verb", _VERB_TAGS), ("adjective", _ADJECTIVE_TAGS),
                ("place", _PLACE_TAGS), ("word", ()),
            )
        }  # fmt: skip
        terms = [term.term for term in english_terms()]
        self._made: dict[str, Callable[[], str]] = {
            "number": self._number,
            "letter": lambda: f" {self._random.choice(list(LETTERS))} ",
            "term": lambda: f" {self._random.choice(terms)} ",
        }
        for name, (words, weights) in general.items():
            self._made[name] = functools.partial(self._weighted, words, weights)

    def _weighted(self, words: Sequence[str], cumulative: Sequence[float]) -> str:
        return self._random.choices(words, cum_weights=cumulative)[0]

    def _number(self) -> str:
        largest = self._random.choice([10, 10, 12, 31, 60, 100, 500, 9999])
        number = self._random.randint(1, largest)
        if number == 2 and self._random.random() < 0.6:
            return "两"
        return spoken_number(number)

    def sentence(self) -> str:
        """One sentence; letters and English terms stand between blanks, there is no punctuation."""
        return self._sentence_of(self._book.groups)

    def operations_sentence(self) -> str:
        """One sentence of the first two groups: what is said to the appliance."""
        return self._sentence_of(self._book.groups[:2])

    def _sentence_of(self, groups: Sequence[tuple[float, Sequence[str]]]) -> str:
        patterns = self._random.choices([p for _, p in groups], weights=[weight for weight, _ in groups])[0]
        return " ".join(self.filled(self._random.choice(patterns)).split())

    def filled(self, pattern: str) -> str:
        """Choose among the alternatives of a pattern and fill its slots, slots within slots too."""
        while choice := _INNERMOST_CHOICE.search(pattern):
            chosen = self._random.choice(choice.group(1).split("|"))
            pattern = pattern[: choice.start()] + chosen + pattern[choice.end() :]
        return _SLOT.sub(lambda slot: self._slot(slot.group(1)), pattern)

    def _slot(self, name: str) -> str:
        if name in self._made:
            return self._made[name]()
        return self.filled(self._random.choice(self._book.slots[name]))


def _general_words(lexicon: Lexicon, tags: tuple[str, ...], damping: float) -> tuple[list[str], list[float]]:
    """Words of these parts of speech (all when none is named) with cumulative weights."""
    words = [word for word, tag in lexicon.tags.items() if (not tags or tag in tags) and tag != "m"]
    total, cumulative = 0.0, []
    for word in words:
        total += lexicon.counts[word] ** damping
        cumulative.append(total)
    return words, cumulative


class Segmenter:
    """Cuts sentences into words of the lexicon with jieba, fed with our words only."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._words = lexicon.pronunciations
        self._jieba = jieba.Tokenizer()
        counts = dict(lexicon.counts)
        for word in operations_words():  # said often here, whatever jieba's newspapers say
            counts[word] = max(counts.get(word, 1.0), 3_000.0)
        self._jieba.FREQ = {word: max(1, int(count)) for word, count in counts.items()}
        for word in list(self._jieba.FREQ):  # jieba looks words up by their beginnings
            for end in range(1, len(word)):
                self._jieba.FREQ.setdefault(word[:end], 0)
        self._jieba.total = sum(self._jieba.FREQ.values())
        self._jieba.initialized = True

    def words(self, sentence: str) -> list[str]:
        """Cut a sentence; what no word covers is left out."""
        found: list[str] = []
        for piece in sentence.split():
            if piece in self._words:
                found.append(piece)
            else:
                found += [word for word in self._jieba.cut(piece, HMM=False) if word in self._words]
        return found
