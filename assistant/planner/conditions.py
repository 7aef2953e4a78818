"""Spoken conditions on log lines to a query: status:503, ERROR, "broken pipe", AND, OR, NOT (pure)."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from assistant.planner.names import Certainty
from assistant.planner.reading import Piece, Reading

_LEVELS = {
    "error": "ERROR",
    "anomaly": "ERROR",
    "warn_log": "WARN",
    "fatal_log": "FATAL",
    "info_log": "INFO",
    "debug_log": "DEBUG",
}
_CONTEXT = {
    "@topic",
    "@workload",
    "@namespace",
    "@cluster",
    "@alarm",
    "@period",
    "@duration",
    "@past",
    "@email",
    "@pod",
    "@incident",
}
_FILLERS = frozenset({"polite", "ask", "show", "contains", "which", "state"})
_FILLING_WORDS = ("一下", "下", "出来", "关键词", "关键字", "有没有", "所有")
_ENDS = ("的", "字样", "这个词", "这些", "么", "吗", "呢", "吧", "都", "和", "或者", "或", "以及", "给")
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_NO_TEXT = frozenset(
    [
        "log",
        "topic",
        "error",
        "warn_log",
        "fatal_log",
        "info_log",
        "debug_log",
        "trend",
        "histogram",
        "lines",
        "top",
        "asc",
        "desc",
        "tail",
        "status_code",
        "interval",
        "context_lines",
        "pattern",
        "keyword",
        "summarize",
        "not",
        "anomaly",
        "then",
        "pronoun",
        "previous_container",
        "pod",
        "@mark",
        "@number",
        "@ordinal",
        "@quoted",
        "@word",
        "channel",
        "which",
        "send",
        "restarting",
        "event",
        "every_length",
        "@plain",
        "or",
        "index",
        "logset",
        "cluster",
        "node",
        "configmap",
        "forbidding",
        *_CONTEXT,
    ]
) - {"@workload", "@alarm", "@namespace"}
"""What is never a part of the text that is looked for."""
_SEARCHES = ("搜", "搜索", "搜一下", "搜下", "grep", "检索", "过滤", "搜搜")
_INSIDE = ("里", "里面", "里头", "中", "上")
_NO_STATUS_UNITS = ("条", "行", "个", "次", "台", "份", "percent", "ordinal", "vague")


_LEAST_DIGITS = 4
"""Of the number of an order; shorter ones count something."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition and the pieces that say it."""

    text: str
    pieces: tuple[Piece, ...]
    denied: bool = False


def conditions_in(reading: Reading, also: frozenset[str] = frozenset()) -> list[Condition]:
    """Return the conditions of a sentence in the order in which they are said.

    Args:
        reading: The sentence.
        also: Concepts that mean something else to the tool, and so are no text that is looked for.
    """
    found: list[Condition] = []
    pieces = [piece for piece in reading.pieces if piece.text != " "]
    position = 0
    while position < len(pieces):
        piece = pieces[position]
        used, text = 1, ""
        if run := _looked_for(pieces, position):
            text = "".join(map(_spelled, run)).removesuffix("的")
            found.append(Condition(text, run, denied=_denies(pieces[:position])))
            position += (pieces.index(run[-1]) - position) + 1
            continue
        if "@number" in piece.keys:
            text = _status(piece, reading) or _number_of_a_thing(piece, reading)
        elif "@quoted" in piece.keys:
            text = f'"{piece.value}"' if _is_phrase(str(piece.value)) else str(piece.value)
        elif _is_word(piece, reading) or _is_searched(pieces, position):
            used = _run(pieces, position, reading)
            phrase = pieces[position : position + used]
            text = _phrase(phrase, reading)
        elif level := next((name for concept, name in _LEVELS.items() if concept in piece.keys), ""):
            text = "" if "anomaly" in piece.keys and "anomaly" in also else level
        if text and text not in [one.text for one in found]:
            denied = position > 0 and _denies(pieces[:position])
            found.append(Condition(text, tuple(pieces[position : position + used]), denied))
        position += used
    return _searched_for(found, pieces)


