"""How busy a workload is by time of day and day of week."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """A day with peaks over a nightly floor, and quieter (or busier) weekends."""

    peak_hours: tuple[float, ...] = (10.5, 15.0, 20.5)
    """Local times of the day's peaks in hours; empty means the same traffic around the clock."""
    peak_width_hours: float = 3.0
    """How far from a peak traffic has fallen to about a third of the way down."""
    night_factor: float = 0.25
    """Factor far from all peaks."""
    peak_factor: float = 1.0
    """Factor at a peak."""
    weekend_factor: float = 0.8
    """Multiplied in on Saturday and Sunday."""
    timezone: str = "Asia/Shanghai"

    def factor(self, instant: datetime) -> float:
        """Return the factor on the normal rate at `instant` (aware)."""
        local = instant.astimezone(ZoneInfo(self.timezone))
        weekend = self.weekend_factor if local.weekday() >= 5 else 1.0
        if not self.peak_hours:
            return self.peak_factor * weekend
        hour = local.hour + local.minute / 60
        nearest = min(min(abs(hour - peak), 24 - abs(hour - peak)) for peak in self.peak_hours)
        closeness = math.exp(-((nearest / self.peak_width_hours) ** 2))
        return (self.night_factor + (self.peak_factor - self.night_factor) * closeness) * weekend
