"""Whatever a service answers, what comes out is a model of ours or an error of ours."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_tencent.cloud.calling import Calling, CallPolicy
from mcp_tencent.cloud.tencentcloud.caller import Account, TencentCaller
from mcp_tencent.cloud.tencentcloud.clusters import TencentClusterService
from mcp_tencent.cloud.tencentcloud.logs import TencentLogService
from mcp_tencent.cloud.tencentcloud.metrics import TencentMetrics
from mcp_tencent.errors import CloudError
from mcp_tencent.models.metrics import ClusterTarget, Metric
from tests.mcp_tencent.cloud.scripted_server import InstantTiming, Reply, in_turn, scripted

START = datetime(2026, 11, 20, tzinfo=UTC)
END = START + timedelta(hours=1)
LEAF = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5)


def around(*fields: str) -> st.SearchStrategy[Any]:
    """Answers that hold the given fields, at any depth, with values of any kind."""
    value = st.recursive(
        LEAF,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(fields), inner, max_size=6)
        ),
        max_leaves=15,
    )
    return st.dictionaries(st.sampled_from(fields), value, max_size=5)


Call = Callable[[TencentLogService, TencentClusterService, TencentMetrics], Awaitable[Any]]

CASES: dict[str, tuple[Call, st.SearchStrategy[Any]]] = {
    "search": (
        lambda logs, *_: logs.search("t", "*", START, END),
        around(
            "Results", "ListOver", "Analysis", "Context", "Time", "LogJson", "PkgId", "PkgLogId", "RawLog"
        ),
    ),
    "analyze": (
        lambda logs, *_: logs.analyze("t", "*", "select 1", START, END),
        around("Analysis", "Columns", "AnalysisRecords", "Name", "Type"),
    ),
    "context": (
        lambda logs, *_: logs.context("t", "p", "1", START),
        around("LogContextInfos", "BTime", "Content", "PkgId", "PkgLogId", "PrevOver"),
    ),
    "histogram": (
        lambda logs, *_: logs.histogram("t", "*", START, END),
        around("HistogramInfos", "Interval", "TotalCount", "BTime", "Count"),
    ),
    "alarms": (
        lambda logs, *_: logs.alarms(),
        around(
            "Alarms",
            "AlarmId",
            "Name",
            "MonitorTime",
            "Type",
            "Time",
            "AlarmTargets",
            "AlarmLevel",
            "MultiConditions",
        ),
    ),
    "records": (
        lambda logs, *_: logs.alarm_records(START, END),
        around(
            "Records",
            "RecordId",
            "CreateTime",
            "Duration",
            "GroupTriggerCondition",
            "Key",
            "AlarmLevel",
            "Notices",
        ),
    ),
    "runs": (lambda logs, *_: logs.alarm_runs("a", START, END), around("Results", "LogJson", "Time")),
    "topics": (
        lambda logs, *_: logs.topics(),
        around("Topics", "TopicId", "TopicName", "Tags", "Key", "CreateTime"),
    ),
    "index": (
        lambda logs, *_: logs.index("t"),
        around("Rule", "FullText", "KeyValue", "KeyValues", "Key", "Value", "Type", "Status"),
    ),
    "clusters": (
        lambda _, clusters, __: clusters.clusters(),
        around("Clusters", "ClusterId", "ClusterStatus", "CreatedTime", "TagSpecification", "Tags"),
    ),
    "pools": (
        lambda _, clusters, __: clusters.node_pools("c"),
        around(
            "NodePools", "Type", "Native", "Regular", "Scaling", "NodeCountSummary", "ManuallyAdded", "Normal"
        ),
    ),
    "switches": (
        lambda _, clusters, __: clusters.topics("c"),
        around("SwitchSet", "ClusterId", "Log", "Enable"),
    ),
    "usage": (
        lambda _, __, metrics: metrics.usage(ClusterTarget(cluster_id="c"), [Metric.CPU], START, END),
        around("MetricSet", "MetricName", "Unit", "Data", "Points", "Values", "Timestamp", "Value", "Period"),
    ),
}


async def asked(call: Call, body: bytes) -> None:
    async with scripted(in_turn(Reply(body))) as server:
        account = Account(
            name="a", secret_id="AKIDexample", secret_key="k", regions=("r",), endpoint=server.url
        )
        caller = TencentCaller(account, "r", Calling(CallPolicy(attempts=1), InstantTiming()))
        try:
            await call(TencentLogService(caller), TencentClusterService(caller), TencentMetrics(caller))
        except CloudError:
            pass
        finally:
            await caller.close()


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.filterwarnings("ignore:.*fields? are useless|.*fileds are useless:UserWarning")
def test_nothing_but_our_models_and_errors_comes_out(name, data):
    call, answers = CASES[name]
    answer = data.draw(answers)
    body = (
        json.dumps({"Response": {"RequestId": "r", **answer}}, allow_nan=False, default=str)
        if _finite(answer)
        else "{}"
    )
    asyncio.run(asked(call, body.encode()))


def _finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True
