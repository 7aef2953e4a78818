"""Logsets, topics, indexes, partitions: the actions on where logs live."""

from __future__ import annotations

from dataclasses import replace

from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.tencent.calls import Action, Call
from mcp_tencent.local_cloud.tencent.cls.log_index import topic_index
from mcp_tencent.local_cloud.tencent.cls.state import (
    ClsRegion,
    ClsState,
    Index,
    Logset,
    Topic,
    local_time,
    tags_of,
)
from mcp_tencent.local_cloud.tencent.errors import (
    ActionError,
    RequestError,
    invalid_parameter,
    invalid_value,
)
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject
from mcp_tencent.local_cloud.tencent.paging import containing, equal, matching, page

_RESERVED_NAMES = frozenset(
    {
        "cls_service_log",
        "loglistener_status",
        "loglistener_alarm",
        "loglistener_business",
        "cls_service_metric",
    }
)
_TOPIC_SETTINGS = (
    "PartitionCount",
    "AutoSplit",
    "MaxSplitPartitions",
    "StorageType",
    "Period",
    "Describes",
    "HotPeriod",
    "BizType",
    "IsWebTracking",
    "Extends",
    "IsSourceFrom",
    "BillingMode",
)
_INDEX_SETTINGS = ("IncludeInternalFields", "MetadataFlag", "CoverageField")
_MAX_PARTITIONS = 10
_FOREVER_DAYS = 3640


