"""``graph/``: the words as one transducer from CTC's steps, the language model beside it.

All pronunciations share their beginnings (a trie). A phone is a state that may repeat; between two phones
there may be blanks, and between two equal ones there must be. At a word's end the graph returns to a root
that remembers the last phone, for the same reason. ``[unk]`` is a free loop of syllables, weighed by how many
syllables share a beginning.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voice.training.kaldi_model import disambiguation_id, enter_id, loop_id
from voice.training.language_model import LanguageModel
from voice.training.lexicon import UNKNOWN, Lexicon, syllables
from voice.training.openfst import Arc, as_text, write_const, write_lookahead
from voice.training.phones import PHONE_INDEX, PHONES, Pronunciation

_log = logging.getLogger(__name__)

_BLANK = 0
_COST_OF_SEVERAL_READINGS = 0.7
_UNKNOWN_SCALE = 0.85


@dataclass(slots=True, kw_only=True)
class _Node:
    """A phone within words that begin alike."""

    phone: int
    children: dict[int, _Node] = field(default_factory=dict)
    words: list[tuple[str, float]] = field(default_factory=list)
    """Words that end here, with their costs."""


def _trie(pronunciations: Mapping[str, frozenset[Pronunciation]]) -> _Node:
    root = _Node(phone=_BLANK)
    for word in sorted(pronunciations):
        readings = sorted(pronunciations[word])
        cost = _COST_OF_SEVERAL_READINGS if len(readings) > 1 else 0.0
        for reading in readings:
            node = root
            for phone in (PHONE_INDEX[name] for name in reading):
                node = node.children.setdefault(phone, _Node(phone=phone))
            node.words.append((word, cost))
    return root


class GraphBuilder:
    """Collects the arcs of the decoding graph.

    Args:
        pronunciations: Words and how they sound.
        known_syllables: What ``[unk]`` may consist of.
        number_of: The words' numbers, ``[unk]`` among them.
    """

    def __init__(
        self,
        pronunciations: Mapping[str, frozenset[Pronunciation]],
        known_syllables: Iterable[Pronunciation],
        number_of: Mapping[str, int],
    ) -> None:
        self.arcs: list[Arc] = []
        self._number_of = number_of
        self._states = 0
        self._start = self._new_state()
        self._roots = {phone: self._new_state() for phone in range(1, len(PHONES))}
        self._add_words(_trie(pronunciations))
        self._add_unknown(
            [tuple(PHONE_INDEX[p] for p in syllable) for syllable in sorted(set(known_syllables))]
        )
        self.arcs.sort(key=lambda arc: arc[0] != self._start)

    @property
    def finals(self) -> list[tuple[int, float]]:
        """Speech may end after any word."""
        return [(state, 0.0) for state in (self._start, *self._roots.values())]

    def _new_state(self) -> int:
        self._states += 1
        return self._states - 1

    def _arc(self, source: int, target: int, heard: int, said: int = 0, cost: float = 0.0) -> None:
        self.arcs.append((source, target, heard, said, cost))

    def _blank_state(self) -> int:
        state = self._new_state()
        self._arc(state, state, loop_id(_BLANK))
        return state

    def _add_words(self, root: _Node) -> None:
        self._arc(self._start, self._start, loop_id(_BLANK))
        firsts = {phone: self._add_node(child) for phone, child in root.children.items()}
        for phone, first in firsts.items():
            self._arc(self._start, first, enter_id(phone))
        for last, state in self._roots.items():
            self._arc(state, self._start, enter_id(_BLANK))
            for phone, first in firsts.items():
                if phone != last:
                    self._arc(state, first, enter_id(phone))

    def _add_node(self, node: _Node) -> int:
        state = self._new_state()
        self._arc(state, state, loop_id(node.phone))
        for word, cost in node.words:
            self._arc(state, self._roots[node.phone], 0, self._number_of[word], cost)
        if node.children:
            blank = self._blank_state()
            self._arc(state, blank, enter_id(_BLANK))
            for phone, child in node.children.items():
                target = self._add_node(child)
                self._arc(blank, target, enter_id(phone))
                if phone != node.phone:
                    self._arc(state, target, enter_id(phone))
        return state

    def _add_unknown(self, known: list[tuple[int, ...]]) -> None:
        """One ``[unk]`` for each stretch of syllables of any kind."""
        initials = {s[0]: (self._new_state(), self._blank_state()) for s in known if len(s) == 2}
        finals = {syllable[-1]: self._new_state() for syllable in known}
        after_blank = self._blank_state()
        starts = _Starts(known)

        def enter(state: int, last: int | None) -> None:
            for phone, (target, _) in initials.items():
                if phone != last:
                    self._arc(state, target, enter_id(phone), 0, starts.cost_of_initial(phone))
            for phone in starts.alone:
                if phone != last:
                    self._arc(state, finals[phone], enter_id(phone), 0, starts.cost_alone)

        for last, root in ((None, self._start), *self._roots.items()):
            entrance = self._new_state()
            self._arc(root, entrance, 0, self._number_of[UNKNOWN])
            enter(entrance, last)
        for phone, (state, blank) in initials.items():
            self._arc(state, state, loop_id(phone))
            self._arc(state, blank, enter_id(_BLANK))
            for final in starts.finals_after(phone):
                for source in (state, blank):
                    self._arc(source, finals[final], enter_id(final), 0, starts.cost_of_final(phone))
        for phone, state in finals.items():
            self._arc(state, state, loop_id(phone))
            self._arc(state, after_blank, enter_id(_BLANK))
            self._arc(state, self._roots[phone], 0)
            enter(state, phone)
        enter(after_blank, None)


class _Starts:
    """How likely syllables begin and go on, each syllable of the table being as likely as any other."""

    def __init__(self, known: list[tuple[int, ...]]) -> None:
        self._known = known
        self._with_initial = Counter(syllable[0] for syllable in known if len(syllable) == 2)
        self.alone = [syllable[0] for syllable in known if len(syllable) == 1]
        self.cost_alone = _UNKNOWN_SCALE * math.log(len(known))

    def cost_of_initial(self, phone: int) -> float:
        return -_UNKNOWN_SCALE * math.log(self._with_initial[phone] / len(self._known))

    def finals_after(self, phone: int) -> list[int]:
        return [syllable[1] for syllable in self._known if len(syllable) == 2 and syllable[0] == phone]

    def cost_of_final(self, phone: int) -> float:
        return _UNKNOWN_SCALE * math.log(self._with_initial[phone])


def write_graph(lexicon: Lexicon, model: LanguageModel, folder: Path) -> None:
    """Write ``HCLr.fst``, ``Gr.fst``, ``words.txt``, ``phones.txt`` and ``disambig_tid.int``.

    Raises:
        TrainingToolMissing: OpenFST's tools are not installed.
        GraphBuildFailed: They refused the graph.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = [*sorted(lexicon.pronunciations), UNKNOWN]
    numbers = {word: number for number, word in enumerate(words, start=1)}
    builder = GraphBuilder(lexicon.pronunciations, syllables(lexicon), numbers)
    moved = write_lookahead(as_text(builder.arcs, builder.finals), folder / "HCLr.fst")
    renumbered = _renumbered(numbers, moved)
    write_const(as_text(*model.arcs(renumbered)), folder / "Gr.fst")
    listed = sorted([("<eps>", 0), *renumbered.items()], key=lambda row: row[1])
    (folder / "words.txt").write_text("".join(f"{word} {number}\n" for word, number in listed))
    (folder / "phones.txt").write_text("".join(f"{p} {k}\n" for k, p in enumerate(PHONES, start=1)))
    (folder / "disambig_tid.int").write_text(f"{disambiguation_id(len(PHONES))}\n")
    _log.info("%d words, %d arcs", len(words), len(builder.arcs))


def _renumbered(numbers: Mapping[str, int], moved: Mapping[int, int]) -> dict[str, int]:
    """Give words their numbers after lookahead; Kaldi's own symbols come last."""
    renumbered = {word: moved[number] for word, number in numbers.items()}
    symbols = enumerate(("#0", "<s>", "</s>"), start=max(renumbered.values()) + 1)
    return renumbered | {symbol: number for number, symbol in symbols}
