"""How often an account may call an action: the request rate limit of the API gateway."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mcp_tencent.local_cloud.tencent.errors import RequestError
from mcp_tencent.local_cloud.tencent.specification import Product

_WINDOW = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """Requests a second, for every account and action by itself."""

    default_per_second: int = 20
    """What the documentation of nearly every action says."""
    per_second: Mapping[str, int] = field(default_factory=dict)
    """By action name, where it differs."""


class RequestLimiter:
    """Counts the calls of the last second, by account, product and action."""

    def __init__(self, limits: RequestLimits) -> None:
        self._limits = limits
        self._calls: dict[tuple[str, Product, str], deque[datetime]] = defaultdict(deque)

    def admit(self, secret_id: str, product: Product, action: str, now: datetime) -> None:
        """Count one call at `now`.

        Raises:
            RequestError: RequestLimitExceeded; a refused call does not count.
        """
        limit = self._limits.per_second.get(action, self._limits.default_per_second)
        recent = self._calls[secret_id, product, action]
        while recent and now - recent[0] >= _WINDOW:
            recent.popleft()
        if len(recent) >= limit:
            raise RequestError(
                "RequestLimitExceeded",
                f"The request frequency of `{action}` exceeds its limit of {limit}/s. Try again later.",
            )
        recent.append(now)