class TopicActions:
    """Answers for logsets, topics and indexes from the state; tells the log engine what comes and goes."""

    def __init__(self, state: ClsState, logs: LogStore) -> None:
        self._state = state
        self._logs = logs

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "DescribeLogsets": self.describe_logsets,
            "CreateLogset": self.create_logset,
            "ModifyLogset": self.modify_logset,
            "DeleteLogset": self.delete_logset,
            "DescribeTopics": self.describe_topics,
            "CreateTopic": self.create_topic,
            "ModifyTopic": self.modify_topic,
            "DeleteTopic": self.delete_topic,
            "DescribeIndex": self.describe_index,
            "CreateIndex": self.create_index,
            "ModifyIndex": self.modify_index,
            "DescribePartitions": self.describe_partitions,
        }

    def describe_logsets(self, call: Call) -> JsonObject:
        """List logsets, newest last."""
        place = self._place(call)
        found = matching(
            call,
            list(place.logsets.values()),
            {
                "logsetName": containing(lambda logset: logset.name),
                "logsetId": equal(lambda logset: logset.logset_id),
            },
            max_values=5,
            tags=lambda logset: logset.tags,
        )
        return {
            "TotalCount": len(found),
            "Logsets": [_shown_logset(logset, place) for logset in page(call, found)],
        }

    def create_logset(self, call: Call) -> JsonObject:
        """Create a logset with a name that is free in its region."""
        name = _checked_name("LogsetName", call.text("LogsetName"))
        logset = self._state.add_logset(
            call.region, name, logset_id=call.text("LogsetId") or None, tags=tags_of(call.parameters)
        )
        return {"LogsetId": logset.logset_id}

    def modify_logset(self, call: Call) -> JsonObject:
        """Rename or retag a logset."""
        place = self._place(call)
        logset = place.logset(call.text("LogsetId"))
        name = _checked_name("LogsetName", call.text("LogsetName", logset.name))
        if any(other.name == name for other in place.logsets.values() if other is not logset):
            raise RequestError("InvalidParameter.LogsetConflict", f"The logset {name[:60]} exists already.")
        tags = tags_of(call.parameters) if call.has("Tags") else logset.tags
        place.logsets[logset.logset_id] = replace(logset, name=name, tags=tags)
        return {}

    def delete_logset(self, call: Call) -> JsonObject:
        """Delete a logset that has no topics left."""
        place = self._place(call)
        logset = place.logset(call.text("LogsetId"))
        if _topics_in(logset, place):
            raise ActionError("FailedOperation.LogsetNotEmpty", "The logset still has topics.")
        del place.logsets[logset.logset_id]
        return {}

    def describe_topics(self, call: Call) -> JsonObject:
        """List topics; names match in part unless PreciseSearch says otherwise."""
        place = self._place(call)
        precise = call.integer("PreciseSearch")
        if precise not in range(4):
            raise invalid_value("PreciseSearch", precise, "0 to 3")
        names = equal if precise in {1, 3} else containing
        logset_names = equal if precise in {2, 3} else containing
        wanted = call.integer("BizType")
        topics = [t for t in place.topics.values() if t.settings.get("BizType", 0) == wanted]
        found = matching(
            call,
            topics,
            {
                "topicName": names(lambda topic: topic.name),
                "logsetName": logset_names(lambda topic: place.logsets[topic.logset_id].name),
                "topicId": equal(lambda topic: topic.topic_id),
                "logsetId": equal(lambda topic: topic.logset_id),
                "storageType": equal(lambda topic: str(topic.settings.get("StorageType", "hot"))),
            },
            tags=lambda topic: topic.tags,
        )
        return {"TotalCount": len(found), "Topics": [_shown_topic(topic) for topic in page(call, found)]}

    def create_topic(self, call: Call) -> JsonObject:
        """Create a topic; it has no index until CreateIndex."""
        settings = call.subset(_TOPIC_SETTINGS)
        _check_topic_settings(settings)
        topic = self._state.add_topic(
            call.region,
            call.text("LogsetId"),
            _checked_name("TopicName", call.text("TopicName")),
            topic_id=call.text("TopicId") or None,
            tags=tags_of(call.parameters),
            settings=settings,
        )
        self._logs.add_topic(topic.topic_id)
        return {"TopicId": topic.topic_id}

    def modify_topic(self, call: Call) -> JsonObject:
        """Change a topic's name, tags, state or settings."""
        place = self._place(call)
        topic = place.topic(call.text("TopicId"))
        settings: JsonObject = {**topic.settings, **call.subset(_TOPIC_SETTINGS)}
        _check_topic_settings(settings)
        name = _checked_name("TopicName", call.text("TopicName", topic.name))
        siblings = (t for t in place.topics.values() if t.logset_id == topic.logset_id and t is not topic)
        if any(other.name == name for other in siblings):
            raise RequestError("InvalidParameter.TopicConflict", f"The topic {name[:60]} exists already.")
        place.topics[topic.topic_id] = replace(
            topic,
            name=name,
            tags=tags_of(call.parameters) if call.has("Tags") else topic.tags,
            collecting=call.flag("Status", default=topic.collecting),
            settings=settings,
        )
        return {}

    def delete_topic(self, call: Call) -> JsonObject:
        """Delete a topic and its logs, unless a scheduled SQL task still reads it."""
        place = self._place(call)
        topic = place.topic(call.text("TopicId"))
        if any(task.settings.get("SrcTopicId") == topic.topic_id for task in place.tasks.values()):
            message = "A scheduled SQL task still reads this topic."
            raise ActionError("OperationDenied.TopicHasScheduleSqlTask", message)
        del place.topics[topic.topic_id]
        self._logs.remove_topic(topic.topic_id)
        return {}

    def describe_index(self, call: Call) -> JsonObject:
        """Show a topic's index."""
        topic = self._place(call).topic(call.text("TopicId"))
        index = _index_of(topic)
        return {
            "TopicId": topic.topic_id,
            "Status": index.status,
            "Rule": index.rule,
            "ModifyTime": local_time(index.modified_at),
            "IncludeInternalFields": index.settings.get("IncludeInternalFields", True),
            "MetadataFlag": index.settings.get("MetadataFlag", 0),
            "CoverageField": index.settings.get("CoverageField", ""),
        }

    def create_index(self, call: Call) -> JsonObject:
        """Give a topic its index."""
        topic = self._place(call).topic(call.text("TopicId"))
        if topic.index is not None:
            raise RequestError("InvalidParameter.IndexConflict", "The topic has an index already.")
        self._store_index(call, topic, call.object("Rule") or {}, call.flag("Status", default=True), {})
        return {}

    def modify_index(self, call: Call) -> JsonObject:
        """Replace the rule or the state of a topic's index."""
        topic = self._place(call).topic(call.text("TopicId"))
        index = _index_of(topic)
        rule = call.object("Rule") or index.rule
        self._store_index(call, topic, rule, call.flag("Status", default=index.status), index.settings)
        return {}

    def describe_partitions(self, call: Call) -> JsonObject:
        """Show how a topic's key range is split over its partitions."""
        topic = self._place(call).topic(call.text("TopicId"))
        count = _integer(topic.settings, "PartitionCount", 1)
        bounds = [round(index * 0xFFFF / count) for index in range(count + 1)]
        return {
            "Partitions": [
                {
                    "PartitionId": index + 1,
                    "Status": "readwrite" if topic.collecting else "readonly",
                    "InclusiveBeginKey": f"{bounds[index]:04x}",
                    "ExclusiveEndKey": f"{bounds[index + 1]:04x}",
                    "CreateTime": local_time(topic.created_at),
                    "LastWriteTime": None,
                }
                for index in range(count)
            ]
        }

    def _store_index(
        self, call: Call, topic: Topic, rule: JsonObject, status: bool, settings: JsonObject
    ) -> None:
        index = Index(
            rule=rule,
            status=status,
            modified_at=self._state.clock.now(),
            settings={**settings, **call.subset(_INDEX_SETTINGS)},
        )
        self._logs.set_index(topic.topic_id, topic_index(rule) if status else None)
        self._place(call).topics[topic.topic_id] = replace(topic, index=index)

    def _place(self, call: Call) -> ClsRegion:
        return self._state.region(call.region)


