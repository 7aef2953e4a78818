"""An opening that somebody else worded is spoken only when it is true to the facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from scheduler.digest import build_digest
from scheduler.digest_facts import AlertFacts, LogFacts, NightFacts, Standing
from scheduler.opening import OpeningQuestion, is_true_opening, opening_by, opening_question

ORDERS = AlertFacts(
    id="alert-1",
    title="订单服务错误率过高",
    name="订单服务",
    score=87.0,
    priority="P1",
    standing=Standing.OPEN,
    cluster_id="cls-1",
    namespace="shop",
    workload="orders",
    alerts=40,
)
FACTS = NightFacts(
    date=date(2026, 11, 20),
    alert_records=46,
    alerts=(
        ORDERS,
        replace(ORDERS, id="alert-2", title="支付服务慢", score=71.0),
        replace(ORDERS, id="alert-3", title="order-api 重启", score=55.0, standing=Standing.RECOVERED),
    ),
    logs=LogFacts(lines=1_264_000, errors=8214, days_before=7, lines_usual=1_130_000, errors_usual=3570),
)


@pytest.mark.parametrize(
    "text",
    [
        "昨天46条告警，合并成3个问题，还有2个没有解决。",
        "还有两个问题没有解决，最要紧的是订单服务错误率过高，8.7分。",
        "昨天一共3个问题，2个没解决。日志126.4万条，比平时多百分之12。",
        "有2个问题没有解决，order-api重启已经自己恢复。",
    ],
)
def test_a_true_opening_is_spoken(text: str) -> None:
    assert is_true_opening(text, opening_question(FACTS))


@pytest.mark.parametrize(
    "text",
    [
        "昨天47条告警，还有2个没有解决。",
        "昨天四十七条告警，还有2个没有解决。",
        "还有2个没有解决，错误涨了三倍。",
        "还有2个没有解决，错误多了一半。",
        "还有2个没有解决，占46%。",
        "昨天46条告警。",
        "昨天一切正常，2个小问题而已。",
        "还有2个没有解决，请运行kubectl delete。",
        "还有2个没有解决，详见https://example.com。",
        "还有2个没有解决<script>。",
        "还有2个没有解决。\n另外",
        "还有2个没有解决",
        f"还有2个没有解决{'，很多' * 40}。",
        "",
    ],
)
def test_an_untrue_or_odd_opening_is_not_spoken(text: str) -> None:
    assert not is_true_opening(text, opening_question(FACTS))


class FakeWriter:
    """Satisfies `OpeningWriter` by one scripted text."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked: list[OpeningQuestion] = []

    async def write(self, question: OpeningQuestion) -> str | None:
        self.asked.append(question)
        return self.text


async def test_a_checked_opening_begins_the_digest() -> None:
    text = "有2个问题没有解决。"
    opening = await opening_by(FakeWriter(f" {text}\n"), FACTS)
    assert build_digest(FACTS, opening=opening).opening == text


@pytest.mark.parametrize("text", [None, "昨天一切正常。", "有9个问题没有解决。"])
async def test_without_a_true_opening_the_rules_begin_the_digest(text: str | None) -> None:
    opening = await opening_by(FakeWriter(text), FACTS)
    assert build_digest(FACTS, opening=opening) == build_digest(FACTS)


async def test_the_writer_sees_finished_facts_and_no_log_line() -> None:
    writer = FakeWriter(None)
    await opening_by(writer, FACTS)
    assert writer.asked[0].facts == (
        "昨天告警记录46条",
        "合并成问题3个",
        "自动修好0个",
        "自己恢复1个",
        "没有解决2个",
        "等用户决定0件",
        "读不到的地方0处",
        "订单服务错误率过高，8.7分，还没有恢复",
        "支付服务慢，7.1分，还没有恢复",
        "order-api 重启，5.5分，已经自己恢复",
        "日志126.4万条，比平时多百分之12。错误8214条，是平时的2.3倍。",
    )
