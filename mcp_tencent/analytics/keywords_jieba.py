"""Keywords by TF-IDF: Chinese parted into words by jieba, English terms kept whole.

A document is what one source wrote in one slice of time. A word that stands in all of them is routine; one
that stands often in few of them is what the period is about.

jieba's dictionary takes half a second and 60 MB to load: it is loaded with the first text. It is read from
the package and not from jieba's cache, a file of known name in the shared temporary folder that would be
unmarshalled unchecked.
"""

from __future__ import annotations

import math
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_tencent.analytics.patterns_drain3 import masked

if TYPE_CHECKING:
    from jieba import Tokenizer

_TERM = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._\-/][A-Za-z0-9]+)*")
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_LANGUAGE = Path(__file__).with_name("keyword_words.txt")
_PLACE = re.compile(r"<(?:[A-Z]+|\*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """A word that tells something about a period."""

    word: str
    score: float
    """Higher is more telling; comparable within one answer only."""
    count: float
    """How many lines hold it, by weight."""
    documents: int
    """In how many slices and sources it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What one source wrote in one slice of time."""

    texts: Sequence[str]
    weight: float = 1.0
    """Lines that each text stands for."""


def keywords(documents: Iterable[Document], limit: int) -> list[Keyword]:
    """Return the most telling words, best first.

    The score is (1 + ln tf) · (ln((1 + N) / (1 + df)) + 1): term frequency damped, inverse document frequency
    smoothed so that one document alone gives an order as well. tf counts a word once per line.
    """
    counts: defaultdict[str, float] = defaultdict(float)
    appearances: Counter[str] = Counter()
    number = 0
    for document in documents:
        number += 1
        here: Counter[str] = Counter()
        for text in document.texts:
            here.update(set(words(text)))
        appearances.update(here.keys())
        for word, times in here.items():
            counts[word] += times * document.weight
    found = [
        Keyword(
            word=word,
            score=(1 + math.log(max(count, 1.0))) * (math.log((1 + number) / (1 + appearances[word])) + 1),
            count=count,
            documents=appearances[word],
        )
        for word, count in counts.items()
    ]
    return sorted(found, key=lambda keyword: (-keyword.score, keyword.word))[:limit]


def words(text: str) -> Iterator[str]:
    """Yield the words of a line that may be keywords: no values, no stop words, no single characters."""
    stop = _words_of("stop")
    plain = _PLACE.sub(" ", masked(text))
    for found in _TERM.finditer(plain):
        term = found[0]
        if len(term) > 2 and term.lower() not in stop:
            yield term
    for run in _CHINESE.finditer(plain):
        for word in _tokenizer().cut(run[0]):
            if len(word) > 1 and word not in stop:
                yield str(word)


@cache
def _tokenizer() -> Tokenizer:
    with warnings.catch_warnings():
        # It asks pkg_resources for its files where that is installed, and warns for it.
        warnings.simplefilter("ignore")
        from jieba import Tokenizer

    tokenizer = Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    for word in _words_of("operations"):
        tokenizer.add_word(word)
    return tokenizer


@cache
def _words_of(section: str) -> frozenset[str]:
    """Return the words of one [section] of the language data."""
    text = _LANGUAGE.read_text(encoding="utf-8")
    body = text.partition(f"[{section}]\n")[2].partition("\n[")[0]
    return frozenset(word for line in body.splitlines() if not line.startswith("#") for word in line.split())
