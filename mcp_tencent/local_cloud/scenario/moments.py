"""Instants and durations as scenario files write them: relative to the start, on a day, or absolute.

A scenario is played at any time, so its times are told from its start: `-7d`, `-5h20m`, `+10m`, `start`,
`yesterday 14:05`, `-3d 09:30` (that day, at that time in the scenario's zone), or ISO 8601 with an offset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Annotated

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

_UNIT_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?d)?(?:\d+(?:\.\d+)?h)?(?:\d+(?:\.\d+)?m)?(?:\d+(?:\.\d+)?s)?")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)([dhms])")
_DAY_AND_TIME = re.compile(r"(today|yesterday|-(\d{1,3})d) +(\d{2}):(\d{2})(?::(\d{2}))?")
_LONGEST = timedelta(days=400)

DURATION_FORM = "a duration such as 90s, 5m, 1h30m or 7d"
MOMENT_FORM = (
    "a time such as start, -5h20m, +10m, 'yesterday 14:05', '-3d 09:30' or 2026-11-20T08:00:00+08:00 "
    "(absolute times need an offset)"
)


def parse_duration(text: object) -> timedelta:
    """Read `1h30m` and its like; what is a duration already is returned as it is.

    Raises:
        ValueError: `text` is no such duration or longer than 400 days.
    """
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not text or not _DURATION.fullmatch(text):
        raise ValueError(f"expected {DURATION_FORM}")
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    if seconds > _LONGEST.total_seconds():
        raise ValueError("longer than 400 days")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Return the shortest text that `parse_duration` reads back."""
    rest = int(duration.total_seconds())
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time, made an instant by a start and a time zone. Exactly one of three forms is set."""

    text: str
    """As it was written."""
    offset: timedelta | None = None
    """From the start."""
    day: tuple[int, time] | None = None
    """Days before the start's date, and the time of that day in the scenario's zone."""
    instant: datetime | None = None
    """Absolute, aware."""

    def resolve(self, start: datetime, zone: tzinfo) -> datetime:
        """Return the instant that this moment is in a scenario which starts at `start`."""
        if self.instant is not None:
            return self.instant
        if self.day is not None:
            days, at = self.day
            date = start.astimezone(zone).date() - timedelta(days=days)
            return datetime.combine(date, at, tzinfo=zone)
        return start + (self.offset or timedelta(0))


def parse_moment(text: object) -> Moment:
    """Read a moment in any of its forms.

    Raises:
        ValueError: `text` has none of them, or is absolute without an offset.
    """
    if isinstance(text, Moment):
        return text
    if not isinstance(text, str):
        raise ValueError(f"expected {MOMENT_FORM}")  # noqa: TRY004 - pydantic turns ValueError into a finding
    if text in ("start", "now"):
        return Moment(text=text, offset=timedelta(0))
    if found := _DAY_AND_TIME.fullmatch(text):
        word, days, hour, minute, second = found.groups()
        back = int(days) if days else {"today": 0, "yesterday": 1}[word]
        try:
            at = time(int(hour), int(minute), int(second or 0))
        except ValueError as error:
            raise ValueError(f"no such time of day: {error}") from error
        return Moment(text=text, day=(back, at))
    if text[:1] in "+-" and len(text) > 1:
        offset = parse_duration(text[1:])
        return Moment(text=text, offset=-offset if text[0] == "-" else offset)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"expected {MOMENT_FORM}") from error
    if instant.tzinfo is None:
        raise ValueError("an absolute time needs an offset, e.g. +08:00")
    return Moment(text=text, instant=instant)


MomentField = Annotated[
    Moment,
    PlainValidator(parse_moment),
    PlainSerializer(lambda moment: moment.text, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "description": "start, -5h20m, +10m, 'yesterday 14:05', '-3d 09:30' or ISO 8601 with an offset",
            "examples": ["-5h20m", "yesterday 14:05"],
        }
    ),
]
"""A moment as a field of a scenario."""

DurationField = Annotated[
    timedelta,
    PlainValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^(\\d+(\\.\\d+)?[dhms])+$", "examples": ["90s", "1h30m"]}),
]
"""A duration as a field of a scenario."""

Ratio = Annotated[float, Field(ge=0, le=1)]
"""A share, 0 to 1."""
