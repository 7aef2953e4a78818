"""Contract of `LogService`, through the real SDK against the imitated CLS."""

from datetime import timedelta

import pytest

from mcp_tencent import errors
from mcp_tencent.local_cloud.tencent.api_faults import FaultKind, FaultRule
from mcp_tencent.models.alarms import AlarmDraft, AlarmEdit, AlarmLevel, AlarmStatus
from mcp_tencent.models.logs import SortOrder
from mcp_tencent.ports import LogService
from tests.mcp_tencent.cloud.tencentcloud.conftest import Services
from tests.mcp_tencent.local_cloud.tencent.simulated_cloud import LOGSET, START, TOPIC, SimulatedCloud, alert

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DRAFT = AlarmDraft(
    name="支付失败",
    topic_id=TOPIC,
    logset_id=LOGSET,
    query="level:ERROR | select count(*) as errors",
    condition="$1.errors > 10",
    window=15 * MINUTE,
    level=AlarmLevel.CRITICAL,
)


@pytest.fixture
def logs(services: Services, cloud: SimulatedCloud) -> LogService:
    cloud.write(
        (0, "payment accepted", {"level": "INFO", "status": "200"}),
        (1, "payment timeout after 3000 ms", {"level": "ERROR", "status": "504"}),
        (1, "库存不足，下单失败", {"level": "ERROR", "status": "409"}),
        (5, "payment accepted", {"level": "INFO", "status": "200"}),
    )
    cloud.clock.advance(HOUR)
    return services.logs


async def test_lines_are_found_by_field_and_word_newest_first(logs):
    page = await logs.search(TOPIC, "level:ERROR", START, START + HOUR)
    assert [line.text for line in page.lines] == ["库存不足，下单失败", "payment timeout after 3000 ms"]
    assert page.complete
    assert page.lines[1].fields["status"] == "504"
    assert page.lines[1].at == START + MINUTE
    assert page.lines[1].source == "10.0.0.4"


async def test_the_end_of_a_period_is_not_part_of_it(logs):
    assert len((await logs.search(TOPIC, "*", START, START + 5 * MINUTE)).lines) == 3


async def test_pages_follow_each_other(logs):
    first = await logs.search(TOPIC, "*", START, START + HOUR, limit=3, order=SortOrder.OLDEST_FIRST)
    rest = await logs.search(TOPIC, "*", START, START + HOUR, limit=3, cursor=first.cursor)
    assert (len(first.lines), len(rest.lines), rest.complete) == (3, 1, True)
    assert len({line.pkg_log_id + line.pkg_id for line in (*first.lines, *rest.lines)}) == 4


@pytest.mark.parametrize("order", SortOrder)
async def test_more_lines_than_a_search_gives_are_all_read(services, cloud, order):
    for minute in range(12):
        cloud.write(*((minute, f"line {minute}-{n}", {}) for n in range(1000)))
    cloud.clock.advance(HOUR)
    found = services.logs.all_lines(TOPIC, "*", START, START + HOUR, order=order)
    lines = [line async for line in found]
    assert len(lines) == 12_000
    assert len({line.text for line in lines}) == 12_000
    times = [line.at for line in lines]
    assert times == sorted(times, reverse=order is SortOrder.NEWEST_FIRST)


async def test_a_histogram_counts_every_match_once(logs):
    histogram = await logs.histogram(TOPIC, "*", START, START + HOUR, interval=MINUTE)
    counts = {bucket.start: bucket.count for bucket in histogram.buckets if bucket.count}
    assert counts == {START: 1, START + MINUTE: 2, START + 5 * MINUTE: 1}
    assert histogram.total == 4


async def test_the_context_of_a_line_holds_its_neighbours_in_order(logs):
    page = await logs.search(TOPIC, "timeout", START, START + HOUR)
    line = page.lines[0]
    context = await logs.context(TOPIC, line.pkg_id, line.pkg_log_id, line.at, before=5, after=5)
    assert [found.text for found in context.lines] == [
        "payment accepted",
        "payment timeout after 3000 ms",
        "库存不足，下单失败",
        "payment accepted",
    ]
    assert (context.begins, context.ends) == (True, True)


async def test_an_analysis_gives_typed_rows(logs):
    table = await logs.analyze(
        TOPIC, "*", "select level, count(*) as n group by level order by n desc, level", START, START + HOUR
    )
    assert [column.name for column in table.columns] == ["level", "n"]
    assert table.rows == (("ERROR", 2), ("INFO", 2))