def _searched_for(found: list[Condition], pieces: list[Piece]) -> list[Condition]:
    """Return the conditions without the words before an outright search: 有没有人动过，搜 delete."""
    verb = next((piece for piece in reversed(pieces) if piece.text.lower() in _SEARCHES), None)
    if verb is None or not any(one.pieces[0].start > verb.start for one in found):
        return found
    said_before = [one for one in found if one.pieces[0].start < verb.start and not one.text.isascii()]
    first, *others = [one for one in found if one not in said_before]
    told = tuple(piece for one in said_before for piece in one.pieces)
    return [Condition(first.text, (*told, *first.pieces), first.denied), *others]


def _looked_for(pieces: list[Piece], position: int) -> tuple[Piece, ...]:
    """Return the Chinese words that stand after a verb of search, up to the next mark or 的: 搜超时."""
    verb = pieces[position]
    inside = verb.text in _INSIDE and position > 0 and "@topic" in pieces[position - 1].keys
    if not inside and (not verb.keys & {"contains"} or "@word" in verb.keys):
        return ()
    run: list[Piece] = []
    for piece in pieces[position + 1 :]:
        filler = not run and (piece.keys <= _FILLERS or piece.text in _FILLING_WORDS)
        if filler:
            continue
        if "@workload" in piece.keys and not any("@topic" in one.keys for one in pieces):
            break  # the service whose log is searched
        if piece.text in _ENDS or piece.keys & _NO_TEXT or not _CHINESE.fullmatch(piece.text):
            break
        run.append(piece)
    while run and run[-1].keys <= _FILLERS:
        run.pop()
    text = "".join(piece.text for piece in run)
    content = [piece for piece in run if not piece.keys <= _FILLERS]
    if inside and not _of_records(pieces, run):
        return ()
    return tuple(run) if 2 <= len(text) <= 10 and content else ()


def _of_records(pieces: list[Piece], run: list[Piece]) -> bool:
    """Return whether words are followed by 的记录, 的日志: what stands inside a topic."""
    if not run:
        return False
    after = pieces[pieces.index(run[-1]) + 1 :][:2]
    said_of = run[-1].text.endswith("的") or (bool(after) and after.pop(0).text == "的")
    return said_of and bool(after) and bool(after[0].keys & {"history", "log", "lines", "which"})


def query_of(conditions: list[Condition], reading: Reading) -> str:
    """Join conditions as they were joined when said; `*` for none."""
    if not conditions:
        return "*"
    alternatives = [conditions[0]]
    groups = [alternatives]
    trailing = _trailing_or(conditions, reading)
    for before, condition in itertools.pairwise(conditions):
        between = [p for p in reading.pieces if before.pieces[-1].end <= p.start < condition.pieces[0].start]
        either = any("or" in piece.keys for piece in between) or trailing or _same_field(before, condition)
        if either and not condition.denied:
            groups[-1].append(condition)
        else:
            groups.append([condition])
    parts = []
    for group in groups:
        words = [f"NOT {one.text}" if one.denied else one.text for one in group]
        joined = " OR ".join(words)
        parts.append(f"({joined})" if len(words) > 1 and len(groups) > 1 else joined)
    parts.sort(key=lambda part: part.startswith("NOT "))
    if parts[0].startswith("NOT "):
        parts.insert(0, "*")
    return " AND ".join(parts)


def _same_field(one: Condition, other: Condition) -> bool:
    return one.text.startswith("status:") and other.text.startswith("status:")


def _trailing_or(conditions: list[Condition], reading: Reading) -> bool:
    last = conditions[-1].pieces[-1].end
    return any("or" in piece.keys and piece.start >= last for piece in reading.pieces)


