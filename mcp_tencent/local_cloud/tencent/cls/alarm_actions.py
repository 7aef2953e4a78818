"""Alarm policies, the history of their alerts and the log of their runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mcp_tencent.local_cloud.logs.answers import SearchQuestion
from mcp_tencent.local_cloud.logs.statement import split_statement
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.tencent.calls import Action, Call, objects_of, text_of
from mcp_tencent.local_cloud.tencent.cls.alarm_log import AlarmLog
from mcp_tencent.local_cloud.tencent.cls.alarm_monitor import AlarmMonitor
from mcp_tencent.local_cloud.tencent.cls.alarm_plan import read_plan
from mcp_tencent.local_cloud.tencent.cls.log_answers import analysis_answer, log_info, logs_answer
from mcp_tencent.local_cloud.tencent.cls.log_errors import service_errors
from mcp_tencent.local_cloud.tencent.cls.search_actions import (
    read_limit,
    read_order,
    read_statement,
    read_window,
)
from mcp_tencent.local_cloud.tencent.cls.search_context import SearchContexts
from mcp_tencent.local_cloud.tencent.cls.state import Alarm, ClsRegion, ClsState, local_time, tags_of
from mcp_tencent.local_cloud.tencent.errors import ActionError, RequestError, invalid_parameter, invalid_value
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject
from mcp_tencent.local_cloud.tencent.paging import containing, equal, matching, page
from mcp_tencent.local_cloud.tencent.ports import AlarmHistory, AlertRecord

_SETTINGS = (
    "AlarmTargets",
    "MonitorTime",
    "TriggerCount",
    "AlarmPeriod",
    "Condition",
    "AlarmLevel",
    "MultiConditions",
    "MessageTemplate",
    "CallBack",
    "Analysis",
    "GroupTriggerStatus",
    "GroupTriggerCondition",
    "Tags",
    "MonitorObjectType",
    "Classifications",
    "AlarmNoticeIds",
    "MonitorNotice",
)
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


class AlarmActions:
    """Answers for alarms from the state, the scenario's history and the live evaluation."""

    def __init__(
        self,
        state: ClsState,
        logs: LogStore,
        monitor: AlarmMonitor,
        history: AlarmHistory,
    ) -> None:
        self._state = state
        self._logs = logs
        self._monitor = monitor
        self._history = history
        self._log = AlarmLog(state, logs, monitor, history)
        self._contexts = SearchContexts(state.clock)

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "DescribeAlarms": self.describe_alarms,
            "CreateAlarm": self.create_alarm,
            "ModifyAlarm": self.modify_alarm,
            "DeleteAlarm": self.delete_alarm,
            "DescribeAlertRecordHistory": self.describe_alert_record_history,
            "GetAlarmLog": self.get_alarm_log,
        }

    def describe_alarms(self, call: Call) -> JsonObject:
        """List alarm policies."""
        place = self._place(call)
        found = matching(
            call,
            list(place.alarms.values()),
            {
                "name": containing(lambda alarm: alarm.name),
                "alarmId": equal(lambda alarm: alarm.alarm_id),
                "topicId": lambda alarm, values: any(topic in values for topic in _topic_ids(alarm)),
                "enable": _enabled,
            },
            max_values=5,
            tags=lambda alarm: tags_of(alarm.settings),
        )
        return {
            "TotalCount": len(found),
            "Alarms": [_shown(alarm, place) for alarm in page(call, found)],
        }

    def create_alarm(self, call: Call) -> JsonObject:
        """Create an alarm policy; it is evaluated from now on."""
        name = _checked_name(call.text("Name"))
        settings = call.subset(_SETTINGS)
        self._check(call, settings)
        enabled = call.flag("Status", default=call.flag("Enable", default=True))
        alarm = self._state.add_alarm(call.region, name, settings, enabled=enabled)
        return {"AlarmId": alarm.alarm_id}

    def modify_alarm(self, call: Call) -> JsonObject:
        """Change an alarm policy; an alert that is open becomes invalid."""
        place = self._place(call)
        alarm = self._alarm(place, call)
        name = _checked_name(call.text("Name", alarm.name))
        if any(other.name == name for other in place.alarms.values() if other is not alarm):
            raise RequestError("InvalidParameter.AlarmConflict", f"The alarm {name[:60]} exists already.")
        sent = call.subset(_SETTINGS)
        settings = {**alarm.settings, **sent}
        if "MultiConditions" in sent and "Condition" not in sent:
            settings.pop("Condition", None)
        if "Condition" in sent and "MultiConditions" not in sent:
            settings.pop("MultiConditions", None)
        self._check(call, settings)
        self._end_open(call.region, alarm)
        place.alarms[alarm.alarm_id] = replace(
            alarm,
            name=name,
            enabled=call.flag("Status", default=call.flag("Enable", default=alarm.enabled)),
            settings=settings,
            updated_at=self._state.clock.now(),
        )
        return {}

    def delete_alarm(self, call: Call) -> JsonObject:
        """Delete an alarm policy; its history stays."""
        place = self._place(call)
        alarm = self._alarm(place, call)
        self._end_open(call.region, alarm)
        del place.alarms[alarm.alarm_id]
        return {}

    def describe_alert_record_history(self, call: Call) -> JsonObject:
        """List alerts that began in a window, newest first."""
        start, end = _instant(call, "From"), _instant(call, "To")
        if start >= end:
            raise invalid_parameter("`From` must be before `To`; both are UNIX times in milliseconds.")
        now = self._state.clock.now()
        records = self._records(call.region, start, end)
        found = matching(
            call,
            records,
            {
                "alertId": equal(lambda record: record.alarm_id),
                "topicId": equal(lambda record: record.topic_id),
                "status": equal(lambda record: str(int(record.status_at(now)))),
                "alarmLevel": equal(lambda record: str(int(record.level))),
            },
        )
        return {
            "TotalCount": len(found),
            "Records": [_shown_record(record, now) for record in page(call, found)],
        }

    def get_alarm_log(self, call: Call) -> JsonObject:
        """Search the log of the runs of alarms."""
        statement, syntax = read_statement(call)
        window, limit, order = read_window(call), read_limit(call), read_order(call)
        topic_id = self._log.topic(call.region)
        with service_errors():
            if split_statement(statement).sql is not None:
                analysis = self._logs.analyze((topic_id,), statement, syntax, window)
                return analysis_answer(analysis, new_form=call.flag("UseNewAnalysis"))
            key = self._contexts.key(topic_id, statement, syntax, window, order)
            context = call.text("Context")
            cursor, delivered = self._contexts.resume(context, key, limit) if context else (None, 0)
            found = self._logs.search(
                SearchQuestion(
                    topic_ids=(topic_id,),
                    query=statement,
                    window=window,
                    syntax=syntax,
                    order=order,
                    limit=limit,
                    cursor=cursor,
                )
            )
        after = self._contexts.issue(key, found.next_cursor, delivered + len(found.logs))
        shown = [log_info(log, "alarm execution log") for log in found.logs]
        return logs_answer(shown, after, list_over=found.list_over)

    def _records(self, region: str, start: datetime, end: datetime) -> list[AlertRecord]:
        self._monitor.catch_up(region)
        told = [record for record in self._history.records(start, end) if record.region == region]
        live = [record for record in self._monitor.records(region) if start <= record.started_at < end]
        return sorted(told + live, key=lambda record: record.started_at, reverse=True)

    def _check(self, call: Call, settings: JsonObject) -> None:
        """Refuse what the service would not store."""
        place = self._place(call)
        plan = read_plan(settings)
        for target in plan.targets:
            place.topic(target.topic_id)
        for notice_id in plan.notice_ids:
            if notice_id not in place.notices:
                message = f"The notice group {notice_id[:60]} does not exist."
                raise ActionError("ResourceNotFound.AlarmNoticeNotExist", message)

    def _end_open(self, region: str, alarm: Alarm) -> None:
        if not alarm.scripted:
            self._monitor.catch_up(region)
            self._monitor.changed(region, alarm)

    def _alarm(self, place: ClsRegion, call: Call) -> Alarm:
        alarm_id = call.text("AlarmId")
        if alarm_id not in place.alarms:
            raise ActionError("ResourceNotFound.AlarmNotExist", f"The alarm {alarm_id[:60]} does not exist.")
        return place.alarms[alarm_id]

    def _place(self, call: Call) -> ClsRegion:
        return self._state.region(call.region)


