"""What the analytics tools work with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from mcp_tencent.devops.incidents import IncidentStore
from mcp_tencent.errors import PeriodTooLong
from mcp_tencent.gateway.call import Clock
from mcp_tencent.naming.located import LocatedTopic
from mcp_tencent.naming.naming import Naming
from mcp_tencent.periods import Period, parse_period
from mcp_tencent.ports import Clouds, LogSearch


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsDesk:
    """What the analytics tools work with.

    Args:
        clouds: All configured accounts and regions.
        naming: Resolves what people call things.
        incidents: What healing was tried, and what came of it.
        clock: The present.
        zone: Where days begin at midnight.
    """

    clouds: Clouds
    naming: Naming
    incidents: IncidentStore
    clock: Clock
    zone: tzinfo

    def now(self) -> datetime:
        """Return the present."""
        return self.clock.now()

    def period(self, text: str) -> Period:
        """Turn a period string into instants; raises InvalidPeriod."""
        return parse_period(text, now=self.now(), zone=self.zone)

    def short_period(self, text: str, longest: timedelta) -> Period:
        """Turn a period string into instants that are not too long for what is asked.

        Raises:
            InvalidPeriod: It cannot be understood; PeriodTooLong when it is longer than `longest`.
        """
        period = self.period(text)
        if period.length > longest:
            raise PeriodTooLong(
                f"the period {text!r} is {period.length.days} days long; {longest.days} are the most here"
            )
        return period

    def told(self, at: datetime) -> str:
        """Write an instant as answers have it: ISO 8601 to the second, in the house's zone."""
        return at.astimezone(self.zone).isoformat(timespec="seconds")

    def search(self, topic: LocatedTopic) -> LogSearch:
        """Return what searches a topic's account and region."""
        return self.clouds.logs(topic.place)
