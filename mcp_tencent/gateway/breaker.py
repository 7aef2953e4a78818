"""A system that does not answer is left alone for a while, then tried with a single call.

Only outages count: no answer, no connection, an error inside the other system. That it says 'not found',
'wrong parameter' or 'too many requests' shows that it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mcp_tencent.gateway.call import Clock, Proceed, Result, ToolCall
from mcp_tencent.gateway.errors import CircuitOpen
from mcp_tencent.gateway.failures import is_outage

FAILURES_TO_OPEN = 5
FIRST_REST = timedelta(seconds=10)
LONGEST_REST = timedelta(minutes=2)


class CircuitState(StrEnum):
    """Whether calls get through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """One call is trying."""


@dataclass(slots=True)
class Circuit:
    """One system's breaker; decides purely from what it is told and when."""

    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    rest: timedelta = FIRST_REST
    open_until: datetime | None = None

    def admit(self, now: datetime) -> float:
        """Let a call through (return 0), or return the seconds for which none will be."""
        if self.state is CircuitState.OPEN and self.open_until is not None and now >= self.open_until:
            self.state = CircuitState.HALF_OPEN
            return 0.0
        if self.state is CircuitState.CLOSED:
            return 0.0
        left = (self.open_until - now).total_seconds() if self.open_until is not None else 0.0
        return max(left, 1.0)

    def succeeded(self) -> None:
        """Hear that the system answered."""
        self.state, self.failures, self.rest, self.open_until = CircuitState.CLOSED, 0, FIRST_REST, None

    def failed(self, now: datetime) -> None:
        """Hear that the system did not answer."""
        self.failures += 1
        if self.state is CircuitState.HALF_OPEN:
            self.rest = min(self.rest * 2, LONGEST_REST)
            self._open(now)
        elif self.state is CircuitState.CLOSED and self.failures >= FAILURES_TO_OPEN:
            self._open(now)

    def undecided(self, now: datetime) -> None:
        """Hear that a call ended without telling anything, e.g. cancelled; the next one may try at once."""
        if self.state is CircuitState.HALF_OPEN:
            self.state, self.open_until = CircuitState.OPEN, now

    def _open(self, now: datetime) -> None:
        self.state, self.open_until = CircuitState.OPEN, now + self.rest


class Breaker:
    """Keeps calls from systems that are down."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._circuits: dict[str, Circuit] = {}

    @property
    def circuits(self) -> Mapping[str, Circuit]:
        """The circuits so far, by the name of the system."""
        return self._circuits

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        if not call.tool.outside:
            return await proceed(call)
        circuit = self._circuits.setdefault(call.tool.outside, Circuit())
        wait_s = circuit.admit(self._clock.now())
        if wait_s > 0:
            raise CircuitOpen(f"{call.tool.outside} is down", retry_after_s=wait_s)
        try:
            result = await proceed(call)
        except Exception as error:
            if is_outage(error):
                circuit.failed(self._clock.now())
            else:
                circuit.succeeded()  # it answered, though not with what was hoped for
            raise
        except BaseException:
            circuit.undecided(self._clock.now())
            raise
        circuit.succeeded()
        return result
