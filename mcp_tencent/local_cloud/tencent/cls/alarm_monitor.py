"""Alarms created over the API, evaluated against the logs: what CLS does by itself, done when someone looks.

Every run of an alarm is evaluated once, in order, with the logs as they are; nothing runs in the background.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice, product

from mcp_tencent.local_cloud.logs.answers import SearchQuestion, Window
from mcp_tencent.local_cloud.logs.errors import LogsError
from mcp_tencent.local_cloud.logs.statement import split_statement
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.tencent.cls.alarm_condition import QUERY_COUNT, Row, Rows
from mcp_tencent.local_cloud.tencent.cls.alarm_plan import AlarmPlan, Target, Trigger, read_plan
from mcp_tencent.local_cloud.tencent.cls.alarm_schedule import MAX_RUNS, runs
from mcp_tencent.local_cloud.tencent.cls.state import Alarm, ClsRegion, ClsState
from mcp_tencent.local_cloud.tencent.ports import AlertRecord

_MAX_COMBINATIONS = 1000
"""Rows of several statements are combined; the service looks at no more than this."""
_MAX_FIELD_ROWS = 100
"""Without an analysis, logs whose key-values a condition can read."""

Group = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run of one alarm: a line of GetAlarmLog."""

    alarm: Alarm
    at: datetime
    matched: tuple[tuple[Group, Trigger], ...]
    error: str = ""
    """Why the statements could not be run; empty when they could."""
    fired: bool = False
    """Whether the condition held long enough for an alert."""
    open_since: datetime | None = None


@dataclass(slots=True)
class _Watch:
    """How far an alarm has been evaluated, and what of it is open."""

    evaluated_until: datetime
    streaks: dict[Group, int] = field(default_factory=dict)
    open: dict[Group, int] = field(default_factory=dict)
    """Index into `records` of the open alert, by group."""
    records: list[AlertRecord] = field(default_factory=list)
    executions: deque[Execution] = field(default_factory=lambda: deque(maxlen=MAX_RUNS))


