"""The alarm and dashboard tools through protocol and gateway, onto a whole local cloud."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mcp_tencent.gateway.call import Permission
from mcp_tencent.local_cloud.server import LocalCloud
from tests.mcp_tencent.basic.office import ANSWER_BYTES, WATCH, Office, error_of, office_at, standing

DRAFT: dict[str, Any] = {
    "name": "警告太多",
    "topic": "商城日志",
    "query": "level:WARN | select count(*) as warnings",
    "condition": "$1.warnings > 10",
    "window": "5m",
    "level": "critical",
    "notice": "值班通知",
}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    with standing("quiet") as cloud:
        async with office_at(cloud, tmp_path) as opened:
            yield opened


@pytest.fixture(scope="module")
def day_after() -> Iterator[LocalCloud]:
    with standing("yesterday") as cloud:
        yield cloud


@pytest.fixture
async def busy(day_after: LocalCloud, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_at(day_after, tmp_path) as opened:
        yield opened


async def alarm_named(office: Office, name: str) -> Any:
    place = office.desk.clouds.places[0]
    found = await office.desk.logs(place).alarms(name=name)
    return next((one for one in found if one.name == name), None)


async def test_policies_are_listed_with_whom_they_tell(office: Office) -> None:
    (line,) = (await office.call("list_alarms"))["alarms"]
    assert (line["name"], line["enabled"], line["level"]) == ("商品服务错误率过高", True, "warn")
    assert (line["condition"], line["topic"], line["notices"]) == ("$1.count > 20", "商城日志", ["值班通知"])
    assert (await office.call("list_alarms", enabled=False))["alarms"] == []
    (notice,) = (await office.call("list_alarm_notices"))["notices"]
    assert (notice["name"], notice["receivers"]) == ("值班通知", 1)


async def test_an_alarm_is_created_changed_and_deleted(office: Office) -> None:
    tried = await office.call("create_alarm", **DRAFT, dry_run=True)
    assert (tried["id"], tried["changed"]) == (None, False)
    assert await alarm_named(office, "警告太多") is None
    made = await office.call("create_alarm", **DRAFT)
    assert made["summary"] == "已新建严重级告警警告太多，通知值班通知。"
    alarm = await alarm_named(office, "警告太多")
    assert (alarm.alarm_id, alarm.condition, alarm.level.name) == (made["id"], "$1.warnings > 10", "CRITICAL")
    assert alarm.queries[0].window.total_seconds() == 300
    assert len(alarm.notice_ids) == 1

    changed = await office.call("update_alarm", alarm="警告太多", condition="$1.warnings > 30", enabled=False)
    assert changed["before"] == {"enabled": "true", "condition": "$1.warnings > 10"}
    alarm = await alarm_named(office, "警告太多")
    assert (alarm.enabled, alarm.condition, alarm.level.name) == (False, "$1.warnings > 30", "CRITICAL")
    again = await office.call("update_alarm", alarm="警告太多", condition="$1.warnings > 30", enabled=False)
    assert (again["changed"], again["summary"]) == (False, "告警策略警告太多本来就是这样，没有改动。")

    gone = await office.act("delete_alarm", alarm="警告太多")
    assert gone["condition"] == "$1.warnings > 30"
    assert await alarm_named(office, "警告太多") is None
    asked = await office.confirmed("delete_alarm", alarm="警告太多")
    assert error_of(asked)["code"] == "not_found"


async def test_a_dry_run_changes_nothing(office: Office) -> None:
    before = await alarm_named(office, "商品服务错误率过高")
    tried = await office.call("update_alarm", alarm="商品服务错误率过高", level="critical", dry_run=True)
    assert tried["before"] == {"level": "warn"}
    assert "现在没有改动" in tried["summary"]
    assert (
        "现在没有改动"
        in (await office.call("delete_alarm", alarm="商品服务错误率过高", dry_run=True))["summary"]
    )
    assert await alarm_named(office, "商品服务错误率过高") == before


async def test_a_bare_search_is_counted_under_the_name_of_the_condition(office: Office) -> None:
    made = await office.call(
        "create_alarm", **{**DRAFT, "query": "level:WARN", "condition": "$1.n > 3", "notice": None}
    )
    assert made["query"] == 'level:WARN | select count(*) as "n"'
    assert "没有设通知" in made["summary"]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"condition": "count > 10"}, "invalid_request", "at character 0"),
        ({"condition": "$1.errors > 10"}, "invalid_request", "'errors'"),
        ({"condition": "$2.warnings > 10"}, "invalid_request", "$2"),
        ({"query": "level:WARN | select cuont(*) as warnings"}, "invalid_query", "cuont"),
        ({"query": "colour:red | select count(*) as warnings"}, "invalid_query", "colour"),
        ({"query": "level:WARN", "condition": "$1.a > 1 && $1.b > 1"}, "invalid_request", "no select"),
        ({"window": "30s"}, "invalid_request", "window"),
        ({"window": "25h"}, "invalid_request", "window"),
        ({"window": "soon"}, "invalid_request", "window"),
        ({"notice": "值班"}, "not_found", "值班通知"),
        ({"topic": "商城日记"}, "", "商城日"),
        ({"name": "商品服务错误率过高"}, "already_exists", "nothing was created"),
        ({"name": "a|b"}, "invalid_arguments", ""),
        ({"level": "urgent"}, "invalid_arguments", ""),
    ],
)
async def test_an_alarm_that_makes_no_sense_is_not_created(
    office: Office, changes: dict[str, object], code: str, words: str
) -> None:
    error = await office.refused("create_alarm", **{**DRAFT, **changes})
    assert error["code"] == code or not code
    assert words in error["detail"]
    assert len((await office.call("list_alarms"))["alarms"]) == 1


async def test_a_change_of_nothing_or_of_an_unknown_query_is_refused(office: Office) -> None:
    assert "at least one" in (await office.refused("update_alarm", alarm="商品服务错误率过高"))["detail"]
    error = await office.refused("update_alarm", alarm="商品服务错误率过高", condition="$3.count > 1")
    assert "$3" in error["detail"]


async def test_only_who_may_configure_changes_alarms(office: Office) -> None:
    operator = office.as_caller(
        replace(WATCH, permissions=frozenset({Permission.READ, Permission.OPERATE, Permission.ROLLBACK}))
    )
    assert (await operator.refused("create_alarm", **DRAFT))["code"] == "not_permitted"
    assert (await operator.refused("update_alarm", alarm="商品服务错误率过高", enabled=False))[
        "code"
    ] == "not_permitted"
    assert (await operator.refused("delete_alarm", alarm="商品服务错误率过高"))["code"] == "not_permitted"
    assert (await operator.call("list_alarms"))["alarms"]


async def test_history_tells_open_and_severe_ones_first_and_fits(busy: Office) -> None:
    answer = await busy.call("alarm_history", period="yesterday")
    assert answer["total"] > 20
    assert len(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()) <= ANSWER_BYTES
    ranks = {"critical": 0, "warn": 1, "info": 2}
    keys = [(one["status"] != "open", ranks[one["level"]]) for one in answer["records"]]
    assert keys == sorted(keys)
    assert answer["left_out"] == answer["total"] - len(answer["records"])
    assert answer["summary"].startswith(f"昨天共{answer['total']}条告警")
    following = await busy.call("alarm_history", period="yesterday", cursor=answer["cursor"])
    assert not {one["id"] for one in answer["records"]} & {one["id"] for one in following["records"]}
    severe = await busy.call("alarm_history", period="yesterday", level="critical", status="recovered")
    assert {one["level"] for one in severe["records"]} <= {"critical"}
    assert {one["status"] for one in severe["records"]} <= {"recovered"}


async def test_history_and_runs_of_one_policy(busy: Office) -> None:
    record = (await busy.call("alarm_history", period="yesterday"))["records"][0]
    alone = await busy.call("alarm_history", period="yesterday", alarm=record["alarm_id"])
    assert {one["alarm"] for one in alone["records"]} == {record["alarm"]}
    runs = await busy.call("alarm_log", alarm=record["alarm_id"], period="1h")
    assert runs["alarm"] == record["alarm"]
    assert runs["total"] == len(runs["runs"]) + runs["left_out"]


async def test_dashboards_are_listed_with_their_charts(busy: Office) -> None:
    answer = await busy.call("list_dashboards")
    assert answer["dashboards"]
    assert all(line["charts"] for line in answer["dashboards"])
    name = answer["dashboards"][0]["name"]
    assert [one["name"] for one in (await busy.call("list_dashboards", name=name))["dashboards"]] == [name]
