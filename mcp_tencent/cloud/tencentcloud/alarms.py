"""CLS: alarm policies and what they raised."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tencentcloud.cls.v20201016 import models

from mcp_tencent.cloud.answers import reading
from mcp_tencent.cloud.tencentcloud.caller import TencentCaller, request_of
from mcp_tencent.cloud.tencentcloud.instants import from_milliseconds, parse_instant, to_milliseconds
from mcp_tencent.cloud.tencentcloud.log_catalog import KEY_TAG, filters_of, key_tags, tags_of
from mcp_tencent.errors import AlreadyExists, InvalidPeriod, InvalidRequest, NotFound
from mcp_tencent.models.alarms import (
    Alarm,
    AlarmDraft,
    AlarmEdit,
    AlarmLevel,
    AlarmNotice,
    AlarmQuery,
    AlarmRecord,
    AlarmRun,
    AlarmStatus,
)

CQL = 1
_LEVELS = {0: AlarmLevel.WARN, 1: AlarmLevel.INFO, 2: AlarmLevel.CRITICAL}
"""The service's numbers, which are not in order of severity."""
_LEVEL_NUMBERS = {level: number for number, level in _LEVELS.items()}
_STATUSES = {0: AlarmStatus.OPEN, 1: AlarmStatus.RECOVERED, 2: AlarmStatus.INVALID}
_STATUS_NUMBERS = {status: number for number, status in _STATUSES.items()}
_MINUTE = timedelta(minutes=1)
_DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class _Listed:
    """A policy with what only writing needs to know of it."""

    alarm: Alarm
    key: str | None
    """The idempotency key under which we created it."""
    graded: bool
    """Whether it has several conditions, each with its level."""


