"""The actions of CLS, put together."""

from __future__ import annotations

from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.tencent.calls import ActionTable
from mcp_tencent.local_cloud.tencent.cls.alarm_actions import AlarmActions
from mcp_tencent.local_cloud.tencent.cls.alarm_monitor import AlarmMonitor
from mcp_tencent.local_cloud.tencent.cls.chat_actions import ChatActions
from mcp_tencent.local_cloud.tencent.cls.dashboard_actions import DashboardActions
from mcp_tencent.local_cloud.tencent.cls.notice_actions import NoticeActions
from mcp_tencent.local_cloud.tencent.cls.scheduled_sql_actions import ScheduledSqlActions
from mcp_tencent.local_cloud.tencent.cls.search_actions import SearchActions
from mcp_tencent.local_cloud.tencent.cls.state import ClsState
from mcp_tencent.local_cloud.tencent.cls.topic_actions import TopicActions
from mcp_tencent.local_cloud.tencent.cls.upload_actions import UploadActions
from mcp_tencent.local_cloud.tencent.ports import AlarmHistory


def cls_actions(state: ClsState, logs: LogStore, history: AlarmHistory) -> ActionTable:
    """Return the actions of cls@2020-10-16 by name.

    Args:
        state: what exists; topics built into it by hand must be added to `logs` by hand, too.
        logs: the log lines.
        history: the alerts that the scenario tells of.
    """
    monitor = AlarmMonitor(state, logs)
    return {
        **TopicActions(state, logs).table(),
        **SearchActions(state, logs).table(),
        **UploadActions(state, logs).table(),
        **AlarmActions(state, logs, monitor, history).table(),
        **NoticeActions(state).table(),
        **ScheduledSqlActions(state).table(),
        **DashboardActions(state).table(),
        **ChatActions(state).table(),
    }
