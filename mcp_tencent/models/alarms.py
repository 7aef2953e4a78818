"""Alarm policies of the log service, and what they raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum


class AlarmLevel(IntEnum):
    """How bad, ordered; the service's own numbers (0 warn, 1 info, 2 critical) are not."""

    INFO = 1
    WARN = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmQuery:
    """A search whose result an alarm's condition speaks of as $1, $2 and so on."""

    number: int
    topic_id: str
    topic_name: str
    query: str
    window: timedelta
    """How far back it looks at each run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm policy."""

    alarm_id: str
    name: str
    enabled: bool
    level: AlarmLevel
    condition: str
    """E.g. $1.errors > 10; of several graded conditions, the one of `level`."""
    queries: tuple[AlarmQuery, ...]
    every: timedelta | None
    """None when it runs by a cron expression."""
    trigger_count: int
    """So many runs in a row must match."""
    notice_ids: tuple[str, ...]
    created_at: datetime | None
    updated_at: datetime | None


class AlarmStatus(StrEnum):
    """How an alarm that was raised stands."""

    OPEN = "open"
    RECOVERED = "recovered"
    INVALID = "invalid"
    """Its policy was changed or deleted meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRecord:
    """One alarm that was raised."""

    record_id: str
    alarm_id: str
    alarm_name: str
    topic_id: str
    topic_name: str
    region: str
    trigger: str
    """The condition that held."""
    level: AlarmLevel
    status: AlarmStatus
    raised_at: datetime
    duration: timedelta
    """In whole minutes; of an open alarm, until now."""
    group: tuple[tuple[str, str], ...]
    """Field and value of the group that raised it, e.g. (workload, order-service)."""
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRun:
    """One run of an alarm policy: what it looked at and how it decided."""

    alarm_id: str
    alarm_name: str
    ran_at: datetime
    matched: bool
    outcome: str
    """The service's word, e.g. QueryResultUnmatch, Matched, ProcessError."""
    summary: str
    notified: bool
    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmNotice:
    """A group of receivers."""

    notice_id: str
    name: str
    receivers: int
    callbacks: int
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmDraft:
    """An alarm policy to be created."""

    name: str
    topic_id: str
    logset_id: str
    query: str
    condition: str
    window: timedelta
    """At most a day, in whole minutes; also how often it runs, at most every minute."""
    level: AlarmLevel
    every: timedelta = timedelta(minutes=1)
    repeat_after: timedelta = timedelta(minutes=15)
    trigger_count: int = 1
    notice_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEdit:
    """What to change of an alarm policy; None leaves it."""

    enabled: bool | None = None
    condition: str | None = None
    level: AlarmLevel | None = None
