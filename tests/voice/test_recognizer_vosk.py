"""Vosk and its models: words with the names to be expected, and models that are of no use."""

import shutil

import pytest

from tests.voice.speech import EMBEDDED_RECOGNIZER, silence, spoken
from voice.biasing import possible, ranked, with_names
from voice.errors import SpeechModelDamaged, SpeechModelMissing, WakePhraseUnknown
from voice.recognizer_vosk import VoskRecognizer
from voice.vosk_model import VoskModel
from voice.wake_vosk import VoskSpotter

OTHER_WORDS = (
    "教育服务怎么样",
    "转账任务怎么样",
    "挂靠接口有没有报错",
    "书包集群怎么样",
    "手机音响怎么样",
    "影像重组怎么样",
    "今天天气不错",
    "我们去看一场电影",
    "把接口文档发给我",
    "这个集群昨天换了名字",
)


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


@pytest.mark.parametrize("name", ["转账服务", "挂号接口", "分拣调度", "影像存储"])
@pytest.mark.parametrize("variant", ["m3", "f4"])
def test_expected_name_is_heard_again_where_language_made_something_else_likelier(
    model, tmp_path, name, variant
):
    said = spoken(f"{name}有没有报错", tmp_path, variant=variant, words_per_minute=190).samples
    recognizer = VoskRecognizer(model)
    recognizer.accept(said)
    assert recognizer.finish().text != f"{name}有没有报错"
    recognizer.expect(["转账服务", "挂号接口", "枢纽集群", "分拣调度", "影像存储", "短信发送"])
    recognizer.accept(said)
    assert recognizer.finish().text == f"{name}有没有报错"


@pytest.mark.parametrize("text", OTHER_WORDS)
def test_other_words_that_sound_like_a_name_stay_what_they_are(model, tmp_path, text):
    names = ["交易服务", "转账服务", "挂号接口", "枢纽集群", "手机银行", "影像存储"]
    said = spoken(text, tmp_path, words_per_minute=190).samples
    recognizer = VoskRecognizer(model)
    recognizer.accept(said)
    plain = recognizer.finish().text
    recognizer.expect(names)
    recognizer.accept(said)
    assert recognizer.finish().text == plain
    assert not any(name in plain for name in names)


def test_forgotten_utterance_leaves_nothing_behind(model, tmp_path):
    recognizer = VoskRecognizer(model)
    recognizer.accept(spoken("支付服务", tmp_path).samples)
    recognizer.reset()
    recognizer.accept(spoken("订单服务怎么样", tmp_path).samples)
    assert recognizer.finish().text == "订单服务怎么样"


def test_names_are_told_by_sound_not_by_spelling():
    assert with_names("定单服务怎么样", ["订单服务"]) == "订单服务怎么样"
    assert with_names("今天天气不错", ["订单服务"]) == "今天天气不错"
    assert with_names("第七号订单服务怎么样", ["第一号订单服务", "第七号订单服务"]) == "第七号订单服务怎么样"


def test_what_may_have_been_said_instead_is_told_likeliest_first():
    first, *_ = possible("刮号皆口有没有报错", ["挂号日志", "挂号接口", "支付服务"])
    assert first == "挂号接口有没有报错"
    assert possible("今天天气不错", ["挂号接口", "支付服务"]) == ()
    assert possible("挂号接口有没有报错", ["挂号接口", "挂号日志"]) == ()


@pytest.mark.parametrize("text", ["重启任务怎么样", "确认任务怎么样", "回滚任务怎么样"])
def test_no_name_is_put_where_an_act_was_heard(text):
    assert possible(text, ["充值任务", "确定任务", "回程任务"]) == ()


def test_thousands_of_names_alike_are_looked_through_at_once():
    names = [f"第{a}{b}{c}号{what}服务" for a in "一二三四五六七" for b in "东南西北中" for c in "甲乙丙丁戊"
             for what in ("订单", "支付", "库存", "物流", "会员", "结算", "消息")]  # fmt: skip
    assert with_names("第一东甲号定单服务怎么样", names) == "第一东甲号订单服务怎么样"
    first, *others = possible("第一东甲号兵单服务怎么样", names)
    assert first == "第一东甲号订单服务怎么样"
    assert len(others) <= 3


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
