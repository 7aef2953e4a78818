"""What a reader is given and returns, and what several readers share (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from assistant.planner.inventory import Inventory
from assistant.planner.lexicon import Tool
from assistant.planner.plan import TurnContext, Value
from assistant.planner.reading import Piece, Reading
from assistant.planner.times import Duration, Stretch, same_length
from mcp_tencent.naming.sound import folded

PARTICLES = "吧了啊呀哦呢啦哈嘛，。！？；、 的"


LAST_NIGHT = ("昨晚", "昨夜", "昨天夜里", "昨天晚上", "夜里", "半夜", "夜间", "昨晚上", "凌晨")
"""What the night job covers: the tools that tell of it mean it by default."""


TO = ("到", "成", "为", "至")
TO_SOUNDS = tuple(folded(word) for word in TO)


@dataclass(frozen=True, slots=True)
class Taken:
    """An argument and the pieces that say it; nothing was said for one that the turn before left behind."""

    value: Value
    pieces: tuple[Piece, ...] = ()
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """All that readers may look at."""

    reading: Reading
    tool: Tool
    inventory: Inventory
    context: TurnContext
    inherit: bool
    """An argument that is needed and not said may come from the request before."""
    goes_on: bool = False
    """The sentence goes on with the request before: so may what is not needed."""


Reader = Callable[[Source], Taken | None]


def fits(pronoun: str, kind: str) -> bool:
    """Return whether a pronoun may stand for a thing of a kind: 那个服务 for no cluster."""
    nouns = {
        "服务": ("workload",),
        "应用": ("workload",),
        "负载": ("workload",),
        "pod": ("pod",),
        "容器": ("pod",),
        "实例": ("pod",),
        "集群": ("cluster",),
        "主题": ("topic",),
        "告警": ("alert", "alarm"),
        "故障": ("incident",),
        "事故": ("incident",),
        "起": ("incident",),
        "链接": ("link",),
        "清单": ("manifest",),
        "条": ("alert", "alarm", "log", "link"),
        "行": ("log",),
        "日志": ("log",),
        "次": ("incident",),
    }
    for noun, kinds in nouns.items():
        if noun in pronoun:
            return kind in kinds
    return True


def read_period(source: Source, default: str) -> Taken | None:
    """Read a period; an empty value when it equals the default."""
    reading = source.reading
    piece = reading.first("@period") or reading.first("@past")
    if piece is None and not any(
        spec in ("interval", "window", "expires_in") for spec in source.tool.take.values()
    ):
        piece = reading.first("@plain")
    if piece is None and "interval" in source.tool.take.values():
        piece = next((one for one in reading.all("@plain") if not beside_interval(reading, one)), None)
    if piece is None or not isinstance(piece.value, Duration | Stretch):
        return None
    text = "" if default == "24h" and piece.text in LAST_NIGHT else piece.value.text
    return Taken(text, (piece,)) if text and not same_length(text, default) else Taken("", (piece,))


def beside_interval(reading: Reading, piece: Piece) -> bool:
    """Return whether a length of time is that of a step: 两小时为一个区间, 每隔五分钟."""
    near = [reading.before(piece), reading.after(piece)]
    return any(one is not None and bool(one.keys & {"interval", "every"}) for one in near)


def word_before(reading: Reading, piece: Piece) -> Piece | None:
    """Return the piece before another one, a space between them left out."""
    before = reading.before(piece)
    return reading.before(before) if before is not None and before.text == " " else before


def read_enabled(source: Source) -> Taken | None:
    """Read whether something is to be on or off."""
    if piece := source.reading.first("disabled", "stop_sending"):
        return Taken(False, (piece,))
    if piece := source.reading.first("enabled"):
        return Taken(True, (piece,))
    return None


def is_key(piece: Piece) -> bool:
    """Return whether a piece is a word of a configuration, though it may mean something else: RETENTION."""
    return "@word" in piece.keys or re.fullmatch(r"[A-Z][A-Z0-9_]+", piece.text) is not None


def after_marker(source: Source, markers: tuple[str, ...], stop: tuple[str, ...] = ()) -> Taken | None:
    """Read the free text after a marker such as 叫, up to the next mark or stop word."""
    reading = source.reading
    last = None
    for piece in reading.all(*markers):
        last = piece if last is None or not stop else last
    if last is None:
        return None
    taken: list[Piece] = []
    for piece in reading.pieces[reading.pieces.index(last) + 1 :]:
        if "@mark" in piece.keys and piece.text != " ":
            if taken:
                break
            continue
        if taken and (piece.keys & set(stop)):
            break
        taken.append(piece)
    text = "".join(piece.text for piece in taken).strip(PARTICLES)
    return Taken(text, (last, *taken)) if text else None
