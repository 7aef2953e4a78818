"""Instants as the API writes them: RFC 3339 in UTC, to the second. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache


@lru_cache(maxsize=1024)
def to_text(instant: datetime) -> str:
    """Return `instant` as in `creationTimestamp`; fractions of a second are dropped."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=1024)
def to_micro_text(instant: datetime) -> str:
    """Return `instant` as in `eventTime`: with microseconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@lru_cache(maxsize=4096)
def from_text(text: str) -> datetime:
    """Return the instant that `text` names.

    Raises:
        ValueError: it is no RFC 3339 instant.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a UTC offset, got {text!r}")
    return instant.astimezone(UTC)


def age(then: datetime, now: datetime) -> str:
    """Return how long ago `then` was, as kubectl prints ages: 45s, 12m, 3h20m, 5d4h, 92d."""
    return duration(now - then)


def duration(span: timedelta) -> str:
    """Return `span` in the short form of kubectl's AGE column."""
    seconds = int(span.total_seconds())
    if seconds < 0:
        return "0s" if seconds > -2 else "<invalid>"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 365 * 2:
        return f"{days}d"
    return f"{days // 365}y{days % 365}d" if days < 365 * 8 and days % 365 else f"{days // 365}y"
