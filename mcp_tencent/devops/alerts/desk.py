"""What the alert and incident tools work with, and how alerts are read, grouped and scored for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.devops.alerts.alert import AlertGroup, GroupState, Subject
from mcp_tencent.devops.alerts.feedback import FeedbackStore
from mcp_tencent.devops.alerts.grouping import group_alerts
from mcp_tencent.devops.alerts.lessons import lessons_of_outcomes
from mcp_tencent.devops.alerts.measuring import Measured, Measuring
from mcp_tencent.devops.alerts.reading import AlertReader, AlertReading, Unread
from mcp_tencent.devops.alerts.scoring import ScoredAlert, ScoreFacts, score
from mcp_tencent.devops.alerts.weights import Lesson, WeightVersion, learn
from mcp_tencent.devops.incidents import IncidentStore
from mcp_tencent.devops.policy.file import PolicySource
from mcp_tencent.devops.policy.model import LoadedPolicy, Policy, Priority
from mcp_tencent.devops.policy.modes import ModeStore
from mcp_tencent.gateway.call import Caller
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.models.workloads import WorkloadKind

_MEASURED_GROUPS = 20
"""Of the worst groups, what logs and pods say is measured; that costs requests for each."""
_FROM_THE_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredGroup:
    """A group of alerts with its score and what people call it."""

    group: AlertGroup
    name: str
    """The workload or node, as people call it; the alarm when none is known."""
    kind: WorkloadKind | None
    """Of the workload, when it is a known one."""
    affected: tuple[str, ...]
    """Names of the workloads and nodes at which it shows, the cause's first."""
    facts: ScoreFacts
    scored: ScoredAlert
    priority: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReport:
    """The alerts of a stretch of time, grouped and scored."""

    groups: tuple[ScoredGroup, ...]
    """Worst first."""
    alerts: int
    unread: tuple[Unread, ...]
    policy: LoadedPolicy
    weights: WeightVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDesk:
    """What the alert and incident tools work with.

    Args:
        basic: Clouds, names, the clock, and what the house allows.
        policy: The policy in force.
        feedback: What people said of alerts.
        incidents: The memory of incidents.
        modes: The memory of healing modes.
        otherwise: Who calls when nobody is named.
    """

    basic: BasicDesk
    policy: PolicySource
    feedback: FeedbackStore
    incidents: IncidentStore
    modes: ModeStore
    otherwise: Caller | None = None

    async def report(self, start: datetime, end: datetime) -> AlertReport:
        """Read, group and score the alerts raised within [start, end).

        Raises:
            CloudError: No place answered at all.
            StoreUnavailable: What was learnt cannot be read.
        """
        policy = self.policy.current()
        reading, versions = await asyncio.gather(
            AlertReader(self.basic, policy.policy).read(start, end), self.weights(policy)
        )
        groups = group_alerts(reading.alerts, windows=policy.policy.grouping, topology=reading.topology)
        first = [self._scored(group, reading, policy, versions[-1], Measured()) for group in groups]
        first.sort(key=_worst_first)
        looked_at, rest = first[:_MEASURED_GROUPS], first[_MEASURED_GROUPS:]
        measuring = Measuring(self.basic, reading.workloads)
        found = await asyncio.gather(*(measuring.of(one.group) for one in looked_at))
        again = [
            self._scored(one.group, reading, policy, versions[-1], measured)
            for one, measured in zip(looked_at, found, strict=True)
        ]
        return AlertReport(
            groups=tuple(sorted([*again, *rest], key=_worst_first)),
            alerts=len({alert.record.record_id for alert in reading.alerts}),
            unread=reading.unread,
            policy=policy,
            weights=versions[-1],
        )

    async def weights(self, policy: LoadedPolicy, *, also: Lesson | None = None) -> Sequence[WeightVersion]:
        """Return every version of the weights, from the policy's own to the one in force.

        Args:
            policy: Whose weights they start from.
            also: A lesson that is not yet recorded; it replaces an older one of the same id.
        """
        given = await in_store(self.feedback.all)
        learnt = await in_store(
            lambda: lessons_of_outcomes(self.incidents, _FROM_THE_BEGINNING, self.basic.now())
        )
        lessons = {lesson.id: lesson for lesson in (*(one.lesson for one in given), *learnt)}
        if also is not None:
            lessons[also.id] = also
        return learn(policy.policy.weights, list(lessons.values()), policy.policy.learning)

    def _scored(
        self,
        group: AlertGroup,
        reading: AlertReading,
        policy: LoadedPolicy,
        weights: WeightVersion,
        measured: Measured,
    ) -> ScoredGroup:
        facts = self._facts(group, reading, policy, measured)
        scored = score(facts, weights.weights, weights_version=weights.version)
        known = reading.workloads.get(group.subject)
        names = tuple(dict.fromkeys(reading.name_of(subject) for subject in group.subjects))
        return ScoredGroup(
            group=group,
            name=reading.name_of(group.subject) or group.alarm_names[0],
            kind=known.workload.ref.kind if known is not None else None,
            affected=names,
            facts=facts,
            scored=scored,
            priority=policy.policy.notices.priority(scored.score),
        )

    def _facts(
        self, group: AlertGroup, reading: AlertReading, policy: LoadedPolicy, measured: Measured
    ) -> ScoreFacts:
        callers = {caller for caller, needed in reading.topology.needs.items() if group.subject in needed}
        touched = dict.fromkeys((*group.subjects, *sorted(callers)))
        importance, name = max(
            ((_importance(policy.policy, one), reading.name_of(one)) for one in touched if one.workload),
            key=lambda pair: pair[0],
            default=(policy.policy.default_importance, ""),
        )
        held = group.state is GroupState.OPEN
        return ScoreFacts(
            level=group.level,
            state=group.state,
            active=group.active,
            alerts=len(group.alerts),
            alarms=len({alert.record.alarm_id for alert in group.alerts}),
            episodes=group.episodes,
            affected=len(touched),
            importance=importance,
            important_name=name,
            business_hours=any(
                policy.policy.in_business_hours(alert.raised_at, self.basic.zone) for alert in group.alerts
            ),
            quiet_for=timedelta(0) if held else max(timedelta(0), self.basic.now() - group.ended_at),
            error_ratio=measured.error_ratio,
            restarts=measured.restarts,
            ready_ratio=measured.ready_ratio,
        )


def _worst_first(one: ScoredGroup) -> tuple[float, datetime, str]:
    return (-one.scored.score, one.group.raised_at, one.group.id)


def _importance(policy: Policy, subject: Subject) -> float:
    return policy.importance_of(subject.cluster_id, subject.namespace, subject.workload)
