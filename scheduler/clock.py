"""When the night is due: local times of a day to instants (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class NightTimes:
    """When the night job starts, and until when a missed one is still made up for.

    Args:
        at: Local time at which it starts.
        until: Local time at which nobody waits for the digest any more; later than `at`.
        zone: In which both are meant.
    """

    at: time
    until: time
    zone: ZoneInfo

    def opens(self, on: date) -> datetime:
        """Return when the night of `on` is due. A time that a change of clocks skips is an hour later."""
        return datetime.combine(on, self.at, self.zone).astimezone(UTC)

    def closes(self, on: date) -> datetime:
        """Return from when on the night of `on` counts as missed."""
        return datetime.combine(on, self.until, self.zone).astimezone(UTC)

    def today(self, now: datetime) -> date:
        """Return the local date."""
        return now.astimezone(self.zone).date()

    @property
    def grace(self) -> timedelta:
        """How late a night may start."""
        return datetime.combine(date.min, self.until) - datetime.combine(date.min, self.at)
