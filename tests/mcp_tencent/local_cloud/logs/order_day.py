"""The life of one made-up workload, which the tests of this folder share."""

from __future__ import annotations

from datetime import UTC, datetime

from mcp_tencent.local_cloud.conditions import Condition, LogPattern, Timeline
from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.local_cloud.logs.generation.workload import WorkloadLogSource
from mcp_tencent.local_cloud.logs.indexing import KeyIndex, TopicIndex, ValueType

START = datetime(2026, 11, 20, tzinfo=UTC)
PODS = ("order-a", "order-b", "order-c")
PATTERNS = (
    LogPattern(
        template="{time} {level} {method} {path} status={status} cost={latency_ms}ms trace={trace_id}",
        level="INFO",
        per_minute=20,
        fields=(("status", "{status}"), ("latency_ms", "{latency_ms}")),
    ),
    LogPattern(template="{time} {level} 订单 {order_id} 创建成功 {product}", level="INFO", per_minute=5),
    LogPattern(
        template="{time} {level} 订单 {order_id} 失败: {reason}\n{java_trace}", level="ERROR", per_minute=1
    ),
)
INDEX = TopicIndex(
    keys={
        "level": KeyIndex(),
        "status": KeyIndex(type=ValueType.LONG),
        "latency_ms": KeyIndex(type=ValueType.LONG),
        "cost": KeyIndex(type=ValueType.DOUBLE),
        "__TAG__.pod_name": KeyIndex(),
    }
)


def made_source(timeline: Timeline, seed: int = 7, season: Season | None = None) -> WorkloadLogSource:
    return WorkloadLogSource(
        seed=seed,
        cluster_id="cls-demo",
        namespace="shop",
        workload="order",
        container="app",
        timeline=timeline,
        patterns=PATTERNS,
        season=season or Season(),
    )


def made_timeline() -> Timeline:
    timeline = Timeline()
    timeline.record(START, Condition(pods=PODS))
    return timeline
