"""The tool that resizes a node pool, and waits for the machines."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_tencent.basic.cluster_answers import ResizeAnswer
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.errors import OutOfBounds, OverLimit
from mcp_tencent.basic.parameters import ClusterName
from mcp_tencent.errors import CloudError, NotFound
from mcp_tencent.gateway.call import Arguments
from mcp_tencent.models.clusters import NodePool
from mcp_tencent.naming.located import LocatedPool
from mcp_tencent.serving.declare import DryRun, ToolSet

_MOST_NODES = 5000  # what Kubernetes is tested for: beyond that a number was misheard


def node_pool_actions(desk: BasicDesk) -> ToolSet:
    """Declare the tool."""
    tools = ToolSet(outside="tke")

    def check(nodes: int) -> None:
        if nodes > desk.bounds.nodes_max:
            raise OverLimit(
                f"a pool may be resized to {desk.bounds.nodes_max} nodes at most, not {nodes}",
                limit=desk.bounds.nodes_max,
                what="节点",
            )

    def read_back(arguments: Arguments) -> str:
        nodes = arguments["nodes"]
        assert isinstance(nodes, int)  # noqa: S101 - the arguments have been checked before
        check(nodes)
        where = f"{arguments['cluster']}的" if arguments.get("cluster") else ""
        return f"把{where}{arguments['node_pool']}调整到{nodes}个节点"

    @tools.dangerous("调整节点池", read_back=read_back, naturally_idempotent=True)
    async def resize_node_pool(
        context: Context[Any, Any],
        node_pool: Annotated[
            str,
            Field(
                description="Id, name or alias of a node pool, e.g. np-1a2b3c4d.",
                min_length=1,
                max_length=200,
            ),
        ],
        nodes: Annotated[
            int, Field(description="How many nodes it shall have.", ge=0, le=_MOST_NODES, strict=True)
        ],
        cluster: ClusterName = None,
        dry_run: DryRun = False,
    ) -> ResizeAnswer:
        """Set how many nodes a node pool has, and wait for the machines to come or go (a few minutes).

        For “把通用节点池扩到八个节点”. Shrinking takes machines away, with whatever runs on them. Not for
        pods: that is scale_workload. Undone by resizing back.

        Example: resize_node_pool(node_pool="np-1a2b3c4d", nodes=8).
        """
        check(nodes)
        found = await _present(desk, await desk.naming.node_pool(node_pool, cluster, certain=True))
        _check_pool(found, nodes)
        service = desk.service(found.cluster)
        await service.resize_node_pool(found.pool, nodes, dry_run=dry_run, idempotency_key=desk.new_key())
        if dry_run or found.pool.nodes_wanted == nodes:
            return _resized(found, found.pool, nodes, "planned" if dry_run else "unchanged")
        return await _followed(desk, context, found, nodes)

    return tools


async def _present(desk: BasicDesk, found: LocatedPool) -> LocatedPool:
    """Return the pool as it is now: names may be some seconds old."""
    for pool in await desk.service(found.cluster).node_pools(found.cluster.cluster_id):
        if pool.pool_id == found.pool.pool_id:
            return replace(found, pool=pool)
    raise NotFound(f"the node pool {found.pool.pool_id} is gone", wanted=f"节点池{found.alias}")


def _check_pool(found: LocatedPool, nodes: int) -> None:
    least, most = found.pool.nodes_min or 0, found.pool.nodes_max
    if nodes < least or (most is not None and nodes > most):
        bounds = f"{least}到{most}个" if most is not None else f"至少{least}个"
        raise OutOfBounds(
            f"the node pool {found.pool.pool_id} may have {least} to {most} nodes, not {nodes}",
            spoken=f"{found.alias}只能有{bounds}节点，没有执行",
        )


async def _followed(
    desk: BasicDesk, context: Context[Any, Any], found: LocatedPool, nodes: int
) -> ResizeAnswer:
    """Look at a pool until it has the wanted number of ready nodes, or patience ends."""
    began = time.monotonic()
    while True:
        try:
            pool = (await _present(desk, found)).pool
        except CloudError:
            # The resize has been ordered: an error here would say that it has not.
            return _resized(found, found.pool, nodes, "unwatched", time.monotonic() - began)
        waited = time.monotonic() - began
        if pool.nodes_ready == nodes == pool.nodes_wanted:
            return _resized(found, pool, nodes, "complete", waited)
        if waited + desk.patience.look_every.total_seconds() > desk.patience.machines.total_seconds():
            return _resized(found, pool, nodes, "still_changing", waited)
        await context.report_progress(
            waited, desk.patience.machines.total_seconds(), f"{pool.nodes_ready}/{nodes} 个节点就绪"
        )
        await asyncio.sleep(desk.patience.look_every.total_seconds())


def _resized(
    found: LocatedPool, now: NodePool, nodes: int, outcome: str, waited: float = 0.0
) -> ResizeAnswer:
    before = found.pool.nodes_wanted
    said = {
        "planned": f"试运行：{found.alias}会从{before}个节点调整到{nodes}个，没有改动",
        "unchanged": f"{found.alias}本来就是{nodes}个节点，没有改动",
        "complete": f"{found.alias}已经从{before}个节点调整到{nodes}个，全部就绪",
        "unwatched": f"{found.alias}已经要求调整到{nodes}个节点，但现在查不到进展",
        "still_changing": f"{found.alias}正在调整到{nodes}个节点，目前{now.nodes_ready}个就绪，还没完成",
    }[outcome]
    warning = "；它开着自动伸缩，数量可能还会变" if found.pool.autoscaling else ""
    return ResizeAnswer(
        summary=f"{said}{warning}。",
        dry_run=outcome == "planned",
        cluster=found.cluster.cluster_id,
        node_pool=found.pool.pool_id,
        name=found.pool.name,
        nodes_before=before,
        nodes_wanted=nodes,
        nodes_ready=now.nodes_ready,
        outcome=outcome,
        autoscaling=found.pool.autoscaling,
        waited_seconds=round(waited, 1),
    )
