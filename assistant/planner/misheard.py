"""Words of time and measure that a sentence only sounds like: 坐天, 三店 (pure)."""

from __future__ import annotations

import itertools
import re

from pypinyin import lazy_pinyin

from assistant.planner.heard import Sentence

_TIME_WORDS = (
    "今天 昨天 前天 今早 今晚 昨晚 昨夜 分钟 小时 钟头 点钟 刻钟 凌晨 清晨 早上 上午 中午 下午 "
    "傍晚 晚上 夜里 半夜 星期 礼拜 上周 本周 这周 个月 月份 上个月 季度 最近 过去 未来 之前 到现在 "
    "以来 以后 之后"
)
_COUNTED = "点分条行天周月号秒台个"
"""What stands behind a number."""
_WORD_OF_SOUND = {tuple(lazy_pinyin(word)): word for word in _TIME_WORDS.split()}
_COUNTED_OF_SOUND = {lazy_pinyin(one)[0]: one for one in reversed(_COUNTED)}
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_DIGIT_OF_SOUND = {lazy_pinyin(one)[0]: one for one in "零一二两三四五六七八九十百"}
"""Heard as such within a number, and before what is counted: 第时二版, 二拾条, 扩到死个."""
_WORDS_OF_THEIR_OWN = "就是把吧时起期其已以"
"""They sound like digits and mean something: 三十就行, 九时."""
_AGREED = re.compile("好(?:吗|么|吧|不|了)")
"""调到三十好吗 is no 三十号."""
_DIGIT = re.compile(r"[0-9零一二两三四五六七八九十百千半几]")


def as_heard(sentence: Sentence) -> str:
    """Return a sentence with the words of time and measure that it only sounds like: 坐天, 三店."""
    text, syllables = list(sentence.text), sentence.syllables
    for first in range(len(syllables)):
        for size in (3, 2):
            run = syllables[first : first + size]
            word = _WORD_OF_SOUND.get(tuple(one.plain for one in run))
            if word and _CHINESE.fullmatch(sentence.text[run[0].start : run[-1].end]):
                text[run[0].start : run[-1].end] = word
                break
    for before, one in itertools.pairwise(syllables):
        measure = _COUNTED_OF_SOUND.get(one.plain)
        chinese = _CHINESE.fullmatch(text[one.start])
        if _AGREED.match(sentence.text, one.start):
            continue
        if measure and chinese and before.end == one.start and _DIGIT.fullmatch(text[before.start]):
            text[one.start] = text[one.start] if text[one.start] in _COUNTED else measure
    for before, one, after in zip(syllables, syllables[1:], syllables[2:], strict=False):
        said = _DIGIT_OF_SOUND.get(one.plain)
        apart = before.end < one.start or one.end < after.start or not _CHINESE.fullmatch(text[one.start])
        if said is None or apart or (text[one.start] in _WORDS_OF_THEIR_OWN and text[before.start] != "第"):
            continue
        led = text[before.start] in "第到成为" or _DIGIT.fullmatch(text[before.start])
        if led and (text[after.start] in _COUNTED or _DIGIT.fullmatch(text[after.start])):
            text[one.start] = text[one.start] if _DIGIT.fullmatch(text[one.start]) else said
    return "".join(text)
