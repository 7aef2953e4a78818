"""The history of metric alarms (Monitor 2018-07-24)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.simulation import Clock
from mcp_tencent.local_cloud.tencent.calls import Action, Call, text_of
from mcp_tencent.local_cloud.tencent.errors import invalid_parameter, invalid_value
from mcp_tencent.local_cloud.tencent.json_types import JsonObject
from mcp_tencent.local_cloud.tencent.ports import MetricAlert, MetricAlertHistory

_STATUSES = frozenset({"ALARM", "OK", "NO_CONF", "NO_DATA"})
_MAX_PAGE = 100


class AlarmHistoryActions:
    """Answers for metric alarms from the scenario's history."""

    def __init__(self, clock: Clock, history: MetricAlertHistory) -> None:
        self._clock = clock
        self._history = history

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {"DescribeAlarmHistories": self.describe_alarm_histories}

    def describe_alarm_histories(self, call: Call) -> JsonObject:
        """List alerts that began in a window, newest first unless asked otherwise."""
        if call.text("Module") != "monitor":
            raise invalid_value("Module", call.text("Module"), "monitor")
        number, size = call.integer("PageNumber", 1), call.integer("PageSize", 20)
        if number < 1 or not 1 <= size <= _MAX_PAGE:
            raise invalid_parameter(f"`PageNumber` begins at 1, `PageSize` is 1 to {_MAX_PAGE}.")
        order = call.text("Order") or "DESC"
        if order not in {"ASC", "DESC"}:
            raise invalid_value("Order", order, "ASC or DESC")
        now = self._clock.now()
        start = _instant(call, "StartTime", now - timedelta(days=1))
        end = _instant(call, "EndTime", now)
        keep = _filters(call, now)
        found = [alert for alert in self._history.alerts(start, end) if all(test(alert) for test in keep)]
        found.sort(key=lambda alert: alert.started_at, reverse=order == "DESC")
        shown = found[(number - 1) * size : number * size]
        return {"TotalCount": len(found), "Histories": [_shown(alert, now) for alert in shown]}


def _filters(call: Call, now: datetime) -> list[Callable[[MetricAlert], bool]]:
    """Return the tests that an alert must pass; an absent parameter makes none."""
    tests: list[Callable[[MetricAlert], bool]] = []
    statuses = call.texts("AlarmStatus")
    if not set(statuses) <= _STATUSES:
        raise invalid_parameter(f"`AlarmStatus` must be of {', '.join(sorted(_STATUSES))}.")
    if statuses:
        tests.append(lambda alert: _status(alert, now) in statuses)
    if kinds := call.texts("MonitorTypes"):
        tests.append(lambda _: "MT_QCE" in kinds)
    if namespaces := [text_of(entry, "Namespace") for entry in call.objects("Namespaces")]:
        tests.append(lambda alert: alert.namespace in namespaces)
    if metrics := call.texts("MetricNames"):
        tests.append(lambda alert: alert.metric_name in metrics)
    if policies := call.texts("PolicyIds"):
        tests.append(lambda alert: alert.policy_id in policies)
    if levels := call.texts("AlarmLevels"):
        tests.append(lambda alert: alert.level in levels)
    if object_part := call.text("AlarmObject"):
        tests.append(lambda alert: object_part in alert.alarm_object)
    if policy_part := call.text("PolicyName").lower():
        tests.append(lambda alert: policy_part in alert.policy_name.lower())
    if content_part := call.text("Content"):
        tests.append(lambda alert: content_part in alert.content)
    if any(call.has(name) for name in ("ReceiverUids", "ReceiverGroups", "InstanceGroupIds")):
        tests.append(lambda _: False)
    return tests


def _status(alert: MetricAlert, now: datetime) -> str:
    return "ALARM" if alert.ended_at is None or alert.ended_at > now else "OK"


def _instant(call: Call, name: str, default: datetime) -> datetime:
    if not call.has(name):
        return default
    value = call.integer(name)
    if not 0 <= value < 2**33:
        raise invalid_value(name, value, "a UNIX time in seconds")
    return datetime.fromtimestamp(value, UTC)


def _shown(alert: MetricAlert, now: datetime) -> JsonObject:
    status = _status(alert, now)
    last = alert.ended_at if alert.ended_at is not None and status == "OK" else now
    return {
        "AlarmId": alert.alert_id,
        "MonitorType": "MT_QCE",
        "Namespace": alert.namespace,
        "AlarmObject": alert.alarm_object,
        "Content": alert.content,
        "FirstOccurTime": int(alert.started_at.timestamp()),
        "LastOccurTime": int(last.timestamp()),
        "AlarmStatus": status,
        "PolicyId": alert.policy_id,
        "PolicyName": alert.policy_name,
        "VPC": "",
        "ProjectId": 0,
        "ProjectName": "",
        "InstanceGroup": [],
        "ReceiverUids": [],
        "ReceiverGroups": [],
        "NoticeWays": [],
        "OriginId": "",
        "AlarmType": "METRIC",
        "EventId": 0,
        "Region": alert.region,
        "PolicyExists": 1,
        "MetricsInfo": [
            {
                "QceNamespace": alert.namespace,
                "MetricName": alert.metric_name,
                "Period": 60,
                "Value": alert.value,
                "Description": alert.content,
            }
        ],
        "Dimensions": json.dumps(dict(alert.dimensions), ensure_ascii=False),
        "AlarmLevel": alert.level,
        "ShieldFlag": 0,
        "InternalDimensions": "",
        "MetricName": alert.metric_name,
        "PolicyPermissions": 1,
    }
