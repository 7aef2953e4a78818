"""Period strings ("15m", "yesterday", a date, start/end) to instants. Pure: now and zone are handed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from mcp_tencent.errors import InvalidPeriod, PeriodTooLong

LONGEST = timedelta(days=366)
"""Nothing here keeps logs or metrics that anybody asks about for longer than a year."""

_BACK = re.compile(r"(?P<count>\d{1,9})\s*(?P<unit>[smhdw])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:?\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of time, [start, end), never empty."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is, in real time (across a change of clocks as well)."""
        return self.end.astimezone(UTC) - self.start.astimezone(UTC)


def parse_period(text: str, *, now: datetime, zone: tzinfo) -> Period:
    """Turn a period string of the tools into instants.

    Args:
        text: "15m" "1h" "24h" "7d" (back from now; s, m, h, d, w), "today", "yesterday", a date such as
            2026-11-20, or start/end in ISO 8601 with seconds and offset.
        now: The present, timezone-aware. Today ends now.
        zone: Where days begin at midnight.

    Raises:
        InvalidPeriod: When it cannot be understood, is empty, lies in the future, or is over a year long.
            An end in the future is cut to now.
    """
    if now.tzinfo is None:
        raise ValueError(f"now must be timezone-aware, got {now!r}")
    wanted = text.strip().lower()
    if not wanted:
        raise InvalidPeriod("the period is empty")
    if "/" in wanted:
        period = _between(wanted)
    elif match := _BACK.fullmatch(wanted):
        period = _back(match, now)
    else:
        period = _day(wanted, now.astimezone(zone).date(), now, zone)
    return _checked(period, text, now)


def _back(match: re.Match[str], now: datetime) -> Period:
    count = int(match["count"])
    if count == 0:
        raise InvalidPeriod("a period back from now must be longer than 0")
    try:
        start = now.astimezone(UTC) - count * _UNITS[match["unit"]]
    except OverflowError as exc:
        raise InvalidPeriod(f"the period {match[0]} reaches back beyond the calendar") from exc
    return Period(start=start.astimezone(now.tzinfo), end=now)


def _day(wanted: str, today: date, now: datetime, zone: tzinfo) -> Period:
    if wanted == "today":
        return Period(start=_midnight(today, zone), end=now)
    if wanted == "yesterday":
        return Period(start=_midnight(today - timedelta(days=1), zone), end=_midnight(today, zone))
    try:
        day = date.fromisoformat(wanted)
        following = day + timedelta(days=1)
    except (ValueError, OverflowError) as exc:
        raise InvalidPeriod(
            f"cannot understand the period {wanted[:80]!r}: use 15m, 1h, 24h, 7d, today, yesterday, "
            "a date such as 2026-11-20, or start/end in ISO 8601 with offset"
        ) from exc
    end = now if day == today else _midnight(following, zone)
    return Period(start=_midnight(day, zone), end=end)


def _midnight(day: date, zone: tzinfo) -> datetime:
    # In a zone that skips midnight, the first existing instant of the day is what fold=0 resolves to in UTC.
    return datetime.combine(day, time(0), tzinfo=zone)


def _between(wanted: str) -> Period:
    parts = wanted.split("/")
    if len(parts) != 2:
        raise InvalidPeriod(f"a period has one start and one end, got {len(parts)} parts in {wanted[:80]!r}")
    return Period(start=_instant(parts[0].strip(), "start"), end=_instant(parts[1].strip(), "end"))


def _instant(text: str, which: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise InvalidPeriod(
            f"the {which} {text[:40]!r} is not ISO 8601 with seconds and offset, "
            "such as 2026-11-20T05:00:00+08:00"
        )
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError as exc:
        raise InvalidPeriod(f"the {which} {text[:40]!r} does not exist in the calendar: {exc}") from exc


def _checked(period: Period, text: str, now: datetime) -> Period:
    shown = text.strip()[:80]
    try:
        start, end = period.start.astimezone(UTC), period.end.astimezone(UTC)
    except OverflowError as exc:
        raise InvalidPeriod(f"the period {shown!r} reaches beyond the calendar") from exc
    if start >= now.astimezone(UTC):
        # At midnight itself, "today" is still empty; all else that starts now or later has not happened.
        raise InvalidPeriod(f"the period {shown!r} begins at {period.start.isoformat()}: not in the past")
    if end <= start:
        raise InvalidPeriod(f"the period {shown!r} ends at or before its start")
    if end - start > LONGEST:
        raise PeriodTooLong(
            f"the period {shown!r} is {(end - start).days} days long; {LONGEST.days} are the most"
        )
    return period if end <= now.astimezone(UTC) else Period(start=period.start, end=now)
