"""The healing policy as data, with its defaults: what matters, how alerts are scored, what may be done when.

A field's docstring explains it, also in the JSON Schema. Minutes, hours and percentages stand in the names.
Everything is frozen: a changed file makes a new `Policy`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import datetime, tzinfo
from enum import StrEnum
from fnmatch import fnmatchcase

from pydantic import Field, model_validator

from mcp_tencent.devops.incidents import Rung
from mcp_tencent.devops.policy.guards import DayWindow, ForbiddenWindow, Guards, Maintenance, Verification
from mcp_tencent.devops.policy.section import PolicySection, Score, WorkloadPattern, names_workload

_SUM_TOLERANCE = 1e-6


class Priority(StrEnum):
    """How urgent a notice is."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"


class Manner(StrEnum):
    """How an incident of a tier is dealt with."""

    AGGRESSIVE = "aggressive"
    STANDARD = "standard"
    CONSERVATIVE = "conservative"
    BRIEF = "brief"
    """Quickly to the digest."""
    DIGEST = "digest"
    """Mostly the digest."""


class HealingMode(StrEnum):
    """What the device may do in a namespace by itself."""

    OBSERVE = "observe"
    """Look, and report."""
    PROPOSE = "propose"
    """Say in the morning what it would do, and wait for a yes."""
    ACT = "act"


class WorkloadImportance(PolicySection):
    """How much some workloads matter to the business."""

    workload: WorkloadPattern
    """`name`, `namespace/name` or `cluster-id/namespace/name`, wildcards allowed."""
    importance: Score
    """0 to 100."""


class Dependency(PolicySection):
    """Who cannot work without whom."""

    workload: WorkloadPattern
    """The one that depends."""
    needs: tuple[WorkloadPattern, ...] = Field(min_length=1)
    """Workloads, or names of systems outside the clusters."""


class Weights(PolicySection):
    """Share of each factor in the score; together 1."""

    impact: float = Field(default=0.40, ge=0, le=1)
    severity: float = Field(default=0.30, ge=0, le=1)
    importance: float = Field(default=0.20, ge=0, le=1)
    urgency: float = Field(default=0.10, ge=0, le=1)
    """Of the time sensitivity."""

    @model_validator(mode="after")
    def _sum_to_one(self) -> Weights:
        total = self.impact + self.severity + self.importance + self.urgency
        if abs(total - 1.0) > _SUM_TOLERANCE:
            raise ValueError(f"the four weights add up to {total:g}, not to 1")
        return self


class Learning(PolicySection):
    """How far the weights may adapt to outcomes and feedback."""

    bound: float = Field(default=0.10, ge=0, le=0.10)
    """No weight leaves its default by more."""
    step: float = Field(default=0.03, gt=0, le=0.05)
    """How far one lesson may move a weight."""


class Tier(PolicySection):
    """What incidents from some score on are worth."""

    from_score: Score
    attempts: int = Field(ge=0, le=10)
    """Rungs that may be tried at most."""
    manner: Manner


class Grouping(PolicySection):
    """When alerts count as the same trouble."""

    near_minutes: int = Field(default=10, ge=1, le=120)
    """Trouble that begins so close together at one workload, or at one and what it needs, is one trouble."""
    far_minutes: int = Field(default=60, ge=1, le=1440)
    """Alerts of one fingerprint that are so close are one trouble."""
    recurring_times: int = Field(default=3, ge=2, le=20)
    """The same fingerprint so often …"""
    recurring_hours: int = Field(default=24, ge=1, le=168)
    """… within so long is one trouble that comes and goes."""

    @model_validator(mode="after")
    def _ordered(self) -> Grouping:
        if self.near_minutes > self.far_minutes:
            raise ValueError("near_minutes is longer than far_minutes")
        return self


class Notices(PolicySection):
    """From which score on a notice is how urgent; the rest is P2."""

    p0: Score = 90
    """At once, day and night."""
    p1: Score = 70

    @model_validator(mode="after")
    def _ordered(self) -> Notices:
        if self.p0 <= self.p1:
            raise ValueError(f"p0 ({self.p0:g}) must be above p1 ({self.p1:g})")
        return self

    def priority(self, score: float) -> Priority:
        """Return how urgent a notice about an incident of this score is."""
        if score >= self.p0:
            return Priority.P0
        return Priority.P1 if score >= self.p1 else Priority.P2


