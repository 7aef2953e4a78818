"""Tools that create, change and delete alarm policies."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from mcp_tencent.basic.alarm_answers import AlarmChangeAnswer
from mcp_tencent.basic.alarm_conditions import LONGEST, QUERY_COUNT, Column, columns_of
from mcp_tencent.basic.alarm_tools import LEVEL_WORDS, AlarmName
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.lengths import parse_length
from mcp_tencent.basic.log_tools import TopicName
from mcp_tencent.basic.query_writing import split_statement
from mcp_tencent.errors import AlreadyExists, Ambiguous, InvalidRequest, NotFound
from mcp_tencent.gateway.call import Permission
from mcp_tencent.models.alarms import Alarm, AlarmDraft, AlarmEdit, AlarmLevel, AlarmNotice
from mcp_tencent.ports import LogService
from mcp_tencent.serving.declare import DryRun, ToolSet

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_MOST_CANDIDATES = 5

ConditionText = Annotated[
    str,
    Field(
        description="When it fires: compares columns of the query, e.g. $1.count > 10; joined by && and ||.",
        min_length=1,
        max_length=LONGEST,
    ),
]
Level = Literal["info", "warn", "critical"]


def alarm_change_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="cls")
    _declare_create(tools, desk)
    _declare_update(tools, desk)
    _declare_delete(tools, desk)
    return tools


def _declare_create(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.write("新建告警策略", permission=Permission.CONFIGURE)
    async def create_alarm(
        name: Annotated[
            str,
            Field(
                description="Name of the policy: 1 to 255 bytes, no `|`.",
                min_length=1,
                max_length=255,
                pattern=r"^[^|\x00-\x1f]+$",
            ),
        ],
        topic: TopicName,
        query: Annotated[
            str,
            Field(
                description="What is looked at: `search | select …`, whose columns the condition compares. "
                "Without a select, matching lines are counted under the column that the condition names.",
                min_length=1,
                max_length=10_000,
            ),
        ],
        condition: ConditionText,
        window: Annotated[
            str,
            Field(description='How far back each run looks: "1m" to "24h", whole minutes.', max_length=20),
        ] = "15m",
        level: Annotated[Level, Field(description="How severe it is.")] = "warn",
        notice: Annotated[
            str | None,
            Field(
                description="Id or name of the group that is told (list_alarm_notices). Left out: nobody.",
                min_length=1,
                max_length=255,
            ),
        ] = None,
        dry_run: DryRun = False,
    ) -> AlarmChangeAnswer:
        """Create an alarm policy on a log topic that runs every minute.

        For “订单错误超过十条就告警”. The query is run once before, so that a wrong query, or a condition on a
        column that it does not have, is refused with the reason. Refused when the name is taken: change an
        existing policy with update_alarm.

        Example: create_alarm(name="订单错误过多", topic="业务日志", query="level:ERROR | select count(*) as
        count", condition="$1.count > 10", window="5m", level="critical", notice="值班通知").
        """
        columns = columns_of(condition)
        span = _checked_window(window)
        wanted = name.strip()
        found = await desk.naming.topic(topic, certain=True)
        service = desk.logs(found.place)
        if any(one.name == wanted for one in await service.alarms(name=wanted)):
            raise AlreadyExists(f"there is an alarm {wanted!r} already: nothing was created")
        told = None if notice is None else _chosen_notice(notice, await service.alarm_notices())
        statement = _with_count(query, columns)
        await _check_query(service, found.topic.topic_id, statement, columns, desk.now(), span)
        alarm_id = None
        if not dry_run:
            draft = AlarmDraft(
                name=wanted,
                topic_id=found.topic.topic_id,
                logset_id=found.topic.logset_id,
                query=statement,
                condition=condition.strip(),
                window=span,
                level=AlarmLevel[level.upper()],
                notice_ids=() if told is None else (told.notice_id,),
            )
            # The key lets the adapter send it again after a fault and still create it once.
            alarm_id = await service.create_alarm(draft, idempotency_key=uuid.uuid4().hex)
        who = f"，通知{told.name}" if told else "，没有设通知"
        done = "试运行：可以新建" if dry_run else "已新建"
        return AlarmChangeAnswer(
            summary=f"{done}{LEVEL_WORDS[AlarmLevel[level.upper()]]}级告警{wanted}{who}。",
            dry_run=dry_run,
            id=alarm_id,
            name=wanted,
            changed=not dry_run,
            enabled=True,
            level=level,
            condition=condition.strip(),
            query=statement,
            notice=told.name if told else None,
        )


def _declare_update(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.write("修改告警策略", permission=Permission.CONFIGURE, naturally_idempotent=True)
    async def update_alarm(
        alarm: AlarmName,
        enabled: Annotated[
            bool | None, Field(description="Switch it on or off; unchanged when left out.")
        ] = None,
        condition: Annotated[
            str | None,
            Field(
                description='New condition, e.g. "$1.count > 20"; unchanged when left out.',
                min_length=1,
                max_length=LONGEST,
            ),
        ] = None,
        level: Annotated[Level | None, Field(description="New level; unchanged when left out.")] = None,
        dry_run: DryRun = False,
    ) -> AlarmChangeAnswer:
        """Switch an alarm policy on or off, or change its condition or level.

        For “关掉那个告警”, “阈值改成二十”. What is so already is left alone. The query cannot be changed:
        create a new policy and delete the old one.

        Example: update_alarm(alarm="订单错误过多", condition="$1.count > 20", level="critical").
        """
        if enabled is None and condition is None and level is None:
            raise InvalidRequest("give at least one of enabled, condition and level: nothing was changed")
        found = await desk.naming.alarm(alarm, certain=True)
        service = desk.logs(found.place)
        now = await _as_it_is(service, found.alarm)
        if condition is not None:
            _check_numbers(columns_of(condition), now)
        edit = AlarmEdit(
            enabled=enabled,
            condition=None if condition is None else condition.strip(),
            level=None if level is None else AlarmLevel[level.upper()],
        )
        before = _differences(now, edit)
        after = now
        if before and not dry_run:
            after = await service.edit_alarm(now.alarm_id, edit, idempotency_key=uuid.uuid4().hex)
        return AlarmChangeAnswer(
            summary=_update_words(now.name, edit, bool(before), dry_run=dry_run),
            dry_run=dry_run,
            id=now.alarm_id,
            name=now.name,
            changed=bool(before) and not dry_run,
            enabled=after.enabled,
            level=after.level.name.lower(),
            condition=after.condition,
            query=after.queries[0].query if after.queries else "",
            before=before,
        )


def _declare_delete(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.dangerous(
        "删除告警策略",
        read_back="删除告警策略{alarm}",
        permission=Permission.CONFIGURE,
        naturally_idempotent=True,
    )
    async def delete_alarm(alarm: AlarmName, dry_run: DryRun = False) -> AlarmChangeAnswer:
        """Delete an alarm policy for good; to silence it for a while, use update_alarm(enabled=false).

        For “删掉那个告警”. The answer holds the policy as it was, so that it can be made again.

        Example: delete_alarm(alarm="订单错误过多").
        """
        found = await desk.naming.alarm(alarm, certain=True)
        service = desk.logs(found.place)
        gone = await _as_it_is(service, found.alarm)
        if not dry_run:
            await service.delete_alarm(gone.alarm_id, idempotency_key=uuid.uuid4().hex)
        done = f"试运行：会删除告警策略{gone.name}，现在没有改动。"
        return AlarmChangeAnswer(
            summary=done if dry_run else f"告警策略{gone.name}已删除。",
            dry_run=dry_run,
            id=gone.alarm_id,
            name=gone.name,
            changed=not dry_run,
            enabled=gone.enabled,
            level=gone.level.name.lower(),
            condition=gone.condition,
            query=gone.queries[0].query if gone.queries else "",
        )


async def _as_it_is(service: LogService, known: Alarm) -> Alarm:
    """Look again: what naming knows may be some seconds old."""
    there = await service.alarms(name=known.name)
    found = next((one for one in there if one.alarm_id == known.alarm_id), None)
    if found is None:
        raise NotFound(f"the alarm {known.name!r} is gone: nothing was done")
    return found


def _checked_window(window: str) -> timedelta:
    span = parse_length("window", window)
    if span < _MINUTE or span > _DAY or span % _MINUTE:
        raise InvalidRequest(f"window is 1m to 24h in whole minutes, not {window!r}")
    return span


def _chosen_notice(said: str, notices: Sequence[AlarmNotice]) -> AlarmNotice:
    """Return the group of that id or name; nothing that is merely like it, for it is about to be used."""
    exact = [one for one in notices if said.strip() in (one.notice_id, one.name)]
    if len(exact) == 1:
        return exact[0]
    if len(exact) > 1:
        ids = [one.notice_id for one in exact]
        raise Ambiguous(f"{len(exact)} notice groups are called {said!r}", candidates=ids)
    names = [one.name for one in notices][:_MOST_CANDIDATES]
    shown = ", ".join(names) if names else "none"
    raise NotFound(f"no notice group is called {said[:80]!r}; there are: {shown}")


def _with_count(query: str, columns: frozenset[Column]) -> str:
    """Return the statement to run; a bare search is counted under the one column that the condition names."""
    search, sql = split_statement(query)
    names = {column.name for column in columns if column.query == 1}
    if sql:
        return f"{search or '*'} | {sql.rstrip(';').rstrip()}"
    if names == {QUERY_COUNT}:
        return search or "*"
    if len(names) != 1:
        raise InvalidRequest(
            f"the query has no select, so it has one count only, but the condition reads {sorted(names)}"
        )
    return f'{search or "*"} | select count(*) as "{names.pop()}"'


async def _check_query(
    service: LogService,
    topic_id: str,
    statement: str,
    columns: frozenset[Column],
    now: datetime,
    window: timedelta,
) -> None:
    """Run the query once, and see that it has what the condition reads.

    Raises:
        InvalidQuery: It does not run.
        InvalidRequest: The condition reads another query, or a column that is not there.
    """
    others = sorted({column.query for column in columns if column.query != 1})
    if others:
        raise InvalidRequest(f"there is one query, $1; the condition reads ${others[0]}: nothing was created")
    search, sql = split_statement(statement)
    if not sql:
        await service.search(topic_id, search, now - window, now, limit=1)
        return
    table = await service.analyze(topic_id, search, sql, now - window, now)
    known = {column.name for column in table.columns} | {QUERY_COUNT}
    missing = sorted(column.name for column in columns if column.name not in known)
    if missing:
        raise InvalidRequest(
            f"the condition reads {missing[0]!r}, but the query gives {', '.join(sorted(known))}: "
            "nothing was created"
        )


def _check_numbers(columns: frozenset[Column], alarm: Alarm) -> None:
    known = {query.number for query in alarm.queries}
    for column in sorted(columns, key=lambda each: each.query):
        if column.query not in known:
            raise InvalidRequest(
                f"the alarm has {len(known)} queries, the condition reads ${column.query}: not changed"
            )


def _differences(alarm: Alarm, edit: AlarmEdit) -> dict[str, str]:
    """Return what the edit would change, with the old values."""
    before: dict[str, str] = {}
    if edit.enabled is not None and edit.enabled != alarm.enabled:
        before["enabled"] = str(alarm.enabled).lower()
    if edit.condition is not None and edit.condition != alarm.condition:
        before["condition"] = alarm.condition
    if edit.level is not None and edit.level is not alarm.level:
        before["level"] = alarm.level.name.lower()
    return before


def _update_words(name: str, edit: AlarmEdit, differs: bool, *, dry_run: bool) -> str:
    wanted: list[str] = []
    if edit.enabled is not None:
        wanted.append("打开" if edit.enabled else "关闭")
    if edit.condition is not None:
        wanted.append(f"条件改为 {edit.condition}")
    if edit.level is not None:
        wanted.append(f"级别改为{LEVEL_WORDS[edit.level]}")
    words = "、".join(wanted)
    if not differs:
        return f"告警策略{name}本来就是这样，没有改动。"
    return f"试运行：告警策略{name}会{words}，现在没有改动。" if dry_run else f"告警策略{name}已{words}。"
