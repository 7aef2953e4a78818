"""Language model, decoding graph and model file."""

import json
import math
import shutil
from itertools import pairwise

import numpy as np
import pytest
import vosk

from voice.training.decoding_graph import GraphBuilder, write_graph
from voice.training.kaldi_model import (
    AffineLayer,
    enter_id,
    loop_id,
    read_affine_layers,
    write_configuration,
    write_model,
)
from voice.training.language_model import END, START, LanguageModel, LanguageModelSettings
from voice.training.lexicon import Lexicon, build_lexicon, pronunciations_of
from voice.training.phones import PHONE_INDEX, PHONES

TEXT = [["查", "日志"], ["查", "日志"], ["查", "告警"], ["你好", "小智"]] * 20
GENERAL = {"查": 50.0, "日志": 5.0, "告警": 5.0, "你好": 90.0, "小智": 1.0, "天气": 70.0}


@pytest.fixture
def model() -> LanguageModel:
    return LanguageModel(TEXT, GENERAL, LanguageModelSettings(smallest_gain=1.0))


@pytest.mark.parametrize(
    "history", [(), (START,), ("查",), ("你好",), ("天气",), (START, "查"), ("小智", "查")]
)
def test_probabilities_of_all_words_sum_to_one(model, history):
    total = sum(model.probability(word, history) for word in [*GENERAL, END])
    assert total == pytest.approx(1.0, abs=1e-9)


def test_text_decides_where_it_speaks_and_general_frequency_elsewhere(model):
    assert (
        model.probability("日志", ("查",))
        > model.probability("告警", ("查",))
        > model.probability("天气", ("查",))
    )
    assert model.probability("天气", ("查",)) > 0


def test_arcs_carry_what_the_model_says(model):
    numbers = {word: number for number, word in enumerate(GENERAL, start=1)}
    arcs, finals = model.arcs(numbers)
    histories = sorted(model.after, key=lambda history: (history != (START,), history))
    state = histories.index(("查",))
    found = {heard: cost for source, _, heard, _, cost in arcs if source == state}
    assert math.exp(-found[numbers["日志"]]) == pytest.approx(model.probability("日志", ("查",)))
    assert math.exp(-found[0]) == pytest.approx(model.back_off[("查",)])
    assert len(finals) >= 1


def _accepts(builder: GraphBuilder, steps: list[int]) -> set[tuple[int, ...]]:
    """Word rows that a row of transition ids can mean, by walking the graph."""
    start = builder.arcs[0][0]
    here = {(start, ())}

    def without_sound(places):
        seen, todo = set(places), list(places)
        while todo:
            state, words = todo.pop()
            for source, target, heard, said, _ in builder.arcs:
                after = (target, (*words, said) if said else words)
                if source == state and heard == 0 and after not in seen:
                    seen.add(after)
                    todo.append(after)
        return seen

    for step in steps:
        here = {
            (target, words)
            for state, words in without_sound(here)
            for source, target, heard, said, _ in builder.arcs
            if source == state and heard == step
        }
    ends = {state for state, _ in builder.finals}
    return {words for state, words in without_sound(here) if state in ends}


def _steps(*phones: str) -> list[int]:
    """Transition ids of phones by step; a phone after itself goes on, unless a blank stands between."""
    indices = [PHONE_INDEX[phone] for phone in phones]
    return [
        loop_id(phone) if phone == before else enter_id(phone)
        for before, phone in pairwise([0, *indices])  # the start is already silent
    ]


@pytest.fixture
def small_graph() -> GraphBuilder:
    words = {"一": frozenset({("i",)}), "你": pronunciations_of("你"), "你好": pronunciations_of("你好")}
    return GraphBuilder(words, [("h", "ao"), ("n", "i"), ("i",)], {"一": 1, "你": 2, "你好": 3, "[unk]": 4})


def test_words_are_heard_with_and_without_blanks(small_graph):
    assert (3,) in _accepts(small_graph, _steps("n", "i", "h", "ao"))
    assert (3,) in _accepts(small_graph, _steps("SIL", "n", "n", "SIL", "i", "i", "h", "ao", "SIL"))


def test_equal_phones_of_two_words_need_a_blank_between_them(small_graph):
    assert (2, 1) in _accepts(small_graph, _steps("n", "i", "SIL", "i"))
    assert (2, 1) not in _accepts(small_graph, _steps("n", "i", "i"))
    assert (2,) in _accepts(small_graph, _steps("n", "i", "i"))


def test_unknown_covers_a_stretch_of_syllables_once(small_graph):
    assert (4,) in _accepts(small_graph, _steps("h", "ao", "n", "i", "i"))
    assert _accepts(small_graph, _steps("h", "n")) == set()


def _random_layers(width: int) -> tuple[list[AffineLayer], AffineLayer]:
    chance = np.random.default_rng(3)
    first = AffineLayer(
        offsets=(-1, 0, 1), weights=chance.normal(size=(width, 120)), bias=chance.normal(size=width)
    )
    last = AffineLayer(
        offsets=(0,), weights=chance.normal(size=(len(PHONES), width)), bias=chance.normal(size=len(PHONES))
    )
    return [first], last


def test_model_file_gives_back_its_weights(tmp_path):
    layers, output = _random_layers(16)
    write_model(tmp_path / "final.mdl", layers, output)
    read = read_affine_layers(tmp_path / "final.mdl")
    assert len(read) == 2
    for layer, (weights, bias) in zip([*layers, output], read, strict=True):
        step = float(np.ptp(layer.weights)) / 65_535
        assert np.abs(weights - layer.weights).max() <= step
        assert np.allclose(bias, layer.bias, atol=1e-6)


@pytest.mark.skipif(
    shutil.which("fstcompile") is None, reason="OpenFST's tools (libfst-tools) are not installed"
)
def test_vosk_loads_a_model_written_here_and_finds_its_words(tmp_path):
    whole = build_lexicon(general_words=0)
    words = ("你好", "小智", "日志", "查")
    lexicon = Lexicon(
        pronunciations={w: p for w, p in whole.pronunciations.items() if w in words or len(w) == 1},
        counts=whole.counts,
        tags=whole.tags,
    )
    text = [["你好", "小智"], ["查", "日志"]]
    write_graph(lexicon, LanguageModel(text, dict.fromkeys(lexicon.pronunciations, 1.0)), tmp_path / "graph")
    layers, output = _random_layers(16)
    write_model(tmp_path / "am" / "final.mdl", layers, output)
    write_configuration(tmp_path)
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(tmp_path))
    assert model.vosk_model_find_word("小智") > 0
    assert model.vosk_model_find_word("[unk]") > 0
    assert model.vosk_model_find_word("天气") < 0
    recogniser = vosk.KaldiRecognizer(model, 16_000, json.dumps(["你好 小智", "[unk]"]))
    recogniser.AcceptWaveform(np.random.default_rng(1).normal(0, 300, 16_000).astype("<i2").tobytes())
    assert set(json.loads(recogniser.FinalResult())["text"].split()) <= {"你好", "小智", "[unk]"}
