"""What is read, and by which voice; espeak-ng itself tells how it sounds."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.pronunciation import Language, stretches


def read(sentence: str) -> list[tuple[str, str]]:
    return [(part.language.value, part.text.strip(" ，。,")) for part in stretches(sentence)]


def phonemes(sentence: str) -> str:
    voices = {Language.PINYIN: "cmn-latn-pinyin", Language.ENGLISH: "en-us"}
    said = [
        subprocess.run(
            ["espeak-ng", "-v", voices[part.language], "-x", "-q", part.text],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for part in stretches(sentence)
    ]
    return " ".join("".join(said).split())


@pytest.mark.parametrize(
    ("sentence", "pinyin"),
    [
        ("重启", "chong2 qi3"),
        ("重要", "zhong4 yao4"),
        ("地域", "di4 yu4"),
        ("服务的日志", "fu2 wu4 de5 ri4 zhi4"),
        ("一行日志", "yi4 hang2 ri4 zhi4"),
        ("银行", "yin2 hang2"),
        ("调度", "diao4 du4"),
        ("不是", "bu2 shi4"),
        ("绿色", "lv4 se4"),
        ("使用率 95%", "shi3 yong4 lv4 bai3 fen1 zhi1 95"),
        ("-5 度", "fu4 5 du4"),
        ("8.5 分", "8 dian3 wu3 fen1"),
        ("05:30", "05 dian3 30 fen1"),
        ("2026-11-20", "2026 nian2 11 yue4 20 ri4"),
        ("10.0.3.7", "yi1 ling2 dian3 ling2 dian3 san1 dian3 qi1"),
    ],
)
def test_chinese_is_read_as_a_newsreader_would(sentence, pinyin):
    assert read(sentence) == [("pinyin", pinyin)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("CPU", [("pinyin", "c p u")]),
        ("P0 告警", [("pinyin", "p 0 gao4 jing3")]),
        ("tke 的 API", [("pinyin", "t k e de5 a p i")]),
        ("Pod 挂了", [("english", "Pod"), ("pinyin", "gua4 le5")]),
        ("order-service 重启", [("english", "order service"), ("pinyin", "chong2 qi3")]),
        ("java error", [("english", "java error")]),
        ("OOMKilled", [("english", "OOMKilled")]),
    ],
)
def test_abbreviations_are_spelled_and_english_words_stay_english(sentence, expected):
    assert read(sentence) == expected


@pytest.mark.parametrize(
    ("sentence", "sounds"),
    [("重启", "ts.h'ong35"), ("地域", "t'i51"), ("CPU", "s'ei55_| ph'i51_| j'iou55"), ("java", "dZ'A:")],
)
def test_espeak_sounds_as_it_should(sentence, sounds):
    assert sounds in phonemes(sentence)


@pytest.mark.parametrize("nothing", ["", "   ", "……", "👍🎉", "\x00\n", "“”（）"])
def test_a_sentence_of_signs_is_silence(nothing):
    assert stretches(nothing) == ()


@given(st.text(max_size=60))
def test_every_text_is_read_without_control_characters_or_surprise(text):
    for part in stretches(text):
        assert part.text.strip()
        assert "\n" not in part.text.strip()
        assert "\x00" not in part.text
