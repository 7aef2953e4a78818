"""What a scenario puts into CLS: log sets, topics with their sources, notice groups and alarm policies."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mcp_tencent.local_cloud.life.alarm_history import WatchedAlarm
from mcp_tencent.local_cloud.logs.lines import LogSource
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.scenario.model import Alarm, Dashboard, Logset, Scenario, Workload
from mcp_tencent.local_cloud.scenario.moments import Moment
from mcp_tencent.local_cloud.tencent.cls.log_index import topic_index
from mcp_tencent.local_cloud.tencent.cls.state import ClsState, key_value_rule
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject

_SPACE = uuid.UUID("b0a7a0b6-64f1-4d27-8a54-0c7d6f0f2f31")
"""Makes ids names of what they are for: the same in every world of a scenario."""
_LINE_KEYS = {
    "level": "text",
    "workload": "text",
    "namespace": "text",
    "status": "text",
    "dependency": "text",
}
_LINE_TAGS = {"pod_name": "text", "pod_label_app": "text", "namespace": "text", "container_name": "text"}
_EVENT_KEYS = {
    "level": "text",
    "type": "text",
    "reason": "text",
    "kind": "text",
    "namespace": "text",
    "object": "text",
    "message": "text",
    "count": "long",
}
_LEVELS = {"warn": 0, "info": 1, "critical": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedTopic:
    """A topic and where it is."""

    topic_id: str
    logset_id: str
    region: str
    name: str


@dataclass(slots=True)
class ClsContent:
    """What was put there, by the names that the scenario uses."""

    topics: dict[str, PlacedTopic] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)
    """Notice ids by name."""
    event_topics: dict[str, PlacedTopic] = field(default_factory=dict)
    """By cluster."""
    log_topics: dict[str, PlacedTopic] = field(default_factory=dict)
    """The first topic of each cluster's workloads, by cluster."""
    alarms: list[WatchedAlarm] = field(default_factory=list)


def stable_id(scenario: Scenario, kind: str, name: str) -> str:
    """Return the id of something of a scenario, the same every time."""
    return str(uuid.uuid5(_SPACE, f"{scenario.name}/{scenario.seed}/{kind}/{name}"))


def fill_cls(
    scenario: Scenario,
    state: ClsState,
    logs: LogStore,
    *,
    workloads: Mapping[WorkloadRef, Workload],
    sources: Mapping[WorkloadRef, LogSource],
    event_sources: Mapping[str, LogSource],
    beginning: datetime,
    instant: Callable[[Moment | None], datetime],
) -> ClsContent:
    """Create everything of CLS that the scenario names, and let the sources write into its topics."""
    content = ClsContent()
    for logset in scenario.logsets:
        _add_logset(scenario, logset, state, logs, content)
    for ref, workload in workloads.items():
        if workload.logs.topic is not None:
            topic = content.topics[workload.logs.topic]
            content.log_topics.setdefault(ref.cluster, topic)
            logs.add_source(topic.topic_id, sources[ref], since=beginning)
    for cluster, topic in content.event_topics.items():
        logs.add_source(topic.topic_id, event_sources[cluster], since=beginning)
    for notice in scenario.notices:
        notice_id = "notice-" + stable_id(scenario, "notice", notice.name)
        receivers: list[Json] = [
            {"ReceiverType": "Uin", "ReceiverIds": [100000000001], "ReceiverChannels": ["Email"]}
        ]
        state.add_notice(
            notice.region, notice.name, {"Type": "All", "NoticeReceivers": receivers}, notice_id=notice_id
        )
        content.notices[notice.name] = notice_id
    for dashboard in scenario.dashboards:
        _add_dashboard(scenario, dashboard, state, content)
    for alarm in scenario.alarms:
        content.alarms.append(_add_alarm(scenario, alarm, state, content, instant))
    return content