class TencentAlarms:
    """Implements `Alarms` on the SDK.

    A creation is safe to repeat under its key, which the policy carries as a tag; a change sets absolute
    values and is done when they are there; what is gone is deleted.
    """

    def __init__(self, caller: TencentCaller) -> None:
        self._caller = caller

    async def alarms(self, *, name: str = "", enabled: bool | None = None) -> Sequence[Alarm]:
        """See `Alarms.alarms`."""
        wanted = None if enabled is None else str(enabled).lower()
        return [found.alarm for found in await self._listed(name=name or None, enable=wanted)]

    async def _listed(self, **wanted: str | None) -> list[_Listed]:
        return await self._caller.every_page(
            self._caller.cls.DescribeAlarms,
            lambda offset, limit: request_of(
                models.DescribeAlarmsRequest, Filters=filters_of(**wanted), Offset=offset, Limit=limit
            ),
            lambda answer: answer.Alarms,
            _listed,
        )

    async def _find(self, alarm_id: str) -> _Listed | None:
        found = await self._listed(alarmId=alarm_id)
        return next((listed for listed in found if listed.alarm.alarm_id == alarm_id), None)

    async def alarm_records(
        self,
        start: datetime,
        end: datetime,
        *,
        status: AlarmStatus | None = None,
        level: AlarmLevel | None = None,
        alarm_id: str = "",
    ) -> Sequence[AlarmRecord]:
        """See `Alarms.alarm_records`."""
        if start >= end:
            raise InvalidPeriod(f"the period from {start.isoformat()} to {end.isoformat()} is empty")
        found = await self._caller.every_page(
            self._caller.cls.DescribeAlertRecordHistory,
            lambda offset, limit: request_of(
                models.DescribeAlertRecordHistoryRequest,
                From=to_milliseconds(start),
                To=to_milliseconds(end),
                Offset=offset,
                Limit=limit,
                Filters=filters_of(
                    status=None if status is None else str(_STATUS_NUMBERS[status]),
                    alarmLevel=None if level is None else str(_LEVEL_NUMBERS[level]),
                    alertId=alarm_id or None,
                ),
            ),
            lambda answer: answer.Records,
            _record,
        )
        # An alarm that is raised between two pages shifts the rest: the one at the seam comes twice.
        unique = {record.record_id: record for record in found}
        within = [record for record in unique.values() if start <= record.raised_at < end]
        return sorted(within, key=lambda record: (record.raised_at, record.record_id), reverse=True)

    async def alarm_runs(self, alarm_id: str, start: datetime, end: datetime) -> Sequence[AlarmRun]:
        """See `Alarms.alarm_runs`."""
        answer = await self._caller.read(
            self._caller.cls.GetAlarmLog,
            request_of(
                models.GetAlarmLogRequest,
                From=to_milliseconds(start),
                To=to_milliseconds(end),
                QueryString=f'alert_id:"{alarm_id}"',
                Limit=1000,
                Sort="desc",
                UseNewAnalysis=True,
            ),
        )
        with reading("GetAlarmLog"):
            return [_run(info) for info in answer.Results or ()]

    async def alarm_notices(self) -> Sequence[AlarmNotice]:
        """See `Alarms.alarm_notices`."""
        return await self._caller.every_page(
            self._caller.cls.DescribeAlarmNotices,
            lambda offset, limit: request_of(models.DescribeAlarmNoticesRequest, Offset=offset, Limit=limit),
            lambda answer: answer.AlarmNotices,
            _notice,
        )

    async def create_alarm(self, draft: AlarmDraft, *, idempotency_key: str | None = None) -> str:
        """See `Alarms.create_alarm`."""
        request = _creation(draft, idempotency_key)

        async def found() -> str | None:
            for listed in await self._listed(name=draft.name):
                if listed.alarm.name == draft.name:
                    if listed.key == idempotency_key:
                        return listed.alarm.alarm_id
                    raise AlreadyExists(f"the alarm name {draft.name!r} is taken by {listed.alarm.alarm_id}")
            return None

        async def send() -> str:
            return str((await self._caller.once(self._caller.cls.CreateAlarm, request)).AlarmId)

        return await self._caller.calling.write(
            f"create alarm {draft.name}", send, key=idempotency_key, done=found
        )

    async def edit_alarm(
        self, alarm_id: str, edit: AlarmEdit, *, idempotency_key: str | None = None
    ) -> Alarm:
        """See `Alarms.edit_alarm`."""
        listed = await self._find(alarm_id)
        if listed is None:
            raise NotFound(f"there is no alarm {alarm_id}")
        graded = edit.condition is not None or edit.level is not None
        if graded and listed.graded:
            raise InvalidRequest(f"alarm {alarm_id} has several graded conditions: edit those in the console")
        before = listed.alarm
        request = request_of(
            models.ModifyAlarmRequest,
            AlarmId=alarm_id,
            Status=edit.enabled,
            # The service takes condition and level as one pair.
            Condition=(edit.condition or before.condition) if graded else None,
            AlarmLevel=_LEVEL_NUMBERS[edit.level or before.level] if graded else None,
        )

        async def as_wanted() -> Alarm | None:
            now = await self._find(alarm_id)
            return now.alarm if now is not None and _fits(now.alarm, edit) else None

        async def send() -> Alarm:
            await self._caller.once(self._caller.cls.ModifyAlarm, request)
            now = await self._find(alarm_id)
            if now is None:
                raise NotFound(f"alarm {alarm_id} was deleted meanwhile")
            return now.alarm

        return await self._caller.calling.write(
            f"edit alarm {alarm_id}", send, key=idempotency_key, done=as_wanted
        )

    async def delete_alarm(self, alarm_id: str, *, idempotency_key: str | None = None) -> None:
        """See `Alarms.delete_alarm`."""

        async def gone() -> bool | None:
            return True if await self._find(alarm_id) is None else None

        async def send() -> bool:
            await self._caller.once(
                self._caller.cls.DeleteAlarm, request_of(models.DeleteAlarmRequest, AlarmId=alarm_id)
            )
            return True

        await self._caller.calling.write(f"delete alarm {alarm_id}", send, key=idempotency_key, done=gone)


def _creation(draft: AlarmDraft, key: str | None) -> models.CreateAlarmRequest:
    window = draft.window // _MINUTE
    every = draft.every // _MINUTE
    if not (1 <= window <= _DAY_MINUTES and window * _MINUTE == draft.window):
        raise InvalidRequest(f"an alarm looks back 1 minute to 1 day, in whole minutes, not {draft.window}")
    if not (1 <= every <= _DAY_MINUTES and every * _MINUTE == draft.every):
        raise InvalidRequest(f"an alarm runs every minute to every day, in whole minutes, not {draft.every}")
    if not draft.name.strip() or "|" in draft.name or len(draft.name.encode()) > 255:
        raise InvalidRequest("an alarm's name has 1 to 255 bytes and no '|'")
    return request_of(
        models.CreateAlarmRequest,
        Name=draft.name,
        AlarmTargets=[
            request_of(
                models.AlarmTarget,
                TopicId=draft.topic_id,
                LogsetId=draft.logset_id,
                Query=draft.query,
                SyntaxRule=CQL,
                Number=1,
                StartTimeOffset=-window,
                EndTimeOffset=0,
            )
        ],
        MonitorTime=request_of(models.MonitorTime, Type="Period", Time=every),
        Condition=draft.condition,
        AlarmLevel=_LEVEL_NUMBERS[draft.level],
        TriggerCount=draft.trigger_count,
        AlarmPeriod=draft.repeat_after // _MINUTE,
        AlarmNoticeIds=list(draft.notice_ids) or None,
        Status=True,
        Tags=key_tags(key),
    )


