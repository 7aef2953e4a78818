"""Scheduled SQL: analyses that run by the clock and write their rows into another topic.

Here the tasks are kept and listed; they do not run.
"""

from __future__ import annotations

from datetime import UTC, datetime

from mcp_tencent.local_cloud.tencent.calls import Action, Call, integer_of, object_of, text_of
from mcp_tencent.local_cloud.tencent.cls.state import ClsRegion, ClsState, Resource, local_time
from mcp_tencent.local_cloud.tencent.errors import (
    ActionError,
    RequestError,
    invalid_parameter,
    invalid_value,
    missing_parameter,
)
from mcp_tencent.local_cloud.tencent.json_types import JsonObject
from mcp_tencent.local_cloud.tencent.paging import containing, equal, matching, page
from mcp_tencent.local_cloud.tencent.regions import REGIONS

_SETTINGS = (
    "SrcTopicId",
    "EnableFlag",
    "DstResource",
    "ScheduledSqlContent",
    "ProcessStartTime",
    "ProcessType",
    "ProcessPeriod",
    "ProcessTimeWindow",
    "ProcessDelay",
    "SrcTopicRegion",
    "ProcessPeriodUnit",
    "ProcessEndTime",
    "SyntaxRule",
    "HasServicesLog",
    "FullQuery",
)
_RANGES = {
    "EnableFlag": range(1, 3),
    "ProcessType": range(1, 3),
    "ProcessPeriod": range(1, 1441),
    "ProcessDelay": range(121),
    "ProcessPeriodUnit": range(1, 3),
    "SyntaxRule": range(2),
    "HasServicesLog": range(1, 3),
    "FullQuery": range(1, 3),
    "ProcessStartTime": range(2**47),
    "ProcessEndTime": range(2**47),
}


class ScheduledSqlActions:
    """Answers for scheduled SQL tasks from the state."""

    def __init__(self, state: ClsState) -> None:
        self._state = state

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "CreateScheduledSql": self.create_scheduled_sql,
            "DescribeScheduledSqlInfo": self.describe_scheduled_sql_info,
            "ModifyScheduledSql": self.modify_scheduled_sql,
            "DeleteScheduledSql": self.delete_scheduled_sql,
        }

    def create_scheduled_sql(self, call: Call) -> JsonObject:
        """Create a task."""
        place, settings, name = self._place(call), call.subset(_SETTINGS), call.text("Name")
        self._check(settings, name)
        if settings.get("ProcessType") == 2 and "ProcessEndTime" not in settings:
            raise missing_parameter("ProcessEndTime")
        if any(task.name == name for task in place.tasks.values()):
            message = f"The task {name[:60]} exists already."
            raise RequestError("InvalidParameter.DataFromTaskConflict", message)
        task = self._state.new_resource("", name, settings)
        place.tasks[task.resource_id] = task
        return {"TaskId": task.resource_id}

    def describe_scheduled_sql_info(self, call: Call) -> JsonObject:
        """List tasks."""
        place = self._place(call)
        name, task_id = call.text("Name"), call.text("TaskId")
        tasks = [task for task in place.tasks.values() if name in task.name and task_id in task.resource_id]
        found = matching(
            call,
            tasks,
            {
                "srcTopicName": containing(lambda task: _topic_name(place, _source(task))),
                "dstTopicName": containing(lambda task: _topic_name(place, _destination(task))),
                "srcTopicId": equal(_source),
                "dstTopicId": equal(_destination),
                "bizType": equal(lambda task: str(_destination_kind(task))),
                "status": equal(lambda task: str(_status(task))),
                "taskName": containing(lambda task: task.name),
                "taskId": containing(lambda task: task.resource_id),
            },
        )
        shown = [_shown(task, place) for task in page(call, found)]
        return {"TotalCount": len(found), "ScheduledSqlTaskInfos": shown}

    def modify_scheduled_sql(self, call: Call) -> JsonObject:
        """Change a task."""
        place = self._place(call)
        task = _task(place, call)
        name = call.text("Name", task.name)
        changed = self._state.changed(task, name, call.subset(_SETTINGS))
        self._check(changed.settings, name)
        if any(other.name == name for other in place.tasks.values() if other is not task):
            message = f"The task {name[:60]} exists already."
            raise RequestError("InvalidParameter.DataFromTaskConflict", message)
        place.tasks[task.resource_id] = changed
        return {}

    def delete_scheduled_sql(self, call: Call) -> JsonObject:
        """Delete a task."""
        place = self._place(call)
        task = _task(place, call)
        if call.text("SrcTopicId") != _source(task):
            raise invalid_parameter("`SrcTopicId` is not the source of this task.")
        del place.tasks[task.resource_id]
        return {}

    def _check(self, settings: JsonObject, name: str) -> None:
        if not 1 <= len(name) <= 255:
            raise invalid_parameter("`Name` must have 1 to 255 characters.")
        for parameter, allowed in _RANGES.items():
            value = settings.get(parameter)
            if isinstance(value, int) and value not in allowed:
                raise invalid_value(parameter, value, f"{allowed.start} to {allowed.stop - 1}")
        if "|" not in text_of(settings, "ScheduledSqlContent"):
            raise invalid_parameter("`ScheduledSqlContent` must be an analysis: `condition | select …`.")
        source_region = text_of(settings, "SrcTopicRegion")
        destination = object_of(settings, "DstResource") or {}
        target_region = text_of(destination, "Region") or source_region
        for region, topic_id in (
            (source_region, text_of(settings, "SrcTopicId")),
            (target_region, text_of(destination, "TopicId")),
        ):
            if region not in REGIONS:
                message = f"The region {region[:60]} is not supported."
                raise RequestError("UnsupportedOperation.UnsupportedRegion", message)
            self._state.region(region).topic(topic_id)

    def _place(self, call: Call) -> ClsRegion:
        return self._state.region(call.region)


