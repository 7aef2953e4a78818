"""What an engineer would say aloud."""

import cn2an
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.speakable import said_number, speakable


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("共 3 个副本，2 个就绪，错误率 12.5%", "共三个副本，两个就绪，错误率百分之十二点五"),
        ("05:00 开始，耗时 250ms，峰值 1.5GiB", "五点开始，耗时二百五十毫秒，峰值一点五G"),
        ("2026-11-20T05:03:00+08:00 起", "二零二六年十一月二十日五点零三分起"),
        ("2026-11-20 的日报", "二零二六年十一月二十日的日报"),
        ("2月2日 2台 2小时 20-30个", "二月二日两台两小时二十到三十个"),
        ("第2条", "第二条"),
        ("昨天14:05到15:30", "昨天十四点零五分到十五点三十分"),
        ("状态码 503 有 20 次", "状态码五零三有二十次"),
        ("1,000,190 条日志，120 条/s", "一百万零一百九十条日志，每秒一百二十条"),
        ("20000 条", "两万条"),
        ("order-api 2/3 就绪", "order api三分之二就绪"),
        ("-5 度，>= 3", "负五度，不低于三"),
        ("2s 超时", "两秒超时"),
    ],
)
def test_figures_and_units_are_said_in_words(written: str, said: str) -> None:
    assert speakable(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("dispatch-svc-7d9f8b6c4-x2x4k 重启了 12 次", "dispatch svc，尾号二x四k重启了十二次"),
        ("kafka-main-0", "kafka main零"),
        ("10.0.0.12:8080 连不上", "十点零点零点十二，端口八零八零连不上"),
        ("版本 v1.12.3 → v1.12.2", "版本v一点十二点三到v一点十二点二"),
        ("cls-6yzab12c 集群", "cls尾号b一二c集群"),
        ("kube-system", "kube system"),
        ("P0 告警", "P零告警"),
    ],
)
def test_names_are_said_so_that_one_can_follow(written: str, said: str) -> None:
    assert speakable(written) == said


def test_markup_is_for_the_eye_only() -> None:
    assert speakable("**重要**：`redis` (主库) 挂了") == "重要：redis，主库，挂了"
    assert speakable("详见[控制台](http://127.0.0.1/x)。") == "详见控制台。"


def test_chinese_text_stays_as_it_is() -> None:
    text = "昨晚一切正常，没有需要你处理的事。"
    assert speakable(text) == text


_WRITTEN = st.text(
    st.sampled_from(list("0123456789.,:%/-+ 个次条秒点年月第的，abvxkMsGiB>=T()*")), max_size=40
)


@given(_WRITTEN)
@example("2-2-2")
@example("0:0")
def test_no_digit_is_left_to_the_synthesizer(written: str) -> None:
    assert not set(speakable(written)) & set("0123456789%")


@given(_WRITTEN)
def test_saying_what_is_already_words_changes_nothing_but_spaces(written: str) -> None:
    once = speakable(written)
    assert speakable(once).replace(" ", "") == speakable(speakable(once)).replace(" ", "")


@given(st.integers(min_value=0, max_value=999_999_999_999))
def test_a_number_in_words_means_the_number(number: int) -> None:
    assert cn2an.cn2an(said_number(str(number)), "smart") == number
