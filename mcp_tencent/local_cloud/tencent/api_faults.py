"""Faults of the API itself: throttling, errors, delays, lost connections, rejected credentials.

A scenario lists rules; a rule names the actions that it strikes, when, how often and how. Decided by seed and
by the order of the calls, so that a test sees the same faults every time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase


class FaultKind(StrEnum):
    """How a struck call ends."""

    THROTTLE = "throttle"
    """RequestLimitExceeded."""
    ERROR = "error"
    """The rule's own code, InternalError by default."""
    DELAY = "delay"
    """Answered properly, after the rule's delay: a client with a shorter timeout gives up."""
    RESET = "reset"
    """The connection is lost in the middle of the answer."""
    BAD_GATEWAY = "bad_gateway"
    """HTTP 502 with no JSON, as a broken proxy answers."""
    BAD_CREDENTIALS = "bad_credentials"
    """AuthFailure.SecretIdNotFound, as if the key had been deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """Which calls fail, when and how."""

    kind: FaultKind
    actions: str = "*"
    """A shell pattern over `service:Action`, e.g. `cls:SearchLog`, `tke:Describe*`, `*`."""
    probability: float = 1.0
    """Share of the matching calls that is struck, 0 to 1."""
    count: int | None = None
    """Calls struck before the rule is used up; None for no end."""
    start: datetime | None = None
    """World time from which the rule holds; None for always."""
    end: datetime | None = None
    """World time at which it ends; None for never."""
    delay_seconds: float = 0.0
    """For a delay: how long."""
    code: str = "InternalError"
    """For an error: its code."""
    message: str = "An internal error has occurred. Retry your request."

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability must be between 0 and 1, got {self.probability}")
        if self.kind is FaultKind.DELAY and self.delay_seconds <= 0:
            raise ValueError(f"a delay needs delay_seconds above 0, got {self.delay_seconds}")

    def covers(self, call: str, now: datetime) -> bool:
        """Tell whether the rule looks at this call at all."""
        in_time = (self.start is None or now >= self.start) and (self.end is None or now < self.end)
        return in_time and fnmatchcase(call, self.actions)


@dataclass(slots=True)
class _Counted:
    rule: FaultRule
    struck: int = field(default=0)


class ApiFaults:
    """Decides, call by call, which rule strikes."""

    def __init__(self, rules: Sequence[FaultRule] = (), *, seed: int = 0) -> None:
        self._rules = [_Counted(rule) for rule in rules]
        self._random = random.Random(seed)  # noqa: S311 - a scenario's dice, not a secret

    def add(self, rule: FaultRule) -> None:
        """Let a further rule hold, after those that are there."""
        self._rules.append(_Counted(rule))

    def clear(self) -> None:
        """Let the API work properly again."""
        self._rules.clear()

    def strike(self, service: str, action: str, now: datetime) -> FaultRule | None:
        """Return the first rule that strikes this call at world time `now`, or None when it is spared."""
        for counted in self._rules:
            rule = counted.rule
            if not rule.covers(f"{service}:{action}", now):
                continue
            if rule.count is not None and counted.struck >= rule.count:
                continue
            if self._random.random() < rule.probability:
                counted.struck += 1
                return rule
        return None