@pytest.mark.parametrize("query", ["level:(", '"unclosed', "level:ERROR AND AND"])
async def test_a_query_that_does_not_parse_tells_where(logs, query):
    with pytest.raises(errors.InvalidQuery) as caught:
        await logs.search(TOPIC, query, START, START + HOUR)
    assert caught.value.position is not None


async def test_an_analysis_that_does_not_parse_is_an_invalid_query(logs):
    with pytest.raises(errors.InvalidQuery):
        await logs.analyze(TOPIC, "*", "select nothing from nowhere where", START, START + HOUR)


async def test_an_unknown_topic_is_not_found(logs):
    with pytest.raises(errors.NotFound):
        await logs.search("33333333-3333-4333-8333-333333333333", "*", START, START + HOUR)


async def test_the_services_model_turns_a_question_into_a_query(logs):
    statement = await logs.text_to_query(TOPIC, "有多少错误日志")
    query, sql = statement.split(" | ")
    assert query == "level:ERROR"
    assert (await logs.analyze(TOPIC, query, sql, START, START + HOUR)).rows == ((2,),)


async def test_logsets_topics_and_indexes_are_listed(logs):
    assert [logset.name for logset in await logs.logsets()] == ["shop"]
    (topic,) = await logs.topics(name="shop")
    assert (topic.topic_id, topic.logset_id, topic.indexed) == (TOPIC, LOGSET, True)
    assert await logs.topics(name="nowhere") == []
    index = await logs.index(TOPIC)
    assert index.enabled
    assert {field.name: field.type for field in index.fields} == {
        "level": "text",
        "service": "text",
        "status": "long",
    }


async def test_more_than_a_hundred_topics_are_all_listed(logs, cloud):
    for number in range(230):
        cloud.cls.add_topic("ap-guangzhou", LOGSET, f"topic-{number}")
    assert len({topic.topic_id for topic in await logs.topics()}) == 231


async def test_a_quota_that_is_used_up_is_told_apart_from_throttling(logs):
    for number in range(99):
        await logs.create_logset(f"set-{number}")
    with pytest.raises(errors.QuotaExceeded):
        await logs.create_logset("one too many")


async def test_a_topic_is_created_with_an_index_and_can_be_searched_and_deleted(logs):
    logset = await logs.create_logset("审计")
    topic_id = await logs.create_topic(logset, "audit", retention_days=7)
    (topic,) = await logs.topics(logset_id=logset)
    assert (topic.topic_id, topic.retention_days) == (topic_id, 7)
    assert (await logs.index(topic_id)).full_text
    assert (await logs.search(topic_id, "*", START, START + HOUR)).lines == ()
    with pytest.raises(errors.WrongState):
        await logs.delete_logset(logset)
    await logs.delete_topic(topic_id)
    await logs.delete_logset(logset)
    assert [found.name for found in await logs.logsets()] == ["shop"]


async def test_the_same_key_creates_once(logs):
    first = await logs.create_logset("审计", idempotency_key="k-1")
    assert await logs.create_logset("审计", idempotency_key="k-1") == first
    topic = await logs.create_topic(first, "audit", idempotency_key="k-2")
    assert await logs.create_topic(first, "audit", idempotency_key="k-2") == topic
    alarm = await logs.create_alarm(DRAFT, idempotency_key="k-3")
    assert await logs.create_alarm(DRAFT, idempotency_key="k-3") == alarm
    assert len(await logs.logsets()) == 2
    assert len(await logs.alarms()) == 1


@pytest.mark.parametrize("key", [None, "another"])
async def test_a_name_that_is_taken_is_refused(logs, key):
    await logs.create_logset("审计", idempotency_key="k-1")
    await logs.create_alarm(DRAFT, idempotency_key="k-1")
    with pytest.raises(errors.AlreadyExists):
        await logs.create_logset("审计", idempotency_key=key)
    with pytest.raises(errors.AlreadyExists):
        await logs.create_alarm(DRAFT, idempotency_key=key)


@pytest.mark.parametrize(
    "kind", [FaultKind.RESET, FaultKind.BAD_GATEWAY, FaultKind.ERROR, FaultKind.THROTTLE]
)
async def test_a_creation_with_a_key_under_faults_creates_exactly_one(logs, cloud, kind):
    cloud.faults.add(FaultRule(kind=kind, actions="cls:CreateLogset", count=2))
    logset = await logs.create_logset("审计", idempotency_key="k-1")
    assert [s.logset_id for s in await logs.logsets() if s.name == "审计"] == [logset]


async def test_a_creation_without_a_key_under_a_fault_is_not_repeated(logs, cloud):
    cloud.faults.add(FaultRule(kind=FaultKind.RESET, actions="cls:CreateLogset", count=1))
    with pytest.raises(errors.OutcomeUnknown):
        await logs.create_logset("审计")


