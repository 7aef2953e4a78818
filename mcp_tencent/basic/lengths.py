"""Lengths of time as tools take them: 30s, 5m, 1h. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

from mcp_tencent.errors import InvalidRequest

_LENGTH = re.compile(r"(\d{1,6})\s*([smhd])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def parse_length(name: str, text: str) -> timedelta:
    """Return the length that is written as `text`.

    Args:
        name: What it is of, for the error.
        text: Such as 30s, 5m, 1h or 1d.

    Raises:
        InvalidRequest: It is none, or nothing.
    """
    match = _LENGTH.fullmatch(text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise InvalidRequest(f'{name} is a length such as "30s", "5m", "1h" or "1d", not {text[:40]!r}')
    return int(match[1]) * _UNITS[match[2]]
