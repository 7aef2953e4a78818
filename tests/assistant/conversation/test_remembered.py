"""What one turn leaves behind for the next."""

from pydantic import JsonValue

from assistant.conversation.remembered import remembered
from assistant.planner.plan import LogLine, PlannedCall, TurnContext

_NOTHING = TurnContext()
_AT = "2026-11-20T10:00:00+08:00"


def test_what_a_call_named_is_remembered() -> None:
    call = PlannedCall(tool="list_pods", arguments={"workload": "order-api", "cluster": "cls-1"})
    after = remembered(_NOTHING, "看看订单服务的 pod", call, {})
    assert (after.last_workload, after.last_cluster, after.last_call) == ("order-api", "cls-1", call)
    assert after.previous_say == "看看订单服务的 pod"


def test_a_list_that_was_read_out_is_remembered_in_its_order() -> None:
    call = PlannedCall(tool="list_alerts")
    after = remembered(_NOTHING, "昨天有什么告警", call, {"alerts": [{"id": "a"}, {"id": "b"}]})
    assert (after.last_alerts, after.last_alert) == (("a", "b"), "")


def test_the_only_thing_in_a_list_is_the_one_meant_by_it() -> None:
    after = remembered(_NOTHING, "", PlannedCall(tool="list_incidents"), {"incidents": [{"id": "inc-1"}]})
    assert after.last_incident == "inc-1"


def test_the_first_log_line_is_the_one_whose_neighbours_are_asked_for() -> None:
    line: dict[str, JsonValue] = {"topic": "t", "pkg_id": "p", "pkg_log_id": "0", "time": _AT}
    after = remembered(_NOTHING, "", PlannedCall(tool="search_logs"), {"lines": [line | {"text": "x"}]})
    assert after.last_log == LogLine(topic="t", pkg_id="p", pkg_log_id="0", time=_AT)


def test_what_was_spoken_of_before_stays_until_something_takes_its_place() -> None:
    before = TurnContext(last_workload="order-api", last_alerts=("a",))
    after = remembered(before, "", PlannedCall(tool="list_clusters"), {})
    assert (after.last_workload, after.last_alerts) == ("order-api", ("a",))