@pytest.mark.parametrize(
    "create",
    [
        lambda logs: logs.create_logset(" "),
        lambda logs: logs.create_logset("a|b"),
        lambda logs: logs.create_logset("长" * 100),
        lambda logs: logs.create_topic(LOGSET, "t", retention_days=0),
        lambda logs: logs.create_topic(LOGSET, "t", retention_days=3601),
    ],
)
async def test_what_cannot_be_created_is_refused(logs, create):
    with pytest.raises(errors.InvalidRequest):
        await create(logs)


async def test_an_alarm_is_created_listed_changed_and_deleted(logs):
    alarm_id = await logs.create_alarm(DRAFT)
    (alarm,) = await logs.alarms(name="支付")
    assert (alarm.alarm_id, alarm.level, alarm.condition) == (alarm_id, AlarmLevel.CRITICAL, "$1.errors > 10")
    assert (alarm.enabled, alarm.every) == (True, MINUTE)
    assert (alarm.queries[0].topic_id, alarm.queries[0].window) == (TOPIC, 15 * MINUTE)

    edited = await logs.edit_alarm(alarm_id, AlarmEdit(level=AlarmLevel.INFO))
    assert (edited.level, edited.condition) == (AlarmLevel.INFO, "$1.errors > 10")
    edited = await logs.edit_alarm(alarm_id, AlarmEdit(enabled=False, condition="$1.errors > 99"))
    assert (edited.enabled, edited.level, edited.condition) == (False, AlarmLevel.INFO, "$1.errors > 99")
    assert await logs.alarms(enabled=True) == []
    assert [found.alarm_id for found in await logs.alarms(enabled=False)] == [alarm_id]

    await logs.delete_alarm(alarm_id)
    assert await logs.alarms() == []
    with pytest.raises(errors.NotFound):
        await logs.delete_alarm(alarm_id)
    await logs.delete_alarm(alarm_id, idempotency_key="k")
    with pytest.raises(errors.NotFound):
        await logs.edit_alarm(alarm_id, AlarmEdit(enabled=True))


@pytest.mark.parametrize(
    "changes",
    [
        {"window": timedelta(0)},
        {"window": timedelta(days=2)},
        {"window": timedelta(seconds=90)},
        {"name": "a|b"},
    ],
)
async def test_an_alarm_that_cannot_be_is_refused(logs, changes):
    fields = {name: getattr(DRAFT, name) for name in DRAFT.__slots__} | changes
    with pytest.raises(errors.InvalidRequest):
        await logs.create_alarm(AlarmDraft(**fields))


async def test_alarm_records_come_newest_first_with_their_level_and_state(logs, cloud):
    cloud.alarms.told += [
        alert(1, START + 2 * MINUTE, START + 12 * MINUTE),
        alert(2, START + 20 * MINUTE, group=(("workload", "pay"),)),
    ]
    newest, oldest = await logs.alarm_records(START, START + HOUR)
    assert (newest.record_id, newest.status, newest.group) == (
        "record-2",
        AlarmStatus.OPEN,
        (("workload", "pay"),),
    )
    assert (oldest.status, oldest.duration) == (AlarmStatus.RECOVERED, 10 * MINUTE)
    assert (oldest.level, oldest.raised_at) == (AlarmLevel.CRITICAL, START + 2 * MINUTE)
    assert [r.record_id for r in await logs.alarm_records(START, START + HOUR, status=AlarmStatus.OPEN)] == [
        "record-2"
    ]
    assert await logs.alarm_records(START, START + HOUR, level=AlarmLevel.INFO) == []
    assert await logs.alarm_records(START, START + 2 * MINUTE) == []


async def test_a_long_history_is_read_a_hundred_at_a_time_and_whole(logs, cloud):
    cloud.alarms.told += [alert(n, START + n * timedelta(seconds=7)) for n in range(437)]
    records = await logs.alarm_records(START, START + HOUR)
    assert len({record.record_id for record in records}) == len(records) == 437


async def test_notices_dashboards_and_scheduled_analyses_are_listed_though_there_are_none(logs):
    assert await logs.alarm_notices() == []
    assert await logs.dashboards() == []
    assert await logs.scheduled_sql() == []


async def test_throttling_is_ridden_out_by_reads(logs, cloud):
    cloud.faults.add(FaultRule(kind=FaultKind.THROTTLE, actions="cls:*", count=3))
    assert len((await logs.search(TOPIC, "*", START, START + HOUR)).lines) == 4
