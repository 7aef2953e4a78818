"""The device's clock."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The machine's own time; satisfies every Clock port of ours."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)
