"""What every spotter of the wake phrase does, and what the one by sherpa-onnx does besides; on real sound."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest

from tests.voice.sherpa_model import write_sherpa_model
from tests.voice.speech import EMBEDDED_RECOGNIZER, one_after_the_other, silence, spoken
from voice.errors import (
    SpeechLibraryMissing,
    SpeechModelDamaged,
    SpeechModelMissing,
    WakePhraseNotChinese,
    WakePhraseTooLong,
    WakePhraseUnknown,
)
from voice.model_catalogue import SHERPA_FILES
from voice.pinyin import toned_parts
from voice.vosk_model import VoskModel
from voice.wake import STOP_WORDS, UNKNOWN, WakeSpotter
from voice.wake_pair import SpotterPair
from voice.wake_sherpa_onnx import SherpaOnnxSpotter
from voice.wake_vosk import VoskSpotter

PHRASE = "你好小智"
VOICES = ("m3", "f2", "m7", "f5")
OTHER_TALK = ("订单服务怎么样", "今天天气不错", "把日志发给我", "你好", "小智")


@pytest.fixture(scope="module")
def sherpa_folder(tmp_path_factory):
    return write_sherpa_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    return lambda text, voice="m3": spoken(text, folder, variant=voice)


@pytest.fixture(scope="module")
def by_sherpa(sherpa_folder):
    return SherpaOnnxSpotter(sherpa_folder, PHRASE)


@pytest.fixture(scope="module")
def by_vosk():
    return VoskSpotter(VoskModel(EMBEDDED_RECOGNIZER), PHRASE)


@pytest.fixture
def pair(by_vosk, by_sherpa):
    both = SpotterPair(caller=by_sherpa, others=by_vosk, phrase=PHRASE)
    both.listen_for(PHRASE)
    return both


@pytest.fixture(params=["vosk", "sherpa-onnx", "both"])
def spotter(request, by_vosk, by_sherpa, pair):
    return {"vosk": by_vosk, "sherpa-onnx": by_sherpa, "both": pair}[request.param]


def heard(spotter: WakeSpotter, *clips) -> str:
    """Return what it makes of these, with the half second before that the ear keeps."""
    spotter.accept(one_after_the_other(silence(0.5), *clips).samples)
    return spotter.finish()


@pytest.mark.parametrize("voice", VOICES)
def test_the_phrase_is_heard_alone_and_among_other_words(spotter, speech, voice):
    assert PHRASE in heard(spotter, speech(PHRASE, voice))
    assert PHRASE in heard(spotter, speech("今天天气不错", voice), speech(PHRASE, voice))
    assert PHRASE in heard(spotter, speech("你好小智，订单服务怎么样", voice))


@pytest.mark.parametrize("voice", VOICES[:2])
def test_ordinary_talk_silence_and_noise_are_not_the_phrase(spotter, speech, voice):
    hiss = np.random.default_rng(1).normal(scale=800, size=32_000).astype(np.int16)
    for text in OTHER_TALK:
        assert PHRASE not in heard(spotter, speech(text, voice))
    assert PHRASE not in heard(spotter, silence(3))
    spotter.accept(hiss)
    assert PHRASE not in spotter.finish()


def test_the_phrase_is_noticed_while_talk_goes_on(spotter, speech):
    spotter.accept(one_after_the_other(silence(0.5), speech("你好小智，订单服务怎么样")).samples)
    assert PHRASE in spotter.partial()
    assert PHRASE in spotter.finish()


def test_in_which_pieces_the_sound_comes_does_not_matter(spotter, speech):
    sound = one_after_the_other(silence(0.5), speech(PHRASE), silence(0.3)).samples
    for start in range(0, len(sound), 517):
        spotter.accept(sound[start : start + 517])
    assert PHRASE in spotter.finish()


def test_the_phrase_may_begin_with_the_first_sample(spotter, speech):
    spotter.accept(speech(PHRASE).samples)
    assert PHRASE in spotter.finish()


def test_another_phrase_counts_at_once_and_the_old_one_no_more(spotter, speech):
    spotter.accept(speech("今天天气不错").samples)
    assert spotter.listen_for("大白，大白").phrase == "大白大白"
    assert "大白大白" in heard(spotter, speech("大白大白"))
    assert PHRASE not in heard(spotter, speech(PHRASE))
    assert spotter.listen_for("你好").warnings


@pytest.mark.parametrize(
    ("phrase", "error"), [("hello", WakePhraseNotChinese), ("好" * 13, WakePhraseTooLong)]
)
def test_after_a_refused_phrase_the_old_one_still_counts(spotter, speech, phrase, error):
    with pytest.raises(error):
        spotter.listen_for(phrase)
    assert PHRASE in heard(spotter, speech(PHRASE))


def test_a_stretch_leaves_nothing_to_the_next(spotter, speech):
    assert PHRASE in heard(spotter, speech(PHRASE))
    assert spotter.partial() == spotter.finish() == ""
    assert PHRASE not in heard(spotter, speech("订单服务怎么样"))


def test_what_is_to_be_forgotten_does_not_count(spotter, speech):
    whole = speech(PHRASE).samples
    spotter.accept(whole[: len(whole) // 2])
    spotter.reset()
    assert spotter.partial() == ""
    spotter.accept(whole[len(whole) // 2 :])
    assert PHRASE not in spotter.finish()
    spotter.accept(whole)
    spotter.reset()
    assert spotter.finish() == ""


@pytest.mark.parametrize("word", ["停", "停下", "别说了"])
def test_stop_words_are_heard_as_without_sherpa_onnx(by_vosk, pair, speech, word):
    assert heard(pair, speech(word)) == heard(by_vosk, speech(word)) == word
    assert heard(pair, speech("今天天气不错"), speech(word)) not in STOP_WORDS


def test_of_two_spotters_the_one_for_the_phrase_decides(by_vosk, sherpa_folder, speech):
    deaf = SherpaOnnxSpotter(sherpa_folder, "大白大白")
    pair = SpotterPair(caller=deaf, others=by_vosk, phrase=PHRASE)
    by_vosk.listen_for(PHRASE)
    assert PHRASE in heard(by_vosk, speech(PHRASE))
    assert heard(pair, speech(PHRASE)).strip(UNKNOWN) == ""


def test_phrase_that_only_one_of_two_can_hear_is_refused_and_the_old_one_stays_with_both(pair, speech):
    with pytest.raises(WakePhraseUnknown, match="饕"):
        pair.listen_for("饕餮你好")
    assert PHRASE in heard(pair, speech(PHRASE))


def test_sherpa_onnx_tells_other_words_from_no_sound_only(by_sherpa, speech):
    by_sherpa.listen_for(PHRASE)
    assert by_sherpa.finish() == ""
    assert heard(by_sherpa, speech("订单服务怎么样")) == UNKNOWN


def test_phrases_are_spelled_as_in_the_model_of_sherpa_onnx():
    assert toned_parts("你好小智") == ("n", "ǐ", "h", "ǎo", "x", "iǎo", "zh", "ì")
    assert toned_parts("演员") == ("y", "ǎn", "y", "uán")
    assert toned_parts("女儿五银行") == ("n", "ǚ", "ér", "w", "ǔ", "y", "ín", "h", "áng")


def test_phrase_that_the_model_cannot_spell_is_refused(by_sherpa):
    with pytest.raises(WakePhraseUnknown, match="五") as refused:
        by_sherpa.listen_for("小五你好")
    assert "听不懂" in refused.value.spoken


@pytest.mark.parametrize("lost", SHERPA_FILES)
def test_model_that_lacks_a_file_says_which(sherpa_folder, tmp_path, lost):
    folder = shutil.copytree(sherpa_folder, tmp_path / "model")
    (folder / lost).unlink()
    with pytest.raises(SpeechModelDamaged, match=lost) as damaged:
        SherpaOnnxSpotter(folder, PHRASE)
    assert damaged.value.spoken == "语音模型损坏了，读不出来"
    assert "models verify" in damaged.value.hint


@pytest.mark.parametrize("broken", SHERPA_FILES)
@pytest.mark.parametrize("content", [b"no network", b"model_type vocab_size context_size", b"\xff\xfe\x00"])
def test_model_with_a_broken_file_is_damaged(sherpa_folder, tmp_path, broken, content):
    folder = shutil.copytree(sherpa_folder, tmp_path / "model")
    (folder / broken).write_bytes(content)
    with pytest.raises(SpeechModelDamaged, match=folder.name):
        SherpaOnnxSpotter(folder, PHRASE)


@pytest.mark.parametrize("other", SHERPA_FILES[1:])
def test_network_of_another_kind_is_refused_before_sherpa_onnx_would_end_the_process(
    sherpa_folder, tmp_path, other
):
    folder = shutil.copytree(sherpa_folder, tmp_path / "model")
    silero = EMBEDDED_RECOGNIZER.parent / "silero-vad" / "silero_vad_16k_sequence.onnx"
    shutil.copy(silero, folder / other)
    with pytest.raises(SpeechModelDamaged, match=str(folder)):
        SherpaOnnxSpotter(folder, PHRASE)


def test_missing_model_is_named(tmp_path):
    with pytest.raises(SpeechModelMissing, match="nowhere"):
        SherpaOnnxSpotter(tmp_path / "nowhere", PHRASE)


def test_without_sherpa_onnx_it_says_how_to_install_it(sherpa_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    with pytest.raises(SpeechLibraryMissing, match="sherpa-onnx") as missing:
        SherpaOnnxSpotter(sherpa_folder, PHRASE)
    assert missing.value.spoken == "这个语音模型要用的程序没有安装"
    assert "xiaozhi[sherpa]" in missing.value.hint
