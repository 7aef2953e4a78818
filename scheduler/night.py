"""The night from top to bottom: collect, open, heal, digest — a list of steps that survives crashes.

The walk is `night`; each incident is healed by a walk of its own (`healing.heal`) in a queue, so that a crash
in one leaves the others alone. Together they run at most once a date, whatever happens: the walk's id is the
date's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Protocol

from mcp_tencent.durable import Durable
from scheduler.digest_facts import AlertFacts, ClusterFacts, Gap, LogFacts
from scheduler.healing import Ending
from scheduler.records import JobOutcome

JOB = "night"


def night_id(on: date) -> str:
    """Return the id of the night that ends on the morning of `on`."""
    return f"{JOB}-{on.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A group of alerts at a workload that is in trouble still."""

    alert: AlertFacts
    fingerprint: str
    kind: str
    factors: tuple[tuple[str, float], ...]
    weights_version: str
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsSeen:
    """The alerts of the day told of."""

    records: int = 0
    alerts: tuple[AlertFacts, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    """Worst first, one a workload."""
    clusters: tuple[ClusterFacts, ...] = ()
    unread: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An incident that is to be healed."""

    incident_id: str
    place: str
    """Cluster, namespace and workload: incidents of one place are healed one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightEnd:
    """How a night ended."""

    on: date
    outcome: JobOutcome
    detail: str
    """In Chinese."""
    endings: tuple[Ending, ...] = ()


class NightSteps(Protocol):
    """What a night consists of; each step may be repeated after a crash."""

    async def begin(self, on: date) -> None:
        """Record that the night begins."""
        ...

    async def alerts(self, on: date) -> AlertsSeen:
        """Collect, group and score the alerts of the day before."""
        ...

    async def logs(self, on: date, seen: AlertsSeen) -> LogFacts:
        """Collect the facts of the logs of the day before, and of the meters of the clusters seen."""
        ...

    async def open(self, on: date, seen: AlertsSeen) -> tuple[Opened, ...]:
        """Open the incidents that are to be healed, worst first."""
        ...

    async def digest(
        self,
        on: date,
        seen: AlertsSeen,
        logs: LogFacts,
        opened: tuple[Opened, ...],
        endings: tuple[Ending, ...],
    ) -> str:
        """Write the digest; return how it begins, for the log."""
        ...

    async def send(self, on: date) -> None:
        """Send the copy of the digest."""
        ...

    async def end(self, on: date, seen: AlertsSeen, logs: LogFacts, endings: tuple[Ending, ...]) -> NightEnd:
        """Record how the night ended."""
        ...


class Healers(Protocol):
    """Who heals incidents, side by side as far as their queue allows."""

    async def heal(self, opened: Sequence[Opened]) -> tuple[Ending, ...]:
        """Have all healed, and return how each ended, in their order."""
        ...


async def night(on: date, steps: NightSteps, engine: Durable, healers: Healers) -> NightEnd:
    """Walk the night that ends on the morning of `on`.

    The order of the steps is part of what is recorded: whoever changes it must raise the application version
    of the engine, or a night under way goes astray.
    """
    await engine.step("begin", partial(steps.begin, on))
    seen = await engine.step("alerts", partial(steps.alerts, on))
    logs = await engine.step("logs", partial(steps.logs, on, seen))
    opened = await engine.step("open", partial(steps.open, on, seen))
    endings = await healers.heal(opened)
    await engine.step("digest", partial(steps.digest, on, seen, logs, opened, endings))
    await engine.step("send", partial(steps.send, on))
    return await engine.step("end", partial(steps.end, on, seen, logs, endings))
