"""What is read back before a dangerous act."""

from pydantic import JsonValue

from assistant.conversation.confirmation import Present, present_of, read_back
from assistant.planner.inventory import Inventory, Thing
from assistant.planner.plan import PlannedCall

_INVENTORY = Inventory(
    things=(
        Thing(kind="cluster", id="cls-1", names=("生产", "生产集群")),
        Thing(kind="workload", id="order-api", names=("订单服务",), place="shop"),
    )
)
_NOW = Present(cluster_id="cls-1", namespace="shop", replicas=3)


def _read(tool: str, present: Present = _NOW, **arguments: str | int) -> str:
    call = PlannedCall(tool=tool, arguments={"workload": "order-api", **arguments})
    return read_back(call, "原来的句子，确认吗？", inventory=_INVENTORY, present=present)


def test_scaling_names_object_act_and_effect() -> None:
    assert _read("scale_workload", replicas=5) == "把生产集群的订单服务从3个副本扩到5个，确认吗？"
    assert _read("scale_workload", replicas=1) == "把生产集群的订单服务从3个副本缩到1个，确认吗？"
    assert _read("scale_workload", replicas=0).endswith("从3个副本缩到0个，服务会停掉，确认吗？")


def test_nothing_is_claimed_of_what_could_not_be_looked_at() -> None:
    assert _read("scale_workload", Present(), replicas=5) == "把订单服务调到5个副本，确认吗？"


def test_rolling_back_says_where_to() -> None:
    assert _read("roll_back") == "把生产集群的订单服务回滚到上一个版本，确认吗？"
    assert _read("roll_back", revision=7) == "把生产集群的订单服务回滚到版本7，确认吗？"


def test_the_namespace_is_said_where_the_name_alone_does_not_tell() -> None:
    twins = Inventory(things=(*_INVENTORY.things, Thing(kind="workload", id="order-api", place="gray")))
    call = PlannedCall(tool="restart_workload", arguments={"workload": "order-api"})
    assert read_back(call, "", inventory=twins, present=_NOW).startswith("重启生产集群的shop的订单服务")


def test_an_act_without_a_sentence_of_its_own_keeps_the_servers() -> None:
    assert _read("apply_manifest") == "原来的句子，确认吗？"


def test_the_present_is_what_describe_workload_answers() -> None:
    content: dict[str, JsonValue] = {"cluster_id": "cls-1", "workload": {"namespace": "shop", "ready": "2/3"}}
    assert present_of(content) == _NOW
    assert present_of({}) == Present()
