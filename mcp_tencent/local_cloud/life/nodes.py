"""The nodes of all clusters: as TKE and metrics see them, and how pools grow, shrink and drain."""

from __future__ import annotations

import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.life.manifests import POOL_LABEL
from mcp_tencent.local_cloud.life.metrics import MeteredNode
from mcp_tencent.local_cloud.scenario.model import Cluster, NodePool
from mcp_tencent.local_cloud.simulation import Simulation
from mcp_tencent.local_cloud.tencent.ports import NodeState, NodeView

_GIB = 2**30
_ID_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(slots=True, kw_only=True)
class _ClusterNodes:
    """The nodes of one cluster, in the order in which they were added."""

    number: int
    """Of the cluster among the scenario's: part of its addresses."""
    kubernetes: KubernetesCluster
    pools: Mapping[str, NodePool]
    nodes: dict[str, NodeView] = field(default_factory=dict)
    wanted: dict[str, int] = field(default_factory=dict)
    """Nodes by pool, as last ordered."""
    added: int = 0


class WorldNodes:
    """The ClusterNodes of a world."""

    def __init__(self, simulation: Simulation, *, seed: int) -> None:
        self._simulation = simulation
        self._random = random.Random(seed)  # noqa: S311 - names, not secrets
        self._clusters: dict[str, _ClusterNodes] = {}

    def add_cluster(self, spec: Cluster, kubernetes: KubernetesCluster) -> None:
        """Add a cluster and the nodes of its pools, ready at once."""
        cluster = _ClusterNodes(
            number=len(self._clusters),
            kubernetes=kubernetes,
            pools={pool.id: pool for pool in spec.node_pools},
        )
        self._clusters[spec.id] = cluster
        for pool in spec.node_pools:
            cluster.wanted[pool.id] = pool.nodes
            for _ in range(pool.nodes):
                self._join(cluster, self._ordered(cluster, pool))

    def nodes(self, cluster_id: str) -> Sequence[NodeView]:
        """Return the cluster's nodes in the order in which they were added."""
        cluster = self._clusters[cluster_id]
        return [self._as_seen(cluster, node) for node in cluster.nodes.values()]

    def metered(self, cluster_id: str) -> Sequence[MeteredNode]:
        """Return the nodes that have capacity, for metrics."""
        cluster = self._clusters.get(cluster_id)
        if cluster is None:
            return []
        return [
            MeteredNode(
                name=node.name,
                instance_id=node.instance_id,
                cores=float(node.cpu_cores),
                memory_bytes=float(node.memory_gib * _GIB),
            )
            for node in cluster.nodes.values()
            if node.state is NodeState.RUNNING
        ]

    def address_of(self, cluster_id: str, node_name: str) -> str:
        """Return a node's IP address, empty when it is gone."""
        node = self._clusters[cluster_id].nodes.get(node_name)
        return "" if node is None else node.lan_ip

    def resize(self, cluster_id: str, pool_id: str, nodes: int) -> None:
        """Let the pool grow or shrink to `nodes` nodes; growing takes the pool's boot time."""
        cluster = self._clusters[cluster_id]
        pool = cluster.pools[pool_id]
        cluster.wanted[pool_id] = nodes
        present = [node for node in cluster.nodes.values() if node.pool_id == pool_id]
        for node in present[nodes:]:
            del cluster.nodes[node.name]
            if node.state is NodeState.RUNNING:
                cluster.kubernetes.remove_node(node.name)
        for _ in range(nodes - len(present)):
            self._boot(cluster, pool)

    def drain(self, cluster_id: str, node_name: str) -> None:
        """Cordon the node and delete its pods; their controllers start them elsewhere."""
        cluster = self._clusters[cluster_id]
        cluster.kubernetes.set_unschedulable(node_name, unschedulable=True)
        for pod in cluster.kubernetes.list("Pod"):
            if pod["spec"].get("nodeName") == node_name:
                cluster.kubernetes.delete("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])
        cluster.nodes[node_name] = replace(cluster.nodes[node_name], drained=True)

    def _boot(self, cluster: _ClusterNodes, pool: NodePool) -> None:
        node = replace(self._ordered(cluster, pool), state=NodeState.INITIALIZING)
        cluster.nodes[node.name] = node
        # A pool that shrank again in the meantime has dropped the node.
        self._simulation.after(
            pool.boots_in, lambda: self._join(cluster, node) if node.name in cluster.nodes else None
        )

    def _ordered(self, cluster: _ClusterNodes, pool: NodePool) -> NodeView:
        cluster.added += 1
        address = f"10.{cluster.number}.{cluster.added // 200}.{cluster.added % 200 + 10}"
        labels = {POOL_LABEL: pool.id, "node.kubernetes.io/instance-type": pool.instance_type, **pool.labels}
        return NodeView(
            name=address,
            instance_id="ins-" + "".join(self._random.choices(_ID_ALPHABET, k=8)),
            lan_ip=address,
            pool_id=pool.id,
            created_at=self._simulation.now,
            labels=labels,
            cpu_cores=pool.cpu,
            memory_gib=pool.memory_gib,
            instance_type=pool.instance_type,
        )

    def _join(self, cluster: _ClusterNodes, node: NodeView) -> None:
        cluster.nodes[node.name] = replace(node, state=NodeState.RUNNING)
        cluster.kubernetes.add_node(
            node.name,
            cpu_cores=node.cpu_cores,
            memory_bytes=node.memory_gib * _GIB,
            labels=node.labels,
            internal_ip=node.lan_ip,
            provider_id=f"qcloud:///{node.zone}/{node.instance_id}",
        )

    def _as_seen(self, cluster: _ClusterNodes, node: NodeView) -> NodeView:
        """Return a node with what Kubernetes knows of it now."""
        if node.state is not NodeState.RUNNING:
            return node
        found = cluster.kubernetes.get("Node", "", node.name)
        if found is None:
            return replace(node, state=NodeState.FAILED, reason="node object is gone")
        conditions = found.get("status", {}).get("conditions", ())
        ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
        return replace(
            node,
            state=NodeState.RUNNING if ready else NodeState.FAILED,
            reason="" if ready else "Kubelet stopped posting node status.",
            unschedulable=bool(found.get("spec", {}).get("unschedulable", False)),
        )
