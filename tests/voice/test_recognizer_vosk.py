"""Vosk and its models: words with the names to be expected, and models that are of no use."""

import shutil

import pytest

from tests.voice.speech import EMBEDDED_RECOGNIZER, silence, spoken
from voice.biasing import ranked, with_names
from voice.errors import SpeechModelDamaged, SpeechModelMissing, WakePhraseUnknown
from voice.recognizer_vosk import VoskRecognizer
from voice.vosk_model import VoskModel
from voice.wake_vosk import VoskSpotter


@pytest.fixture(scope="module")
def model():
    return VoskModel(EMBEDDED_RECOGNIZER)


def test_words_come_without_spaces_while_they_are_said_and_after(model, tmp_path):
    recognizer = VoskRecognizer(model)
    recognizer.accept(spoken("订单服务怎么样", tmp_path).samples)
    assert recognizer.partial().startswith("订单服务")
    recognizer.accept(silence(0.3).samples)
    hearing = recognizer.finish()
    assert hearing.text == "订单服务怎么样"
    total = hearing.confidence + sum(one.confidence for one in hearing.alternatives)
    assert total == pytest.approx(1)
    assert recognizer.finish().text == ""


def test_expected_name_that_the_model_cannot_spell_is_written_as_it_is_called(model, tmp_path):
    recognizer = VoskRecognizer(model)
    recognizer.expect(["鼎丹服务"])
    recognizer.accept(spoken("订单服务怎么样", tmp_path).samples)
    assert recognizer.finish().text == "鼎丹服务怎么样"


def test_forgotten_utterance_leaves_nothing_behind(model, tmp_path):
    recognizer = VoskRecognizer(model)
    recognizer.accept(spoken("支付服务", tmp_path).samples)
    recognizer.reset()
    recognizer.accept(spoken("订单服务怎么样", tmp_path).samples)
    assert recognizer.finish().text == "订单服务怎么样"


def test_names_are_told_by_sound_not_by_spelling():
    assert with_names("定单服务怎么样", ["订单服务"]) == "订单服务怎么样"
    assert with_names("今天天气不错", ["订单服务"]) == "今天天气不错"


def test_near_tie_goes_to_the_reading_with_a_name_in_it():
    best, other = ranked([("看看大象", -10.0), ("看看订单", -11.0)], ["订单"])
    assert best.text == "看看订单"
    assert best.confidence + other.confidence == pytest.approx(1)


def test_missing_model_is_named(tmp_path):
    with pytest.raises(SpeechModelMissing, match="nowhere"):
        VoskModel(tmp_path / "nowhere")


@pytest.mark.parametrize("lost", ["am/final.mdl", "graph/HCLr.fst", "conf/mfcc.conf"])
def test_model_that_lacks_a_file_says_which(tmp_path, lost):
    folder = tmp_path / "model"
    shutil.copytree(EMBEDDED_RECOGNIZER, folder)
    (folder / lost).unlink()
    with pytest.raises(SpeechModelDamaged, match=lost):
        VoskModel(folder)


def test_model_with_a_broken_file_is_damaged(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(EMBEDDED_RECOGNIZER, folder)
    (folder / "am" / "final.mdl").chmod(0o644)
    (folder / "am" / "final.mdl").write_bytes(b"no network at all")
    with pytest.raises(SpeechModelDamaged):
        VoskModel(folder)


def test_wake_phrase_outside_the_vocabulary_is_refused_and_the_old_one_stays(model):
    spotter = VoskSpotter(model, "你好小智")
    with pytest.raises(WakePhraseUnknown, match="饕"):
        spotter.listen_for("饕餮你好")
    assert spotter.phrase.phrase == "你好小智"
