"""The ways in which the cloud writes instants, and aware datetimes (pure)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
"""What the log service means where it names no zone."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GO_STYLE = re.compile(r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.\d+)? ([+-]\d{4}) \w+")


def to_milliseconds(instant: datetime) -> int:
    """Return Unix milliseconds, rounded down."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def from_milliseconds(milliseconds: int) -> datetime:
    """Return the instant of Unix milliseconds, in UTC, exactly."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_beijing_text(instant: datetime) -> str:
    """Return e.g. 2021-04-25 14:25:00.000, as DescribeLogContext wants its BTime."""
    local = instant.astimezone(BEIJING)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d}"


def parse_instant(text: str | None) -> datetime | None:
    """Read an instant in any of the service's ways; None for none, and for what is no instant.

    RFC 3339 (clusters), `2023-01-15 17:55:38 +0000 UTC` (node pools), `2022-04-27 14:53:42` in Beijing time
    (log service).
    """
    if not text:
        return None
    if match := _GO_STYLE.fullmatch(text):
        text = f"{match[1]}T{match[2]}{match[3]}"
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=BEIJING)
