"""Spoken and written numbers: 六, 两, 一百二, 五零三, 百分之八十, 三万 (pure)."""

from __future__ import annotations

import re

_DIGITS = {
    "零": 0, "〇": 0, "一": 1, "幺": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "仨": 3,
    "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
}  # fmt: skip
_UNITS = {"十": 10, "百": 100, "千": 1_000}
_LARGE = {"万": 10_000, "亿": 100_000_000}

NUMBER = (
    r"(?:\d+(?:\.\d+)?[百千万亿]?"
    r"|[零〇一幺二两俩三仨四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?)"
)
"""A number as it is written or spoken; not every match is one: ask `number_of`."""

_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)([百千万亿]?)")
_VAGUE = re.compile(r"[一二两三四五六七八九]{2}(?=[十百千万个条台])|十几|几十|[百千万]多")


def number_of(text: str) -> int | float | None:
    """Return the number that a text is, else None.

    >>> number_of("一百二"), number_of("五零三"), number_of("3千")
    (120, 503, 3000)
    """
    if match := _WRITTEN.fullmatch(text):
        written = float(match[1]) if "." in match[1] else int(match[1])
        scale = {**_UNITS, **_LARGE}.get(match[2], 1)
        return _tidy(written * scale)
    whole, point, fraction = text.partition("点")
    value = _whole(whole)
    if value is None or not point:
        return value
    digits = "".join(str(_DIGITS[character]) for character in fraction if character in _DIGITS)
    return float(f"{value}.{digits}") if digits else None


def is_vague(text: str) -> bool:
    """Return whether a text leaves open which number is meant: 三四个, 十几台."""
    return _VAGUE.search(text) is not None


def _tidy(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _whole(text: str) -> int | None:
    if not text:
        return None
    if all(character in _DIGITS for character in text):
        return int("".join(str(_DIGITS[character]) for character in text))
    total = section = digit = 0
    last_unit = 1
    for character in text:
        if character in _DIGITS:
            if digit and character not in "零〇":
                return None
            digit = _DIGITS[character]
            if character in "零〇":
                last_unit = 1
        elif character in _UNITS:
            last_unit = _UNITS[character]
            section += (digit or 1) * last_unit
            digit = 0
        elif character in _LARGE:
            last_unit = _LARGE[character]
            total = (total + section + digit) * last_unit
            section = digit = 0
        else:
            return None
    # 一百二 is 120, 三万五 is 35,000: the last digit counts in tenths of the unit before it.
    return total + section + digit * (last_unit // 10 if digit and last_unit >= 100 else 1)
