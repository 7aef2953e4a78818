"""How often one caller may call one tool.

A token bucket for each caller and tool, in memory: it shields the cloud's request limits within one
process, and loses nothing that matters in a restart. How often the night may heal is another matter;
those budgets live in the database with the healing guards. (The `limits` library reads the wall clock
itself and so cannot be tested without sleeping.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mcp_tencent.gateway.call import Clock, Proceed, Result, Risk, ToolCall
from mcp_tencent.gateway.errors import RateLimited

PER_MINUTE: Mapping[Risk, int] = {Risk.READ: 120, Risk.WRITE: 30, Risk.DANGEROUS: 10}
MOST_BUCKETS = 10_000


@dataclass(slots=True)
class Bucket:
    """Tokens that flow in steadily and go one for each call; full, it allows a minute's calls at once."""

    per_minute: int
    tokens: float
    at: datetime

    def take(self, now: datetime) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        passed_s = max(0.0, (now - self.at).total_seconds())  # a clock set back gives nothing away
        self.tokens = min(float(self.per_minute), self.tokens + passed_s * self.per_minute / 60)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) * 60 / self.per_minute


class RateLimit:
    """Refuses calls that come too fast, and says when to come back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        wait_s = self._bucket(call).take(self._clock.now())
        if wait_s > 0:
            raise RateLimited(f"{call.tool.name} is called too often", retry_after_s=wait_s)
        return await proceed(call)

    def _bucket(self, call: ToolCall) -> Bucket:
        key = (call.tool.name, call.caller.name)
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= MOST_BUCKETS:
                self._buckets.pop(next(iter(self._buckets)))  # the oldest; it has most likely filled up again
            per_minute = call.tool.per_minute or PER_MINUTE[call.tool.risk]
            bucket = Bucket(per_minute, float(per_minute), self._clock.now())
            self._buckets[key] = bucket
        return bucket
