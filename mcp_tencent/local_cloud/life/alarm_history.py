"""Alert records of the scenario's alarms, derived from how the watched workloads fared.

An alarm checks on a fixed grid, fires after `trigger_count` checks in a row that see the symptom, repeats
while it lasts and recovers at the first check that does not see it. The past in the records never changes.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from mcp_tencent.local_cloud.conditions import Condition, Timeline
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.scenario.model import Alarm, Watch
from mcp_tencent.local_cloud.tencent.cls.state import ClsState
from mcp_tencent.local_cloud.tencent.ports import AlarmLevel, AlertRecord

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEVELS = {"warn": AlarmLevel.WARN, "info": AlarmLevel.INFO, "critical": AlarmLevel.CRITICAL}
_RECORD_SPACE = uuid.UUID("6f2c1f0e-5d0b-4f57-9a58-1f3a7e4c9b10")
"""Makes the ids of records names of (alarm, instant): the same in every world of a scenario."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedAlarm:
    """An alarm of the scenario as the CLS imitation knows it."""

    alarm: Alarm
    alarm_id: str
    topic_id: str
    region: str
    notices: tuple[tuple[str, str], ...]
    declared: tuple[tuple[datetime, datetime], ...]
    """Begin and end of its declared records."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One unbroken time in which an alarm's symptom held."""

    start: datetime
    end: datetime | None
    """None while it holds."""


class ScenarioAlarmHistory:
    """The AlarmHistory of a world."""

    def __init__(
        self,
        *,
        alarms: Sequence[WatchedAlarm],
        timelines: Mapping[WorkloadRef, Timeline],
        memory_shares: Mapping[WorkloadRef, float],
        policies: ClsState,
        beginning: datetime,
        now: Callable[[], datetime],
    ) -> None:
        """Derive records from `timelines`.

        Args:
            alarms: the scenario's alarms.
            timelines: how each workload fared.
            memory_shares: what share of its limit each workload normally uses.
            policies: whether an alarm is still there and enabled, which clients of the API decide.
            beginning: of the world's history.
            now: the present of the simulation.
        """
        self._alarms = alarms
        self._timelines = timelines
        self._memory_shares = memory_shares
        self._policies = policies
        self._gone_at: dict[str, datetime] = {}
        self._beginning = beginning
        self._now = now

    def records(self, start: datetime, end: datetime) -> Sequence[AlertRecord]:
        """Return the alerts that began within [start, end), oldest first; none of the future."""
        now = self._now()
        found = [
            record
            for watched in self._alarms
            for record in self._records_of(watched, now)
            if start <= record.started_at < end and record.started_at <= self._heard_until(watched, now)
        ]
        return sorted(found, key=lambda record: (record.started_at, record.alarm_name))

    def _heard_until(self, watched: WatchedAlarm, now: datetime) -> datetime:
        """Return until when an alarm fires: now, or when it was disabled or found deleted."""
        policy = self._policies.region(watched.region).alarms.get(watched.alarm_id)
        if policy is None:
            return self._gone_at.setdefault(watched.alarm_id, now)
        return now if policy.enabled else policy.updated_at

    def episodes(self, watches: Sequence[Watch], now: datetime) -> Iterator[Episode]:
        """Yield when any of the watched symptoms held, until `now`, oldest first."""
        changes = sorted(
            (stretch.start, number, self._holds(watch, stretch.condition))
            for number, watch in enumerate(watches)
            for stretch in self._timelines[watch.workload].stretches(self._beginning, now)
        )
        holding: set[int] = set()
        began: datetime | None = None
        for at, same_instant in itertools.groupby(changes, key=itemgetter(0)):
            for _, number, holds in same_instant:
                (holding.add if holds else holding.discard)(number)
            if holding and began is None:
                began = at
            elif not holding and began is not None:
                yield Episode(began, at)
                began = None
        if began is not None:
            yield Episode(began, None)

    def _holds(self, watch: Watch, condition: Condition) -> bool:
        if watch.symptom == "lines":
            return any(watch.text in pattern.template for pattern in condition.patterns)
        value = {
            "error_ratio": condition.error_ratio,
            "not_ready": 1.0 - condition.ready_ratio,
            "pending": condition.pending_ratio,
            "latency": condition.latency,
            "cpu": condition.cpu,
            "memory": condition.memory * self._memory_shares[watch.workload],
        }[watch.symptom]
        return value > watch.above

    def _records_of(self, watched: WatchedAlarm, now: datetime) -> Iterator[AlertRecord]:
        for began, ended in watched.declared:
            yield self._record(watched, began, ended)
        for episode in self.episodes(watched.alarm.watches, now):
            yield from self._of_episode(watched, episode, now)

    def _of_episode(self, watched: WatchedAlarm, episode: Episode, now: datetime) -> Iterator[AlertRecord]:
        alarm = watched.alarm
        first = _next_check(episode.start, alarm.check_every) + alarm.check_every * (alarm.trigger_count - 1)
        seen_until = now if episode.end is None else episode.end
        recovered = None if episode.end is None else _next_check(episode.end, alarm.check_every)
        fired = first
        # A check exactly at the end sees the symptom no more.
        while fired < seen_until or (episode.end is None and fired <= now):
            yield self._record(watched, fired, recovered)
            fired += alarm.repeat_every

    def _record(self, watched: WatchedAlarm, began: datetime, ended: datetime | None) -> AlertRecord:
        alarm = watched.alarm
        name = f"{watched.alarm_id}/{began.isoformat()}"
        return AlertRecord(
            record_id=str(uuid.uuid5(_RECORD_SPACE, name)),
            alarm_id=watched.alarm_id,
            alarm_name=alarm.name,
            topic_id=watched.topic_id,
            topic_name=alarm.topic,
            region=watched.region,
            trigger=alarm.condition,
            trigger_count=alarm.trigger_count,
            alarm_period_minutes=max(1, int(alarm.repeat_every.total_seconds() // 60)),
            level=_LEVELS[alarm.level],
            started_at=began,
            ended_at=ended,
            notices=watched.notices,
        )


def _next_check(instant: datetime, every: timedelta) -> datetime:
    """Return the first check at or after `instant`; checks stand on whole multiples since the epoch."""
    return instant + (_EPOCH - instant) % every
