"""Notice groups: who is told when an alarm fires, and when they are left in peace."""

from __future__ import annotations

from mcp_tencent.local_cloud.tencent.calls import Action, Call, objects_of, texts_of
from mcp_tencent.local_cloud.tencent.cls.state import (
    AlarmShield,
    ClsRegion,
    ClsState,
    Resource,
    local_time,
    tags_of,
)
from mcp_tencent.local_cloud.tencent.errors import ActionError, RequestError, invalid_parameter
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject
from mcp_tencent.local_cloud.tencent.paging import containing, equal, matching, page

_SETTINGS = (
    "Tags",
    "Type",
    "NoticeReceivers",
    "WebCallbacks",
    "NoticeRules",
    "JumpDomain",
    "DeliverStatus",
    "DeliverConfig",
    "AlarmShieldStatus",
    "SecureDetailStatus",
    "CallbackPrioritize",
)


class NoticeActions:
    """Answers for notice groups from the state."""

    def __init__(self, state: ClsState) -> None:
        self._state = state

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "DescribeAlarmNotices": self.describe_alarm_notices,
            "CreateAlarmNotice": self.create_alarm_notice,
            "ModifyAlarmNotice": self.modify_alarm_notice,
            "DeleteAlarmNotice": self.delete_alarm_notice,
            "DescribeAlarmShields": self.describe_alarm_shields,
        }

    def describe_alarm_notices(self, call: Call) -> JsonObject:
        """List notice groups."""
        place = self._place(call)
        found = matching(
            call,
            list(place.notices.values()),
            {
                "name": containing(lambda notice: notice.name),
                "alarmNoticeId": equal(lambda notice: notice.resource_id),
                "uid": lambda notice, values: _receives(notice, "Uin", values),
                "groupId": lambda notice, values: _receives(notice, "Group", values),
                "deliverFlag": equal(lambda notice: str(_deliver_flag(notice))),
            },
            max_values=5,
            tags=lambda notice: tags_of(notice.settings),
        )
        counted = call.flag("HasAlarmShieldCount")
        return {
            "TotalCount": len(found),
            "AlarmNotices": [self._shown(notice, place, counted) for notice in page(call, found)],
        }

    def create_alarm_notice(self, call: Call) -> JsonObject:
        """Create a notice group."""
        settings = call.subset(_SETTINGS)
        _check_receivers(settings)
        notice = self._state.add_notice(call.region, _checked_name(call.text("Name")), settings)
        return {"AlarmNoticeId": notice.resource_id}

    def modify_alarm_notice(self, call: Call) -> JsonObject:
        """Change a notice group."""
        place = self._place(call)
        notice = _notice(place, call.text("AlarmNoticeId"))
        name = _checked_name(call.text("Name", notice.name))
        if any(other.name == name for other in place.notices.values() if other is not notice):
            message = f"The notice group {name[:60]} exists already."
            raise RequestError("InvalidParameter.AlarmNoticeConflict", message)
        changed = self._state.changed(notice, name, call.subset(_SETTINGS))
        _check_receivers(changed.settings)
        place.notices[notice.resource_id] = changed
        return {}

    def delete_alarm_notice(self, call: Call) -> JsonObject:
        """Delete a notice group that no alarm uses."""
        place = self._place(call)
        notice = _notice(place, call.text("AlarmNoticeId"))
        if any(notice.resource_id in texts_of(a.settings, "AlarmNoticeIds") for a in place.alarms.values()):
            raise ActionError("OperationDenied.NoticeHasAlarm", "An alarm still uses this notice group.")
        del place.notices[notice.resource_id]
        return {}

    def describe_alarm_shields(self, call: Call) -> JsonObject:
        """List the silences of a notice group."""
        place = self._place(call)
        notice = _notice(place, call.text("AlarmNoticeId"))
        now = self._state.clock.now()
        found = matching(
            call,
            [shield for shield in place.shields.values() if shield.notice_id == notice.resource_id],
            {
                "status": equal(lambda shield: str(shield.status_at(now))),
                "taskId": equal(lambda shield: shield.task_id),
            },
        )
        shown = [_shown_shield(shield, shield.status_at(now)) for shield in page(call, found)]
        return {"TotalCount": len(found), "AlarmShields": shown}

    def _shown(self, notice: Resource, place: ClsRegion, counted: bool) -> JsonObject:
        settings = {name: notice.settings.get(name) for name in _SETTINGS if name != "DeliverConfig"}
        defaults: dict[str, Json] = {
            "Tags": [],
            "Type": "",
            "NoticeReceivers": [],
            "WebCallbacks": [],
            "NoticeRules": [],
            "JumpDomain": "https://console.cloud.tencent.com",
            "DeliverStatus": 1,
            "AlarmShieldStatus": 2,
            "SecureDetailStatus": 1,
            "CallbackPrioritize": False,
        }
        config = notice.settings.get("DeliverConfig")
        return {
            **settings,
            **{name: value for name, value in defaults.items() if settings.get(name) is None},
            "Name": notice.name,
            "AlarmNoticeId": notice.resource_id,
            "CreateTime": local_time(notice.created_at),
            "UpdateTime": local_time(notice.updated_at),
            "AlarmNoticeDeliverConfig": None if config is None else {"DeliverConfig": config, "ErrMsg": ""},
            "DeliverFlag": _deliver_flag(notice),
            "AlarmShieldCount": self._shield_count(notice, place) if counted else None,
        }

    def _shield_count(self, notice: Resource, place: ClsRegion) -> JsonObject:
        now = self._state.clock.now()
        states = [s.status_at(now) for s in place.shields.values() if s.notice_id == notice.resource_id]
        return {
            "TotalCount": len(states),
            "InvalidCount": states.count(0),
            "ValidCount": states.count(1),
            "ExpireCount": states.count(2),
        }

    def _place(self, call: Call) -> ClsRegion:
        return self._state.region(call.region)


