"""The execution log of alarms, kept as logs in a topic of its own, so that GetAlarmLog can search it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from mcp_tencent.local_cloud.logs.indexing import KeyIndex, TopicIndex, ValueType
from mcp_tencent.local_cloud.logs.lines import LogLine, LogOrigin
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.tencent.calls import objects_of, text_of, texts_of
from mcp_tencent.local_cloud.tencent.cls.alarm_monitor import AlarmMonitor, Execution
from mcp_tencent.local_cloud.tencent.cls.state import ClsState
from mcp_tencent.local_cloud.tencent.ports import AlarmHistory, AlarmLevel, AlertRecord

_LEVEL_NAMES = {AlarmLevel.WARN: "Warn", AlarmLevel.INFO: "Info", AlarmLevel.CRITICAL: "Critical"}
_TEXT_KEYS = (
    "alert_id",
    "alert_name",
    "monitored_object",
    "topic_id",
    "topic_name",
    "topic_type",
    "level",
    "trigger_result",
    "condition_evaluate_result",
    "notification_send_result",
    "reach_trigger",
    "process_result",
    "notify_template",
    "summary_cn",
    "summary_en",
)
_NUMBER_KEYS = ("fire_time", "trigger_time", "duration", "happen_threshold", "alert_threshold")
_INDEX = TopicIndex(
    keys={key: KeyIndex() for key in _TEXT_KEYS}
    | {key: KeyIndex(type=ValueType.LONG) for key in _NUMBER_KEYS}
)


class AlarmLog:
    """Writes down every run of an evaluated alarm, and every alert that the scenario tells of."""

    def __init__(self, state: ClsState, logs: LogStore, monitor: AlarmMonitor, history: AlarmHistory) -> None:
        self._state = state
        self._logs = logs
        self._monitor = monitor
        self._history = history
        self._topics: set[str] = set()
        self._told: set[str] = set()

    def topic(self, region: str) -> str:
        """Return the topic that holds the region's execution log, up to date."""
        topic_id = f"alarm-execution-log-{region}"
        if topic_id not in self._topics:
            self._logs.add_topic(topic_id, _INDEX)
            self._topics.add(topic_id)
        self._monitor.catch_up(region)
        lines = [
            self._execution_line(region, execution) for execution in self._monitor.take_executions(region)
        ]
        lines += [self._record_line(record) for record in self._untold(region)]
        if lines:
            self._logs.append(topic_id, sorted(lines, key=lambda line: line.timestamp_ms))
        return topic_id

    def _untold(self, region: str) -> Sequence[AlertRecord]:
        found = [
            record
            for record in self._history.records(datetime(1970, 1, 1, tzinfo=UTC), self._state.clock.now())
            if record.region == region and record.record_id not in self._told
        ]
        self._told.update(record.record_id for record in found)
        return found

    def _execution_line(self, region: str, execution: Execution) -> LogLine:
        alarm = execution.alarm
        targets = objects_of(alarm.settings, "AlarmTargets")
        topic_id = text_of(targets[0], "TopicId") if targets else ""
        topic = self._state.region(region).topics.get(topic_id)
        if execution.error:
            result, summary = "ProcessError", ("执行语句出错", f"The statement failed: {execution.error}")
        elif execution.matched:
            result, summary = "QueryResultMatch", ("执行语句结果满足触发条件", "The trigger condition is met")
        else:
            result, summary = (
                "QueryResultUnmatch",
                ("执行语句结果不满足触发条件", "The trigger condition is not met"),
            )
        level = execution.matched[0][1].level if execution.matched else AlarmLevel.WARN
        since = execution.open_since
        return _line(
            execution.at,
            {
                "alert_id": alarm.alarm_id,
                "alert_name": alarm.name,
                "topic_id": topic_id,
                "topic_name": "" if topic is None else topic.name,
                "level": _LEVEL_NAMES[level],
                "condition_evaluate_result": result,
                "reach_trigger": "true" if execution.fired else "false",
                "notification_send_result": "SendSuccess" if execution.fired else "NotSend",
                "process_result": "fail" if execution.error else "success",
                "notify_template": ",".join(texts_of(alarm.settings, "AlarmNoticeIds")),
                "duration": "0" if since is None else str(int((execution.at - since).total_seconds() // 60)),
                "happen_threshold": str(alarm.settings.get("TriggerCount", 1)),
                "alert_threshold": str(alarm.settings.get("AlarmPeriod", 15)),
                "summary_cn": summary[0],
                "summary_en": summary[1],
            },
        )

    def _record_line(self, record: AlertRecord) -> LogLine:
        return _line(
            record.started_at,
            {
                "alert_id": record.alarm_id,
                "alert_name": record.alarm_name,
                "topic_id": record.topic_id,
                "topic_name": record.topic_name,
                "level": _LEVEL_NAMES[record.level],
                "condition_evaluate_result": "QueryResultMatch",
                "reach_trigger": "true",
                "notification_send_result": "SendSuccess",
                "process_result": "success",
                "notify_template": ",".join(notice_id for _, notice_id in record.notices),
                "duration": "0",
                "happen_threshold": str(record.trigger_count),
                "alert_threshold": str(record.alarm_period_minutes),
                "summary_cn": "执行语句结果满足触发条件",
                "summary_en": "The trigger condition is met",
            },
        )


def _line(at: datetime, content: dict[str, str]) -> LogLine:
    milliseconds = int(at.timestamp() * 1000)
    fields = {
        **content,
        "monitored_object": content["topic_id"],
        "topic_type": "log",
        "trigger_result": "success",
        "fire_time": str(milliseconds),
        "trigger_time": str(milliseconds // 1000),
    }
    text = json.dumps(fields, ensure_ascii=False)
    return LogLine(milliseconds, text, tuple(fields.items()), LogOrigin())
