"""What exists in CLS, by region: logsets, topics with their indexes, alarms, notices, tasks, dashboards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from mcp_tencent.local_cloud.simulation import Clock
from mcp_tencent.local_cloud.tencent.calls import objects_of, text_of
from mcp_tencent.local_cloud.tencent.errors import ActionError, RequestError
from mcp_tencent.local_cloud.tencent.identifiers import Identifiers
from mcp_tencent.local_cloud.tencent.json_types import JsonObject
from mcp_tencent.local_cloud.tencent.ports import AlarmLevel

CHINA = timezone(timedelta(hours=8), "UTC+8")
"""CLS words its local times in this zone, wherever the region is."""

DEFAULT_TOKENIZER = "@&?|#()='\",;:<>[]{}/ \n\t\r\\"


def local_time(instant: datetime) -> str:
    """Return an instant as CLS shows it: 2026-11-20 08:00:00, in UTC+8."""
    return instant.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def tags_of(source: JsonObject) -> dict[str, str]:
    """Return the `Tags` of a request or a stored resource by key."""
    return {text_of(tag, "Key"): text_of(tag, "Value") for tag in objects_of(source, "Tags")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Logset:
    """A folder of topics."""

    logset_id: str
    name: str
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What of a topic's logs can be searched."""

    rule: JsonObject
    """RuleInfo of the API: full text, key-values, tags."""
    status: bool = True
    modified_at: datetime
    settings: JsonObject = field(default_factory=dict)
    """IncludeInternalFields, MetadataFlag, CoverageField, as they were sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A stream of logs."""

    topic_id: str
    logset_id: str
    name: str
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    index: Index | None = None
    collecting: bool = True
    """False when the topic was closed (Status of the API)."""
    settings: JsonObject = field(default_factory=dict)
    """PartitionCount, Period, StorageType and the rest, as they were sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm policy."""

    alarm_id: str
    name: str
    enabled: bool = True
    created_at: datetime
    updated_at: datetime
    settings: JsonObject
    """The rest of CreateAlarm's parameters: targets, times, conditions, notices."""
    scripted: bool = False
    """True when the scenario tells its history; otherwise it is evaluated against the logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A notice group, a scheduled SQL task or a dashboard: stored as it was sent."""

    resource_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    settings: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmShield:
    """A stretch of time in which a notice group stays silent."""

    task_id: str
    notice_id: str
    start: datetime
    end: datetime
    reason: str = ""
    operator: str = ""
    created_at: datetime

    def status_at(self, now: datetime) -> int:
        """Return 0 (not yet in force), 1 (in force) or 2 (over)."""
        if now < self.start:
            return 0
        return 1 if now < self.end else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many resources a region may hold."""

    logsets: int = 100
    topics: int = 500


@dataclass(slots=True)
class ClsRegion:
    """Everything that CLS holds in one region, in the order of creation."""

    logsets: dict[str, Logset] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    notices: dict[str, Resource] = field(default_factory=dict)
    shields: dict[str, AlarmShield] = field(default_factory=dict)
    tasks: dict[str, Resource] = field(default_factory=dict)
    dashboards: dict[str, Resource] = field(default_factory=dict)

    def logset(self, logset_id: str) -> Logset:
        """Return a logset.

        Raises:
            ActionError: ResourceNotFound.LogsetNotExist.
        """
        if logset_id not in self.logsets:
            raise ActionError(
                "ResourceNotFound.LogsetNotExist", f"The logset {logset_id[:60]} does not exist."
            )
        return self.logsets[logset_id]

    def topic(self, topic_id: str) -> Topic:
        """Return a topic.

        Raises:
            ActionError: ResourceNotFound.TopicNotExist.
        """
        if topic_id not in self.topics:
            raise ActionError("ResourceNotFound.TopicNotExist", f"The topic {topic_id[:60]} does not exist.")
        return self.topics[topic_id]


class ClsState:
    """CLS of one account. The API and the scenario build and change it through the same methods."""

    def __init__(self, *, clock: Clock, identifiers: Identifiers, quota: Quota | None = None) -> None:
        self.clock = clock
        self.identifiers = identifiers
        self._quota = quota or Quota()
        self._regions: dict[str, ClsRegion] = {}

    def region(self, name: str) -> ClsRegion:
        """Return what is in a region; a region is empty until something is created there."""
        return self._regions.setdefault(name, ClsRegion())

    def regions(self) -> Mapping[str, ClsRegion]:
        """Return the regions that have been looked at or built in."""
        return self._regions

    def add_logset(
        self, region: str, name: str, *, logset_id: str | None = None, tags: Mapping[str, str] | None = None
    ) -> Logset:
        """Create a logset.

        Raises:
            RequestError: LogsetConflict when the name or id is taken.
            ActionError: LimitExceeded.Logset.
        """
        logsets = self.region(region).logsets
        if logset_id in logsets or any(logset.name == name for logset in logsets.values()):
            raise RequestError("InvalidParameter.LogsetConflict", f"The logset {name[:60]} exists already.")
        if len(logsets) >= self._quota.logsets:
            raise ActionError(
                "LimitExceeded.Logset", f"A region holds at most {self._quota.logsets} logsets."
            )
        logset = Logset(
            logset_id=logset_id or self.identifiers.uuid(),
            name=name,
            created_at=self.clock.now(),
            tags=tags or {},
        )
        logsets[logset.logset_id] = logset
        return logset

    def add_topic(
        self,
        region: str,
        logset_id: str,
        name: str,
        *,
        topic_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        settings: JsonObject | None = None,
        index_rule: JsonObject | None = None,
    ) -> Topic:
        """Create a topic; with an index rule, one that can be searched at once.

        Raises:
            RequestError: TopicConflict when the name or id is taken.
            ActionError: LogsetNotExist, LimitExceeded.Topic.
        """
        place = self.region(region)
        place.logset(logset_id)
        taken = topic_id is not None and any(topic_id in other.topics for other in self._regions.values())
        same_name = any(
            topic.name == name and topic.logset_id == logset_id for topic in place.topics.values()
        )
        if taken or same_name:
            raise RequestError("InvalidParameter.TopicConflict", f"The topic {name[:60]} exists already.")
        if len(place.topics) >= self._quota.topics:
            raise ActionError("LimitExceeded.Topic", f"A region holds at most {self._quota.topics} topics.")
        now = self.clock.now()
        topic = Topic(
            topic_id=topic_id or self.identifiers.uuid(),
            logset_id=logset_id,
            name=name,
            created_at=now,
            tags=tags or {},
            settings=settings or {},
            index=None if index_rule is None else Index(rule=index_rule, modified_at=now),
        )
        place.topics[topic.topic_id] = topic
        return topic

    def add_alarm(
        self,
        region: str,
        name: str,
        settings: JsonObject,
        *,
        alarm_id: str | None = None,
        enabled: bool = True,
        scripted: bool = False,
    ) -> Alarm:
        """Create an alarm policy out of CreateAlarm's parameters.

        Raises:
            RequestError: AlarmConflict when the name is taken.
        """
        alarms = self.region(region).alarms
        if any(alarm.name == name for alarm in alarms.values()):
            raise RequestError("InvalidParameter.AlarmConflict", f"The alarm {name[:60]} exists already.")
        now = self.clock.now()
        alarm = Alarm(
            alarm_id=alarm_id or self.identifiers.uuid("alarm-"),
            name=name,
            enabled=enabled,
            created_at=now,
            updated_at=now,
            settings=settings,
            scripted=scripted,
        )
        alarms[alarm.alarm_id] = alarm
        return alarm

    def add_notice(
        self, region: str, name: str, settings: JsonObject, *, notice_id: str | None = None
    ) -> Resource:
        """Create a notice group out of CreateAlarmNotice's parameters.

        Raises:
            RequestError: AlarmNoticeConflict when the name is taken.
        """
        notices = self.region(region).notices
        if any(notice.name == name for notice in notices.values()):
            message = f"The notice group {name[:60]} exists already."
            raise RequestError("InvalidParameter.AlarmNoticeConflict", message)
        notice = self.new_resource("notice-", name, settings, resource_id=notice_id)
        notices[notice.resource_id] = notice
        return notice

    def new_resource(
        self, prefix: str, name: str, settings: JsonObject, *, resource_id: str | None = None
    ) -> Resource:
        """Return a resource that begins to exist now; the caller stores it."""
        now = self.clock.now()
        return Resource(
            resource_id=resource_id or self.identifiers.uuid(prefix),
            name=name,
            created_at=now,
            updated_at=now,
            settings=settings,
        )

    def changed(self, resource: Resource, name: str, settings: JsonObject) -> Resource:
        """Return the resource with a new name and the sent settings over the old ones."""
        merged = {**resource.settings, **settings}
        return replace(resource, name=name, settings=merged, updated_at=self.clock.now())


def alarm_level(number: int) -> AlarmLevel:
    """Return a level by the API's number.

    Raises:
        RequestError: InvalidParameterValue when there is no such level.
    """
    try:
        return AlarmLevel(number)
    except ValueError as error:
        message = f"`AlarmLevel` must be 0 (Warn), 1 (Info) or 2 (Critical), got {number}."
        raise RequestError("InvalidParameterValue", message) from error


def key_value_rule(keys: Mapping[str, str], *, contain_chinese: bool = True) -> JsonObject:
    """Return an index rule: full text, and a key-value index with statistics on.

    Args:
        keys: type (text, long, double) by field name.
        contain_chinese: whether texts are also split into Chinese characters.
    """
    return {
        "FullText": {
            "CaseSensitive": False,
            "Tokenizer": DEFAULT_TOKENIZER,
            "ContainZH": contain_chinese,
        },
        "KeyValue": {
            "CaseSensitive": False,
            "KeyValues": [
                {
                    "Key": key,
                    "Value": {
                        "Type": kind,
                        "Tokenizer": DEFAULT_TOKENIZER if kind == "text" else "",
                        "SqlFlag": True,
                        "ContainZH": contain_chinese and kind == "text",
                        "Alias": "",
                    },
                }
                for key, kind in keys.items()
            ],
        },
        "Tag": {"CaseSensitive": False, "KeyValues": []},
        "DynamicIndex": {"Status": False},
    }