def _task(place: ClsRegion, call: Call) -> Resource:
    task_id = call.text("TaskId")
    if task_id not in place.tasks:
        message = f"The task {task_id[:60]} does not exist."
        raise ActionError("ResourceNotFound.DataFromTaskNotExist", message)
    return place.tasks[task_id]


def _source(task: Resource) -> str:
    return text_of(task.settings, "SrcTopicId")


def _destination(task: Resource) -> str:
    return text_of(object_of(task.settings, "DstResource") or {}, "TopicId")


def _destination_kind(task: Resource) -> int:
    return integer_of(object_of(task.settings, "DstResource") or {}, "BizType")


def _status(task: Resource) -> int:
    """Return 1 (running) or 2 (stopped)."""
    return 1 if task.settings.get("EnableFlag") == 1 else 2


def _topic_name(place: ClsRegion, topic_id: str) -> str:
    topic = place.topics.get(topic_id)
    return "" if topic is None else topic.name


def _shown(task: Resource, place: ClsRegion) -> JsonObject:
    settings = {name: task.settings[name] for name in _SETTINGS if name in task.settings}
    return {
        "ProcessPeriodUnit": 1,
        "SyntaxRule": 0,
        "HasServicesLog": 1,
        "FullQuery": 1,
        **settings,
        "ProcessStartTime": _time(task, "ProcessStartTime"),
        "ProcessEndTime": _time(task, "ProcessEndTime"),
        "TaskId": task.resource_id,
        "Name": task.name,
        "SrcTopicName": _topic_name(place, _source(task)),
        "CreateTime": local_time(task.created_at),
        "UpdateTime": local_time(task.updated_at),
        "Status": _status(task),
    }


def _time(task: Resource, name: str) -> str:
    value = integer_of(task.settings, name)
    return local_time(datetime.fromtimestamp(value / 1000, UTC)) if value else ""
