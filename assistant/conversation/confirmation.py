"""What a person hears before a dangerous act: object, act and effect, in the names that people use. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from assistant.planner.inventory import Inventory, Kind
from assistant.planner.plan import Arguments, PlannedCall

DIGITS_ASKED = frozenset(
    {
        "roll_back",
        "isolate_workload",
        "delete_pod",
        "delete_alarm",
        "apply_manifest",
        "restore_checkpoint",
        "remove_person",
    }
)
"""The most dangerous: a recording of “确认” must not be enough."""

ABOUT_WORKLOAD = frozenset(
    {"scale_workload", "restart_workload", "roll_back", "isolate_workload", "release_workload"}
)
"""Acts on a workload: what it is now is looked at before it is read back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What an act would change, as it is now.

    Args:
        cluster_id: Where it runs; empty when nobody looked.
        namespace: Where it runs; empty when nobody looked.
        replicas: How many are wanted; None when nobody looked.
    """

    cluster_id: str = ""
    namespace: str = ""
    replicas: int | None = None


def present_of(content: Mapping[str, JsonValue]) -> Present:
    """Return what `describe_workload` answered."""
    workload = content.get("workload")
    if not isinstance(workload, Mapping):
        return Present()
    _, _, wanted = str(workload.get("ready", "")).partition("/")
    return Present(
        cluster_id=str(content.get("cluster_id", "")),
        namespace=str(workload.get("namespace", "")),
        replicas=int(wanted) if wanted.strip().isdigit() else None,
    )


def read_back(call: PlannedCall, otherwise: str, *, inventory: Inventory, present: Present) -> str:
    """Return the sentence that is read back.

    Args:
        call: What would be done.
        otherwise: The server's own sentence, for acts that have none here.
        inventory: How things are called.
        present: What it would change.
    """
    say = _SENTENCES.get(call.tool)
    if say is None:
        return otherwise
    names = _Names(call.arguments, inventory, present)
    return f"{say(names, call.arguments, present)}，确认吗？"


class _Names:
    """How the things of one call are called."""

    def __init__(self, arguments: Arguments, inventory: Inventory, present: Present) -> None:
        self._arguments = arguments
        self._inventory = inventory
        self._present = present

    def of(self, kind: Kind) -> str:
        """Return what people call the thing of this kind."""
        return self._called(kind, str(self._arguments.get(kind, "")))

    @property
    def workload(self) -> str:
        """The workload with its cluster, and its namespace where the name alone does not tell it."""
        cluster = str(self._arguments.get("cluster", "")) or self._present.cluster_id
        alike = {
            thing.place
            for thing in self._inventory.things
            if thing.kind == "workload" and thing.id == self._arguments.get("workload")
        }
        namespace = str(self._arguments.get("namespace", "")) or self._present.namespace
        inside = f"{self._called('namespace', namespace)}的" if len(alike) > 1 and namespace else ""
        where = f"{self._called('cluster', cluster)}的" if cluster else ""
        return f"{where}{inside}{self.of('workload')}"

    def _called(self, kind: Kind, name: str) -> str:
        """Return the name that tells most: 生产集群 says more than 生产."""
        for thing in self._inventory.things:
            if thing.kind == kind and thing.id == name and thing.names:
                return max(thing.names, key=_tells_more) if kind == "cluster" else thing.spoken
        return name


def _tells_more(name: str) -> tuple[bool, int]:
    return name.endswith("集群"), len(name)


def _scale(names: _Names, arguments: Arguments, present: Present) -> str:
    wanted = arguments["replicas"]
    if present.replicas is None or not isinstance(wanted, int) or wanted == present.replicas:
        return f"把{names.workload}调到{wanted}个副本"
    act = "扩到" if wanted > present.replicas else "缩到"
    warning = "，服务会停掉" if wanted == 0 else ""
    return f"把{names.workload}从{present.replicas}个副本{act}{wanted}个{warning}"


def _roll_back(names: _Names, arguments: Arguments, _: Present) -> str:
    revision = arguments.get("revision")
    return f"把{names.workload}回滚到{f'版本{revision}' if revision else '上一个版本'}"


_SENTENCES: Mapping[str, Callable[[_Names, Arguments, Present], str]] = {
    "scale_workload": _scale,
    "roll_back": _roll_back,
    "restart_workload": lambda names, _, __: f"重启{names.workload}，容器会逐个重启",
    "isolate_workload": lambda names, _, __: f"隔离{names.workload}，切断它的全部网络",
    "release_workload": lambda names, _, __: f"解除{names.workload}的隔离",
    "delete_alarm": lambda names, _, __: f"删除告警{names.of('alarm')}，删了就不再提醒",
    "resize_node_pool": lambda names, arguments, _: (
        f"把{names.of('node_pool')}调到{arguments['nodes']}个节点"
    ),
}
