"""The actions of both TKE versions, put together."""

from __future__ import annotations

from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.tencent.calls import ActionTable
from mcp_tencent.local_cloud.tencent.cls.state import ClsState
from mcp_tencent.local_cloud.tencent.ports import ClusterNodes
from mcp_tencent.local_cloud.tencent.tke.cluster_actions import ClusterActions
from mcp_tencent.local_cloud.tencent.tke.log_switch_actions import LogSwitchActions
from mcp_tencent.local_cloud.tencent.tke.native_pool_actions import NativePoolActions
from mcp_tencent.local_cloud.tencent.tke.node_actions import NodeActions
from mcp_tencent.local_cloud.tencent.tke.pool_actions import PoolActions
from mcp_tencent.local_cloud.tencent.tke.state import TkeState


def tke_2018_actions(
    state: TkeState, nodes: ClusterNodes, cls_state: ClsState, logs: LogStore
) -> ActionTable:
    """Return the actions of tke@2018-05-25 by name."""
    return {
        **ClusterActions(state, nodes).table(),
        **NodeActions(state, nodes).table_2018(),
        **PoolActions(state, nodes).table(),
        **LogSwitchActions(state, cls_state, logs).table(),
    }


def tke_2022_actions(state: TkeState, nodes: ClusterNodes) -> ActionTable:
    """Return the actions of tke@2022-05-01 by name."""
    return {**NodeActions(state, nodes).table_2022(), **NativePoolActions(state, nodes).table()}
