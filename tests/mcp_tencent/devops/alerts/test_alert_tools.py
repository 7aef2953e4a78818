"""Alerts as people and models ask for them: through the protocol and the gateway, from the local cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_tencent.devops.policy.file import FixedPolicy, PolicyFile
from mcp_tencent.devops.policy.model import Policy, WorkloadImportance
from tests.mcp_tencent.basic.office import ANSWER_BYTES, OWNER, WATCH
from tests.mcp_tencent.devops.house import OPERATOR, house_at


def size(answer: dict[str, Any]) -> int:
    return len(json.dumps(answer, ensure_ascii=False).encode())


async def test_yesterday_is_listed_worst_first_and_pages_through(tmp_path):
    async with house_at("yesterday", tmp_path) as house:
        first = await house.call("list_alerts")
        assert first["groups"] >= 11
        assert 35 <= first["records"] <= 60
        assert first["summary"].startswith(f"昨天共{first['records']}条告警，合并成{first['groups']}组")
        assert first["unread"] == []
        lines, cursor = list(first["alerts"]), first["cursor"]
        assert size(first) <= ANSWER_BYTES
        while cursor:
            page = await house.call("list_alerts", cursor=cursor)
            assert size(page) <= ANSWER_BYTES
            lines += page["alerts"]
            cursor = page["cursor"]
        assert len(lines) == first["groups"]
        scores = [line["score"] for line in lines]
        assert scores == sorted(scores, reverse=True)
        by_title = {line["title"]: line for line in lines}
        assert by_title["订单服务错误率过高"]["workload"] == "order-service"
        assert by_title["订单服务错误率过高"]["cluster"] == "cls-gzprod01"
        assert by_title["订单服务错误率过高"]["state"] == "open"
        assert by_title["消息服务不可用"]["state"] == "flapping"
        assert by_title["同步任务：数据同步失败"]["state"] == "recovered"


async def test_one_broken_database_is_one_group_with_its_callers_muted(tmp_path):
    async with house_at("database-down", tmp_path) as house:
        (group,) = (await house.call("list_alerts", period="24h"))["alerts"]
        assert group["workload"] == "order-db"
        assert group["affected"] == ["订单数据库", "订单服务", "商品服务"]
        assert 0 < group["muted"] < group["alerts"]
        assert "影响3个服务" in group["because"]


async def test_min_score_leaves_out_what_matters_less(tmp_path):
    async with house_at("two-incidents", tmp_path) as house:
        every = await house.call("list_alerts", period="24h")
        assert len(every["alerts"]) == 2
        border = every["alerts"][0]["score"]
        worst = await house.call("list_alerts", period="24h", min_score=border)
        assert [line["id"] for line in worst["alerts"]] == [every["alerts"][0]["id"]]
        nothing = await house.call("list_alerts", period="24h", min_score=100)
        assert nothing["alerts"] == []
        assert "没有10分以上的" in nothing["summary"]


async def test_a_quiet_day_is_said_to_be_quiet(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        assert (await house.call("list_alerts"))["summary"] == "昨天没有告警。"


async def test_a_place_that_cannot_be_read_is_told_and_the_others_go_on(tmp_path):
    async with house_at("bad-revision", tmp_path, second_account=True) as house:
        answer = await house.call("list_alerts", period="24h")
        assert [line["title"] for line in answer["alerts"]] == ["订单服务错误率过高"]
        assert [line["what"] for line in answer["unread"]] == ["外包账号的ap-guangzhou"]
        assert "外包账号的ap-guangzhou读不到" in answer["summary"]


async def test_when_nothing_answers_the_cause_is_said(tmp_path):
    async with house_at("wrong-credentials", tmp_path) as house:
        error = await house.refused("list_alerts")
        assert error["code"] == "credentials_refused"


async def test_importance_of_the_policy_moves_the_score(tmp_path):
    important = Policy(importance=(WorkloadImportance(workload="shop/order-service", importance=100),))
    async with house_at("bad-revision", tmp_path) as house:
        before = (await house.call("list_alerts", period="24h"))["alerts"][0]["score"]
    (tmp_path / "b").mkdir()
    async with house_at("bad-revision", tmp_path / "b", policy=FixedPolicy(important)) as house:
        after = (await house.call("list_alerts", period="24h"))["alerts"][0]["score"]
    assert after == pytest.approx(before + 0.2 * 50, abs=0.2)


async def test_a_changed_policy_file_is_in_force_without_restart(tmp_path):
    file = tmp_path / "policy.yaml"
    async with house_at("bad-revision", tmp_path, policy=PolicyFile(file)) as house:
        before = await house.call("list_alerts", period="24h")
        file.write_text("default_importance: 100\n")
        # Another question than before: the same one might be answered from the cache.
        after = await house.call("list_alerts", period="23h")
        assert after["policy_version"] != before["policy_version"]
        assert after["alerts"][0]["score"] > before["alerts"][0]["score"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"period": "sometime"},
        {"period": "9999d"},
        {"min_score": -1},
        {"min_score": 101},
        {"min_score": "lots"},
        {"cursor": "x"},
        {"limit": 5},
    ],
)
async def test_bad_arguments_are_refused_by_name(tmp_path, arguments):
    async with house_at("quiet", tmp_path) as house:
        error = await house.refused("list_alerts", **arguments)
        assert error["code"] in {"invalid_arguments", "invalid_period", "period_too_long"}


async def test_a_score_is_explained_to_the_last_point(tmp_path):
    async with house_at("bad-revision", tmp_path) as house:
        (line,) = (await house.call("list_alerts", period="24h"))["alerts"]
        answer = await house.call("explain_score", alert=line["id"])
        total = sum(factor["contribution"] for factor in answer["factors"])
        assert total == pytest.approx(line["score"], abs=0.3)
        assert sum(factor["weight"] for factor in answer["factors"]) == pytest.approx(1)
        assert answer["alert"]["id"] == line["id"]
        assert answer["attempts"] == Policy().tier(line["score"]).attempts
        assert line["spoken_score"] in answer["summary"]
        assert size(answer) <= ANSWER_BYTES


@pytest.mark.parametrize("said", ["订单服务错误率过高", "订单服务", "order-service"])
async def test_an_alert_is_found_by_the_name_of_its_alarm_or_workload(tmp_path, said):
    async with house_at("bad-revision", tmp_path) as house:
        assert (await house.call("explain_score", alert=said))["alert"]["workload"] == "order-service"


async def test_an_alert_that_is_not_there_or_not_certain_is_not_guessed(tmp_path):
    async with house_at("two-incidents", tmp_path) as house:
        assert (await house.refused("explain_score", alert="结算服务"))["code"] == "not_found"
        error = await house.refused("explain_score", alert="订单服务")
        assert error["code"] == "ambiguous"
        assert len(error["candidates"]) == 2


async def test_feedback_moves_the_weights_a_little_and_can_be_explained(tmp_path):
    async with house_at("bad-revision", tmp_path) as house:
        operator = house.as_caller(OPERATOR)
        (line,) = (await operator.call("list_alerts", period="24h"))["alerts"]
        given = await operator.call(
            "give_feedback", alert=line["id"], verdict="unimportant", idempotency_key="say-it-once"
        )
        assert given["weights_before"] == Policy().weights.model_dump()
        assert given["weights_after"] != given["weights_before"]
        for factor, weight in given["weights_after"].items():
            assert abs(weight - given["weights_before"][factor]) <= 0.10
        assert given["summary"] == "记下了，订单服务错误率过高不重要，评分权重会随之微调。"
        after = await operator.call("explain_score", alert="订单服务错误率过高")
        assert after["weights_version"] == given["weights_version"] != "w0"
        assert "有人说这条不重要" in after["learnt"][0]
        assert after["alert"]["score"] < line["score"]


async def test_a_second_verdict_replaces_the_first(tmp_path):
    async with house_at("bad-revision", tmp_path) as house:
        for verdict, key in (("unimportant", "first-word"), ("important", "second-word")):
            await house.call("give_feedback", alert="订单服务", verdict=verdict, idempotency_key=key)
        (kept,) = house.desk_of_alerts.feedback.all()
        assert (kept.verdict, kept.person) == ("important", OWNER.name)


async def test_a_rehearsed_verdict_changes_nothing(tmp_path):
    async with house_at("bad-revision", tmp_path) as house:
        told = await house.call("give_feedback", alert="订单服务", verdict="false_alarm", dry_run=True)
        assert told["weights_after"] != told["weights_before"]
        assert told["summary"].startswith("试运行")
        assert house.desk_of_alerts.feedback.all() == []


async def test_who_may_only_look_gives_no_feedback(tmp_path):
    async with house_at("bad-revision", tmp_path) as house:
        watcher = house.as_caller(WATCH)
        error = await watcher.refused("give_feedback", alert="订单服务", verdict="important")
        assert error["code"] == "not_permitted"
        assert house.desk_of_alerts.feedback.all() == []


async def test_an_unknown_verdict_is_refused(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        error = await house.refused("give_feedback", alert="订单服务", verdict="whatever")
        assert error["code"] == "invalid_arguments"
