"""What a night found out: the only thing that a digest may tell.

Every field is a fact that a tool answered, or a count of such facts. Texts from logs and alarms stand here as
they came: whoever renders them escapes them, and nobody obeys them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """Where a trouble stands in the morning, worst first."""

    NEEDS_HUMAN = "needs_human"
    """The ladder ended without healing it, or may not begin."""
    OPEN = "open"
    HEALED = "healed"
    """An attempt of the night healed it."""
    RECOVERED = "recovered"
    """It went away by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that could not be read."""

    what: str
    """The cluster, topic or tool, as people call it."""
    why: str
    """Chinese, fit to be spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """A cluster that the night looked at, or could not."""

    cluster_id: str
    name: str
    """What people call it."""
    readable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorProposal:
    """A factor value that the language model proposed for an alert and the bounds let pass."""

    factor: str
    """impact, severity, importance or urgency."""
    rule_value: float
    """What the rules gave, 0 to 100."""
    value: float
    """What counts now, 0 to 100."""
    reason: str
    """The model's own words: shown as such, never obeyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """A group of alerts with one root cause, scored."""

    id: str
    title: str
    """Who and what, Chinese: 订单服务错误率过高."""
    name: str
    """What people call the workload or node."""
    score: float
    """0 to 100."""
    priority: str
    """P0, P1 or P2."""
    standing: Standing
    """Open or recovered: what the alarm itself says."""
    cluster_id: str
    namespace: str
    workload: str
    alerts: int
    """Records in the group."""
    muted: int = 0
    """Those of them that only follow from the cause."""
    affected: tuple[str, ...] = ()
    began_at: dt.datetime | None = None
    last_at: dt.datetime | None = None
    """When the alarm was heard of last."""
    because: tuple[str, ...] = ()
    """The weightiest reasons for the score, Chinese."""
    proposals: tuple[FactorProposal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFacts:
    """One try to heal."""

    number: int
    rung: str
    action: str
    """Chinese."""
    outcome: str | None
    """A value of `AttemptOutcome`; None while it is under way."""
    reason: str = ""
    """Why it ended so, Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFacts:
    """A trouble that the night took up."""

    id: str
    alert_id: str
    """The group of alerts that it came from; that group is not told a second time."""
    title: str
    name: str
    """What people call the workload."""
    score: float
    standing: Standing
    cluster_id: str
    namespace: str
    workload: str
    alerts: int
    opened_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    reasons: tuple[str, ...] = ()
    """Why it has its score, Chinese."""
    cause: str = ""
    """The likeliest cause that the diagnosis found, Chinese; empty when none."""
    attempts: tuple[AttemptFacts, ...] = ()
    unsolved_because: str = ""
    """Why it was not healed, Chinese: mode, guard, budget, outcome of the last rung."""
    exhausted: bool = False
    """Everything was tried, or ruled out: nobody forbade more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalFacts:
    """An act that waits for a spoken yes."""

    id: str
    incident_id: str
    act: str
    """What would be done to what, as a Chinese phrase: 把订单服务回滚到版本3."""
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternFacts:
    """A kind of error line. The text is data from outside."""

    template: str
    count: int
    workload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyFacts:
    """A workload that logged unusually much or little."""

    workload: str
    level: str
    up: bool
    """More than usual; else less."""
    observed: int
    """Lines in that stretch."""
    expected: float
    """Usual at these hours."""
    began_at: str
    """Local time, ISO 8601."""
    new: bool
    """Such lines did not stand in the days before."""
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityFacts:
    """Something that runs full, or soon will."""

    target: str
    """The cluster, as people call it."""
    resource: str
    """Chinese: 内存."""
    percent: float
    """The highest of the day told of."""
    days_left: int | None = None
    """Until it reaches the limit, if it goes on as in the week before; None when it does not grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """The day told of against the days before it."""

    lines: int = 0
    errors: int = 0
    days_before: int = 0
    """How many days the usual is taken from; 0 when nothing is known of them."""
    lines_usual: float = 0.0
    """A day's lines, averaged over the days before."""
    errors_usual: float = 0.0
    patterns: tuple[PatternFacts, ...] = ()
    """What the errors say, most frequent first."""
    anomalies: tuple[AnomalyFacts, ...] = ()
    """Worst first."""
    anomalies_found: int = 0
    """In all, with those that are not listed."""
    capacity: tuple[CapacityFacts, ...] = ()
    unread: tuple[Gap, ...] = ()

    @property
    def error_share(self) -> float:
        """Share of errors in the lines, 0 to 1."""
        return self.errors / self.lines if self.lines else 0.0

    @property
    def error_share_usual(self) -> float:
        """Share of errors in the lines of the days before, 0 to 1."""
        return self.errors_usual / self.lines_usual if self.lines_usual else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NightFacts:
    """Everything that one digest tells of."""

    date: dt.date
    """The morning on which it is spoken; it tells of the day before, and of the night."""
    clusters: tuple[ClusterFacts, ...] = ()
    alert_records: int = 0
    """Before grouping."""
    alerts: tuple[AlertFacts, ...] = ()
    incidents: tuple[IncidentFacts, ...] = ()
    proposals: tuple[ProposalFacts, ...] = ()
    logs: LogFacts | None = None
    """None when logs were not looked at."""
    notices: tuple[str, ...] = ()
    """What the device has to say about itself, Chinese sentences: 修复失败太多，我已经改为只观察。"""
    unread: tuple[Gap, ...] = ()
