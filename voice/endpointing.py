"""When somebody has finished speaking: how long a pause must be depends on what was said before it (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from voice.heard import UtteranceEnd

_FINISHED = re.compile(
    r"(吗|呢|吧|了|怎么样|怎样|多少|几个|几次|哪些|什么|正常|确认|取消|是的|不是|好的|可以|停|停下|一下|状态|情况|日志"
    r"|告警|日报|列表|详情|原因|趋势)$"
)
"""Ends of commands: what follows them is another sentence."""
_UNFINISHED = re.compile(
    r"(的|把|和|跟|与|在|给|到|从|被|将|向|对|让|叫|请|帮我|我要|我想|想要|看看|查看|查一查|那个|这个|就是|然后|还有|或者|因为"
    r"|嗯|呃|啊|最近|过去|[零幺一二两三四五六七八九十百千万点])$"
)
"""Words that something must follow, and digits, which people read out with pauses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """How long a pause ends an utterance, and how long one may be.

    Args:
        finished_s: After what sounds like a whole command.
        usual_s: When nothing speaks for either.
        unfinished_s: In the middle of a sentence.
        longest_s: An utterance is cut here.
    """

    finished_s: float = 0.35
    usual_s: float = 0.45
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
    if _FINISHED.search(text) or (understood is not None and understood(text)):
        return settings.finished_s
    return settings.usual_s


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
