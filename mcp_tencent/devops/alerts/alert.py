"""The alert records of a cloud as alerts with a subject, and groups of those with one root cause."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from mcp_tencent.analytics.patterns_drain3 import masked
from mcp_tencent.models.alarms import AlarmLevel, AlarmRecord, AlarmStatus
from mcp_tencent.models.clusters import Place


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Subject:
    """What an alert speaks of: a workload, a node, or nothing that is known."""

    cluster_id: str = ""
    namespace: str = ""
    workload: str = ""
    node: str = ""
    """Set instead of namespace and workload when the alert is about a node."""

    @property
    def known(self) -> bool:
        """Whether it is a certain workload or node."""
        return bool(self.cluster_id and (self.workload or self.node))

    def __str__(self) -> str:
        if self.node:
            return f"{self.cluster_id}/{self.node}"
        return f"{self.cluster_id}/{self.namespace}/{self.workload}" if self.workload else self.cluster_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alarm that was raised, and what it speaks of."""

    record: AlarmRecord
    place: Place
    subject: Subject
    message: str
    """What it says: the condition that held, and for which group of lines."""

    @property
    def raised_at(self) -> datetime:
        """When it was raised."""
        return self.record.raised_at

    @property
    def ended_at(self) -> datetime:
        """Until when it is known to have lasted; of an open one, about now."""
        return self.record.raised_at + self.record.duration

    @property
    def open(self) -> bool:
        """Whether the symptom still holds."""
        return self.record.status is AlarmStatus.OPEN

    @property
    def fingerprint(self) -> str:
        """The same for the same subject, alarm and message (but for its values), also on another day."""
        where = str(self.subject) if self.subject.known else f"{self.place}/{self.record.topic_id}"
        parts = (where, self.record.alarm_id or self.record.alarm_name, masked(self.message))
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class GroupState(StrEnum):
    """How the trouble of a group stands."""

    OPEN = "open"
    FLAPPING = "flapping"
    """It has passed, but came back several times before."""
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGroup:
    """Alerts of one root cause."""

    fingerprint: str
    """Of the alert that is nearest to the cause."""
    subject: Subject
    """Where the cause shows."""
    alerts: tuple[Alert, ...]
    """All of them, oldest first."""
    muted: frozenset[str]
    """Record ids of those that only follow from the cause: at pods of a node that is down, at callers."""
    episodes: int
    """How often the trouble began: 1 and the number of times it came back."""
    state: GroupState

    @property
    def id(self) -> str:
        """Names the group: the same whenever the same records are grouped."""
        return f"alert-{self.fingerprint[:10]}-{int(self.raised_at.timestamp())}"

    @property
    def raised_at(self) -> datetime:
        """When it began."""
        return self.alerts[0].raised_at

    @property
    def ended_at(self) -> datetime:
        """Until when it is known to have lasted."""
        return max(alert.ended_at for alert in self.alerts)

    @property
    def level(self) -> AlarmLevel:
        """The worst level among its alerts."""
        return max(alert.record.level for alert in self.alerts)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Every known workload or node it shows at, the cause's first."""
        found = dict.fromkeys((self.subject, *(alert.subject for alert in self.alerts)))
        return tuple(subject for subject in found if subject.known)

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """The alarms that were raised, each once, the first first."""
        return tuple(dict.fromkeys(alert.record.alarm_name for alert in self.alerts))

    @property
    def active(self) -> timedelta:
        """How long the symptom held in all, overlaps counted once."""
        total, until = timedelta(0), self.raised_at
        for alert in self.alerts:
            begin = max(alert.raised_at, until)
            if alert.ended_at > begin:
                total += alert.ended_at - begin
                until = alert.ended_at
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Who depends on whom, as far as it is known."""

    needs: Mapping[Subject, frozenset[Subject]] = field(default_factory=dict)
    """Workload → workloads that it cannot work without."""
    hosts: Mapping[Subject, frozenset[Subject]] = field(default_factory=dict)
    """Node → workloads that had pods on it."""
