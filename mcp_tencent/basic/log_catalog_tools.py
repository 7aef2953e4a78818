"""Tools that know where logs lie: logsets, topics, indexes, dashboards; and make new ones."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.log_answers import (
    CreatedAnswer,
    IndexAnswer,
    IndexFieldLine,
    LogsetLine,
    LogsetsAnswer,
    TopicLine,
    TopicsAnswer,
)
from mcp_tencent.basic.log_tools import TopicName
from mcp_tencent.basic.paging import Cursor, page_of
from mcp_tencent.basic.wording import some
from mcp_tencent.errors import AlreadyExists, InvalidRequest
from mcp_tencent.models.aliases import ALIAS_KEY, aliases_in
from mcp_tencent.models.clusters import Place
from mcp_tencent.models.logs import FieldType, IndexField, Logset, Topic, TopicIndex
from mcp_tencent.naming.located import LocatedTopic
from mcp_tencent.serving.declare import DryRun, ToolSet

FOR_EVER_DAYS = 3640
NewName = Annotated[
    str,
    Field(
        description="Name of what is created: 1 to 255 bytes, no `|`.",
        min_length=1,
        max_length=255,
        pattern=r"^[^|\x00-\x1f]+$",
    ),
]


def log_catalog_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="cls")
    _declare_lists(tools, desk)
    _declare_index(tools, desk)
    _declare_creation(tools, desk)
    return tools


def _declare_lists(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("列出日志集", cache_s=10.0)
    async def list_logsets(cursor: Cursor = None) -> LogsetsAnswer:
        """List the logsets (folders of log topics) of all configured accounts and regions.

        For “有哪些日志集”. To find out where an application's lines are, list_topics is the better tool.

        Example: list_logsets().
        """
        found = [(place, one) for place in desk.clouds.places for one in await desk.logs(place).logsets()]
        page = page_of(found, lambda pair: _logset_line(*pair), cursor=cursor)
        names = some([one.name for _, one in found])
        return LogsetsAnswer(
            summary=f"共{len(found)}个日志集：{names}。" if found else "还没有日志集。",
            logsets=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )

    @tools.read("列出日志主题", cache_s=10.0)
    async def list_topics(
        name: Annotated[
            str | None,
            Field(description="Only topics whose name or alias contains this.", min_length=1, max_length=200),
        ] = None,
        cursor: Cursor = None,
    ) -> TopicsAnswer:
        """List the log topics: where log lines lie, for how long, and whether they can be searched.

        For “有哪些日志主题”, “日志保留多久”. What stands in a topic is found by search_logs, which fields it
        has by describe_index.

        Example: list_topics(name="业务").
        """
        wanted = (name or "").lower()
        found = [
            located
            for place in desk.clouds.places
            for one in await desk.logs(place).topics()
            if _called(located := _located(place, one), wanted)
        ]
        page = page_of(found, _topic_line, cursor=cursor)
        blind = [one.alias for one in found if not one.topic.indexed]
        words = (
            f"共{len(found)}个日志主题：{some([one.alias for one in found])}"
            if found
            else "没有这样的日志主题"
        )
        if blind:
            words += f"；{some(blind)}没有建索引，查不了"
        return TopicsAnswer(
            summary=f"{words}。", topics=page.items, left_out=page.left_out, cursor=page.cursor
        )


def _declare_index(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("查看日志索引", cache_s=10.0)
    async def describe_index(topic: TopicName, cursor: Cursor = None) -> IndexAnswer:
        """Tell which fields of a topic can be searched as field:value, compared as numbers, or used in SQL.

        For “能按什么字段查”, and before writing a query for a topic that you do not know.

        Example: describe_index(topic="业务日志").
        """
        found = await desk.naming.topic(topic)
        index = await desk.logs(found.place).index(found.topic.topic_id)
        page = page_of(index.fields, _field_line, cursor=cursor)
        return IndexAnswer(
            summary=f"{found.preface}{found.alias}{_index_words(index)}。",
            topic_id=index.topic_id,
            enabled=index.enabled,
            full_text=index.full_text,
            case_sensitive=index.case_sensitive,
            fields=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )


def _declare_creation(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.write("新建日志集")
    async def create_logset(name: NewName, dry_run: DryRun = False) -> CreatedAnswer:
        """Create a logset, a folder of log topics, in the default account and region.

        For “建一个叫支付的日志集”. Refused when the name is taken.

        Example: create_logset(name="支付日志集").
        """
        place, wanted = desk.clouds.places[0], _checked(name)
        if any(one.name == wanted for one in await desk.logs(place).logsets()):
            raise AlreadyExists(f"there is a logset {wanted!r} already: nothing was created")
        logset_id = None
        if not dry_run:
            logset_id = await desk.logs(place).create_logset(wanted, idempotency_key=desk.new_key())
        return _created("日志集", wanted, place, logset_id, dry_run=dry_run)

    @tools.write("新建日志主题")
    async def create_topic(
        logset: Annotated[
            str, Field(description="Id or name of the logset to put it into.", min_length=1, max_length=200)
        ],
        name: NewName,
        retention_days: Annotated[
            int, Field(description="How long lines are kept: 1 to 3600, or 3640 for ever.", ge=1, le=3640)
        ] = 30,
        dry_run: DryRun = False,
    ) -> CreatedAnswer:
        """Create a log topic with a full-text index, so that its lines can be searched at once.

        For “在支付日志集里建一个主题，保留七天”. Nothing writes to it by itself: collection is set up in the
        console or the cluster. Refused when the name is taken in that logset.

        Example: create_topic(logset="支付日志集", name="对账日志", retention_days=7).
        """
        wanted = _checked(name)
        if 3600 < retention_days < FOR_EVER_DAYS:
            raise InvalidRequest(f"retention_days is 1 to 3600, or 3640 for ever, not {retention_days}")
        found = await desk.naming.logset(logset, certain=True)
        service = desk.logs(found.place)
        there = await service.topics(logset_id=found.logset.logset_id)
        if any(one.name == wanted for one in there):
            raise AlreadyExists(f"there is a topic {wanted!r} in that logset already: nothing was created")
        topic_id = None
        if not dry_run:
            topic_id = await service.create_topic(
                found.logset.logset_id, wanted, retention_days=retention_days, idempotency_key=desk.new_key()
            )
        return _created("日志主题", wanted, found.place, topic_id, dry_run=dry_run)


def _created(what: str, name: str, place: Place, thing_id: str | None, *, dry_run: bool) -> CreatedAnswer:
    return CreatedAnswer(
        summary=f"试运行：会新建{what}{name}，现在没有改动。" if dry_run else f"{what}{name}建好了。",
        dry_run=dry_run,
        id=thing_id,
        name=name,
        region=place.region,
        account=place.account,
    )


def _checked(name: str) -> str:
    stripped = name.strip()
    if not stripped or len(stripped.encode()) > 255:
        raise InvalidRequest(f"a name has 1 to 255 bytes, not {len(stripped.encode())}: nothing was created")
    return stripped


def _located(place: Place, topic: Topic) -> LocatedTopic:
    aliases = aliases_in(topic.tags.get(ALIAS_KEY, ""))
    return LocatedTopic(place=place, topic=topic, alias=aliases[0] if aliases else topic.name)


def _called(found: LocatedTopic, wanted: str) -> bool:
    return (
        wanted in found.topic.name.lower() or wanted in found.alias.lower() or wanted == found.topic.topic_id
    )


def _logset_line(place: Place, logset: Logset) -> LogsetLine:
    return LogsetLine(
        id=logset.logset_id,
        name=logset.name,
        topics=logset.topics,
        region=place.region,
        account=place.account,
    )


def _topic_line(found: LocatedTopic) -> TopicLine:
    topic = found.topic
    return TopicLine(
        id=topic.topic_id,
        name=topic.name,
        alias=found.alias,
        logset_id=topic.logset_id,
        region=found.place.region,
        retention_days=topic.retention_days,
        indexed=topic.indexed,
        collecting=topic.collecting,
    )


def _field_line(field: IndexField) -> IndexFieldLine:
    return IndexFieldLine(name=field.name, type=field.type.value, analysable=field.analysable)


def _index_words(index: TopicIndex) -> str:
    if not index.enabled:
        return "没有开启索引，查不了"
    numbers = sum(field.type is not FieldType.TEXT for field in index.fields)
    if not index.fields:
        return "只有全文索引，没有字段"
    counted = f"，其中{numbers}个是数字" if numbers else ""
    return f"可以按{len(index.fields)}个字段查{counted}：{some([field.name for field in index.fields], 5)}"
