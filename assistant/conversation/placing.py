"""Which of several workloads of one name is meant: calls carry its place in arguments of their own. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.planner.inventory import Inventory
from assistant.planner.lexicon import load_lexicon
from assistant.planner.plan import PlannedCall


def full_id(cluster_id: str, namespace: str, workload: str) -> str:
    """Return the id by which a workload is told from all others of its name."""
    return f"{cluster_id}/{namespace}/{workload}"


def placed(call: PlannedCall, inventory: Inventory) -> PlannedCall:
    """Return a call with the bare name of its workload, and its cluster and namespace where they are needed.

    Args:
        call: As it was planned; the workload may be named by its full id.
        inventory: What else there is.
    """
    said = call.arguments.get("workload")
    if (
        not isinstance(said, str)
        or said.count("/") != 2
        or "cluster" not in load_lexicon().tools[call.tool].take
    ):
        return call
    cluster, namespace, workload = said.split("/")
    arguments = {**call.arguments, "workload": workload}
    if arguments.get("cluster", cluster) == cluster:
        if cluster != inventory.default_cluster:
            arguments["cluster"] = cluster
        alike = [
            thing.id
            for thing in inventory.things
            if thing.kind == "workload"
            and thing.id.startswith(f"{cluster}/")
            and thing.id.endswith(f"/{workload}")
        ]
        if len(alike) > 1:
            arguments["namespace"] = namespace
    return PlannedCall(tool=call.tool, arguments=arguments)


def all_placed(calls: Iterable[PlannedCall], inventory: Inventory) -> tuple[PlannedCall, ...]:
    """Return all calls placed."""
    return tuple(placed(call, inventory) for call in calls)
