"""What runs full is warned of, and what cannot be read is named."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mcp_tencent.basic.workload_answers import UsageLine, UsagePointLine
from mcp_tencent.client import CloudTools
from scheduler.digest_facts import CapacityFacts, ClusterFacts
from scheduler.digest_logs import capacity_of, gather_log_facts

SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 20)


async def test_what_no_server_offers_is_named_as_not_read() -> None:
    silent = ClusterFacts(cluster_id="cls-2", name="测试集群", readable=False)
    clusters = (ClusterFacts(cluster_id="cls-1", name="生产集群"), silent)
    told = await gather_log_facts(CloudTools({}), on=TODAY, zone=SHANGHAI, clusters=clusters)
    assert told.lines == 0
    assert {gap.what for gap in told.unread} == {"昨天的日志", "前几天的日志", "日志异常", "生产集群的用量"}
    assert all(gap.why for gap in told.unread)


def week(
    *values: float, highest: float | None = None, metric: str = "memory", unit: str = "percent"
) -> UsageLine:
    start = datetime(2026, 11, 13, tzinfo=SHANGHAI)
    step = timedelta(days=7) / len(values)
    points = [
        UsagePointLine(at=(start + place * step).isoformat(), value=value)
        for place, value in enumerate(values)
    ]
    return UsageLine(
        metric=metric,
        unit=unit,
        latest=values[-1],
        average=sum(values) / len(values),
        highest=highest if highest is not None else max(values),
        highest_at=datetime(2026, 11, 19, 14, tzinfo=SHANGHAI).isoformat(),
        interval_seconds=300,
        points=points,
    )


def warned(line: UsageLine) -> CapacityFacts | None:
    return capacity_of("生产集群", line, on=TODAY, zone=SHANGHAI)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (week(*[40] * 12), None),
        (week(*[80] * 12, highest=91.26), ("内存", 91.3, None)),
        (week(*range(50, 74, 2)), ("内存", 72.0, 7)),
        (week(*range(10, 34, 2)), None),
        (week(40, 41, 40, 41, 40, 41, 40, 41, 40, 41, 40, 84), None),
        (week(*range(50, 74, 2), unit="cores"), None),
        (week(*range(50, 74, 2), metric="network_in"), None),
    ],
    ids=["calm", "full", "grows", "far-off", "one-peak", "no-percent", "no-resource"],
)
def test_a_warning_is_given_where_something_runs_full(line, expected) -> None:
    found = warned(line)
    assert (found and (found.resource, found.percent, found.days_left)) == expected
