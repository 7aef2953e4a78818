"""An alarm policy read out of its parameters: what runs when, and what triggers."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax
from mcp_tencent.local_cloud.tencent.calls import (
    integer_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
)
from mcp_tencent.local_cloud.tencent.cls.alarm_condition import (
    Condition,
    ConditionSyntaxError,
    parse_condition,
)
from mcp_tencent.local_cloud.tencent.cls.alarm_schedule import Daily, Periodic, Schedule, parse_cron
from mcp_tencent.local_cloud.tencent.cls.state import alarm_level
from mcp_tencent.local_cloud.tencent.errors import invalid_parameter, invalid_value
from mcp_tencent.local_cloud.tencent.json_types import JsonObject
from mcp_tencent.local_cloud.tencent.ports import AlarmLevel

_SEVERITY = (AlarmLevel.CRITICAL, AlarmLevel.WARN, AlarmLevel.INFO)
"""Most severe first: the service's numbers are not in this order."""

MAX_TARGETS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A statement and the window that it looks at."""

    number: int
    topic_id: str
    statement: str
    syntax: QuerySyntax
    start_offset_minutes: int
    end_offset_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A condition and how severe it is when it holds."""

    condition: Condition
    level: AlarmLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPlan:
    """Everything that the evaluation of an alarm needs."""

    targets: tuple[Target, ...]
    schedule: Schedule
    triggers: tuple[Trigger, ...]
    """Most severe first."""
    trigger_count: int
    alarm_period_minutes: int
    group_fields: tuple[str, ...]
    """Columns of the first statement by which alerts are told apart; empty without grouping."""
    notice_ids: tuple[str, ...]


def read_plan(settings: JsonObject) -> AlarmPlan:
    """Read an alarm's parameters.

    Raises:
        RequestError: a parameter is out of range or contradicts another.
    """
    targets = tuple(_target(index, entry) for index, entry in enumerate(objects_of(settings, "AlarmTargets")))
    if not 1 <= len(targets) <= MAX_TARGETS:
        raise invalid_parameter(f"`AlarmTargets` must have 1 to {MAX_TARGETS} entries, got {len(targets)}.")
    if sorted(target.number for target in targets) != list(range(1, len(targets) + 1)):
        raise invalid_parameter("`AlarmTargets.N.Number` must count from 1 without gaps.")
    trigger_count = integer_of(settings, "TriggerCount", 1)
    if not 1 <= trigger_count <= 2000:
        raise invalid_value("TriggerCount", trigger_count, "1 to 2000")
    alarm_period = integer_of(settings, "AlarmPeriod", 15)
    if not 0 <= alarm_period <= 1440:
        raise invalid_value("AlarmPeriod", alarm_period, "0 to 1440 minutes")
    grouped = settings.get("GroupTriggerStatus") is True
    return AlarmPlan(
        targets=targets,
        schedule=_schedule(object_of(settings, "MonitorTime") or {}),
        triggers=_triggers(settings),
        trigger_count=trigger_count,
        alarm_period_minutes=alarm_period,
        group_fields=tuple(texts_of(settings, "GroupTriggerCondition")) if grouped else (),
        notice_ids=tuple(texts_of(settings, "AlarmNoticeIds")),
    )


def _target(index: int, entry: JsonObject) -> Target:
    start, end = integer_of(entry, "StartTimeOffset"), integer_of(entry, "EndTimeOffset")
    if not -1440 <= start < end <= 0:
        message = (
            f"`AlarmTargets.{index}`: StartTimeOffset must be before EndTimeOffset, both within -1440 to 0."
        )
        raise invalid_parameter(message)
    syntax = integer_of(entry, "SyntaxRule", 0)
    if syntax not in {0, 1}:
        raise invalid_value(f"AlarmTargets.{index}.SyntaxRule", syntax, "0 (Lucene) or 1 (CQL)")
    return Target(
        number=integer_of(entry, "Number"),
        topic_id=text_of(entry, "TopicId"),
        statement=text_of(entry, "Query"),
        syntax=QuerySyntax.CQL if syntax == 1 else QuerySyntax.LUCENE,
        start_offset_minutes=start,
        end_offset_minutes=end,
    )


def _schedule(monitor_time: JsonObject) -> Schedule:
    kind = text_of(monitor_time, "Type")
    if kind == "Cron":
        try:
            return parse_cron(text_of(monitor_time, "CronExpression"))
        except ValueError as error:
            raise invalid_parameter(f"`MonitorTime.CronExpression`: {error}.") from error
    minutes = integer_of(monitor_time, "Time")
    if not 1 <= minutes <= 1440:
        raise invalid_value("MonitorTime.Time", minutes, "1 to 1440 minutes")
    match kind:
        case "Period":
            return Periodic(minutes=minutes)
        case "Fixed":
            return Daily(minute_of_day=minutes)
        case _:
            raise invalid_value("MonitorTime.Type", kind, "Period, Fixed or Cron")


def _triggers(settings: JsonObject) -> tuple[Trigger, ...]:
    several = objects_of(settings, "MultiConditions")
    single = text_of(settings, "Condition")
    if bool(several) == bool(single):
        raise invalid_parameter("Exactly one of `Condition` and `MultiConditions` must be given.")
    if single:
        several = [{"Condition": single, "AlarmLevel": integer_of(settings, "AlarmLevel", 0)}]
    triggers = [
        Trigger(
            condition=_condition(text_of(entry, "Condition")),
            level=alarm_level(integer_of(entry, "AlarmLevel", 0)),
        )
        for entry in several
    ]
    return tuple(sorted(triggers, key=lambda trigger: _SEVERITY.index(trigger.level)))


def _condition(text: str) -> Condition:
    try:
        return parse_condition(text)
    except ConditionSyntaxError as error:
        raise invalid_parameter(f"`Condition`: {error}.") from error
