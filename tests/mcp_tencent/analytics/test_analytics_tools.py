"""The analytics tools through protocol and gateway, onto a whole local cloud."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mcp_tencent.analytics import counting
from mcp_tencent.analytics.counting import Dimensions, Gathered, with_history
from mcp_tencent.basic.log_reading import of_each, searched_topics
from mcp_tencent.devops.incidents import Attempt, AttemptOutcome, Incident, IncidentStatus, Rung
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.errors import InvalidRequest, Throttled
from mcp_tencent.gateway.call import Caller, CallerKind
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.naming.located import LocatedTopic
from mcp_tencent.periods import parse_period
from tests.mcp_tencent.analytics.lab import lab_at
from tests.mcp_tencent.basic.office import ANSWER_BYTES, MORNING, ZONE, Office, standing

STRANGER = Caller(name="访客", kind=CallerKind.PERSON, permissions=frozenset())


@pytest.fixture(scope="module")
def odd_night() -> Iterator[LocalCloud]:
    """Lines that were never there before, from 02:00 to 02:40; nothing else is wrong."""
    with standing("log-anomaly") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def demo_day() -> Iterator[LocalCloud]:
    with standing("yesterday") as cloud:
        yield cloud


@pytest.fixture
async def lab(odd_night: LocalCloud, tmp_path: Path) -> AsyncIterator[Office]:
    async with lab_at(odd_night, tmp_path) as (office, _):
        yield office


@pytest.fixture
async def demo(demo_day: LocalCloud, tmp_path: Path) -> AsyncIterator[Office]:
    async with lab_at(demo_day, tmp_path) as (office, _):
        yield office


def size(answer: object) -> int:
    return len(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(ZONE)


async def test_the_planted_lines_are_the_only_anomaly_and_are_quoted(lab: Office) -> None:
    answer = await lab.call("detect_anomalies", target="商品服务", period="4h")
    (line,) = answer["anomalies"]
    assert (line["workload"], line["level"], line["direction"], line["new"]) == (
        "item-service",
        "WARN",
        "up",
        True,
    )
    assert line["observed"] > 400
    assert line["expected"] < 10
    assert (local(line["start"]).hour, local(line["end"]).hour) == (2, 3)
    assert any("证书将在" in pattern for pattern in line["patterns"])
    assert any("clock skew" in pattern for pattern in line["patterns"])
    assert answer["days_compared"] == 14
    assert answer["summary"].startswith(
        "最近4小时商品服务发现1处异常，最明显的是item-service从02:00起60分钟里警告日志多到"
    )
    assert size(answer) <= ANSWER_BYTES


async def test_a_short_period_is_looked_at_more_closely(lab: Office) -> None:
    answer = await lab.call(
        "detect_anomalies",
        target="业务日志",
        period="2026-11-21T01:30:00+08:00/2026-11-21T03:30:00+08:00",
    )
    assert answer["bucket_minutes"] == 10
    (line,) = answer["anomalies"]
    assert local(line["start"]) == datetime(2026, 11, 21, 2, 0, tzinfo=ZONE)
    assert local(line["end"]) == datetime(2026, 11, 21, 2, 40, tzinfo=ZONE)


async def test_hours_before_the_anomaly_are_quiet(lab: Office) -> None:
    answer = await lab.call(
        "detect_anomalies", target="业务日志", period="2026-11-20T22:00:00+08:00/2026-11-21T02:00:00+08:00"
    )
    assert answer["anomalies"] == []
    assert "没有发现异常" in answer["summary"]
    other = await lab.call("detect_anomalies", target="订单服务", period="4h")
    assert other["anomalies"] == []


async def test_the_planted_lines_of_the_demo_day_are_found(demo: Office) -> None:
    answer = await demo.call(
        "detect_anomalies",
        target="user-service",
        period="2026-11-20T16:00:00+08:00/2026-11-20T17:00:00+08:00",
    )
    (line,) = [one for one in answer["anomalies"] if one["new"]]
    assert line["workload"] == "user-service"
    assert any("证书将在" in pattern for pattern in line["patterns"])


async def test_cluster_events_of_a_quiet_hour_are_quiet(lab: Office) -> None:
    answer = await lab.call("detect_anomalies", target="集群事件", period="1h")
    assert answer["anomalies"] == []


async def test_a_summary_counts_compares_and_quotes_errors(demo: Office) -> None:
    answer = await demo.call("summarize_logs", topic="生产支付日志", period="2h")
    assert answer["total"] == sum(level["count"] for level in answer["levels"])
    errors = next(level["count"] for level in answer["levels"] if level["level"] == "ERROR")
    assert answer["errors"] == errors > 100
    assert answer["workloads"][0]["errors"] == max(one["errors"] for one in answer["workloads"])
    assert answer["error_patterns"][0]["level"] == "ERROR"
    assert answer["summary"].startswith("最近2小时共")
    assert size(answer) <= ANSWER_BYTES


async def test_a_summary_without_errors_says_so(lab: Office) -> None:
    answer = await lab.call("summarize_logs", topic="集群事件", period="24h")
    assert (answer["errors"], answer["error_patterns"]) == (0, [])
    assert answer["summary"].endswith(("没有错误。", "没有日志。"))


async def test_a_trend_is_told_against_the_day_before(lab: Office) -> None:
    answer = await lab.call("log_trend", topic="业务日志", query="level:WARN", period="4h")
    assert answer["total"] == sum(answer["counts"])
    assert answer["total"] > 3 * answer["total_before"]
    assert answer["change_ratio"] == pytest.approx(answer["total"] / answer["total_before"] - 1, abs=0.001)
    assert "前一天同一时段" in answer["summary"]
    assert local(answer["peak_at"]).hour == 2
    calm = await lab.call("log_trend", topic="业务日志", query="level:INFO", period="4h")
    assert calm["direction"] == "steady"


async def test_patterns_are_counted_and_a_sample_says_so(lab: Office) -> None:
    whole = await lab.call("top_patterns", topic="业务日志", query="level:WARN", period="4h")
    assert 400 <= whole["looked_at"] <= whole["total"]
    shares = [one["count"] for one in whole["patterns"]]
    assert shares == sorted(shares, reverse=True)
    assert any("证书将在 <DUR>后过期" in one["template"] for one in whole["patterns"][:2])
    sampled = await lab.call("top_patterns", topic="业务日志", period="12h", limit=3)
    assert sampled["looked_at"] < sampled["total"]
    assert len(sampled["patterns"]) == 3
    assert "抽看了" in sampled["summary"]
    estimated = sum(one["count"] for one in sampled["patterns"])
    assert estimated < sampled["total"]
    assert size(sampled) <= ANSWER_BYTES


async def test_estimates_of_a_sample_are_near_the_truth(lab: Office) -> None:
    answer = await lab.call("top_patterns", topic="业务日志", period="12h", limit=50)
    estimate = next(
        one["count"] for one in answer["patterns"] if one["template"].startswith("order confirmed")
    )
    exact = (await lab.call("log_trend", topic="业务日志", query='"order confirmed"', period="12h"))["total"]
    assert estimate == pytest.approx(exact, rel=0.25)


async def test_keywords_are_about_what_is_new(lab: Office) -> None:
    answer = await lab.call("extract_keywords", topic="业务日志", query="level:WARN", period="4h")
    best = [one["word"] for one in answer["keywords"][:8]]
    assert {"证书", "过期", "clock", "skew"} & set(best)
    assert answer["summary"].startswith("最近4小时的关键词是")


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "words"),
    [
        ("detect_anomalies", {"period": "30d"}, "period_too_long", "7 are the most"),
        ("summarize_logs", {"period": "90d"}, "period_too_long", "31 are the most"),
        ("log_trend", {"period": "200d"}, "period_too_long", "92 are the most"),
        ("top_patterns", {"limit": 0}, "invalid_arguments", ""),
        ("top_patterns", {"query": 'level:"'}, "invalid_query", "position"),
        ("log_trend", {"query": "* | select 1"}, "invalid_query", "analyze_logs"),
        ("extract_keywords", {"topic": "不存在的主题"}, "not_found", "不存在的主题"),
        ("detect_anomalies", {"target": "不存在的服务"}, "not_found", "不存在的服务"),
        ("remediation_stats", {"period": "forever"}, "invalid_period", "forever"),
    ],
)
async def test_what_makes_no_sense_is_refused_precisely(
    lab: Office, tool: str, arguments: dict[str, Any], code: str, words: str
) -> None:
    error = await lab.refused(tool, **arguments)
    assert error["code"] == code
    assert words in error["detail"]


@pytest.mark.parametrize(
    "tool",
    [
        "summarize_logs",
        "log_trend",
        "top_patterns",
        "extract_keywords",
        "detect_anomalies",
        "remediation_stats",
    ],
)
async def test_a_stranger_learns_nothing(lab: Office, tool: str) -> None:
    assert (await lab.as_caller(STRANGER).refused(tool))["code"] == "not_permitted"


async def test_remediation_is_counted(odd_night: LocalCloud, tmp_path: Path) -> None:
    async with lab_at(odd_night, tmp_path) as (office, store):
        empty = await office.call("remediation_stats")
        assert (empty["incidents"], empty["heal_rate"]) == (0, None)
        assert empty["summary"] == "最近30天没有故障，也没有做过自愈。"
        _remember(store)
        answer = await office.call("remediation_stats", period="7d")
    assert answer["incidents"] == 3
    assert {one["name"]: one["count"] for one in answer["incidents_by_status"]} == {"healed": 2, "human": 1}
    assert (answer["attempts"], answer["unfinished"]) == (4, 0)
    assert answer["heal_rate"] == pytest.approx(2 / 3, abs=0.001), "a blocked attempt has tried nothing"
    assert answer["incident_heal_rate"] == pytest.approx(2 / 3, abs=0.001)
    assert answer["median_minutes_to_heal"] == 20.0
    assert answer["healed_by_rung"] == [{"name": "roll_back", "count": 2}]
    assert answer["summary"] == (
        "最近7天共3起故障，1起转了人工，2起自愈了，一共尝试4次，成功2次，成功率67%，最管用的是回滚，2次。"
    )


def _remember(store: SqlIncidentStore) -> None:
    tries: list[tuple[IncidentStatus, list[tuple[Rung, AttemptOutcome]]]] = [
        (
            IncidentStatus.HEALED,
            [(Rung.RESTART, AttemptOutcome.NOT_BETTER_RESTORED), (Rung.ROLL_BACK, AttemptOutcome.HEALED)],
        ),
        (IncidentStatus.HEALED, [(Rung.ROLL_BACK, AttemptOutcome.HEALED)]),
        (IncidentStatus.HUMAN, [(Rung.RESTART, AttemptOutcome.BLOCKED_BY_POLICY)]),
    ]
    for number, (status, attempts) in enumerate(tries):
        opened = MORNING - timedelta(days=number + 1)
        incident = Incident(
            id=f"inc-{number}",
            idempotency_key=f"key-{number}",
            fingerprint=f"print-{number}",
            cluster_id="cls-shop0001",
            namespace="shop",
            workload_kind="Deployment",
            workload="item-service",
            title="商品服务报错",
            score=80.0,
            alert_count=3,
            status=status,
            opened_at=opened,
            last_seen_at=opened,
            closed_at=opened + timedelta(minutes=20),
            policy_version="1",
        )
        assert store.open(incident)
        for index, (rung, outcome) in enumerate(attempts):
            attempt = Attempt(
                id=f"try-{number}-{index}",
                incident_id=incident.id,
                number=index + 1,
                rung=rung,
                action="回滚商品服务",
                idempotency_key=f"try-key-{number}-{index}",
                checkpoint_id=None,
                started_at=opened + timedelta(minutes=index),
            )
            assert store.start_attempt(attempt)
            at = opened + timedelta(minutes=index, seconds=30)
            store.finish_attempt(attempt.id, outcome, at=at, reason="", evidence_json="{}")


async def test_more_series_than_an_answer_holds_are_counted_in_pieces(
    lab: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await lab.desk.naming.topic("业务日志")
    search = lab.desk.logs(topic.place)
    period = parse_period("4h", now=lab.desk.now(), zone=ZONE)
    fields = Dimensions(workload="workload", level="level")

    async def gathered() -> Gathered:
        hour = timedelta(hours=1)
        return await with_history(
            search, topic.topic.topic_id, "*", period, bucket=hour, dimensions=fields, days=2
        )

    at_once = await gathered()
    rows = sum(len(series) for series in at_once.counts.values())
    monkeypatch.setattr(counting, "MOST_ROWS", rows // 3 // 2)
    monkeypatch.setattr(counting, "_COMFORTABLE_ROWS", rows // 3)
    assert await gathered() == at_once, "halved where an answer is too short"
    monkeypatch.setattr(counting, "_COMFORTABLE_ROWS", rows // 3 // 2 // 2)
    assert await gathered() == at_once, "cut beforehand"
    monkeypatch.setattr(counting, "MOST_ROWS", 2)
    with pytest.raises(InvalidRequest):
        await gathered()


async def test_a_topic_that_does_not_answer_is_named_and_the_others_are_told(lab: Office) -> None:
    first, *others = await searched_topics(lab.desk.naming, None)
    assert others

    async def ask(topic: LocatedTopic) -> str:
        if topic is first:
            await asyncio.Event().wait()
        return topic.alias

    answers, skipped = await of_each([first, *others], ask, within_s=0.05)
    assert [alias for _, alias in answers] == [one.alias for one in others]
    (reason,) = skipped
    assert reason.startswith(first.alias)


async def test_a_topic_that_refuses_is_named_where_others_answer_and_raised_where_none_does(
    lab: Office,
) -> None:
    first, *others = await searched_topics(lab.desk.naming, None)

    async def ask(topic: LocatedTopic) -> str:
        if topic is first:
            raise Throttled("too often")
        return topic.alias

    answers, skipped = await of_each([first, *others], ask, within_s=10.0)
    assert len(answers) == len(others)
    assert skipped == [f"{first.alias}: too often"]
    with pytest.raises(Throttled):
        await of_each([first], ask, within_s=10.0)
    with pytest.raises(Throttled):
        await of_each([first, *others], ask)
