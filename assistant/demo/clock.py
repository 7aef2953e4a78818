"""The demo's time: it runs fast, and over waits and from night to morning it leaps."""

from __future__ import annotations

from datetime import datetime, timedelta

from mcp_tencent.gateway.call import Clock


class StageClock:
    """Runs `speed` times as fast as the wall's clock, and can be put forward; never back.

    Args:
        start: What it shows first.
        speed: How fast it runs.
        wall: The machine's time.
    """

    def __init__(self, start: datetime, *, speed: float, wall: Clock) -> None:
        self._shown, self._speed, self._wall = start, speed, wall
        self._since = wall.now()

    def now(self) -> datetime:
        """Return the present instant of the cloud."""
        return self._shown + (self._wall.now() - self._since) * self._speed

    def forward(self, to: datetime) -> None:
        """Put it forward to an instant; one that has passed changes nothing."""
        self._shown += max(timedelta(0), to - self.now())
