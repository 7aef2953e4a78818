"""A back-off language model of words, small enough to be looked up while decoding.

Interpolated absolute discounting (Ney, Essen, Kneser 1994) up to word triples; single words are mixed with
their general frequency, so that every word of the lexicon stays possible. Pairs and triples are dropped where
they hardly change the prediction (after Stolcke 1998: count times gain in log probability).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from voice.training.openfst import Arc

START, END = "<s>", "</s>"
_ORDER = 3
History = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModelSettings:
    """How much is kept."""

    discount: float = 0.7
    general_share: float = 0.15
    """Share of single words' probability that goes by general frequency."""
    general_damping: float = 0.5
    """General counts are raised to this power: newspapers' favourites do not drown the rest."""
    smallest_gain: float = 8.0
    """Pairs and triples that gain less (in nats over the whole text) are dropped."""


class LanguageModel:
    """Probabilities of words after up to two words.

    Args:
        sentences: Text in words.
        general_counts: All words that must be possible, with their general frequency.
        settings: How much is kept.
    """

    def __init__(
        self,
        sentences: Iterable[list[str]],
        general_counts: Mapping[str, float],
        settings: LanguageModelSettings | None = None,
    ) -> None:
        self._settings = settings or LanguageModelSettings()
        counts = _counted(sentences)
        self.after: dict[History, dict[str, float]] = {(): self._single_words(counts[1], general_counts)}
        """Probability of each word that is listed after a history."""
        self.back_off: dict[History, float] = {}
        """Share of a history's probability that goes to the shorter history."""
        for order in range(2, _ORDER + 1):
            self._add_order(counts[order])

    def _single_words(self, counts: Counter[History], general: Mapping[str, float]) -> dict[str, float]:
        total = sum(counts.values())
        damped = {word: count**self._settings.general_damping for word, count in general.items()}
        whole, share = sum(damped.values()), self._settings.general_share
        words = set(damped) | {word for (word,) in counts if word != START}
        return {
            word: (1 - share) * counts[(word,)] / total + share * damped.get(word, 0.0) / whole
            for word in words
        }

    def _add_order(self, counts: Counter[History]) -> None:
        followers: dict[History, dict[str, int]] = defaultdict(dict)
        for words, count in counts.items():
            followers[words[:-1]][words[-1]] = count
        for history, counted in followers.items():
            if len(history) > 1 and history[1:] not in self.back_off:
                continue  # the shorter history tells nothing, so this one has nowhere to go back to
            total = sum(counted.values())
            kept = {
                word: (count - self._settings.discount) / total
                for word, count in counted.items()
                if self._gain(history, word, count, total) > self._settings.smallest_gain
            }
            if kept:
                rest = 1 - sum(kept.values())
                self.back_off[history] = rest
                shorter = {word: self.probability(word, history[1:]) for word in kept}
                self.after[history] = {word: share + rest * shorter[word] for word, share in kept.items()}

    def _gain(self, history: History, word: str, count: int, total: int) -> float:
        expected = self.probability(word, history[1:])
        return count * math.log((count - self._settings.discount) / total / expected)

    def probability(self, word: str, history: History) -> float:
        """Probability of a word after a history; what is not listed comes from the shorter history."""
        while history not in self.after:
            history = history[1:]
        if word in self.after[history]:
            return self.after[history][word]
        return self.back_off[history] * self.probability(word, history[1:]) if history else 0.0

    def arcs(self, number_of: Mapping[str, int]) -> tuple[list[Arc], list[tuple[int, float]]]:
        """Write the model as an acceptor: a state for each history, back-off on epsilon.

        Args:
            number_of: The words' numbers.
        """
        histories = sorted(self.after, key=lambda history: (history != (START,), history))
        state_of = {history: state for state, history in enumerate(histories)}
        arcs: list[Arc] = []
        finals: list[tuple[int, float]] = []
        for history in histories:
            state = state_of[history]
            for word, probability in self.after[history].items():
                if probability <= 0:
                    continue
                if word == END:
                    finals.append((state, -math.log(probability)))
                    continue
                target = (*history, word)[-(_ORDER - 1) :]
                while target not in state_of:
                    target = target[1:]
                number = number_of[word]
                arcs.append((state, state_of[target], number, number, -math.log(probability)))
            if history:
                shorter = history[1:]
                while shorter not in state_of:
                    shorter = shorter[1:]
                arcs.append((state, state_of[shorter], 0, 0, -math.log(max(self.back_off[history], 1e-9))))
        return arcs, finals


def _counted(sentences: Iterable[list[str]]) -> dict[int, Counter[History]]:
    counts: dict[int, Counter[History]] = {order: Counter() for order in range(1, _ORDER + 1)}
    for sentence in sentences:
        words = [START, *sentence, END]
        for order in counts:
            counts[order].update(tuple(words[k : k + order]) for k in range(len(words) - order + 1))
    del counts[1][(START,)]  # never predicted
    return counts
