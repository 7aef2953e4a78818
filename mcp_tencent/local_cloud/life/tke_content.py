"""What a scenario puts into TKE: clusters, node pools and where their logs go."""

from __future__ import annotations

from datetime import datetime

from mcp_tencent.local_cloud.life.access import bearer_token
from mcp_tencent.local_cloud.life.cls_content import ClsContent, PlacedTopic
from mcp_tencent.local_cloud.scenario.model import Cluster, Scenario
from mcp_tencent.local_cloud.tencent.tke.state import Cluster as TkeCluster
from mcp_tencent.local_cloud.tencent.tke.state import LogSwitch, LogSwitches, NodePool, TkeState


def fill_tke(scenario: Scenario, state: TkeState, content: ClsContent, beginning: datetime) -> None:
    """Create the scenario's clusters and pools; their nodes live in Kubernetes."""
    for cluster in scenario.clusters:
        switches = LogSwitches(
            event=_switch(content.event_topics.get(cluster.id)),
            log=_switch(content.log_topics.get(cluster.id)),
        )
        state.add_cluster(
            _described(cluster, beginning), token=bearer_token(scenario, cluster.id), switches=switches
        )
        for pool in cluster.node_pools:
            state.add_pool(
                NodePool(
                    pool_id=pool.id,
                    cluster_id=cluster.id,
                    name=pool.name,
                    created_at=beginning,
                    desired=pool.nodes,
                    minimum=pool.min_nodes,
                    maximum=pool.max_nodes,
                    labels=pool.labels,
                    instance_types=(pool.instance_type,),
                )
            )


def _described(cluster: Cluster, beginning: datetime) -> TkeCluster:
    return TkeCluster(
        cluster_id=cluster.id,
        region=cluster.region,
        name=cluster.name,
        description=f"别名: {'、'.join(cluster.aliases)}" if cluster.aliases else "",
        version=cluster.version,
        auto_upgrade_level=True,
        created_at=beginning,
    )


def _switch(topic: PlacedTopic | None) -> LogSwitch:
    if topic is None:
        return LogSwitch()
    return LogSwitch(
        enabled=True, logset_id=topic.logset_id, topic_id=topic.topic_id, topic_region=topic.region
    )
