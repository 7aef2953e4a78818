"""The device's clock."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from mcp_tencent.gateway.call import Clock


class SystemClock:
    """The machine's own time; satisfies every Clock port of ours."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


class LocalClock:
    """A clock that tells the time of a zone, in which days begin at midnight.

    Args:
        clock: The time.
        zone: Where.
    """

    def __init__(self, clock: Clock, zone: tzinfo) -> None:
        self._clock = clock
        self._zone = zone

    def now(self) -> datetime:
        """Return the present instant in the zone."""
        return self._clock.now().astimezone(self._zone)
