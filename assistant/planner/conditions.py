"""Spoken conditions on log lines to a query: status:503, ERROR, "broken pipe", AND, OR, NOT (pure)."""

from __future__ import annotations

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
_NO_STATUS_UNITS = ("条", "行", "个", "次", "台", "份", "percent", "ordinal", "vague")


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
        if "@number" in piece.keys:
            text = _status(piece, reading)
        elif "@quoted" in piece.keys:
            text = f'"{piece.value}"' if _is_phrase(str(piece.value)) else str(piece.value)
        elif _is_word(piece, reading):
            used = _run(pieces, position, reading)
            run = pieces[position : position + used]
            text = _phrase(run, reading)
        elif level := next((name for concept, name in _LEVELS.items() if concept in piece.keys), ""):
            text = "" if "anomaly" in piece.keys and "anomaly" in also else level
        if text and text not in [one.text for one in found]:
            denied = position > 0 and _denies(pieces[:position])
            found.append(Condition(text, tuple(pieces[position : position + used]), denied))
        position += used
    return found


def query_of(conditions: list[Condition], reading: Reading) -> str:
    """Join conditions as they were joined when said; `*` for none."""
    if not conditions:
        return "*"
    alternatives = [conditions[0]]
    groups = [alternatives]
    trailing = _trailing_or(conditions, reading)
    for before, condition in zip(conditions, conditions[1:], strict=False):
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


def _is_word(piece: Piece, reading: Reading) -> bool:
    if (
        piece.things
        and piece.certainty <= Certainty.SHORTENED
        and reading.has("@topic")
        and "@topic" not in piece.keys
    ):
        # A part of a name inside what is looked for in a topic is no name of a workload.
        return True
    if piece.keys & _CONTEXT:
        return False
    if "@word" in piece.keys:
        return True
    return "@text" in piece.keys and len(piece.text) >= 2


def _run(pieces: list[Piece], position: int, reading: Reading) -> int:
    """Return how many pieces the phrase has that begins here: words in a row, 支付 + 失败."""
    used = 1
    while position + used < len(pieces):
        piece = pieces[position + used]
        latin = "@word" in pieces[position].keys
        joins = (
            _is_word(piece, reading)
            or (latin and piece.text.isascii() and piece.text.isalpha())
            or (not latin and bool(piece.keys & {"failed"}))
        )
        if not joins or (
            ("@word" in piece.keys) != latin and not piece.keys & {"failed"} and not piece.text.isascii()
        ):
            break
        used += 1
    return used


def _phrase(run: list[Piece], reading: Reading) -> str:
    text = reading.sentence.text[run[0].start : run[-1].end].strip()
    return f'"{text}"' if _is_phrase(text) else text


def _is_phrase(text: str) -> bool:
    return " " in text or "/" in text or ":" in text
