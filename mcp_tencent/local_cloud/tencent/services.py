"""All imitated services, put together from the state of the world."""

from __future__ import annotations

from collections.abc import Mapping

from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.tencent.calls import ActionTable
from mcp_tencent.local_cloud.tencent.cls.service import cls_actions
from mcp_tencent.local_cloud.tencent.cls.state import ClsState
from mcp_tencent.local_cloud.tencent.monitor.service import monitor_actions
from mcp_tencent.local_cloud.tencent.ports import (
    AlarmHistory,
    ClusterNodes,
    MetricAlertHistory,
    MetricSource,
)
from mcp_tencent.local_cloud.tencent.specification import Product
from mcp_tencent.local_cloud.tencent.tke.service import tke_2018_actions, tke_2022_actions
from mcp_tencent.local_cloud.tencent.tke.state import TkeState


def tencent_services(
    *,
    cls_state: ClsState,
    tke_state: TkeState,
    logs: LogStore,
    nodes: ClusterNodes,
    alarms: AlarmHistory,
    metrics: MetricSource,
    metric_alerts: MetricAlertHistory,
) -> Mapping[Product, ActionTable]:
    """Return the actions of every product and version that TencentApi serves."""
    return {
        Product("cls", "2020-10-16"): cls_actions(cls_state, logs, alarms),
        Product("tke", "2018-05-25"): tke_2018_actions(tke_state, nodes, cls_state, logs),
        Product("tke", "2022-05-01"): tke_2022_actions(tke_state, nodes),
        Product("monitor", "2018-07-24"): monitor_actions(cls_state.clock, metrics, metric_alerts),
    }
