"""Tools for clusters and what they stand on: nodes, node pools, namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from mcp_tencent.basic.cluster_answers import (
    ClusterAnswer,
    ClusterLine,
    ClustersAnswer,
    NamespaceLine,
    NamespacesAnswer,
    NodeLine,
    NodesAnswer,
    PoolLine,
    PoolsAnswer,
    Unreached,
)
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.health import cluster_problems, node_problems, unhealthy_first
from mcp_tencent.basic.lookup import cluster_words, gathered, in_clusters
from mcp_tencent.basic.paging import Cursor, page_of
from mcp_tencent.basic.parameters import ClusterName
from mcp_tencent.basic.regions import is_region, region_name
from mcp_tencent.basic.wording import some
from mcp_tencent.errors import NotFound
from mcp_tencent.models.clusters import Cluster, ClusterStatus, NodePool
from mcp_tencent.models.workloads import Namespace, Node, Workload
from mcp_tencent.serving.declare import ToolSet

_STATUS_WORDS = {
    ClusterStatus.RUNNING: "运行正常",
    ClusterStatus.CHANGING: "正在变更",
    ClusterStatus.STOPPED: "已停用",
    ClusterStatus.ABNORMAL: "状态异常",
}
_NAMED = 10


def cluster_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="tke")
    _declare_clusters(tools, desk)
    _declare_parts(tools, desk)
    return tools


def _declare_clusters(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("列出集群", cache_s=10.0)
    async def list_clusters(
        region: Annotated[
            str | None,
            Field(
                description="Only those of a region: its code or city, e.g. ap-guangzhou or 广州.",
                max_length=40,
            ),
        ] = None,
        cursor: Cursor = None,
    ) -> ClustersAnswer:
        """List the clusters of all configured accounts and regions, those in trouble first.

        For “有哪些集群”, “广州有几个集群”. Not for what runs inside a cluster: that is describe_cluster or
        list_workloads.

        Example: list_clusters(region="广州").
        """
        inventory = await desk.clouds.inventory()
        known = {place.region for place in desk.clouds.places}
        if region is not None and not any(is_region(region, code) for code in known):
            names = ", ".join(f"{code} ({region_name(code)})" for code in sorted(known))
            raise NotFound(
                f"no region of that name is configured; configured are {names}", wanted=f"地域“{region}”"
            )
        found = [one for one in inventory.clusters if region is None or is_region(region, one.place.region)]
        found.sort(key=lambda one: one.status is ClusterStatus.RUNNING)
        page = page_of(found, _cluster_line, cursor=cursor)
        unreached = [
            Unreached(account=one.place.account, region=one.place.region, reason=one.spoken)
            for one in inventory.unreached
        ]
        return ClustersAnswer(
            summary=_clusters_summary(found, unreached, region),
            clusters=page.items,
            unreached=unreached,
            left_out=page.left_out,
            cursor=page.cursor,
        )

    @tools.read("查看集群", cache_s=5.0)
    async def describe_cluster(
        cluster: Annotated[
            str,
            Field(description="Id, name or alias of a cluster, e.g. 生产.", min_length=1, max_length=200),
        ],
    ) -> ClusterAnswer:
        """Tell how one cluster is: version, nodes, node pools, and which workloads are unhealthy.

        For “生产集群怎么样”. For the causes of an unhealthy workload use diagnose or describe_workload.

        Example: describe_cluster(cluster="生产").
        """
        return await _described(desk, await desk.naming.cluster(cluster))


def _declare_parts(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("列出节点", cache_s=5.0)
    async def list_nodes(
        cluster: ClusterName = None,
        status: Annotated[
            Literal["all", "ready", "not_ready"], Field(description="Only nodes that are ready, or are not.")
        ] = "all",
        cursor: Cursor = None,
    ) -> NodesAnswer:
        """List the nodes (machines) of a cluster, those in trouble first.

        For “有几个节点没就绪”. For how busy a node is use resource_usage; for groups of them list_node_pools.

        Example: list_nodes(cluster="生产", status="not_ready").
        """
        scopes = await in_clusters(desk, cluster, None)
        everything = await gathered(scopes, lambda one, _: desk.inside(one).nodes())
        found = [pair for pair in everything.found if status == "all" or pair[1].ready == (status == "ready")]
        found.sort(key=lambda pair: (pair[1].ready, not node_problems(pair[1]), pair[1].name))
        page = page_of(found, lambda pair: _node_line(*pair), cursor=cursor)
        return NodesAnswer(
            summary=everything.told(
                _nodes_summary(cluster_words(scopes), [node for _, node in everything.found], status)
            ),
            nodes=page.items,
            silent=everything.silent,
            left_out=page.left_out,
            cursor=page.cursor,
        )

    @tools.read("列出节点池", cache_s=5.0)
    async def list_node_pools(cluster: ClusterName = None, cursor: Cursor = None) -> PoolsAnswer:
        """List the node pools of a cluster: how many nodes each has, wants and may have.

        For “节点池有多大”. To change the size use resize_node_pool.

        Example: list_node_pools(cluster="生产").
        """
        scopes = await in_clusters(desk, cluster, None)
        everything = await gathered(scopes, lambda one, _: desk.service(one).node_pools(one.cluster_id))
        page = page_of(everything.found, lambda pair: _pool_line(pair[1], pair[0]), cursor=cursor)
        return PoolsAnswer(
            summary=everything.told(
                _pools_summary(cluster_words(scopes), [pool for _, pool in everything.found])
            ),
            node_pools=page.items,
            silent=everything.silent,
            left_out=page.left_out,
            cursor=page.cursor,
        )

    @tools.read("列出命名空间", cache_s=5.0)
    async def list_namespaces(cluster: ClusterName = None, cursor: Cursor = None) -> NamespacesAnswer:
        """List the namespaces of a cluster, with how many workloads each has and how many are unhealthy.

        For “有哪些命名空间”.

        Example: list_namespaces(cluster="生产").
        """
        scopes = await in_clusters(desk, cluster, None)
        everything = await gathered(scopes, lambda one, _: _namespaces(desk, one))
        found = [line for _, line in everything.found]
        found.sort(key=lambda line: (line.unhealthy == 0, line.cluster, line.name))
        page = page_of(found, lambda line: line, cursor=cursor)
        return NamespacesAnswer(
            summary=everything.told(_namespaces_summary(cluster_words(scopes), found)),
            namespaces=page.items,
            silent=everything.silent,
            left_out=page.left_out,
            cursor=page.cursor,
        )


async def _described(desk: BasicDesk, cluster: Cluster) -> ClusterAnswer:
    inside, service = desk.inside(cluster), desk.service(cluster)
    fresh, nodes, pools, namespaces, workloads, topics = await asyncio.gather(
        service.cluster(cluster.cluster_id),
        inside.nodes(),
        service.node_pools(cluster.cluster_id),
        inside.namespaces(),
        inside.workloads(),
        service.topics(cluster.cluster_id),
    )
    aliases = await desk.naming.aliases_of_workloads(cluster)
    unhealthy = unhealthy_first([one for one in workloads if not one.healthy])
    down = [node.name for node in nodes if not node.ready]
    problems = cluster_problems(
        down,
        [
            f"{aliases.get(one.ref, one.ref.name)}{one.replicas_ready}/{one.replicas_wanted}"
            for one in unhealthy
        ],
    )
    counts = f"{len(nodes)}个节点，{len(workloads)}个工作负载"
    return ClusterAnswer(
        summary=f"{cluster.name}在{region_name(cluster.place.region)}，{_STATUS_WORDS[fresh.status]}，{counts}，{problems}。",
        cluster=_cluster_line(fresh),
        status_detail=fresh.status_detail,
        created_at=desk.told(fresh.created_at),
        nodes=len(nodes),
        nodes_ready=len(nodes) - len(down),
        not_ready_nodes=down[:_NAMED],
        node_pools=page_of(pools, lambda pool: _pool_line(pool, cluster), budget_bytes=1500).items,
        namespaces=len(namespaces),
        workloads=len(workloads),
        unhealthy_workloads=[f"{one.ref.namespace}/{one.ref.name}" for one in unhealthy[:_NAMED]],
        unhealthy_count=len(unhealthy),
        pods=sum(one.replicas_wanted for one in workloads),
        pods_ready=sum(one.replicas_ready for one in workloads),
        workload_topic_id=topics.workload_topic_id,
        event_topic_id=topics.event_topic_id,
    )


async def _namespaces(desk: BasicDesk, cluster: Cluster) -> list[NamespaceLine]:
    inside = desk.inside(cluster)
    namespaces, workloads = await asyncio.gather(inside.namespaces(), inside.workloads())
    return [_namespace_line(one, cluster, workloads) for one in namespaces]


def _cluster_line(cluster: Cluster) -> ClusterLine:
    return ClusterLine(
        id=cluster.cluster_id,
        name=cluster.name,
        aliases=list(cluster.aliases),
        region=cluster.place.region,
        account=cluster.place.account,
        status=cluster.status.value,
        kubernetes_version=cluster.kubernetes_version,
        nodes=cluster.nodes,
    )


def _node_line(cluster: Cluster, node: Node) -> NodeLine:
    return NodeLine(
        name=node.name,
        cluster=cluster.name,
        ready=node.ready,
        schedulable=node.schedulable,
        problems=node_problems(node),
        address=node.address,
        instance_id=node.instance_id,
        cpu_cores=round(node.cpu_millicores / 1000, 2),
        memory_gib=round(node.memory_bytes / 2**30, 1),
        kubelet_version=node.kubelet_version,
    )


def _pool_line(pool: NodePool, cluster: Cluster) -> PoolLine:
    return PoolLine(
        id=pool.pool_id,
        name=pool.name,
        cluster=cluster.name,
        kind=pool.kind.value,
        status=pool.status,
        nodes_wanted=pool.nodes_wanted,
        nodes_ready=pool.nodes_ready,
        nodes_min=pool.nodes_min,
        nodes_max=pool.nodes_max,
        autoscaling=pool.autoscaling,
        instance_types=list(pool.instance_types),
    )


def _namespace_line(namespace: Namespace, cluster: Cluster, workloads: Sequence[Workload]) -> NamespaceLine:
    inside = [one for one in workloads if one.ref.namespace == namespace.name]
    return NamespaceLine(
        name=namespace.name,
        cluster=cluster.name,
        aliases=list(namespace.aliases),
        phase=namespace.phase,
        workloads=len(inside),
        unhealthy=sum(not one.healthy for one in inside),
    )


def _clusters_summary(found: Sequence[Cluster], unreached: Sequence[Unreached], region: str | None) -> str:
    where = f"{region}有" if region else "一共"
    bad = [
        f"{one.name}{_STATUS_WORDS[one.status]}" for one in found if one.status is not ClusterStatus.RUNNING
    ]
    names, state = some([one.name for one in found], 5), some(bad) if bad else "都在正常运行"
    if found:
        said = f"{where}{len(found)}个集群：{names}，{state}"
    else:
        said = f"{region}没有集群" if region else "一个集群都没有"
    silent = some([region_name(one.region) for one in unreached])
    return f"{said}；{silent}现在查不到。" if silent else f"{said}。"


def _nodes_summary(where: str, nodes: Sequence[Node], status: str) -> str:
    down = [node.name for node in nodes if not node.ready]
    if status == "ready":
        return f"{where}有{len(nodes) - len(down)}个节点就绪，一共{len(nodes)}个。"
    if not down:
        return f"{where}的{len(nodes)}个节点都就绪。"
    return f"{where}的{len(nodes)}个节点里有{len(down)}个没就绪：{some(down)}。"


def _pools_summary(where: str, pools: Sequence[NodePool]) -> str:
    if not pools:
        return f"{where}没有节点池。"
    short = [
        f"{one.name}{one.nodes_ready}/{one.nodes_wanted}"
        for one in pools
        if one.nodes_ready < one.nodes_wanted
    ]
    state = (
        f"节点没到齐的：{some(short)}"
        if short
        else some([f"{one.name}{one.nodes_ready}个节点" for one in pools], 4)
    )
    return f"{where}有{len(pools)}个节点池，{state}。"


def _namespaces_summary(where: str, lines: Sequence[NamespaceLine]) -> str:
    bad = [
        f"{line.aliases[0] if line.aliases else line.name}{line.unhealthy}个"
        for line in lines
        if line.unhealthy
    ]
    state = f"有不健康工作负载的：{some(bad)}" if bad else "里面的工作负载都健康"
    return f"{where}有{len(lines)}个命名空间，{state}。"
