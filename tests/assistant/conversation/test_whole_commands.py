"""When a short pause is enough."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assistant.conversation.whole_commands import WholeCommands
from assistant.planner.inventory import Inventory, Thing
from voice.endpointing import EndpointSettings, needed_pause_s

NAMES = Inventory(
    things=(
        Thing(kind="workload", id="order-service", names=("订单服务",)),
        Thing(kind="workload", id="payment-service", names=("支付服务",)),
    )
)


class CountingClock:
    """A clock that knows how often it was read."""

    def __init__(self) -> None:
        self.readings = 0

    def now(self) -> datetime:
        self.readings += 1
        return datetime(2026, 11, 20, 8, tzinfo=UTC)


def whole_commands(clock: CountingClock | None = None) -> WholeCommands:
    whole = WholeCommands(clock or CountingClock())
    whole.expect(NAMES)
    return whole


@pytest.mark.parametrize("text", ["重启订单服务", "把订单服务扩到五个副本", "隔离支付服务"])
def test_a_whole_command_is_known_as_one(text: str) -> None:
    assert whole_commands()(text)


@pytest.mark.parametrize(
    "text",
    ["订单服务现在有几个副本", "最近的告警是哪些", "不健康的工作负载有哪些"],
)
def test_a_question_with_all_that_it_takes_is_whole(text: str) -> None:
    assert whole_commands()(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "订单服务", "看看订单服务", "把订单服务", "帮我把订单服务的副本数", "把订单服务扩到", "重启",
        "订单服务有没有", "今天天气", "有哪些", "看一下", "支付服务昨天的",
    ],
)  # fmt: skip
def test_a_beginning_is_waited_for_longer(text: str) -> None:
    settings = EndpointSettings()
    assert needed_pause_s(text, settings, whole_commands()) > settings.finished_s


def test_the_pause_after_a_command_is_short_only_when_its_name_is_known() -> None:
    settings = EndpointSettings()
    whole = whole_commands()
    assert needed_pause_s("重启订单服务", settings, whole) == settings.finished_s
    whole.expect(Inventory())
    assert needed_pause_s("重启订单服务", settings, whole) == settings.usual_s


def test_the_same_words_are_planned_once_while_the_pause_grows() -> None:
    clock = CountingClock()
    whole = whole_commands(clock)
    for _ in range(20):
        whole("重启订单服务")
    assert clock.readings == 1
