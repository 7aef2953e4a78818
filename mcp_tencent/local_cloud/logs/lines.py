"""A log line, where it came from, and who can produce some."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOrigin:
    """Where lines come from; lines of one origin form one stream, within which context is looked up."""

    source: str = ""
    """IP address of the machine: `__SOURCE__`."""
    filename: str = ""
    """Path of the log file: `__FILENAME__`."""
    hostname: str = ""
    """Name of the machine: `__HOSTNAME__`."""
    tags: tuple[tuple[str, str], ...] = ()
    """Metadata as (name, value), names without their prefix: `__TAG__.<name>`."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log line. Positional on purpose: they are made by the hundred thousand."""

    timestamp_ms: int
    """Milliseconds since the epoch."""
    text: str
    """The raw line, several lines of text for a stack trace: `__CONTENT__`."""
    fields: tuple[tuple[str, str], ...]
    """Key-values extracted from the line as (key, value)."""
    origin: LogOrigin


class LogSource(Protocol):
    """Makes the lines of one workload on demand."""

    def lines(self, start: datetime, end: datetime) -> Iterable[LogLine]:
        """Return the lines within [start, end), oldest first.

        `start` is a whole minute; `end` is never in the future. Whatever is asked in whichever order, the
        lines of a minute are the same; asked for part of a running minute, its beginning is returned.
        """
        ...
