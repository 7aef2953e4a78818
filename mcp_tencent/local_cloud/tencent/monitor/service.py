"""The actions of Monitor, put together."""

from __future__ import annotations

from mcp_tencent.local_cloud.simulation import Clock
from mcp_tencent.local_cloud.tencent.calls import ActionTable
from mcp_tencent.local_cloud.tencent.monitor.alarm_history_actions import AlarmHistoryActions
from mcp_tencent.local_cloud.tencent.monitor.metric_actions import MetricActions
from mcp_tencent.local_cloud.tencent.ports import MetricAlertHistory, MetricSource


def monitor_actions(clock: Clock, metrics: MetricSource, history: MetricAlertHistory) -> ActionTable:
    """Return the actions of monitor@2018-07-24 by name."""
    return {**MetricActions(clock, metrics).table(), **AlarmHistoryActions(clock, history).table()}
