"""Wake phrases, the wake decision and likeness by sound, as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.errors import WakePhraseNotChinese, WakePhraseTooLong, WakePhraseUnknown
from voice.pinyin import find, likeness
from voice.wake import WakeDecision, plan_wake_phrase, stop_word, without_phrase

KNOWN = {"你好", "小智", "你", "好", "小", "智", "大", "白"}
chinese = st.text(st.sampled_from("你好小智订单服务怎么样停了吗知道"), max_size=12)


def test_phrase_is_cut_into_the_fewest_known_words():
    assert plan_wake_phrase("你好，小智！", KNOWN.__contains__).words == ("你好", "小智")


@pytest.mark.parametrize(
    ("phrase", "error"),
    [("hello", WakePhraseNotChinese), ("", WakePhraseNotChinese), ("你" * 13, WakePhraseTooLong)],
)
def test_phrase_that_nobody_can_call_is_refused(phrase, error):
    with pytest.raises(error):
        plan_wake_phrase(phrase, KNOWN.__contains__)


def test_refusal_names_the_characters_that_the_model_lacks():
    with pytest.raises(WakePhraseUnknown, match="饕餮"):
        plan_wake_phrase("你好饕餮", KNOWN.__contains__)


def test_short_and_everyday_phrases_come_with_a_warning():
    assert len(plan_wake_phrase("你好", KNOWN.__contains__).warnings) == 2
    assert plan_wake_phrase("你好小智", KNOWN.__contains__).warnings == ()


def test_both_passes_must_hear_the_phrase():
    decide = WakeDecision("你好小智").decide
    assert decide(spotted="你好小智?", understood="你好小志订单", now_s=1) == 1.0
    assert decide(spotted="你好?", understood="你好小智", now_s=9) is None
    assert decide(spotted="你好小智", understood="你好小猪", now_s=9) is None


def test_it_is_not_woken_twice_by_one_call():
    decision = WakeDecision("你好小智")
    assert decision.decide(spotted="你好小智", understood="你好小智", now_s=1.0)
    assert decision.decide(spotted="你好小智", understood="你好小智", now_s=1.5) is None
    assert decision.decide(spotted="你好小智", understood="你好小智", now_s=3.0)


def test_own_voice_neither_wakes_nor_stops_it():
    said = "您可以说你好小智，或者说停下"
    assert (
        WakeDecision("你好小智").decide(spotted="你好小智", understood="你好小智", now_s=1, being_said=said)
        is None
    )
    assert stop_word("停下", said) is None
    assert stop_word("停下", "昨晚一切正常") == "停下"
    assert stop_word("停下?", "昨晚一切正常") is None


def test_accents_are_nearer_than_other_syllables():
    assert likeness("小智", "小字") > likeness("小智", "小猪") > likeness("小智", "大猫")


@given(chinese, chinese)
def test_likeness_is_symmetric_and_between_nothing_and_all(one, other):
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, other) == pytest.approx(likeness(other, one))
    assert likeness(one, one) == 1


@given(chinese, chinese)
def test_what_stands_in_a_text_is_found_in_it(before, after):
    found = find("支付中心", before + "支付中心" + after)
    assert found.likeness == 1
    assert (before + "支付中心" + after)[found.start : found.end] == "支付中心"


@given(chinese.filter(lambda text: "小" not in text and "智" not in text))
def test_wake_phrase_before_a_question_is_taken_off(question):
    assert without_phrase("你好小智", "你好小智" + question) == question