def _enabled(alarm: Alarm, values: Sequence[str]) -> bool:
    for value in values:
        if value not in _TRUE | _FALSE:
            raise invalid_value("Filters.enable", value, "true or false")
    return any((value in _TRUE) is alarm.enabled for value in values)


def _topic_ids(alarm: Alarm) -> list[str]:
    return [text_of(target, "TopicId") for target in objects_of(alarm.settings, "AlarmTargets")]


def _shown(alarm: Alarm, place: ClsRegion) -> JsonObject:
    settings = {name: alarm.settings.get(name) for name in _SETTINGS}
    defaults: dict[str, Json] = {
        "Condition": "",
        "AlarmLevel": 0,
        "AlarmNoticeIds": [],
        "Tags": [],
        "Classifications": [],
        "GroupTriggerStatus": False,
        "GroupTriggerCondition": [],
        "MonitorObjectType": 0,
        "MultiConditions": [],
        "Analysis": [],
    }
    return {
        **settings,
        **{name: value for name, value in defaults.items() if settings.get(name) is None},
        "AlarmTargets": [_shown_target(e, place) for e in objects_of(alarm.settings, "AlarmTargets")],
        "Name": alarm.name,
        "AlarmId": alarm.alarm_id,
        "Status": alarm.enabled,
        "CreateTime": local_time(alarm.created_at),
        "UpdateTime": local_time(alarm.updated_at),
    }


