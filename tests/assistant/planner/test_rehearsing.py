"""Acts that are only to be rehearsed: planned with dry_run, and nothing else is taken for a rehearsal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assistant.planner.inventory import Inventory, Thing
from assistant.planner.plan import Plan
from assistant.planner.planner import Planner
from assistant.planner.rehearsing import rehearsed

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KNOWN = Inventory(
    things=(
        Thing(kind="workload", id="user-center", names=("用户中心",)),
        Thing(kind="workload", id="mock-exam", names=("预演平台",)),
    )
)


@pytest.mark.parametrize(
    "say",
    [
        "用户中心缩到两个，演练一下",
        "先演练一下，把用户中心缩到两个",
        "用户中心缩到两个，dry run，别真缩",
        "模拟一遍把用户中心缩到两个",
        "把用户中心缩到两个，不要真的执行",
    ],
)
def test_an_act_that_is_to_be_rehearsed_changes_nothing(say: str) -> None:
    outcome = Planner().plan(say, inventory=KNOWN, now=NOW)
    assert isinstance(outcome, Plan), outcome
    (call,) = outcome.calls
    assert call.tool == "scale_workload"
    assert call.arguments == {"workload": "user-center", "replicas": 2, "dry_run": True}


def test_a_service_may_be_called_like_a_rehearsal() -> None:
    outcome = Planner().plan("重启预演平台", inventory=KNOWN, now=NOW)
    assert isinstance(outcome, Plan)
    assert outcome.calls[0].arguments == {"workload": "mock-exam"}


@pytest.mark.parametrize("say", ["别真重启用户中心", "演练一下", "模拟一下看看"])
def test_without_an_act_nothing_is_rehearsed(say: str) -> None:
    assert not isinstance(Planner().plan(say, inventory=KNOWN, now=NOW), Plan)


@pytest.mark.parametrize("say", ["用户中心真慢", "别重启用户中心", "用户中心的日志"])
def test_ordinary_talk_is_no_rehearsal(say: str) -> None:
    assert rehearsed(say, KNOWN) is None