def _denies(before: list[Piece]) -> bool:
    for piece in reversed(before):
        if "not" in piece.keys or "forbidding" in piece.keys:
            return True
        if not piece.keys & {"contains", "polite", "ask"}:
            return False
    return False


def _status(piece: Piece, reading: Reading) -> str:
    value = piece.value
    if not isinstance(value, int) or not 100 <= value <= 599 or piece.unit in _NO_STATUS_UNITS:
        return ""
    before, after = reading.before(piece), reading.after(piece)
    if after and after.keys & {"lines", "times", "replica", "node"}:
        return ""
    if before and before.keys & {"over", "under", "tail", "top"}:
        return ""
    return f"status:{value}"


def _number_of_a_thing(piece: Piece, reading: Reading) -> str:
    """Return the number of an order, a user, a trace as it was written: 订单号 88213."""
    before = reading.before(piece)
    named = before is not None and before.text.lower().endswith(("号", "编号", "id"))
    return piece.text if named and piece.text.isdigit() and len(piece.text) >= _LEAST_DIGITS else ""


def _is_word(piece: Piece, reading: Reading) -> bool:
    if (
        piece.things
        and piece.certainty <= Certainty.SHORTENED
        and reading.has("@topic")
        and "@topic" not in piece.keys
    ):
        # A part of a name inside what is looked for in a topic is no name of a workload.
        return True
    if piece.keys & _CONTEXT and not ("@pod" in piece.keys and reading.has("@topic")):
        return False
    if "@word" in piece.keys or "log_word" in piece.keys:
        return True
    return "@text" in piece.keys and len(piece.text) >= 2


def _is_searched(pieces: list[Piece], position: int) -> bool:
    """Return whether a Latin word with another meaning stands after a verb of search: 搜 delete."""
    piece = pieces[position]
    latin = piece.text.isascii() and piece.text.isalpha() and len(piece.text) > 1
    searched = position > 0 and "contains" in pieces[position - 1].keys
    return (
        latin
        and searched
        and piece.keys.isdisjoint({"log", "topic", "or", "not", "status_code", *_LEVELS, *_CONTEXT})
    )


def _run(pieces: list[Piece], position: int, reading: Reading) -> int:
    """Return how many pieces the phrase has that begins here: words in a row, 支付 + 失败."""
    used = 1
    while position + used < len(pieces):
        piece = pieces[position + used]
        latin = "@word" in pieces[position].keys
        joins = (
            _is_word(piece, reading)
            or (latin and _is_number_of_it(pieces, position + used))
            or (latin and piece.text.isascii() and piece.text.isalpha())
            or (not latin and bool(piece.keys & {"failed"}))
        )
        if "@number" in piece.keys and joins:
            return used + 1
        if not joins or (
            ("@word" in piece.keys) != latin and not piece.keys & {"failed"} and not piece.text.isascii()
        ):
            break
        used += 1
    return used


def _is_number_of_it(pieces: list[Piece], position: int) -> bool:
    """Return whether a number tells which one a word means: user 10086, user_id=10086."""
    piece = pieces[position]
    if piece.text == "=" and position + 1 < len(pieces):
        return "@number" in pieces[position + 1].keys
    status = isinstance(piece.value, int) and 400 <= piece.value <= 599
    return (
        piece.text.isdigit()
        and not piece.unit
        and (pieces[position - 1].text == "=" or (len(piece.text) > 2 and not status))
    )


def _phrase(run: list[Piece], reading: Reading) -> str:
    text = reading.sentence.text[run[0].start : run[-1].end].strip()
    if len(run) == 1:
        text = _spelled(run[0])
    return f'"{text}"' if _is_phrase(text) else text


def _spelled(piece: Piece) -> str:
    return str(piece.value) if "log_word" in piece.keys and isinstance(piece.value, str) else piece.text


def _is_phrase(text: str) -> bool:
    return " " in text or "/" in text or ":" in text