def _notice(place: ClsRegion, notice_id: str) -> Resource:
    if notice_id not in place.notices:
        message = f"The notice group {notice_id[:60]} does not exist."
        raise ActionError("ResourceNotFound.AlarmNoticeNotExist", message)
    return place.notices[notice_id]


def _deliver_flag(notice: Resource) -> int:
    """Return 1 (off) or 2 (on)."""
    return 2 if notice.settings.get("DeliverStatus") == 2 else 1


def _receives(notice: Resource, kind: str, values: object) -> bool:
    wanted = {str(value) for value in values} if isinstance(values, list | tuple) else set()
    for receiver in objects_of(notice.settings, "NoticeReceivers"):
        ids = receiver.get("ReceiverIds")
        if receiver.get("ReceiverType") == kind and isinstance(ids, list) and wanted & set(map(str, ids)):
            return True
    return False


def _check_receivers(settings: JsonObject) -> None:
    told = any(objects_of(settings, name) for name in ("NoticeReceivers", "WebCallbacks"))
    ruled = bool(objects_of(settings, "NoticeRules"))
    if told and ruled:
        message = "`NoticeRules` cannot be combined with `NoticeReceivers` or `WebCallbacks`."
        raise invalid_parameter(message)


def _checked_name(name: str) -> str:
    if not name or "|" in name or len(name.encode()) > 255:
        raise invalid_parameter("`Name` must have 1 to 255 bytes and no `|`.")
    return name


def _shown_shield(shield: AlarmShield, status: int) -> JsonObject:
    return {
        "AlarmNoticeId": shield.notice_id,
        "TaskId": shield.task_id,
        "StartTime": int(shield.start.timestamp()),
        "EndTime": int(shield.end.timestamp()),
        "Type": 1,
        "Rule": "",
        "Reason": shield.reason,
        "Source": 1,
        "Operator": shield.operator,
        "Status": status,
        "CreateTime": int(shield.created_at.timestamp()),
        "UpdateTime": int(shield.created_at.timestamp()),
    }
