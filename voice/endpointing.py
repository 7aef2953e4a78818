"""When somebody has finished speaking: how long a pause must be depends on what was said before it (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from voice.heard import UtteranceEnd

_FINISHED = re.compile(
    r"(吗|呢|吧|怎么样|怎样|咋样|正常|确认|取消|是的|不是|好的|可以|停|停下|别说了"
    r"|(是不是|为什么).+了|什么问题|是谁|把.+一下)$"
)
"""Nothing follows these, whoever speaks to whom."""
_MOSTLY_FINISHED = re.compile(r"(了|多少|几次|哪些|什么|一下|状态|情况|日志|告警|日报|列表|详情|原因|趋势)$")
"""Ends of commands, for when nobody tells whether the words are one."""
_UNFINISHED = re.compile(
    r"(把|和|跟|与|在|给|到|从|被|将|向|对|让|叫|请|我要|我想|想要|那个|这个|就是|然后|还有|或者|因为|嗯|呃|最近|过去"
    r"|怎么|几个|几台|几条|有什么|有没有)$"
    r"|^(?!.*(有没有|有什么|有啥|有哪些|什么原因).).*的$"
    r"|^.{0,3}(帮我|看看|查看|查一查|看一下|查一下|说一下|总结一下|诊断一下|检测一下)$"
)
"""Something must follow these words, and these verbs when they stand first."""
_NUMBER = re.compile(r"([零幺一二两三四五六七八九十百千万]|[零一二两三四五六七八九十]点)$")
"""People read digits out with pauses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """How long a pause ends an utterance, and how long one may be.

    Args:
        finished_s: After a whole command.
        usual_s: When nothing speaks for either.
        unfinished_s: In the middle of a sentence.
        longest_s: An utterance is cut here.
    """

    finished_s: float = 0.32
    usual_s: float = 0.48
    unfinished_s: float = 1.0
    longest_s: float = 10.0


def needed_pause_s(
    text: str, settings: EndpointSettings, understood: Callable[[str], bool] | None = None
) -> float:
    """Return how long a pause must be after these words to end the utterance.

    Args:
        text: What has been heard so far, without spaces.
        settings: The pauses.
        understood: Whether the words make a whole command to whoever will carry it out; None if unknown.
    """
    if not text or _UNFINISHED.search(text):
        return settings.unfinished_s
    if _FINISHED.search(text):
        return settings.finished_s
    whole = _MOSTLY_FINISHED.search(text) is not None if understood is None else understood(text)
    if _NUMBER.search(text):
        return settings.usual_s if whole else settings.unfinished_s
    return settings.finished_s if whole else settings.usual_s


def ended_by(
    *, length_s: float, pause_s: float, needed_s: float, settings: EndpointSettings
) -> UtteranceEnd | None:
    """Return why an utterance is over, or None while it goes on.

    Args:
        length_s: Since its first word.
        pause_s: Since its last word; 0 while somebody speaks.
        needed_s: The pause that ends it.
        settings: The longest utterance.
    """
    if length_s >= settings.longest_s:
        return UtteranceEnd.TOO_LONG
    return UtteranceEnd.PAUSE if pause_s >= needed_s else None
