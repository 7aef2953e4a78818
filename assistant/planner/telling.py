"""Clauses that tell what is done already and order nothing: 检查点打好了, 告警昨天停用了 (pure)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from assistant.planner.reading import Piece

DONE = frozenset(
    {
        "create",
        "create_past",
        "checkpoint_act",
        "change",
        "condition",
        "scale",
        "enabled",
        "disabled",
        "send",
        "revoke",
        "delete",
        "run",
        "enrol",
        "mute",
    }
)
"""What changes something, and may be told as done as well as ordered."""
_ENDED = re.compile(r"(?:好|完|过|掉|成|上|出去|过去)?了")
_PARTICLES = ("啊", "呀", "哈", "呢", "哦", "嘞", "的", "哟", "嘛")
_WISHED = re.compile(
    r"[把将给帮请要想得该先再吧]|麻烦|劳|可以|以后|今后|往后|赶紧|赶快|马上|立刻|立马|快点|直接|那就|干脆|够了|就[行好成]|[别不甭没]"
)
"""They make an order of a clause that ends with 了: 先关了, 别推了."""
_BEFORE = re.compile(r"昨|前[天晚]|大前|上(?:周|星期|礼拜|个?月)|夜里|半夜|凌晨|今[早晨]")
_JUST = re.compile(r"刚|刚刚|刚才|方才|早就|早|已|已经|上次|上回")
_SPEAKS_ON = ("的", "那", "那个", "那条", "这")
_SO_IT_IS = ("没", "没有", "还没", "未", "是", "一直", "仍", "仍然", "还是")
_FOR = frozenset({"@plain", "@duration", "@past"})


def tells_of_before(clause: Sequence[Piece]) -> bool:
    """Return whether a clause says that something was done at a time that is over: 昨天停用了, 停用三天了."""
    said = _without_particles(clause)
    if not any(piece.keys & DONE for piece in said):
        return False
    if said[-1].text.endswith("了") and any(_when(one, after) for one, after in itertools.pairwise(said)):
        return True
    if len(said) > 1 and said[-1].keys & DONE and _is_before(said[-2]):
        return True  # 刚停用, 上周停用的
    return said[-1].text == "了" and len(said) > 2 and bool(said[-2].keys & _FOR and said[-3].keys & DONE)


def tells_as_done(clause: Sequence[Piece]) -> bool:
    """Return whether a clause tells a change as done, and no word makes a wish of it: 检查点打好了."""
    said = _without_particles(clause)
    if tells_of_before(clause):
        return True
    if _tells_a_state(said):
        return True
    if not said or _WISHED.search(_text(clause)):
        return False
    for before, after, rest in zip(said, said[1:], [*said[2:], None], strict=False):
        if _JUST.fullmatch(before.text) and after.keys & DONE and (rest is None or "的" not in rest.text):
            return True  # 日报刚发我邮箱
    last = said[-1]
    if not last.text.endswith("了"):
        return False
    if last.keys & DONE:
        return True
    if last.text == "了" and any(piece.keys & DONE for piece in said[:-1]):
        return True
    return _ENDED.fullmatch(last.text) is not None and len(said) > 1 and bool(said[-2].keys & DONE)


def _tells_a_state(said: Sequence[Piece]) -> bool:
    """Return whether a clause ends with how something is: 没停用, 是停用的, 一直关着, 停用中."""
    if len(said) < 2:
        return False
    before, last = said[-2:]
    if last.keys & DONE:
        return before.text in _SO_IT_IS or last.text.endswith(("着", "着的"))
    return last.text in ("着", "着的", "中") and bool(before.keys & DONE)


def _text(clause: Sequence[Piece]) -> str:
    """Return the words of a clause without the marks."""
    return "".join(piece.text for piece in clause if "@mark" not in piece.keys)


def _when(piece: Piece, after: Piece) -> bool:
    """Return whether a piece says when something was done, not which thing is meant: 昨天, not 昨天的."""
    return _is_before(piece) and after.text not in _SPEAKS_ON


def _is_before(piece: Piece) -> bool:
    return bool(_JUST.fullmatch(piece.text) or ("@period" in piece.keys and _BEFORE.match(piece.text)))


def _without_particles(clause: Sequence[Piece]) -> list[Piece]:
    said = [piece for piece in clause if "@mark" not in piece.keys and piece.text != " "]
    while said and said[-1].text in _PARTICLES:
        said.pop()
    return said
