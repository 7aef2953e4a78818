"""Searching CLS: paging, limits and odd answers, against a scripted service on a real socket."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mcp_tencent import errors
from mcp_tencent.cloud.calling import Calling, CallPolicy
from mcp_tencent.cloud.tencentcloud.caller import Account, TencentCaller
from mcp_tencent.cloud.tencentcloud.log_search import TencentLogSearch
from mcp_tencent.models.logs import SortOrder
from tests.mcp_tencent.cloud.scripted_server import Asked, InstantTiming, Reply, failed, in_turn, ok, scripted

START = datetime(2026, 11, 20, tzinfo=UTC)
START_MS = 1_795_132_800_000
HOUR = timedelta(hours=1)


@pytest.fixture
async def search_at():
    """Make a search at an address; its connections are closed in the end."""
    callers = []

    def make(url: str, timing: InstantTiming | None = None) -> TencentLogSearch:
        account = Account(
            name="a", secret_id="AKIDexample", secret_key="k", regions=("ap-guangzhou",), endpoint=url
        )
        calling = Calling(CallPolicy(total_seconds=60), timing or InstantTiming())
        callers.append(TencentCaller(account, "ap-guangzhou", calling))
        return TencentLogSearch(callers[-1])

    yield make
    for caller in callers:
        await caller.close()


def line(number: int, at_ms: int, **fields: str) -> dict[str, Any]:
    content = json.dumps({"message": f"line {number}", **fields})
    return {
        "Time": at_ms,
        "TopicId": "t",
        "PkgId": "P",
        "PkgLogId": str(number),
        "LogJson": content,
        "Source": "10.0.0.1",
        "FileName": "/log",
        "HostName": "h",
    }


class PagedService:
    """Pages like the real one: by Context through 10,000 lines, by Offset without end."""

    def __init__(self, times_ms: list[int], *, context_dies_after: int | None = None) -> None:
        self.lines = [line(number, at) for number, at in enumerate(sorted(times_ms))]
        self.searches = 0
        self.largest_reach = 0
        self._dies_after = context_dies_after

    def __call__(self, asked: Asked) -> Reply:
        fields = asked.fields
        assert fields["QuerySyntax"] == 1
        assert fields["UseNewAnalysis"] is True
        assert "Query" not in fields
        context = json.loads(fields["Context"]) if "Context" in fields else None
        unchanged = {k: v for k, v in fields.items() if k != "Context"}
        if context is None:
            self.searches += 1
            context = {"asked": unchanged, "at": fields.get("Offset", 0), "uses": 0}
        assert context["asked"] == unchanged, "a context allows no other parameter to change"
        context["uses"] += 1
        if self._dies_after and context["uses"] > self._dies_after:
            return failed("FailedOperation.InvalidContext")
        matching = [x for x in self.lines if fields["From"] <= x["Time"] < fields["To"]]
        if fields["Sort"] == "desc":
            matching.reverse()
        first = context["at"]
        page = matching[first : first + fields["Limit"]]
        if "Offset" not in fields:
            self.largest_reach = max(self.largest_reach, first + len(page))
            if first + fields["Limit"] > 10_000:
                return failed("LimitExceeded.LogSearch", "at most 10000 lines by context")
        context["at"] = first + len(page)
        return ok(
            Context=json.dumps(context),
            ListOver=context["at"] >= len(matching),
            Analysis=False,
            Results=page,
        )


async def numbers(search: TencentLogSearch, order: SortOrder, until: datetime = START + HOUR) -> list[int]:
    found = search.all_lines("t", "*", START, until, order=order)
    return [int(x.pkg_log_id) async for x in found]


@pytest.mark.parametrize("order", SortOrder)
async def test_25_000_lines_are_read_once_each_in_order(search_at, order):
    service = PagedService([START_MS + n // 7 for n in range(25_000)])
    async with scripted(service) as server:
        found = await numbers(search_at(server.url), order)
    expected = list(range(25_000))
    assert found == (expected if order is SortOrder.OLDEST_FIRST else expected[::-1])
    assert service.largest_reach == 10_000
    assert service.searches == 3


@pytest.mark.parametrize("order", SortOrder)
async def test_more_lines_in_one_millisecond_than_a_search_gives_are_all_read(search_at, order):
    service = PagedService([START_MS] * 5 + [START_MS + 9] * 10_700 + [START_MS + 50] * 5)
    async with scripted(service) as server:
        found = await numbers(search_at(server.url), order)
    expected = list(range(10_710))
    assert found == (expected if order is SortOrder.OLDEST_FIRST else expected[::-1])


async def test_a_context_that_the_service_forgot_is_replaced_by_a_new_search(search_at):
    service = PagedService([START_MS + n for n in range(5_500)], context_dies_after=2)
    async with scripted(service) as server:
        assert await numbers(search_at(server.url), SortOrder.OLDEST_FIRST) == list(range(5_500))
    assert service.searches >= 3


async def test_a_slow_reader_searches_anew_before_the_context_expires(search_at):
    service = PagedService([START_MS + n for n in range(3_500)])
    timing = InstantTiming()
    async with scripted(service) as server:
        count = 0
        async for _ in search_at(server.url, timing).all_lines("t", "*", START, START + HOUR):
            count += 1
            timing.now += 2.0
    assert count == 3_500
    assert service.searches == 2


async def test_a_context_that_is_refused_at_once_is_an_error(search_at):
    async with scripted(in_turn(failed("FailedOperation.InvalidContext"))) as server:
        with pytest.raises(errors.InvalidRequest):
            await numbers(search_at(server.url), SortOrder.OLDEST_FIRST)


async def test_a_service_that_promises_lines_and_gives_none_is_not_believed(search_at):
    async with scripted(in_turn(ok(ListOver=False, Analysis=False, Context="c", Results=[]))) as server:
        with pytest.raises(errors.UnexpectedAnswer):
            await numbers(search_at(server.url), SortOrder.OLDEST_FIRST)


async def test_pages_follow_by_cursor_with_every_parameter_as_it_was(search_at):
    service = PagedService([START_MS + n for n in range(25)])
    async with scripted(service) as server:
        search = search_at(server.url)
        first = await search.search("t", "error", START, START + HOUR, limit=10)
        later = START + timedelta(minutes=30)
        second = await search.search("t", "error", later, later + HOUR, limit=10, cursor=first.cursor)
        third = await search.search("t", "error", START, START + HOUR, limit=10, cursor=second.cursor)
    found = [int(x.pkg_log_id) for page in (first, second, third) for x in page.lines]
    assert found == list(range(24, -1, -1))
    assert (first.complete, second.complete, third.complete) == (False, False, True)
    assert third.cursor == ""


async def test_the_last_page_before_10_000_has_no_cursor_and_does_not_claim_to_be_complete(search_at):
    service = PagedService([START_MS + n for n in range(12_000)])
    async with scripted(service) as server:
        search, cursor, read = search_at(server.url), "", 0
        while True:
            page = await search.search("t", "*", START, START + HOUR, limit=1000, cursor=cursor)
            read += len(page.lines)
            cursor = page.cursor
            if not cursor:
                break
    assert read == 10_000
    assert not page.complete


@pytest.mark.parametrize(
    "cursor", ["x", "AAAA", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"a":1}').decode()]
)
async def test_a_cursor_that_is_none_is_refused(search_at, cursor):
    with pytest.raises(errors.InvalidRequest, match="cursor"):
        await search_at("http://127.0.0.1:1").search("t", "*", START, START + HOUR, cursor=cursor)


async def test_a_cursor_of_another_topic_is_refused(search_at):
    service = PagedService([START_MS + n for n in range(25)])
    async with scripted(service) as server:
        search = search_at(server.url)
        first = await search.search("t", "*", START, START + HOUR, limit=10)
        with pytest.raises(errors.InvalidRequest, match="another topic"):
            await search.search("other", "*", START, START + HOUR, limit=10, cursor=first.cursor)


async def test_a_line_keeps_its_fields_and_its_place(search_at):
    content = line(0, START_MS, level="ERROR") | {
        "LogJson": '{"level":"ERROR","cost":12,"log":"超时","nested":{"a":1}}'
    }
    async with scripted(in_turn(ok(ListOver=True, Analysis=False, Results=[content]))) as server:
        page = await search_at(server.url).search("t", "*", START, START + HOUR)
    (found,) = page.lines
    assert found.text == "超时"
    assert found.fields == {"level": "ERROR", "cost": "12", "log": "超时", "nested": '{"a": 1}'}
    assert found.at == START
    assert (found.pkg_id, found.pkg_log_id) == ("P", "0")


@pytest.mark.parametrize(
    ("log_json", "raw", "text"),
    [
        ("not json", None, "not json"),
        ("[1]", None, "[1]"),
        (None, "raw line", "raw line"),
        ('{"a":"b"}', "", '{"a": "b"}'),
        ('{"__CONTENT__":"whole","message":"part"}', None, "whole"),
    ],
)
async def test_a_line_of_any_shape_has_a_text(search_at, log_json, raw, text):
    content = line(0, START_MS) | {"LogJson": log_json, "RawLog": raw}
    async with scripted(in_turn(ok(ListOver=True, Analysis=False, Results=[content]))) as server:
        page = await search_at(server.url).search("t", "*", START, START + HOUR)
    assert page.lines[0].text == text


async def test_an_analysis_is_a_table_with_typed_cells(search_at):
    answer = ok(
        Analysis=True,
        ListOver=True,
        Columns=[
            {"Name": "level", "Type": "varchar"},
            {"Name": "n", "Type": "bigint"},
            {"Name": "avg", "Type": "double"},
            {"Name": "at", "Type": "timestamp"},
        ],
        AnalysisRecords=[
            '{"level":"ERROR","n":"42","avg":1.5,"at":"2026-11-20"}',
            '{"level":null,"n":7,"avg":"null"}',
        ],
    )
    async with scripted(in_turn(answer)) as server:
        table = await search_at(server.url).analyze("t", "level:ERROR", "select 1", START, START + HOUR)
    assert server.asked[0].fields["QueryString"] == "level:ERROR | select 1"
    assert [column.name for column in table.columns] == ["level", "n", "avg", "at"]
    assert table.rows == (("ERROR", 42, 1.5, "2026-11-20"), (None, 7, None, None))


async def test_an_analysis_asked_for_as_lines_is_refused(search_at):
    async with scripted(in_turn(ok(Analysis=True, ListOver=True, Columns=[], AnalysisRecords=[]))) as server:
        with pytest.raises(errors.InvalidQuery, match="analysis"):
            await search_at(server.url).search("t", "* | select 1", START, START + HOUR)


@pytest.mark.parametrize("record", ["not json", "[]", "7"])
async def test_an_analysis_that_cannot_be_read_is_our_error(search_at, record):
    answer = ok(Analysis=True, ListOver=True, Columns=[], AnalysisRecords=[record])
    async with scripted(in_turn(answer)) as server:
        with pytest.raises(errors.UnexpectedAnswer):
            await search_at(server.url).analyze("t", "*", "select 1", START, START + HOUR)


@pytest.mark.parametrize(
    ("length", "interval_ms"),
    [
        (timedelta(minutes=1), 1_000),
        (HOUR, 60_000),
        (timedelta(days=1), 1_800_000),
        (timedelta(days=365), 604_800_000),
    ],
)
async def test_a_histogram_chooses_a_round_interval(search_at, length, interval_ms):
    answer = ok(
        Interval=interval_ms,
        TotalCount=3,
        HistogramInfos=[{"BTime": START_MS + 1, "Count": 2}, {"BTime": START_MS, "Count": 1}],
    )
    async with scripted(in_turn(answer)) as server:
        histogram = await search_at(server.url).histogram("t", "", START, START + length)
    assert server.asked[0].fields["Interval"] == interval_ms
    assert (server.asked[0].fields["Query"], server.asked[0].fields["SyntaxRule"]) == ("*", 1)
    assert [bucket.count for bucket in histogram.buckets] == [1, 2]


async def test_a_context_is_asked_for_in_beijing_time_with_a_number(search_at):
    info = {"BTime": START_MS, "Content": '{"message":"m"}', "PkgId": "P", "PkgLogId": 0, "Filename": "/f"}
    async with scripted(in_turn(ok(LogContextInfos=[info], PrevOver=True, NextOver=False))) as server:
        context = await search_at(server.url).context("t", "P", "0", START + timedelta(milliseconds=7))
    fields = server.asked[0].fields
    assert (fields["BTime"], fields["PkgLogId"]) == ("2026-11-20 08:00:00.007", 0)
    assert context.lines[0].pkg_log_id == "0"
    assert (context.begins, context.ends) == (True, False)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda s: s.search("t", "*", START, START), errors.InvalidPeriod),
        (lambda s: s.search("t", "*", START, START + HOUR, limit=0), errors.InvalidRequest),
        (lambda s: s.search("t", "*", START, START + HOUR, limit=1001), errors.InvalidRequest),
        (lambda s: s.search("t", "误" * 5000, START, START + HOUR), errors.InvalidQuery),
        (
            lambda s: s.histogram("t", "*", START, START + HOUR, interval=timedelta(seconds=1)),
            errors.InvalidRequest,
        ),
        (lambda s: s.context("t", "P", "x", START), errors.InvalidRequest),
        (lambda s: s.context("t", "P", "1", START, before=101), errors.InvalidRequest),
    ],
)
async def test_what_the_service_would_refuse_is_refused_before_the_call(search_at, call, kind):
    with pytest.raises(kind):
        await call(search_at("http://127.0.0.1:1"))


async def test_a_syntax_error_tells_where(search_at):
    answer = failed("FailedOperation.SyntaxError", "unexpected ')' (at position 6)")
    async with scripted(in_turn(answer)) as server:
        with pytest.raises(errors.InvalidQuery) as caught:
            await search_at(server.url).search("t", "error )", START, START + HOUR)
    assert caught.value.position == 6


async def test_the_services_model_is_told_topic_and_region(search_at):
    answer = ok(
        Choices=[{"Index": 0, "Message": {"Role": "assistant", "Content": " level:ERROR "}}], Model="text2sql"
    )
    async with scripted(in_turn(answer)) as server:
        assert await search_at(server.url).text_to_query("t", "有多少错误") == "level:ERROR"
    assert {m["Key"]: m["Value"] for m in server.asked[0].fields["Metadata"]} == {
        "topic_id": "t",
        "topic_region": "ap-guangzhou",
    }