def _shown_target(target: JsonObject, place: ClsRegion) -> JsonObject:
    topic = place.topics.get(text_of(target, "TopicId"))
    logset = None if topic is None else place.logsets.get(topic.logset_id)
    return {
        "SyntaxRule": 0,
        **target,
        "LogsetName": "" if logset is None else logset.name,
        "TopicName": "" if topic is None else topic.name,
        "BizType": 0,
    }


def _shown_record(record: AlertRecord, now: datetime) -> JsonObject:
    return {
        "RecordId": record.record_id,
        "AlarmId": record.alarm_id,
        "AlarmName": record.alarm_name,
        "TopicId": record.topic_id,
        "TopicName": record.topic_name,
        "Region": record.region,
        "Trigger": record.trigger,
        "TriggerCount": record.trigger_count,
        "AlarmPeriod": record.alarm_period_minutes,
        "Notices": [{"Name": name, "AlarmNoticeId": key} for name, key in record.notices],
        "Duration": record.duration_minutes_at(now),
        "Status": int(record.status_at(now)),
        "CreateTime": int(record.started_at.timestamp() * 1000),
        "GroupTriggerCondition": [{"Key": key, "Value": value} for key, value in record.group],
        "AlarmLevel": int(record.level),
        "MonitorObjectType": 0,
        "SendType": 0,
    }


def _checked_name(name: str) -> str:
    if not name or "|" in name or len(name.encode()) > 255:
        raise invalid_parameter("`Name` must have 1 to 255 bytes and no `|`.")
    return name


def _instant(call: Call, name: str) -> datetime:
    value = call.integer(name)
    if not 0 <= value < 2**47:
        raise invalid_value(name, value, "a UNIX time in milliseconds")
    return datetime.fromtimestamp(value / 1000, UTC)
