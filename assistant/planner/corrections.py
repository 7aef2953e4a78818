"""A slip of the tongue that is put right in the same breath: 扩到四个，哦不，六个 (pure)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from assistant.planner.reading import ACTS, Piece, Reading

_NAMES = (
    "@workload",
    "@cluster",
    "@namespace",
    "@topic",
    "@node_pool",
    "@logset",
    "@alarm",
    "@dashboard",
    "@person",
    "@pod",
    "@incident",
)
_PLACES: tuple[frozenset[str], ...] = (
    *(frozenset({name}) for name in _NAMES),
    frozenset({"@number", "previous_version"}),
    frozenset({"@period", "@past", "@duration", "@plain", "every_length", "future"}),
    frozenset({"@email", "@word", "@quoted"}),
    frozenset({"cpu", "memory", "disk", "network"}),
    frozenset({"email", "dingtalk", "wecom", "feishu", "group_chat", "all_channels"}),
    frozenset({"observe", "propose", "act"}),
    frozenset({"critical", "warn", "info"}),
    frozenset({"important", "unimportant", "false_alarm"}),
    frozenset({"perm_read", "perm_operate", "perm_rollback", "perm_configure", "perm_admin"}),
)
"""What may take the place of what: a name that of a name of its kind, a number that of a number."""
_COUNTED = frozenset({"replica", "node", "lines", "times", "version"})
_WEAK = ("等等", "等一下", "不是", "不对", "错了", "应该是", "改一下", "不")
"""They put something right only where they are set off: “，不对，”, “不对，是”."""
_MIDWAY = ("不对", "错了", "说错了")
"""Between two names of a kind they need no pause: 华南不对华东."""
_PAUSES = ("，", "。", "、")
_BUT = ("是", "是要", "我要", "我是说", "我说的是", "我指的是", "要")
_BUT_RATHER = ("而", "其实", "我", "就")
_INTERJECTIONS = ("哦", "啊", "呃", "额", "哎", "诶", "嗯", "呀", "哎呀")


def repaired(reading: Reading) -> str | None:
    """Return the sentence as it was meant; None when nothing in it is put right, or not clearly."""
    pieces = [piece for piece in reading.pieces if piece.text != " "]
    if (contrast := _contrast(pieces)) is not None:
        return _instead(*contrast, reading)
    if (denied := _denied(pieces)) is not None:
        return _without(denied, pieces)
    slip = _slip(reading)
    if slip is None:
        return None
    before, after = pieces[: pieces.index(slip)], pieces[pieces.index(slip) + 1 :]
    if not _content(before, reading) or not _content(after, reading) or _has(after, "forbidding", "not"):
        return None
    only_corrects = all("correction" in piece.keys for piece in _content(before, reading))
    if only_corrects and _only_places(after, reading):
        return None  # 不对，我说的是乙: the turn before is put right, not this one
    return _said_anew(before, after, reading) or _put_in_place(before, after, reading)


def _contrast(pieces: Sequence[Piece]) -> tuple[Sequence[Piece], Sequence[Piece]] | None:
    """Return what is not meant and what is: 不是重启甲，是重启乙."""
    if not pieces or pieces[0].text != "不是":
        return None
    for position, piece in enumerate(pieces[:-1]):
        after = [one for one in pieces[position + 1 :] if one.text not in _BUT_RATHER]
        if piece.text in _PAUSES and after and after[0].text in _BUT:
            return pieces[1:position], after[1:]
    return None


def _instead(denied: Sequence[Piece], meant: Sequence[Piece], reading: Reading) -> str | None:
    """Return what is meant, with the act of what is denied where it is said only there."""
    if (
        not _content(denied, reading)
        or not _content(meant, reading)
        or _has(meant, "forbidding", "asking_act")
    ):
        return None
    if _only_places(meant, reading):
        if _has(denied, *ACTS):
            return _put_in_place(denied, meant, reading)
        if all(_place(piece) or reading.is_light(piece) for piece in denied):
            return f"不对，{_joined(meant)}"  # 不是甲，是乙: of the turn before
    return _joined(meant)


def _only_places(pieces: Sequence[Piece], reading: Reading) -> bool:
    """Return whether nothing but what may take the place of something is said: 六个副本, 乙服务."""
    return not _has(pieces, *ACTS, "show", "which") and all(
        _place(piece) or reading.is_light(piece) or _counted(piece, pieces) for piece in pieces
    )


def _denied(pieces: Sequence[Piece]) -> tuple[int, int] | None:
    """Return where another thing is only told apart from the one that is meant: 看甲的日志，不是乙的."""
    for start, (piece, other) in enumerate(itertools.pairwise(pieces)):
        said = [one.text for one in _replaces(other, pieces[:start])] if piece.text == "不是" else []
        if said and other.text not in said:
            rest = range(start + 1, len(pieces))
            return start, next((one for one in rest if "@mark" in pieces[one].keys), len(pieces))
    return None


def _without(denied: tuple[int, int], pieces: Sequence[Piece]) -> str | None:
    """Return the sentence without what is not meant; before an act only 是甲，不是乙 is clear enough."""
    start, end = denied
    said = _replaces(pieces[start + 1], pieces[:start])[-1]
    stressed = pieces.index(said) > 0 and pieces[pieces.index(said) - 1].text.endswith("是")
    if _has(pieces, *ACTS) and not stressed:
        return None
    return _joined([*pieces[:start], *pieces[end:]])


def _slip(reading: Reading) -> Piece | None:
    pieces = [piece for piece in reading.pieces if piece.text != " "]
    for position in range(len(pieces) - 1, 0, -1):
        piece = pieces[position]
        before, after = pieces[position - 1], pieces[position + 1] if position + 1 < len(pieces) else None
        set_off = "@mark" in before.keys or before.text in _INTERJECTIONS
        if piece.text in _MIDWAY and after is not None:
            set_off = set_off or bool(_place(after) & before.keys)
        second_thought = piece.text == "还是" and pieces[-1].text == "吧"
        if (
            (piece.text in ("呃", "额") or second_thought)
            and "@mark" in before.keys
            and _only_replaces(pieces, position, reading)
        ):
            return piece
        if piece.text == "不":
            if "@mark" in before.keys and after is not None and "@mark" in after.keys:
                return piece
        elif piece.text == "算了":
            if "@mark" in before.keys:
                return piece
        elif "correction" in piece.keys and (
            piece.text not in _WEAK or set_off or (after is not None and after.text in ("是", "，"))
        ):
            return piece
    return None


def _only_replaces(pieces: Sequence[Piece], position: int, reading: Reading) -> bool:
    """Return whether all that follows takes the place of something before: 昨天的告警，呃前天的."""
    after = _content(pieces[position + 1 :], reading)
    return bool(after) and all(_replaces(piece, pieces[:position]) for piece in after)


def _said_anew(before: Sequence[Piece], after: Sequence[Piece], reading: Reading) -> str | None:
    """Return another request that takes the place of the first: 重启它，不对，先看看日志."""
    known = frozenset(key for piece in before for key in piece.keys)
    another = [
        piece
        for piece in _content(after, reading)
        if not _place(piece)
        and piece.keys.isdisjoint(known)
        and "@text" not in piece.keys
        and not _counted(piece, after)
    ]
    replaced = any(_replaces(piece, before) for piece in _content(after, reading))
    if replaced and not another and not any(piece.text in ("只", "只要") for piece in after):
        return None
    names = [] if _has(after, *_NAMES) else [piece for piece in before if piece.keys & frozenset(_NAMES)]
    return _joined([*names, *after])


def _counted(piece: Piece, pieces: Sequence[Piece]) -> bool:
    """Return whether a noun only says what a number counts: 六个副本."""
    position = pieces.index(piece)
    return bool(piece.keys & _COUNTED) and position > 0 and "@number" in pieces[position - 1].keys


def _put_in_place(before: Sequence[Piece], after: Sequence[Piece], reading: Reading) -> str | None:
    pieces = list(before)
    for piece in _content(after, reading):
        places = _replaces(piece, pieces)
        if len(places) > 1 and piece.keys & frozenset(_NAMES):
            return None  # one of two names: which?
        if places:
            pieces[pieces.index(places[-1])] = piece
        elif _place(piece):
            pieces.append(piece)
    return _joined(pieces)


def _replaces(piece: Piece, before: Sequence[Piece]) -> list[Piece]:
    place = _place(piece)
    return [one for one in before if place and one.keys & place and one is not piece]


def _place(piece: Piece) -> frozenset[str]:
    return next((place for place in _PLACES if piece.keys & place), frozenset())


def _content(pieces: Sequence[Piece], reading: Reading) -> list[Piece]:
    return [piece for piece in pieces if not reading.is_light(piece) or _place(piece)]


def _has(pieces: Sequence[Piece], *keys: str) -> bool:
    return any(not piece.keys.isdisjoint(keys) for piece in pieces)


def _joined(pieces: Sequence[Piece]) -> str:
    return "".join(
        f" {piece.text} " if piece.text.isascii() and piece.text.isalnum() else piece.text for piece in pieces
    ).strip("，、。 ")