def _fits(alarm: Alarm, edit: AlarmEdit) -> bool:
    return (
        (edit.enabled is None or alarm.enabled == edit.enabled)
        and (edit.condition is None or alarm.condition == edit.condition)
        and (edit.level is None or alarm.level == edit.level)
    )


def _listed(info: Any) -> _Listed:  # noqa: ANN401 - AlarmInfo of the untyped SDK
    return _Listed(_alarm(info), tags_of(info.Tags).get(KEY_TAG), bool(info.MultiConditions))


def _alarm(info: Any) -> Alarm:  # noqa: ANN401 - AlarmInfo of the untyped SDK
    graded = [(_LEVELS.get(c.AlarmLevel, AlarmLevel.WARN), c.Condition) for c in info.MultiConditions or ()]
    plain = (_LEVELS.get(info.AlarmLevel, AlarmLevel.WARN), info.Condition or "")
    level, condition = max(graded, key=lambda pair: pair[0], default=plain)
    time = info.MonitorTime
    return Alarm(
        alarm_id=info.AlarmId,
        name=info.Name,
        enabled=info.Status is not False,
        level=level,
        condition=condition,
        queries=tuple(
            AlarmQuery(
                number=target.Number or 1,
                topic_id=target.TopicId or "",
                topic_name=target.TopicName or "",
                query=target.Query or "",
                window=((target.EndTimeOffset or 0) - (target.StartTimeOffset or 0)) * _MINUTE,
            )
            for target in info.AlarmTargets or ()
        ),
        every=time.Time * _MINUTE if time and time.Type == "Period" and time.Time else None,
        trigger_count=info.TriggerCount or 1,
        notice_ids=tuple(info.AlarmNoticeIds or ()),
        created_at=parse_instant(info.CreateTime),
        updated_at=parse_instant(info.UpdateTime),
    )


def _record(info: Any) -> AlarmRecord:  # noqa: ANN401 - AlertHistoryRecord of the untyped SDK
    return AlarmRecord(
        record_id=info.RecordId,
        alarm_id=info.AlarmId or "",
        alarm_name=info.AlarmName or "",
        topic_id=info.TopicId or "",
        topic_name=info.TopicName or "",
        region=info.Region or "",
        trigger=info.Trigger or "",
        level=_LEVELS.get(info.AlarmLevel, AlarmLevel.WARN),
        status=_STATUSES.get(info.Status, AlarmStatus.INVALID),
        raised_at=from_milliseconds(info.CreateTime),
        duration=(info.Duration or 0) * _MINUTE,
        group=tuple((pair.Key, pair.Value or "") for pair in info.GroupTriggerCondition or ()),
        notices=tuple(notice.Name or "" for notice in info.Notices or ()),
    )


def _run(info: Any) -> AlarmRun:  # noqa: ANN401 - LogInfo of the untyped SDK
    try:
        content = json.loads(info.LogJson or "{}")
    except ValueError:
        content = {}
    fields = {name: str(value) for name, value in content.items()} if isinstance(content, dict) else {}
    outcome = fields.get("condition_evaluate_result") or fields.get("status", "")
    return AlarmRun(
        alarm_id=fields.get("alert_id", ""),
        alarm_name=fields.get("alert_name", ""),
        ran_at=from_milliseconds(info.Time),
        matched=fields.get("reach_trigger", "").lower() == "true",
        outcome=outcome,
        summary=fields.get("summary_cn") or fields.get("process_error_msg", ""),
        notified=fields.get("notification_send_result", "NotSend") not in ("NotSend", "SendFail", ""),
        trigger=fields.get("trigger", ""),
    )


def _notice(info: Any) -> AlarmNotice:  # noqa: ANN401 - AlarmNotice of the untyped SDK
    rules = info.NoticeRules or ()
    receivers = len(info.NoticeReceivers or ()) + sum(len(rule.NoticeReceivers or ()) for rule in rules)
    callbacks = len(info.WebCallbacks or ()) + sum(len(rule.WebCallbacks or ()) for rule in rules)
    return AlarmNotice(
        notice_id=info.AlarmNoticeId,
        name=info.Name,
        receivers=receivers,
        callbacks=callbacks,
        updated_at=parse_instant(info.UpdateTime),
    )
