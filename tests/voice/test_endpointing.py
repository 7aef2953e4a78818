"""When an utterance is over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.endpointing import EndpointSettings, ended_by, needed_pause_s
from voice.heard import UtteranceEnd

SETTINGS = EndpointSettings()


@pytest.mark.parametrize(
    "text", ["订单服务怎么样", "昨晚有告警吗", "确认", "停", "支付是不是又挂了", "把日志清理一下"]
)
def test_whole_command_needs_a_short_pause(text):
    assert needed_pause_s(text, SETTINGS) == SETTINGS.finished_s


@pytest.mark.parametrize(
    "text", ["", "把订单服务的", "帮我", "三七", "看看最近", "帮我看一下", "早上八点", "有几个"]
)
def test_pause_in_mid_sentence_or_among_digits_may_be_long(text):
    assert needed_pause_s(text, SETTINGS) == SETTINGS.unfinished_s


@pytest.mark.parametrize(
    "text",
    [
        "有哪些检查点",
        "前端节点池扩到五个节点",
        "告警规则给我看看",
        "昨天的推送有没有失败的",
        "有什么可以优化的",
    ],
)
def test_ends_that_only_look_unfinished_need_no_long_pause(text):
    assert needed_pause_s(text, SETTINGS) < SETTINGS.unfinished_s


def test_whoever_carries_it_out_knows_whether_it_is_whole():
    assert needed_pause_s("重启订单服务", SETTINGS) == SETTINGS.usual_s
    assert needed_pause_s("重启订单服务", SETTINGS, lambda text: True) == SETTINGS.finished_s
    assert needed_pause_s("把今天的日报", SETTINGS) == SETTINGS.finished_s
    assert needed_pause_s("把今天的日报", SETTINGS, lambda text: False) == SETTINGS.usual_s
    assert needed_pause_s("支付是不是又挂了", SETTINGS, lambda text: False) == SETTINGS.finished_s
    assert needed_pause_s("音量调到六十", SETTINGS, lambda text: True) == SETTINGS.usual_s
    assert needed_pause_s("帮我看一下", SETTINGS, lambda text: True) == SETTINGS.unfinished_s


@given(st.text(), st.floats(0, 9.99))
def test_common_case_ends_within_half_a_second_and_speech_never_ends_it(text, length_s):
    needed = needed_pause_s(text, SETTINGS)
    assert needed <= 1.0
    assert ended_by(length_s=length_s, pause_s=0, needed_s=needed, settings=SETTINGS) is None
    assert (
        ended_by(length_s=length_s, pause_s=needed, needed_s=needed, settings=SETTINGS) is UtteranceEnd.PAUSE
    )


def test_longest_utterance_is_cut():
    assert ended_by(length_s=10, pause_s=0, needed_s=1, settings=SETTINGS) is UtteranceEnd.TOO_LONG
