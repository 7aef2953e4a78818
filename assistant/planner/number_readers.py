"""Arguments that are numbers and lengths of time (pure)."""

from __future__ import annotations

import re

from assistant.planner.reading import Piece, Reading
from assistant.planner.taking import LAST_NIGHT, TO, TO_SOUNDS, Reader, Source, Taken, read_period
from assistant.planner.times import Duration, Stretch, same_length
from mcp_tencent.naming.sound import folded

_KEEP = ("只留", "就留", "只保留", "只剩", "保持", "维持")


def read_expires(source: Source) -> Taken | None:
    """Read how long a link lives."""
    piece = source.reading.first("@plain", "@past", "future")
    if piece and isinstance(piece.value, Duration):
        return Taken("" if same_length(piece.value.text, "24h") else piece.value.text, (piece,))
    return None


def read_horizon(source: Source) -> Taken | None:
    """Read how far a forecast looks."""
    piece = source.reading.first("future", "@plain", "@past")
    if piece and isinstance(piece.value, Duration):
        return Taken("" if same_length(piece.value.text, "30d") else piece.value.text, (piece,))
    return None


def read_retention(source: Source) -> Taken | None:
    """Read how many days logs are kept."""
    piece = source.reading.first("@plain", "@past", "future")
    if piece and isinstance(piece.value, Duration):
        days = round(piece.value.minutes / 1440)
        return Taken(days if days != 30 else "", (piece,))
    return None


def read_mute_minutes(source: Source) -> Taken | None:
    """Read how many minutes to be silent."""
    piece = source.reading.first("@plain", "@past", "future")
    if piece and isinstance(piece.value, Duration):
        return Taken(round(piece.value.minutes), (piece,))
    return None


def read_replicas(source: Source) -> Taken | None:
    """Read the number of replicas or nodes that is the goal; none when it is vague or relative."""
    reading = source.reading
    numbers = [
        piece
        for piece in reading.all("@number")
        if piece.unit in ("", "个", "份", "台", "副本", "节点", "vague")
    ]
    if any(piece.unit == "vague" for piece in numbers) or not numbers:
        return None
    goal = [piece for piece in numbers if _leads_to(reading, piece)]
    if not goal and reading.has("relative"):
        return None
    if not goal:
        # 副本数 6, 六个副本: absolute only when no act of growing stands right before the number.
        goal = [
            piece
            for piece in numbers
            if not (before := reading.before(piece)) or not before.keys & {"scale", "resize"}
        ]
    if len(goal) != 1 or not isinstance(goal[0].value, int):
        return None
    if any(piece.start > goal[0].start and piece.value != goal[0].value for piece in numbers):
        return None  # 缩到三台，三台不行，四台: which?
    return Taken(goal[0].value, (goal[0], *(piece for piece in numbers if piece is not goal[0])))


def _leads_to(reading: Reading, piece: Piece) -> bool:
    """Return whether a number is the goal: 扩到六个, 调整为 6."""
    before = reading.before(piece)
    while before is not None and (
        before.text == " " or before.text in ("：", ":", "数", "replica", "副本", "副本数")
    ):
        before = reading.before(before)
    if before is None:
        return False
    heard_so = before.keys & {"scale", "resize"} and folded(before.text[-1:]) in TO_SOUNDS
    return before.text.endswith((*TO, "回")) or before.text in _KEEP or bool(heard_so)


def read_revision(source: Source) -> Taken | None:
    """Read the revision to go back to."""
    for piece in source.reading.all("@number"):
        if isinstance(piece.value, int) and piece.unit in ("", "版", "ordinal", "号", "个"):
            before, after = source.reading.before(piece), source.reading.after(piece)
            near = [one for one in (before, after) if one]
            if (
                piece.unit in ("版", "号")
                or any(one.keys & {"version"} for one in near)
                or (piece.unit == "" and before and before.keys & {"roll_back", "restore"})
            ):
                return Taken(piece.value, (piece,))
    for piece in source.reading.all("@word"):
        if match := re.fullmatch(r"v(\d+)|rev(?:ision)?[-_]?(\d+)", piece.text.lower()):
            return Taken(int(match[1] or match[2]), (piece,))
    return None


def read_node_count(source: Source) -> Taken | None:
    """Read the number of nodes of a new pool."""
    reading = source.reading
    for piece in reading.all("@number"):
        before = reading.before(piece)
        if isinstance(piece.value, int) and not (before and before.keys & {"minimum", "maximum"}):
            return Taken(piece.value, (piece,))
    return None


def read_bound(key: str) -> Reader:
    """Return the reader of a least or most number of nodes."""

    def read_bound(source: Source) -> Taken | None:
        for piece in source.reading.all(key):
            after = source.reading.after(piece)
            if after and "@number" in after.keys and isinstance(after.value, int):
                return Taken(after.value, (piece, after))
        return None

    return read_bound


def read_percent(source: Source) -> Taken | None:
    """Read a volume in percent."""
    if piece := next(
        (
            one
            for one in source.reading.all("@number")
            if isinstance(one.value, int) and 0 <= one.value <= 100
        ),
        None,
    ):
        return Taken(piece.value if isinstance(piece.value, int) else 0, (piece,))
    if piece := source.reading.first("full_volume"):
        return Taken(100, (piece,))
    text = source.reading.text
    if "一半" in text:
        return Taken(50)
    return None


def read_clock(which: int) -> Reader:
    """Return the reader of one of two clock times."""

    def read_clock(source: Source) -> Taken | None:
        piece = source.reading.first("@clocks")
        if piece and isinstance(piece.value, Stretch) and piece.value.clocks:
            return Taken(piece.value.clocks[which], (piece,))
        return None

    return read_clock


def read_min_score(source: Source) -> Taken | None:
    """Read the least score."""
    for piece in source.reading.all("@number"):
        if isinstance(piece.value, int) and (piece.unit in ("", "分") or source.reading.has("score")):
            near = [source.reading.before(piece), source.reading.after(piece)]
            return Taken(piece.value or "", (piece, *(one for one in near if one and "over" in one.keys)))
    return None


def read_alert_period(source: Source) -> Taken | None:
    """Read the period of alerts, which by default is yesterday."""
    taken = read_period(source, "1h")
    if taken is None:
        return None
    piece = taken.pieces[0]
    text = piece.value.text if isinstance(piece.value, Duration | Stretch) else ""
    return Taken("" if text == "yesterday" or piece.text in LAST_NIGHT else text, taken.pieces)
