"""Tools that look at alarm policies and what they raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from mcp_tencent.basic.alarm_answers import (
    AlarmHistoryAnswer,
    AlarmLine,
    AlarmLogAnswer,
    AlarmRecordLine,
    AlarmRunLine,
    AlarmsAnswer,
    NoticeLine,
    NoticesAnswer,
)
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.paging import Cursor, cut, page_of
from mcp_tencent.basic.parameters import PeriodText
from mcp_tencent.basic.wording import some
from mcp_tencent.models.alarms import Alarm, AlarmLevel, AlarmNotice, AlarmRecord, AlarmRun, AlarmStatus
from mcp_tencent.models.clusters import Place
from mcp_tencent.period_words import spoken_instant, spoken_period
from mcp_tencent.periods import Period
from mcp_tencent.serving.declare import ToolSet
from mcp_tencent.side_by_side import side_by_side

LEVEL_WORDS = {AlarmLevel.INFO: "提示", AlarmLevel.WARN: "警告", AlarmLevel.CRITICAL: "严重"}

AlarmName = Annotated[
    str,
    Field(
        description="Id, name or alias of an alarm policy, e.g. 订单服务错误率过高.",
        min_length=1,
        max_length=255,
    ),
]


def alarm_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="cls")
    _declare_lists(tools, desk)
    _declare_history(tools, desk)
    _declare_log(tools, desk)
    return tools


def _declare_lists(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("列出告警策略", cache_s=5.0)
    async def list_alarms(
        name: Annotated[
            str | None,
            Field(description="Only policies whose name contains this.", min_length=1, max_length=255),
        ] = None,
        enabled: Annotated[
            bool | None, Field(description="Only those that are on, or off; all when left out.")
        ] = None,
        cursor: Cursor = None,
    ) -> AlarmsAnswer:
        """List the alarm policies: what they watch, their condition and level, and who is told.

        For “配了哪些告警”, “哪些告警是关着的”. What they raised is alarm_history.

        Example: list_alarms(enabled=false).
        """
        found: list[tuple[Place, Alarm, list[str]]] = []
        for place in desk.clouds.places:
            service = desk.logs(place)
            alarms, notices = await service.alarms(enabled=enabled), await service.alarm_notices()
            names = {notice.notice_id: notice.name for notice in notices}
            found += [
                (place, alarm, [names.get(each, each) for each in alarm.notice_ids])
                for alarm in alarms
                if (name or "").lower() in alarm.name.lower()
            ]
        page = page_of(found, lambda each: _alarm_line(*each), cursor=cursor)
        return AlarmsAnswer(
            summary=_alarms_words([alarm for _, alarm, _ in found]),
            alarms=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )

    @tools.read("列出告警通知组", cache_s=10.0)
    async def list_alarm_notices(cursor: Cursor = None) -> NoticesAnswer:
        """List the groups of receivers that alarm policies can tell; create_alarm takes one as `notice`.

        For “告警都通知谁”. Who gets reports of this assistant is get_delivery.

        Example: list_alarm_notices().
        """
        found = [
            (place, one) for place in desk.clouds.places for one in await desk.logs(place).alarm_notices()
        ]
        page = page_of(found, lambda pair: _notice_line(*pair), cursor=cursor)
        names = some([one.name for _, one in found])
        return NoticesAnswer(
            summary=f"共{len(found)}个通知组：{names}。" if found else "还没有通知组。",
            notices=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )


def _declare_history(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("告警历史", cache_s=5.0, deadline_s=40.0)
    async def alarm_history(
        period: PeriodText = "1h",
        status: Annotated[
            Literal["all", "open", "recovered"], Field(description="Only those that last, or are over.")
        ] = "all",
        level: Annotated[
            Literal["all", "info", "warn", "critical"], Field(description="Only those of one level.")
        ] = "all",
        alarm: Annotated[
            str | None,
            Field(description="Id or name of one policy; all when left out.", min_length=1, max_length=255),
        ] = None,
        cursor: Cursor = None,
    ) -> AlarmHistoryAnswer:
        """List the alarms that were raised in a period: those still open first, the most severe first.

        For “昨晚有哪些告警”, “还有没恢复的告警吗”. These are single alarms as the cloud sent them;
        list_alerts groups them by cause and scores them.

        Example: alarm_history(period="yesterday", level="critical").
        """
        stretch = desk.period(period)
        wanted_status = None if status == "all" else AlarmStatus(status)
        wanted_level = None if level == "all" else AlarmLevel[level.upper()]
        located = None if alarm is None else await desk.naming.alarm(alarm)
        places = desk.clouds.places if located is None else (located.place,)
        alarm_id = "" if located is None else located.alarm.alarm_id

        async def ask(place: Place) -> Sequence[AlarmRecord]:
            return await desk.logs(place).alarm_records(
                stretch.start, stretch.end, status=wanted_status, level=wanted_level, alarm_id=alarm_id
            )

        answers = await side_by_side(ask(place) for place in places)
        records = sorted((one for answer in answers for one in answer), key=_worst_first)
        page = page_of(records, lambda record: _record_line(desk, record), cursor=cursor)
        preface = located.preface if located else ""
        return AlarmHistoryAnswer(
            summary=preface + _history_words(desk, records, period, stretch),
            total=len(records),
            open=sum(one.status is AlarmStatus.OPEN for one in records),
            critical=sum(one.level is AlarmLevel.CRITICAL for one in records),
            records=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )


def _declare_log(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("告警执行记录", cache_s=5.0)
    async def alarm_log(alarm: AlarmName, period: PeriodText = "1h", cursor: Cursor = None) -> AlarmLogAnswer:
        """List the runs of one alarm policy: when it looked, whether its condition held, whom it told.

        For “这个告警为什么没响”. The latest thousand runs of the period are looked at.

        Example: alarm_log(alarm="订单服务错误率过高", period="1h").
        """
        stretch = desk.period(period)
        found = await desk.naming.alarm(alarm)
        runs = await desk.logs(found.place).alarm_runs(found.alarm.alarm_id, stretch.start, stretch.end)
        page = page_of(runs, lambda run: _run_line(desk, run), cursor=cursor)
        matched = [run for run in runs if run.matched]
        when = spoken_period(period, stretch, desk.zone)
        words = f"{when}{found.alias}执行了{len(runs)}次，触发{len(matched)}次"
        if matched:
            words += f"，最近一次在{spoken_instant(matched[0].ran_at, desk.now(), desk.zone)}"
        if not runs:
            words = f"{when}{found.alias}没有执行过" + ("" if found.alarm.enabled else "，它是关着的")
        return AlarmLogAnswer(
            summary=f"{found.preface}{words}。",
            alarm=found.alarm.name,
            total=len(runs),
            matched=len(matched),
            runs=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )


def _worst_first(record: AlarmRecord) -> tuple[bool, int, float]:
    return (record.status is not AlarmStatus.OPEN, -record.level, -record.raised_at.timestamp())


def _history_words(desk: BasicDesk, records: Sequence[AlarmRecord], period: str, stretch: Period) -> str:
    when = spoken_period(period, stretch, desk.zone)
    if not records:
        return f"{when}没有告警。"
    lasting = sum(one.status is AlarmStatus.OPEN for one in records)
    critical = sum(one.level is AlarmLevel.CRITICAL for one in records)
    names = Counter(one.alarm_name for one in records)
    parts = [f"{when}共{len(records)}条告警"]
    if lasting:
        parts.append(f"{lasting}条还没恢复")
    if critical:
        parts.append(f"{critical}条是严重级别")
    worst = records[0]
    at = spoken_instant(worst.raised_at, desk.now(), desk.zone)
    parts.append(f"最要紧的是{at}的{worst.alarm_name}")
    most, times = names.most_common(1)[0]
    if times > 1 and len(names) > 1:
        parts.append(f"最多的是{most}，{times}条")
    return "，".join(parts) + "。"


def _alarms_words(alarms: Sequence[Alarm]) -> str:
    if not alarms:
        return "没有这样的告警策略。"
    off = [alarm.name for alarm in alarms if not alarm.enabled]
    silent = [alarm.name for alarm in alarms if not alarm.notice_ids]
    words = f"共{len(alarms)}条告警策略"
    if off:
        words += f"，{len(off)}条关着：{some(off)}"
    if silent:
        words += f"，{len(silent)}条没有通知任何人"
    return f"{words}。"


def _alarm_line(place: Place, alarm: Alarm, notices: list[str]) -> AlarmLine:
    first = alarm.queries[0] if alarm.queries else None
    return AlarmLine(
        id=alarm.alarm_id,
        name=alarm.name,
        enabled=alarm.enabled,
        level=alarm.level.name.lower(),
        condition=cut(alarm.condition, 200),
        topic=(first.topic_name or first.topic_id) if first else "",
        query=cut(first.query, 200) if first else "",
        window_minutes=int(first.window.total_seconds() // 60) if first else 0,
        notices=notices,
        region=place.region,
    )


def _notice_line(place: Place, notice: AlarmNotice) -> NoticeLine:
    return NoticeLine(
        id=notice.notice_id,
        name=notice.name,
        receivers=notice.receivers,
        callbacks=notice.callbacks,
        region=place.region,
    )


def _record_line(desk: BasicDesk, record: AlarmRecord) -> AlarmRecordLine:
    return AlarmRecordLine(
        id=record.record_id,
        alarm=record.alarm_name,
        alarm_id=record.alarm_id,
        level=record.level.name.lower(),
        status=record.status.value,
        raised_at=desk.told(record.raised_at) or "",
        minutes=int(record.duration.total_seconds() // 60),
        trigger=cut(record.trigger, 120),
        topic=record.topic_name,
        group={key: cut(value, 80) for key, value in record.group},
    )


def _run_line(desk: BasicDesk, run: AlarmRun) -> AlarmRunLine:
    return AlarmRunLine(
        ran_at=desk.told(run.ran_at) or "",
        matched=run.matched,
        outcome=run.outcome,
        trigger=cut(run.trigger, 120),
        notified=run.notified,
        summary=cut(run.summary, 120),
    )
