"""What holds healing back: windows, breakers, bounds, and how an attempt is verified."""

from __future__ import annotations

from datetime import datetime, time, tzinfo
from typing import Literal

from pydantic import AwareDatetime, Field, model_validator

from mcp_tencent.devops.policy.section import Pattern, PolicySection, WorkloadPattern

HOUR_OF_DAY = r"^([01]\d|2[0-3]):[0-5]\d$"

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class DayWindow(PolicySection):
    """A stretch of the day, on some days of the week; one that ends before it begins runs past midnight."""

    days: tuple[Weekday, ...] = Field(default=_WEEKDAYS, min_length=1)
    """The days on which it begins."""
    start: str = Field(pattern=HOUR_OF_DAY)
    end: str = Field(pattern=HOUR_OF_DAY)

    @model_validator(mode="after")
    def _not_empty(self) -> DayWindow:
        if self.start == self.end:
            raise ValueError(f"the window begins and ends at {self.start}")
        return self

    def holds(self, at: datetime, zone: tzinfo) -> bool:
        """Tell whether `at` lies within [start, end) on the clocks of `zone`."""
        local = at.astimezone(zone)
        now, start, end = local.time(), time.fromisoformat(self.start), time.fromisoformat(self.end)
        today, before = _WEEKDAYS[local.weekday()], _WEEKDAYS[local.weekday() - 1]
        if start < end:
            return today in self.days and start <= now < end
        return (today in self.days and now >= start) or (before in self.days and now < end)


class ForbiddenWindow(DayWindow):
    """When nothing is healed in some namespaces, every week."""

    namespaces: tuple[Pattern, ...] = ("*",)
    reason: str = Field(default="禁止变更时段", min_length=1, max_length=100)
    """In Chinese, for the report."""


class Maintenance(PolicySection):
    """When people work on something themselves, once: nothing is healed there meanwhile."""

    start: AwareDatetime
    end: AwareDatetime
    workloads: tuple[WorkloadPattern, ...] = ("*",)
    """As in `importance`."""
    reason: str = Field(default="计划维护", min_length=1, max_length=100)
    """In Chinese, for the report."""

    @model_validator(mode="after")
    def _ordered(self) -> Maintenance:
        if self.end <= self.start:
            raise ValueError("the maintenance ends at or before its start")
        return self


class LoopBreaker(PolicySection):
    """Stops healing what breaks again and again."""

    times: int = Field(default=3, ge=1, le=20)
    """Healed and broken again so often …"""
    within_hours: int = Field(default=24, ge=1, le=168)
    """… within so long: then a person must look."""


class FailureBreaker(PolicySection):
    """Falls back to observing when healing itself fails too often."""

    failed_percent: float = Field(default=20, ge=0, le=100)
    """More failed attempts than this …"""
    within_hours: int = Field(default=24, ge=1, le=168)
    at_least_attempts: int = Field(default=5, ge=1, le=100)
    """… of at least so many: one failure alone proves nothing."""


class ReplicaBounds(PolicySection):
    """How far a workload may be scaled without a person."""

    least: int = Field(default=1, ge=0, le=1000)
    most: int = Field(default=20, ge=1, le=1000)
    factor_at_most: float = Field(default=2.0, ge=1, le=10)
    """Of the replicas before the incident."""

    @model_validator(mode="after")
    def _ordered(self) -> ReplicaBounds:
        if self.least > self.most:
            raise ValueError("least is more than most")
        return self


class Guards(PolicySection):
    """What holds healing back; all fail closed. One action per workload at a time always holds."""

    protected_namespaces: tuple[Pattern, ...] = (
        "kube-*",
        "tke-*",
        "tkex-*",
        "istio-system",
        "cert-manager",
        "monitoring",
        "ingress-*",
    )
    """Where nothing is ever changed by the device itself. `kube-system` cannot be taken out."""
    workloads_per_night: int = Field(default=5, ge=0, le=1000)
    percent_of_cluster: float = Field(default=20, ge=0, le=100)
    """Of a cluster's workloads, in one night; one workload is always allowed."""
    actions_per_hour: int = Field(default=10, ge=0, le=1000)
    loop_breaker: LoopBreaker = LoopBreaker()
    failure_breaker: FailureBreaker = FailureBreaker()
    respect_disruption_budgets: bool = True
    replicas: ReplicaBounds = ReplicaBounds()


class Verification(PolicySection):
    """How it is found out whether an attempt helped."""

    interval_seconds: int = Field(default=15, ge=1, le=600)
    checks: int = Field(default=8, ge=1, le=100)
    """Looks in all; each must find the workload as it should be, but for …"""
    failures_allowed: int = Field(default=2, ge=0, le=100)
    """… so many."""
    rollout_minutes: int = Field(default=10, ge=1, le=60)
    """How long the pods may take to become ready."""
    baseline_minutes: int = Field(default=60, ge=5, le=1440)
    """The time before the incident that error rates are compared with."""
    error_ratio_factor: float = Field(default=1.5, ge=1, le=10)
    """How many times the baseline's error rate still counts as well."""

    @model_validator(mode="after")
    def _can_fail(self) -> Verification:
        if self.failures_allowed >= self.checks:
            raise ValueError("as many failures are allowed as there are checks: nothing could ever fail")
        return self
