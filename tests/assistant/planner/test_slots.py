"""Numbers, times and addresses as they are spoken."""

import time
import warnings
from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

with warnings.catch_warnings():
    # cn2an's tokenizer is imported by jieba with deprecated calls.
    warnings.simplefilter("ignore")
    import cn2an

from assistant.planner.addresses import addresses_in
from assistant.planner.numbers import is_vague, number_of
from assistant.planner.times import Duration, Stretch, times_in

NOW = datetime.fromisoformat("2026-10-12T10:30:00+08:00")


def longest(text: str) -> Duration | Stretch:
    return max(times_in(text, NOW), key=lambda timed: timed.end - timed.start).value


@given(st.integers(min_value=0, max_value=99_999_999))
@settings(max_examples=300, deadline=None)
def test_every_number_reads_back_as_cn2an_writes_it(number):
    assert number_of(cn2an.an2cn(number)) == number
    assert number_of(str(number)) == number


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("两", 2),
        ("俩", 2),
        ("一百二", 120),
        ("三千五", 3500),
        ("三万五", 35000),
        ("五零三", 503),
        ("幺幺零", 110),
        ("两点五", 2.5),
        ("3千", 3000),
    ],
)
def test_spoken_short_forms_are_numbers(said, meant):
    assert number_of(said) == meant


@pytest.mark.parametrize("said", ["三四个", "五六台", "十几", "几十"])
def test_a_vague_number_is_known_to_be_vague(said):
    assert is_vague(said)


@given(st.integers(min_value=2, max_value=99), st.sampled_from([("分钟", "m"), ("小时", "h"), ("天", "d")]))
@settings(deadline=None)
def test_a_length_of_time_keeps_the_unit_that_was_said(count, unit):
    said, written = unit
    value = longest(f"近{cn2an.an2cn(count)}{'个' if said == '小时' else ''}{said}")
    assert isinstance(value, Duration)
    expected = "1h" if (count, written) == (60, "m") else f"{count}{written}"
    assert value.text == expected


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("半小时", "30m"),
        ("三刻钟", "45m"),
        ("一个半小时", "90m"),
        ("一天", "24h"),
        ("近两天", "2d"),
        ("一周", "7d"),
        ("半天", "12h"),
        ("两周", "14d"),
        ("三个月", "90d"),
    ],
)
def test_spoken_lengths_are_written_as_the_tools_write_them(said, written):
    assert longest(said).text == written


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("今天", "today"),
        ("昨天", "yesterday"),
        ("前天", "2026-10-10"),
        ("上周三", "2026-10-07"),
        ("十月一号", "2026-10-01"),
        ("昨天下午三点到五点", "2026-10-11T15:00:00+08:00/2026-10-11T17:00:00+08:00"),
        ("昨晚十点到今天凌晨两点", "2026-10-11T22:00:00+08:00/2026-10-12T02:00:00+08:00"),
        ("早上八点以来", "2026-10-12T08:00:00+08:00/2026-10-12T10:30:00+08:00"),
        ("上周", "2026-10-05T00:00:00+08:00/2026-10-12T00:00:00+08:00"),
    ],
)
def test_days_and_clock_times_are_periods(said, written):
    assert longest(said).text == written


@given(st.integers(min_value=0, max_value=23), st.integers(min_value=0, max_value=59))
@settings(deadline=None)
def test_any_clock_time_in_a_range_is_kept(hour, minute):
    value = longest(f"昨天{hour:02d}:{minute:02d}到23:59")
    assert isinstance(value, Stretch)
    assert value.clocks is not None
    assert value.clocks[0] == f"{hour:02d}:{minute:02d}"


@given(
    st.from_regex(r"[a-z]{2,8}[0-9]{0,2}", fullmatch=True),
    st.from_regex(r"[a-z]{3,8}", fullmatch=True),
    st.sampled_from(["com", "cn", "com.cn"]),
)
@example("at0", "aaa", "com")
@settings(deadline=None)
def test_a_spoken_address_is_the_written_one(local, host, domain):
    said = f"发到 {local} 艾特 {host} 点 {domain.replace('.', ' 点 ')}"
    assert [address for _, _, address in addresses_in(said)] == [f"{local}@{host}.{domain}"]


def test_chinese_names_and_spoken_digits_in_addresses():
    assert [one for *_, one in addresses_in("发到张三艾特幺六三点com")] == ["zhangsan@163.com"]


@pytest.mark.parametrize("text", ["a1b2" * 50, "把 " + "x-y_z.1" * 25, "点" * 200, "a@" * 100])
def test_a_long_latin_id_is_searched_for_addresses_at_once(text):
    began = time.perf_counter()
    assert list(addresses_in(text)) == []
    assert time.perf_counter() - began < 1.0  # the pattern once took minutes


def test_a_number_after_a_written_address_is_no_part_of_it():
    assert [one for *_, one in addresses_in("转给lisi@example.cn一份")] == ["lisi@example.cn"]