def _add_logset(
    scenario: Scenario, logset: Logset, state: ClsState, logs: LogStore, content: ClsContent
) -> None:
    logset_id = stable_id(scenario, "logset", logset.name)
    state.add_logset(logset.region, logset.name, logset_id=logset_id)
    for topic in logset.topics:
        topic_id = stable_id(scenario, "topic", topic.name)
        events = topic.collects == "events"
        rule = _index_rule(events=events)
        state.add_topic(
            logset.region,
            logset_id,
            topic.name,
            topic_id=topic_id,
            settings={"Period": topic.retention_days, "StorageType": "hot", "PartitionCount": 1},
            index_rule=rule,
        )
        logs.add_topic(topic_id, topic_index(rule))
        placed = PlacedTopic(topic_id=topic_id, logset_id=logset_id, region=logset.region, name=topic.name)
        content.topics[topic.name] = placed
        if events and logset.cluster is not None:
            content.event_topics[logset.cluster] = placed


def _index_rule(*, events: bool) -> JsonObject:
    if events:
        return key_value_rule(_EVENT_KEYS)
    tags = key_value_rule(_LINE_TAGS)["KeyValue"]
    return {**key_value_rule(_LINE_KEYS), "Tag": tags}


def _add_dashboard(scenario: Scenario, dashboard: Dashboard, state: ClsState, content: ClsContent) -> None:
    topic = content.topics[dashboard.topic]
    panels = [
        {
            "id": number,
            "title": chart.title,
            "type": "graph",
            "target": {"TopicId": topic.topic_id, "LogsetId": topic.logset_id, "Query": chart.query},
        }
        for number, chart in enumerate(dashboard.charts, start=1)
    ]
    resource = state.new_resource(
        "dashboard-",
        dashboard.name,
        {"Data": json.dumps({"panels": panels}, ensure_ascii=False)},
        resource_id="dashboard-" + stable_id(scenario, "dashboard", dashboard.name),
    )
    state.region(topic.region).dashboards[resource.resource_id] = resource


def _add_alarm(
    scenario: Scenario,
    alarm: Alarm,
    state: ClsState,
    content: ClsContent,
    instant: Callable[[Moment | None], datetime],
) -> WatchedAlarm:
    topic = content.topics[alarm.topic]
    notices = () if alarm.notice is None else ((alarm.notice, content.notices[alarm.notice]),)
    created = state.add_alarm(
        topic.region,
        alarm.name,
        _alarm_settings(alarm, topic, [notice_id for _, notice_id in notices]),
        alarm_id="alarm-" + stable_id(scenario, "alarm", alarm.name),
        enabled=alarm.enabled,
        scripted=True,
    )
    return WatchedAlarm(
        alarm=alarm,
        alarm_id=created.alarm_id,
        topic_id=topic.topic_id,
        region=topic.region,
        notices=notices,
        declared=tuple((instant(record.at), instant(record.at) + record.lasts) for record in alarm.records),
    )


def _alarm_settings(alarm: Alarm, topic: PlacedTopic, notice_ids: list[str]) -> JsonObject:
    """Return the policy as CreateAlarm would have been told."""
    return {
        "AlarmTargets": [
            {
                "TopicId": topic.topic_id,
                "LogsetId": topic.logset_id,
                "Query": alarm.query,
                "Number": 1,
                "StartTimeOffset": -int(alarm.window.total_seconds() // 60),
                "EndTimeOffset": 0,
                "SyntaxRule": 1,
            }
        ],
        "MonitorTime": {"Type": "Period", "Time": max(1, int(alarm.check_every.total_seconds() // 60))},
        "TriggerCount": alarm.trigger_count,
        "AlarmPeriod": max(1, int(alarm.repeat_every.total_seconds() // 60)),
        "Condition": alarm.condition,
        "AlarmLevel": _LEVELS[alarm.level],
        "AlarmNoticeIds": notice_ids,
        "MonitorObjectType": 0,
    }
