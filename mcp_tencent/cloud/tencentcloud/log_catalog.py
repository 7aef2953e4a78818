"""CLS: where logs lie. Names are unique here, and what we create carries its idempotency key as a tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from tencentcloud.cls.v20201016 import models

from mcp_tencent.cloud.answers import reading
from mcp_tencent.cloud.tencentcloud.caller import TencentCaller, request_of
from mcp_tencent.cloud.tencentcloud.instants import parse_instant
from mcp_tencent.errors import AlreadyExists, InvalidRequest, NotFound
from mcp_tencent.models.logs import (
    Dashboard,
    FieldType,
    IndexField,
    Logset,
    ScheduledSql,
    Topic,
    TopicIndex,
)

KEY_TAG = "xiaozhi-idempotency-key"
FOR_EVER_DAYS = 3640
_TOKENIZER = "@&?|#()='\",;:<>[]{}/ \n\t\r\\"
_PERIOD_UNITS = {1: timedelta(minutes=1), 2: timedelta(seconds=1)}
"""By ProcessPeriodUnit; minutes when it is not given."""
_FIELD_TYPES = {kind.value: kind for kind in FieldType}
_TASK_STATUS = {1: "running", 2: "stopped", 3: "failed"}


class TencentLogCatalog:
    """Implements `LogCatalog` on the SDK.

    A creation is safe to repeat under its key: before each sending the name is looked up; one that carries
    the key as a tag is what was created before. A deletion is safe because what is gone is gone.
    """

    def __init__(self, caller: TencentCaller) -> None:
        self._caller = caller

    async def logsets(self) -> Sequence[Logset]:
        """See `LogCatalog.logsets`."""
        return await self._logsets(None)

    async def _logsets(self, name: str | None) -> list[Logset]:
        return await self._caller.every_page(
            self._caller.cls.DescribeLogsets,
            lambda offset, limit: request_of(
                models.DescribeLogsetsRequest,
                Filters=filters_of(logsetName=name),
                Offset=offset,
                Limit=limit,
            ),
            lambda answer: answer.Logsets,
            _logset,
        )

    async def topics(self, *, name: str = "", logset_id: str = "") -> Sequence[Topic]:
        """See `LogCatalog.topics`."""
        return await self._caller.every_page(
            self._caller.cls.DescribeTopics,
            lambda offset, limit: request_of(
                models.DescribeTopicsRequest,
                Filters=filters_of(topicName=name or None, logsetId=logset_id or None),
                Offset=offset,
                Limit=limit,
            ),
            lambda answer: answer.Topics,
            _topic,
        )

    async def index(self, topic_id: str) -> TopicIndex:
        """See `LogCatalog.index`."""
        answer = await self._caller.read(
            self._caller.cls.DescribeIndex, request_of(models.DescribeIndexRequest, TopicId=topic_id)
        )
        with reading("DescribeIndex"):
            return _index(topic_id, answer)

    async def dashboards(self, *, name: str = "") -> Sequence[Dashboard]:
        """See `LogCatalog.dashboards`."""
        return await self._caller.every_page(
            self._caller.cls.DescribeDashboards,
            lambda offset, limit: request_of(
                models.DescribeDashboardsRequest,
                Filters=filters_of(dashboardName=name or None),
                Offset=offset,
                Limit=limit,
            ),
            lambda answer: answer.DashboardInfos,
            _dashboard,
        )

    async def scheduled_sql(self) -> Sequence[ScheduledSql]:
        """See `LogCatalog.scheduled_sql`."""
        return await self._caller.every_page(
            self._caller.cls.DescribeScheduledSqlInfo,
            lambda offset, limit: request_of(
                models.DescribeScheduledSqlInfoRequest, Offset=offset, Limit=limit
            ),
            lambda answer: answer.ScheduledSqlTaskInfos,
            _scheduled_sql,
        )

    async def create_logset(self, name: str, *, idempotency_key: str | None = None) -> str:
        """See `LogCatalog.create_logset`."""
        checked = _checked_name(name)

        async def found() -> str | None:
            there = await self._logsets(checked)
            return _ours([(s.name, s.logset_id, s.tags) for s in there], checked, idempotency_key)

        async def send() -> str:
            request = request_of(
                models.CreateLogsetRequest, LogsetName=checked, Tags=key_tags(idempotency_key)
            )
            return str((await self._caller.once(self._caller.cls.CreateLogset, request)).LogsetId)

        return await self._caller.calling.write(
            f"create logset {checked}", send, key=idempotency_key, done=found
        )

    async def create_topic(
        self, logset_id: str, name: str, *, retention_days: int = 30, idempotency_key: str | None = None
    ) -> str:
        """See `LogCatalog.create_topic`."""
        checked = _checked_name(name)
        if not (1 <= retention_days <= 3600 or retention_days == FOR_EVER_DAYS):
            raise InvalidRequest(
                f"retention must be 1 to 3600 days, or {FOR_EVER_DAYS}, got {retention_days}"
            )

        async def found() -> str | None:
            there = await self.topics(name=checked, logset_id=logset_id)
            return _ours([(t.name, t.topic_id, t.tags) for t in there], checked, idempotency_key)

        async def send() -> str:
            request = request_of(
                models.CreateTopicRequest,
                LogsetId=logset_id,
                TopicName=checked,
                Period=retention_days,
                Tags=key_tags(idempotency_key),
            )
            return str((await self._caller.once(self._caller.cls.CreateTopic, request)).TopicId)

        topic_id = await self._caller.calling.write(
            f"create topic {checked}", send, key=idempotency_key, done=found
        )
        await self._index_full_text(topic_id, idempotency_key)
        return topic_id

    async def _index_full_text(self, topic_id: str, key: str | None) -> None:
        async def found() -> bool | None:
            try:
                return (await self.index(topic_id)).full_text or None
            except NotFound:
                return None

        async def send() -> bool:
            full_text = request_of(
                models.FullTextInfo, CaseSensitive=False, Tokenizer=_TOKENIZER, ContainZH=True
            )
            request = request_of(
                models.CreateIndexRequest,
                TopicId=topic_id,
                Rule=request_of(models.RuleInfo, FullText=full_text),
                Status=True,
                IncludeInternalFields=True,
            )
            await self._caller.once(self._caller.cls.CreateIndex, request)
            return True

        await self._caller.calling.write(f"index topic {topic_id}", send, key=key, done=found)

    async def delete_topic(self, topic_id: str, *, idempotency_key: str | None = None) -> None:
        """See `LogCatalog.delete_topic`."""

        async def gone() -> bool | None:
            answer = await self._caller.read(
                self._caller.cls.DescribeTopics,
                request_of(models.DescribeTopicsRequest, Filters=filters_of(topicId=topic_id)),
            )
            return None if answer.Topics else True

        async def send() -> bool:
            await self._caller.once(
                self._caller.cls.DeleteTopic, request_of(models.DeleteTopicRequest, TopicId=topic_id)
            )
            return True

        await self._caller.calling.write(f"delete topic {topic_id}", send, key=idempotency_key, done=gone)

    async def delete_logset(self, logset_id: str, *, idempotency_key: str | None = None) -> None:
        """See `LogCatalog.delete_logset`."""

        async def gone() -> bool | None:
            answer = await self._caller.read(
                self._caller.cls.DescribeLogsets,
                request_of(models.DescribeLogsetsRequest, Filters=filters_of(logsetId=logset_id)),
            )
            return None if answer.Logsets else True

        async def send() -> bool:
            await self._caller.once(
                self._caller.cls.DeleteLogset, request_of(models.DeleteLogsetRequest, LogsetId=logset_id)
            )
            return True

        await self._caller.calling.write(f"delete logset {logset_id}", send, key=idempotency_key, done=gone)


def filters_of(**wanted: str | None) -> list[models.Filter] | None:
    """Return CLS filters (by Key, where the cluster service has Name); None when nothing is wanted."""
    found = [
        request_of(models.Filter, Key=key, Values=[value])
        for key, value in wanted.items()
        if value is not None
    ]
    return found or None


def tags_of(tags: Any) -> Mapping[str, str]:  # noqa: ANN401 - list of Tag of the untyped SDK
    """Return tags as a mapping."""
    return {tag.Key: tag.Value or "" for tag in tags or ()}


def key_tags(idempotency_key: str | None) -> list[models.Tag] | None:
    """Return the tag that marks what was created under a key."""
    if idempotency_key is None:
        return None
    return [request_of(models.Tag, Key=KEY_TAG, Value=idempotency_key)]


def _logset(info: Any) -> Logset:  # noqa: ANN401 - LogsetInfo of the untyped SDK
    return Logset(
        logset_id=info.LogsetId,
        name=info.LogsetName,
        topics=info.TopicCount or 0,
        created_at=parse_instant(info.CreateTime),
        tags=tags_of(info.Tags),
    )


def _topic(info: Any) -> Topic:  # noqa: ANN401 - TopicInfo of the untyped SDK
    return Topic(
        topic_id=info.TopicId,
        name=info.TopicName,
        logset_id=info.LogsetId or "",
        retention_days=info.Period or 0,
        indexed=bool(info.Index),
        collecting=info.Status is not False,
        partitions=info.PartitionCount or 0,
        created_at=parse_instant(info.CreateTime),
        tags=tags_of(info.Tags),
    )


def _dashboard(info: Any) -> Dashboard:  # noqa: ANN401 - DashboardInfo of the untyped SDK
    return Dashboard(
        dashboard_id=info.DashboardId,
        name=info.DashboardName,
        data_json=info.Data or "",
        topic_ids=tuple(topic.TopicId for topic in info.DashboardTopicInfos or ()),
        updated_at=parse_instant(info.UpdateTime),
    )


def _scheduled_sql(info: Any) -> ScheduledSql:  # noqa: ANN401 - ScheduledSqlTaskInfo of the untyped SDK
    return ScheduledSql(
        task_id=info.TaskId,
        name=info.Name,
        sql=info.ScheduledSqlContent or "",
        source_topic_id=info.SrcTopicId or "",
        target_topic_id=(info.DstResource.TopicId or "") if info.DstResource else "",
        every=(info.ProcessPeriod or 0) * _PERIOD_UNITS.get(info.ProcessPeriodUnit, timedelta(minutes=1)),
        enabled=info.EnableFlag == 1,
        status=_TASK_STATUS.get(info.Status, str(info.Status)),
    )


def _ours(there: Sequence[tuple[str, str, Mapping[str, str]]], name: str, key: str | None) -> str | None:
    """Return the id of the one created under this key, None when the name is free."""
    for found_name, found_id, tags in there:
        if found_name == name:
            if tags.get(KEY_TAG) == key:
                return found_id
            raise AlreadyExists(f"the name {name!r} is taken by {found_id}")
    return None


def _checked_name(name: str) -> str:
    stripped = name.strip()
    if not stripped or "|" in stripped or len(stripped.encode()) > 255:
        raise InvalidRequest("a name has 1 to 255 bytes and no '|'")
    return stripped


def _index(topic_id: str, answer: Any) -> TopicIndex:  # noqa: ANN401 - response of the untyped SDK
    rule = answer.Rule
    full_text = rule.FullText if rule else None
    keys = rule.KeyValue if rule else None
    return TopicIndex(
        topic_id=topic_id,
        enabled=bool(answer.Status),
        full_text=full_text is not None,
        full_text_tokenizer=(full_text.Tokenizer or "") if full_text else "",
        case_sensitive=bool(full_text.CaseSensitive) if full_text else False,
        fields=tuple(_index_field(entry) for entry in (keys.KeyValues if keys else None) or ()),
    )


def _index_field(entry: Any) -> IndexField:  # noqa: ANN401 - KeyValueInfo of the untyped SDK
    value = entry.Value
    return IndexField(
        name=entry.Key,
        type=_FIELD_TYPES.get((value.Type or "").lower(), FieldType.TEXT),
        tokenizer=value.Tokenizer or "",
        analysable=bool(value.SqlFlag),
        chinese=bool(value.ContainZH),
    )
