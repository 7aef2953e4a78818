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
    return "".join(text)
