"""The few words that steer a conversation: yes, no, stop, go on, next, again, the second one. Pure.

They must be the whole sentence: “停” stops the speech, “停掉订单服务” is for the planner. Words are compared
by sound, because a recognizer may write 却认 for 确认.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mcp_tencent.naming.sound import syllables


class Steer(StrEnum):
    """What a steering sentence wants."""

    GREETING = "greeting"
    STOP = "stop"
    GO_ON = "go_on"
    NEXT = "next"
    AGAIN = "again"
    ITEM = "item"
    """The long form of one item of the digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """A steering sentence.

    Args:
        steer: What it wants.
        item: Which item, from 1; 0 where none is named.
    """

    steer: Steer
    item: int = 0


class Reply(StrEnum):
    """An answer to a question of yes or no. Everything that is not clearly yes leaves things as they are."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


_YES = ["确认", "确定", "我确认", "我确定", "确认执行", "确定执行", "确认确认", "是的确认", "对确认"]
_RIGHT = ["对", "对的", "是", "是的", "没错", "没问题", "正确", "对对", "嗯对", "可以", "好"]
_NO = [
    "取消",
    "不",
    "不要",
    "不用",
    "不行",
    "不是",
    "不对",
    "不确认",
    "算了",
    "别",
    "停",
    "停止",
    "等等",
    "等一下",
    "先不",
]
_STEERS = {
    Steer.GREETING: [
        "你好",
        "您好",
        "早",
        "早上好",
        "早安",
        "上午好",
        "下午好",
        "晚上好",
        "嗨",
        "在吗",
        "在不在",
        "我来了",
    ],
    Steer.STOP: [
        "停",
        "停停",
        "停一下",
        "停下",
        "停止",
        "停止播报",
        "别说了",
        "不用说了",
        "不用念了",
        "别念了",
        "可以了",
        "闭嘴",
    ],
    Steer.GO_ON: ["继续", "继续说", "继续播", "继续播报", "继续念", "接着说", "接着念", "往下说"],
    Steer.NEXT: ["下一条", "下一个", "跳过", "跳过这条", "下条", "看下一条", "说下一条"],
    Steer.AGAIN: ["再说一遍", "再播一遍", "再说一次", "没听清", "没听清楚", "重复一遍", "再念一遍", "什么"],
}
_SOFTENERS = re.compile(r"^(请|那就|那|好的|好|嗯|啊|喂)+(?=.)|(吧|啊|呀|哦|了|呗|哈)+$")
_NUMERALS = {character: number for number, character in enumerate("零一二三四五六七八九十")} | {"两": 2}
_ITEM = re.compile(
    r"(?:详细|具体|展开|仔细)?(?:说说|讲讲|说一下|讲一下|说|讲|念|看看|介绍一下)?"
    r"第(?P<item>[一二三四五六七八九十两]|\d{1,2})[条个件项](?:是?(?:怎么回事|什么情况|什么)|详细(?:说说|讲讲|说一下)?|展开(?:说说|讲讲)?|具体说说)?"
)


def reply_of(text: str) -> Reply:
    """Return whether an answer says yes or no."""
    said = _bare(text)
    if _sounds_like(said, _YES):
        return Reply.YES
    return Reply.NO if _sounds_like(said, _NO) else Reply.UNCLEAR


def says_right(text: str) -> bool:
    """Tell whether an answer says that something was heard rightly; a dangerous act wants more than this."""
    return reply_of(text) is Reply.YES or _sounds_like(_bare(text), _RIGHT)


def steering_of(text: str) -> Steering | None:
    """Return what a sentence steers; None when it is a question like any other. Silence is a greeting."""
    said = _bare(text)
    if not said:
        return Steering(steer=Steer.GREETING)
    for steer, phrases in _STEERS.items():
        if _sounds_like(said, phrases):
            return Steering(steer=steer)
    found = _ITEM.fullmatch(said)
    # “第二条” alone may answer a question back; asked for in detail it can only be the digest's.
    if found is None or not re.search("详细|具体|展开|仔细|说|讲|念|怎么回事|什么", said):
        return None
    return Steering(steer=Steer.ITEM, item=_number(found["item"]))


def choice_of(text: str, labels: tuple[str, ...]) -> int | None:
    """Return the index of the choice that an answer names by number, or by its label; None for neither."""
    said = _bare(text)
    numbered = re.fullmatch(r"(?:选)?(?:第)?([一二三四五六七八九十两]|\d)(?:个|条|项)?", said)
    if numbered and 1 <= _number(numbered[1]) <= len(labels):
        return _number(numbered[1]) - 1
    sounds = ["".join(syllables(_bare(label))) for label in labels]
    heard = "".join(syllables(said))
    fitting = [index for index, sound in enumerate(sounds) if sound and (sound in heard or heard == sound)]
    return fitting[0] if len(fitting) == 1 else None


def _bare(text: str) -> str:
    said = re.sub(r"[\s，。！？、,.!?~…：；]+", "", text)
    return _SOFTENERS.sub("", said) if len(said) > 1 else said


def _sounds_like(said: str, phrases: Sequence[str]) -> bool:
    heard = syllables(said)
    return bool(heard) and any(heard == syllables(_bare(phrase)) for phrase in phrases)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _NUMERALS[text]