class AlarmMonitor:
    """Evaluates the alarms of all regions up to the present."""

    def __init__(self, state: ClsState, logs: LogStore) -> None:
        self._state = state
        self._logs = logs
        self._watches: dict[str, dict[str, _Watch]] = {}

    def catch_up(self, region: str) -> None:
        """Evaluate every run that has come due in the region since the last time."""
        for alarm in list(self._state.region(region).alarms.values()):
            if not alarm.scripted:
                self._evaluate_due(region, alarm)

    def changed(self, region: str, alarm: Alarm) -> None:
        """Take note that an alarm is about to be changed or deleted: what is open becomes invalid."""
        watch = self._watch(region, alarm)
        now = self._state.clock.now()
        for index in watch.open.values():
            watch.records[index] = replace(watch.records[index], ended_at=now, invalid=True)
        watch.open.clear()
        watch.streaks.clear()
        watch.evaluated_until = now

    def records(self, region: str) -> list[AlertRecord]:
        """Return every alert so far, those of deleted alarms too."""
        return [record for watch in self._watches.get(region, {}).values() for record in watch.records]

    def take_executions(self, region: str) -> list[Execution]:
        """Return the runs evaluated since the last time this was asked."""
        taken: list[Execution] = []
        for watch in self._watches.get(region, {}).values():
            taken += watch.executions
            watch.executions.clear()
        return taken

    def _watch(self, region: str, alarm: Alarm) -> _Watch:
        watches = self._watches.setdefault(region, {})
        return watches.setdefault(alarm.alarm_id, _Watch(evaluated_until=alarm.created_at))

    def _evaluate_due(self, region: str, alarm: Alarm) -> None:
        watch = self._watch(region, alarm)
        now = self._state.clock.now()
        if alarm.enabled:
            plan = read_plan(alarm.settings)
            place = self._state.region(region)
            for at in runs(plan.schedule, watch.evaluated_until, now):
                self._run(region, place, alarm, plan, watch, at)
        watch.evaluated_until = now

    def _run(
        self, region: str, place: ClsRegion, alarm: Alarm, plan: AlarmPlan, watch: _Watch, at: datetime
    ) -> None:
        try:
            results = [(target, self._rows(target, at, plan)) for target in plan.targets]
        except LogsError as error:
            watch.executions.append(Execution(alarm=alarm, at=at, matched=(), error=str(error)))
            return
        matched = _matches(plan, results)
        fired = False
        for group, trigger in matched.items():
            watch.streaks[group] = watch.streaks.get(group, 0) + 1
            if watch.streaks[group] >= plan.trigger_count:
                fired = True
                if group not in watch.open:
                    watch.open[group] = len(watch.records)
                    watch.records.append(self._record(region, place, alarm, plan, group, trigger, at))
        for group in [group for group in watch.streaks if group not in matched]:
            del watch.streaks[group]
            if group in watch.open:
                index = watch.open.pop(group)
                watch.records[index] = replace(watch.records[index], ended_at=at)
        since = min((watch.records[index].started_at for index in watch.open.values()), default=None)
        watch.executions.append(
            Execution(alarm=alarm, at=at, matched=tuple(matched.items()), fired=fired, open_since=since)
        )

    def _rows(self, target: Target, at: datetime, plan: AlarmPlan) -> list[Row]:
        """Return the rows of a statement, each with the number of all of them."""
        window = Window(
            from_ms=_milliseconds(at + timedelta(minutes=target.start_offset_minutes)),
            to_ms=_milliseconds(at + timedelta(minutes=target.end_offset_minutes)),
        )
        topics = (target.topic_id,)
        if split_statement(target.statement).sql is not None:
            analysis = self._logs.analyze(topics, target.statement, target.syntax, window)
            names = [column.name for column in analysis.columns]
            count = len(analysis.rows)
            return [{QUERY_COUNT: count, **dict(zip(names, row, strict=True))} for row in analysis.rows] or [
                {QUERY_COUNT: 0}
            ]
        count = self._logs.count(topics, target.statement, target.syntax, window)
        if count == 0 or not _reads_fields(plan, target.number):
            return [{QUERY_COUNT: count}]
        found = self._logs.search(
            SearchQuestion(
                topic_ids=topics,
                query=target.statement,
                window=window,
                syntax=target.syntax,
                limit=_MAX_FIELD_ROWS,
            )
        )
        return [{QUERY_COUNT: count, **dict(log.line.fields)} for log in found.logs]

    def _record(
        self,
        region: str,
        place: ClsRegion,
        alarm: Alarm,
        plan: AlarmPlan,
        group: Group,
        trigger: Trigger,
        at: datetime,
    ) -> AlertRecord:
        topic_id = plan.targets[0].topic_id
        topic = place.topics.get(topic_id)
        return AlertRecord(
            record_id=self._state.identifiers.uuid(),
            alarm_id=alarm.alarm_id,
            alarm_name=alarm.name,
            topic_id=topic_id,
            topic_name="" if topic is None else topic.name,
            region=region,
            trigger=trigger.condition.text,
            trigger_count=plan.trigger_count,
            alarm_period_minutes=plan.alarm_period_minutes,
            level=trigger.level,
            started_at=at,
            notices=tuple((place.notices[key].name, key) for key in plan.notice_ids if key in place.notices),
            group=group,
        )


def _matches(plan: AlarmPlan, results: Sequence[tuple[Target, list[Row]]]) -> dict[Group, Trigger]:
    """Return the most severe trigger that holds, for each group of rows for which one does."""
    matched: dict[Group, Trigger] = {}
    for rows in _combinations(results):
        group = tuple((name, str(rows[1].get(_column(name)))) for name in plan.group_fields)
        for trigger in plan.triggers:
            best = matched.get(group)
            if best is not None and plan.triggers.index(best) <= plan.triggers.index(trigger):
                break
            if trigger.condition.holds(rows):
                matched[group] = trigger
                break
    return matched


def _combinations(results: Sequence[tuple[Target, list[Row]]]) -> Iterator[Rows]:
    numbers = [target.number for target, _ in results]
    combined: Iterable[tuple[Row, ...]] = product(*(rows for _, rows in results))
    for rows in islice(combined, _MAX_COMBINATIONS):
        yield dict(zip(numbers, rows, strict=True))


def _column(name: str) -> str:
    """Return the column of a grouping field, which may be written `$1.pod` or `pod`."""
    return name.removeprefix("$1.")


def _reads_fields(plan: AlarmPlan, number: int) -> bool:
    if plan.group_fields and number == 1:
        return True
    return any(
        statement == number and column != QUERY_COUNT
        for trigger in plan.triggers
        for statement, column in trigger.condition.references
    )


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
