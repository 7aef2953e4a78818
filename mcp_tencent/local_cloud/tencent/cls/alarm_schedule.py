"""When an alarm's statements run: every N minutes, once a day, or by a cron expression (in UTC+8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.tencent.cls.state import CHINA

MAX_RUNS = 3000
"""Runs made up for at once; after a longer silence the oldest are skipped, as if the monitor had been off."""

_MINUTE = timedelta(minutes=1)
_DAY_MINUTES = 24 * 60
_CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """Every so many minutes."""

    minutes: int

    def due(self, minute: datetime) -> bool:
        """Tell whether a run begins at this whole minute."""
        return int(minute.timestamp()) // 60 % self.minutes == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """Once a day, so many minutes after midnight in UTC+8."""

    minute_of_day: int

    def due(self, minute: datetime) -> bool:
        """Tell whether a run begins at this whole minute."""
        local = minute.astimezone(CHINA)
        return local.hour * 60 + local.minute == self.minute_of_day % _DAY_MINUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """By five fields: minute, hour, day of month, month, day of week."""

    fields: tuple[frozenset[int], ...]

    def due(self, minute: datetime) -> bool:
        """Tell whether a run begins at this whole minute."""
        local = minute.astimezone(CHINA)
        values = (local.minute, local.hour, local.day, local.month, local.isoweekday() % 7)
        return all(value in allowed for value, allowed in zip(values, self.fields, strict=True))


Schedule = Periodic | Daily | Cron


def runs(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    """Return the runs within (after, until], oldest first, at most the last 3,000."""
    found: list[datetime] = []
    minute = until.astimezone(UTC).replace(second=0, microsecond=0)
    oldest = max(after, until - timedelta(days=31))
    while minute > oldest and len(found) < MAX_RUNS:
        if schedule.due(minute):
            found.append(minute)
        minute -= _MINUTE
    return found[::-1]


def parse_cron(expression: str) -> Cron:
    """Read a cron expression of five fields with `*`, lists, ranges and steps.

    Raises:
        ValueError: it is none; the message says why.
    """
    parts = expression.split()
    if len(parts) != len(_CRON_RANGES) or len(expression) > 200:
        raise ValueError("a cron expression has five fields: minute, hour, day, month, day of week")
    fields = [
        frozenset(value for item in part.split(",") for value in _cron_item(item, low, high))
        for part, (low, high) in zip(parts, _CRON_RANGES, strict=True)
    ]
    fields[4] = frozenset(day % 7 for day in fields[4])
    return Cron(fields=tuple(fields))


def _cron_item(item: str, low: int, high: int) -> Iterator[int]:
    span, _, step_text = item.partition("/")
    step = _cron_number(step_text, 1, high) if step_text else 1
    if span == "*":
        first, last = low, high
    else:
        first_text, _, last_text = span.partition("-")
        first = _cron_number(first_text, low, high)
        last = _cron_number(last_text, low, high) if last_text else (high if step_text else first)
    yield from range(first, last + 1, step)


def _cron_number(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit()) or not low <= int(text[:4]) <= high:
        raise ValueError(f"{text[:20]!r} is not a number from {low} to {high}")
    return int(text)