_TIERS = (
    Tier(from_score=90, attempts=6, manner=Manner.AGGRESSIVE),
    Tier(from_score=70, attempts=4, manner=Manner.STANDARD),
    Tier(from_score=50, attempts=3, manner=Manner.CONSERVATIVE),
    Tier(from_score=30, attempts=2, manner=Manner.BRIEF),
    Tier(from_score=0, attempts=1, manner=Manner.DIGEST),
)


class Policy(PolicySection):
    """Everything that healing is decided by."""

    importance: tuple[WorkloadImportance, ...] = ()
    """The first that fits counts."""
    default_importance: Score = 50
    """Of workloads that `importance` does not name."""
    dependencies: tuple[Dependency, ...] = ()
    """Beside what the workloads' own annotations say."""
    weights: Weights = Weights()
    learning: Learning = Learning()
    business_hours: tuple[DayWindow, ...] = (
        DayWindow(days=("mon", "tue", "wed", "thu", "fri"), start="09:00", end="21:00"),
        DayWindow(days=("sat", "sun"), start="10:00", end="20:00"),
    )
    """When people use what runs: trouble then is more pressing."""
    grouping: Grouping = Grouping()
    tiers: tuple[Tier, ...] = _TIERS
    """Highest first; the last begins at 0."""
    rungs: tuple[Rung, ...] = tuple(Rung)
    """The ladder, bottom first; it ends with hand_over."""
    guards: Guards = Guards()
    forbidden: tuple[ForbiddenWindow, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    verification: Verification = Verification()
    notices: Notices = Notices()

    @model_validator(mode="after")
    def _whole(self) -> Policy:
        borders = [tier.from_score for tier in self.tiers]
        if not borders or borders != sorted(set(borders), reverse=True) or borders[-1] != 0:
            raise ValueError("tiers must have falling from_score, the last one 0")
        if any(lower.attempts > higher.attempts for higher, lower in itertools.pairwise(self.tiers)):
            raise ValueError("a lower tier has more attempts than a higher one")
        if len(set(self.rungs)) != len(self.rungs) or not self.rungs or self.rungs[-1] is not Rung.HAND_OVER:
            raise ValueError("rungs must name each rung once and end with hand_over")
        return self

    def tier(self, score: float) -> Tier:
        """Return the tier of a score of 0 to 100."""
        return next((tier for tier in self.tiers if score >= tier.from_score), self.tiers[-1])

    def importance_of(self, cluster_id: str, namespace: str, workload: str) -> float:
        """Return how much a workload matters, 0 to 100."""
        for rule in self.importance:
            if names_workload(rule.workload, cluster_id, namespace, workload):
                return rule.importance
        return self.default_importance

    def dependencies_of(self, cluster_id: str, namespace: str, workload: str) -> tuple[str, ...]:
        """Return what a workload cannot work without, as the policy writes it."""
        return tuple(
            needed
            for rule in self.dependencies
            if names_workload(rule.workload, cluster_id, namespace, workload)
            for needed in rule.needs
        )

    def is_protected(self, namespace: str) -> bool:
        """Tell whether nothing may ever be changed in `namespace` by the device itself."""
        patterns = ("kube-system", *self.guards.protected_namespaces)
        return any(fnmatchcase(namespace, pattern) for pattern in patterns)

    def closed_because(
        self, at: datetime, zone: tzinfo, *, cluster_id: str, namespace: str, workload: str
    ) -> str | None:
        """Return, in Chinese, why a workload must be left alone at `at`; None when no window forbids it."""
        for window in self.forbidden:
            inside = any(fnmatchcase(namespace, pattern) for pattern in window.namespaces)
            if inside and window.holds(at, zone):
                return window.reason
        for work in self.maintenance:
            meant = any(names_workload(one, cluster_id, namespace, workload) for one in work.workloads)
            if meant and work.start <= at < work.end:
                return work.reason
        return None

    def in_business_hours(self, at: datetime, zone: tzinfo) -> bool:
        """Tell whether people use what runs at `at`."""
        return any(window.holds(at, zone) for window in self.business_hours)


def version_of(policy: Policy) -> str:
    """Return a short name of the policy's content: the same for the same values, however they are written."""
    canonical = json.dumps(policy.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return f"policy-{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"


class LoadedPolicy(PolicySection):
    """The policy in force."""

    policy: Policy
    version: str
    """Recorded with every decision that it shaped."""
    source: str
    """The file, or `defaults`."""


DEFAULTS = LoadedPolicy(policy=Policy(), version=version_of(Policy()), source="defaults")