def _index_of(topic: Topic) -> Index:
    if topic.index is None:
        raise ActionError("ResourceNotFound.IndexNotExist", f"The topic {topic.topic_id} has no index.")
    return topic.index


def _topics_in(logset: Logset, place: ClsRegion) -> list[Topic]:
    return [topic for topic in place.topics.values() if topic.logset_id == logset.logset_id]


def _shown_logset(logset: Logset, place: ClsRegion) -> JsonObject:
    topics = _topics_in(logset, place)
    metric_topics = sum(1 for topic in topics if topic.settings.get("BizType", 0) == 1)
    return {
        "LogsetId": logset.logset_id,
        "LogsetName": logset.name,
        "CreateTime": local_time(logset.created_at),
        "AssumerUin": 0,
        "AssumerName": "",
        "Tags": _shown_tags(logset.tags),
        "TopicCount": len(topics) - metric_topics,
        "RoleName": "",
        "MetricTopicCount": metric_topics,
    }


def _shown_topic(topic: Topic) -> JsonObject:
    defaults: dict[str, Json] = {
        "PartitionCount": 1,
        "AutoSplit": True,
        "MaxSplitPartitions": 50,
        "StorageType": "hot",
        "Period": 30,
        "Describes": "",
        "HotPeriod": 0,
        "BizType": 0,
        "IsWebTracking": False,
        "Extends": {"AnonymousAccess": None},
        "IsSourceFrom": False,
        "BillingMode": 0,
    }
    return {
        **defaults,
        **topic.settings,
        "LogsetId": topic.logset_id,
        "TopicId": topic.topic_id,
        "TopicName": topic.name,
        "Index": topic.index is not None and topic.index.status,
        "AssumerUin": 0,
        "AssumerName": "",
        "CreateTime": local_time(topic.created_at),
        "Status": topic.collecting,
        "Tags": _shown_tags(topic.tags),
        "RoleName": "",
        "SubAssumerName": "",
        "KeyId": "",
        "TopicAsyncTaskID": "",
        "MigrationStatus": 0,
        "EffectiveDate": "",
        "NewBillingMode": topic.settings.get("BillingMode", 0),
    }


def _shown_tags(tags: JsonObject) -> list[JsonObject]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _checked_name(parameter: str, name: str) -> str:
    if not name or "|" in name or len(name.encode()) > 255 or name in _RESERVED_NAMES:
        raise invalid_parameter(
            f"`{parameter}` must have 1 to 255 bytes, no `|`, and not be a reserved name."
        )
    return name


def _check_topic_settings(settings: JsonObject) -> None:
    partitions = _integer(settings, "PartitionCount", 1)
    if not 1 <= partitions <= _MAX_PARTITIONS:
        raise invalid_value("PartitionCount", partitions, f"1 to {_MAX_PARTITIONS}")
    storage = settings.get("StorageType", "hot")
    if storage not in {"hot", "cold"}:
        raise invalid_value("StorageType", storage, "hot or cold")
    days = _integer(settings, "Period", 30)
    if storage == "cold" and 0 < days < 7:
        raise ActionError("FailedOperation.InvalidPeriod", "Cold storage keeps logs for at least 7 days.")
    if not 1 <= days <= 3600 and days != _FOREVER_DAYS:
        raise invalid_value("Period", days, f"1 to 3600, or {_FOREVER_DAYS} for ever")


def _integer(settings: JsonObject, name: str, default: int) -> int:
    value = settings.get(name, default)
    return value if isinstance(value, int) else default
