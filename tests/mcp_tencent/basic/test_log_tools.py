"""The log tools through protocol and gateway, onto a whole local cloud."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from mcp_tencent.local_cloud.server import LocalCloud
from tests.mcp_tencent.basic.office import ANSWER_BYTES, WATCH, Office, office_at, standing


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with standing("quiet") as running:
        yield running


@pytest.fixture
async def office(cloud: LocalCloud, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_at(cloud, tmp_path) as opened:
        yield opened


def size(answer: object) -> int:
    return len(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())


async def test_found_lines_are_counted_newest_first_and_fit(office: Office) -> None:
    found = await office.call("search_logs", query="level:WARN", period="24h")
    times = [datetime.fromisoformat(line["time"]) for line in found["lines"]]
    assert times == sorted(times, reverse=True)
    assert all(line["level"] == "WARN" and line["topic"] == "商城日志" for line in found["lines"])
    assert found["total"] == len(found["lines"]) + found["left_out"]
    assert found["summary"].startswith(
        f"最近24小时找到{found['total']}条日志，先看{len(found['lines'])}条，最新一条在"
    )
    assert size(found) <= ANSWER_BYTES


@pytest.mark.parametrize("sort", ["asc", "desc"])
async def test_pages_give_every_line_once(office: Office, sort: str) -> None:
    seen: list[tuple[str, str]] = []
    cursor = None
    while True:
        page = await office.call("search_logs", query="level:WARN", period="6h", sort=sort, cursor=cursor)
        seen += [(line["pkg_id"], line["pkg_log_id"]) for line in page["lines"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == page["total"] > 20


async def test_whole_lines_are_given_when_asked_for(office: Office) -> None:
    found = await office.call("search_logs", period="2h", limit=100, full=True)
    assert len(found["lines"]) == 100
    assert size(found) > ANSWER_BYTES


async def test_nothing_found_is_said(office: Office) -> None:
    found = await office.call("search_logs", query='"不会有的词"')
    assert (found["total"], found["lines"], found["cursor"]) == (0, [], None)
    assert found["summary"] == "最近1小时没有找到符合条件的日志。"


async def test_the_lines_around_a_line_are_shown(office: Office) -> None:
    (line,) = (await office.call("search_logs", query="level:WARN", period="6h", limit=1))["lines"]
    context = await office.call(
        "log_context",
        topic="商城日志",
        pkg_id=line["pkg_id"],
        pkg_log_id=line["pkg_log_id"],
        time=line["time"],
        before=3,
        after=2,
    )
    (here,) = [one for one in context["lines"] if one["here"]]
    assert here["text"] == line["text"]
    assert size(context) <= ANSWER_BYTES


async def test_a_histogram_counts_what_a_search_finds(office: Office) -> None:
    counted = await office.call("log_histogram", query="level:WARN", period="6h", interval="1h")
    found = await office.call("search_logs", query="level:WARN", period="6h")
    assert counted["total"] == sum(counted["counts"]) == found["total"]
    assert counted["peak"] == max(counted["counts"])
    assert counted["interval_seconds"] == 3600


async def test_an_analysis_gives_a_table(office: Office) -> None:
    table = await office.call(
        "analyze_logs",
        topic="商城日志",
        sql="select workload, count(*) as n group by workload order by n desc",
        period="6h",
    )
    assert [column["name"] for column in table["columns"]] == ["workload", "n"]
    assert {row[0] for row in table["rows"]} == {"web-gateway", "item-service"}
    assert table["summary"].startswith("最近6小时共2行结果，第一行workload是")
    one = await office.call("analyze_logs", topic="商城日志", sql="select count(*) as n;", period="1h")
    assert one["rows"][0][0] == (await office.call("search_logs"))["total"]


async def test_a_long_table_comes_in_pages(office: Office) -> None:
    arguments = {
        "topic": "商城日志",
        "sql": "select __CONTENT__ as line order by __TIMESTAMP__ limit 60",
        "period": "6h",
    }
    first = await office.call("analyze_logs", **arguments)
    rest = await office.call("analyze_logs", **arguments, cursor=first["cursor"])
    assert size(first) <= ANSWER_BYTES
    assert first["left_out"] == 60 - len(first["rows"])
    assert first["rows"][-1] != rest["rows"][0]


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "words"),
    [
        ("search_logs", {"query": 'level:"ERROR'}, "invalid_query", "position"),
        ("search_logs", {"query": "colour:red"}, "invalid_query", "colour"),
        ("search_logs", {"query": "* | select 1"}, "invalid_query", "analyze_logs"),
        ("search_logs", {"topic": "不存在的主题"}, "not_found", "不存在的主题"),
        ("search_logs", {"period": "400d"}, "period_too_long", "366"),
        ("search_logs", {"limit": 0}, "invalid_arguments", ""),
        ("search_logs", {"limit": 5000}, "invalid_arguments", ""),
        ("search_logs", {"cursor": "bm9uc2Vuc2U="}, "invalid_request", "cursor"),
        ("log_histogram", {"period": "7d", "interval": "1m"}, "invalid_request", "200 buckets"),
        ("log_histogram", {"interval": "soon"}, "invalid_request", "interval"),
        ("analyze_logs", {"topic": "商城日志", "sql": "delete from log"}, "invalid_query", "one select"),
        ("analyze_logs", {"topic": "商城日志", "sql": "select 1; drop table log"}, "invalid_query", "sql"),
        ("analyze_logs", {"topic": "商城日志", "sql": "select * from users"}, "invalid_query", "users"),
        (
            "log_context",
            {"topic": "商城日志", "pkg_id": "x-1", "pkg_log_id": "0", "time": "yesterday"},
            "invalid_period",
            "ISO 8601",
        ),
        ("list_topics", {"cursor": "-1"}, "invalid_arguments", ""),
    ],
)
async def test_what_makes_no_sense_is_refused_precisely(
    office: Office, tool: str, arguments: dict[str, object], code: str, words: str
) -> None:
    error = await office.refused(tool, **arguments)
    assert error["code"] == code
    assert words in error["detail"]


async def test_a_wrong_select_is_told_where_within_the_select(office: Office) -> None:
    sql = "select workload, cuont(*) as n group by workload"
    error = await office.refused("analyze_logs", topic="商城日志", sql=sql, query="level:WARN")
    assert error["position"] == sql.index("cuont")
    assert "near 'cuont(*)" in error["detail"]


async def test_a_sentence_becomes_a_query_that_runs(office: Office) -> None:
    written = await office.call("text_to_query", text="item-service 的警告有多少条", topic="商城日志")
    assert written["written_by"] == "service"
    assert "level:WARN" in written["query"]
    table = await office.call(
        "analyze_logs", topic="商城日志", query=written["query"], sql=written["sql"], period="6h"
    )
    assert len(table["rows"]) == 1


async def test_where_the_service_writes_what_does_not_run_the_rules_do(office: Office) -> None:
    written = await office.call("text_to_query", text="网关的5xx", topic="商城日志")
    assert written["written_by"] == "rules"
    assert written["query"] == "status:5*"
    assert written["understood"] == ["状态码 5xx"]


async def test_topics_and_their_index_are_listed(office: Office) -> None:
    topics = await office.call("list_topics")
    (topic,) = topics["topics"]
    assert (topic["name"], topic["indexed"]) == ("商城日志", True)
    index = await office.call("describe_index", topic=topic["id"])
    assert {"level", "workload", "status"} <= {field["name"] for field in index["fields"]}
    assert (await office.call("list_topics", name="没有"))["topics"] == []
    (logset,) = (await office.call("list_logsets"))["logsets"]
    assert (logset["name"], logset["topics"]) == ("商城日志集", 1)


async def test_a_logset_and_a_topic_are_created_once(tmp_path: Path) -> None:
    with standing("quiet") as cloud:
        async with office_at(cloud, tmp_path) as office:
            assert (await office.call("create_logset", name="支付日志集", dry_run=True))["id"] is None
            assert len((await office.call("list_logsets"))["logsets"]) == 1
            made = await office.call("create_logset", name="支付日志集")
            again = await office.refused("create_logset", name="支付日志集")
            assert again["code"] == "already_exists"
            topic = await office.call("create_topic", logset="支付日志集", name="对账日志", retention_days=7)
            assert topic["summary"] == "日志主题对账日志建好了。"
            assert (await office.refused("create_topic", logset=made["id"], name="对账日志"))[
                "code"
            ] == "already_exists"
            bad = await office.refused("create_topic", logset=made["id"], name="甲", retention_days=3601)
            assert "3600" in bad["detail"]
            assert (await office.refused("create_topic", logset="没有", name="甲"))["code"] == "not_found"
            place = office.desk.clouds.places[0]
            there = {one.name: one for one in await office.desk.logs(place).topics()}
            assert there["对账日志"].retention_days == 7
            reader = office.as_caller(WATCH)
            assert (await reader.refused("create_logset", name="乙"))["code"] == "not_permitted"
