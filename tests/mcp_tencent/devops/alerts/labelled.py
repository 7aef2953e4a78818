"""Alerts with the root cause that each really has: written cases of days in a shop.

A label names the root cause; two alerts belong together exactly when their labels are equal. The labels
follow from each case's story, not from what the grouping does: some cases cannot be told apart by time and
names, and there the grouping is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from mcp_tencent.devops.alerts.alert import Alert, AlertGroup, Subject, Topology
from mcp_tencent.devops.alerts.subjects import Named, Roster, Subjects
from mcp_tencent.models.alarms import Alarm, AlarmLevel, AlarmQuery, AlarmRecord, AlarmStatus
from mcp_tencent.models.clusters import Place

DAY = datetime(2026, 11, 20, tzinfo=UTC)
PLACE = Place(account="prod", region="ap-guangzhou")
CLUSTER = "cls-shop"

_WORKLOADS = {
    "order-service": ("订单服务", "订单"),
    "order-db": ("订单数据库",),
    "order-service-canary": ("订单灰度",),
    "cart-service": ("购物车服务",),
    "item-service": ("商品服务", "商品"),
    "pay-service": ("支付服务", "支付"),
    "user-service": ("用户服务",),
    "web-gateway": ("网关", "入口网关"),
    "redis-cache": ("缓存",),
    "report-job": ("报表任务",),
    "search-service": ("搜索服务",),
    "message-service": ("消息服务",),
}
_NODES = ("10.0.0.1", "10.0.0.2", "10.0.0.3")


def workload(name: str) -> Subject:
    return Subject(cluster_id=CLUSTER, namespace="shop", workload=name)


def node(name: str) -> Subject:
    return Subject(cluster_id=CLUSTER, node=name)


ROSTER = Roster(
    workloads=tuple(Named(subject=workload(name), aliases=aliases) for name, aliases in _WORKLOADS.items()),
    nodes=tuple(node(name) for name in _NODES),
)


def alarm(name: str, query: str) -> Alarm:
    look = AlarmQuery(
        number=1, topic_id="t-1", topic_name="业务日志", query=query, window=timedelta(minutes=15)
    )
    return Alarm(
        alarm_id=f"alarm-{name}", name=name, enabled=True, level=AlarmLevel.WARN, condition="$1.n > 10",
        queries=(look,), every=timedelta(minutes=1), trigger_count=1, notice_ids=(), created_at=None,
        updated_at=None,
    )  # fmt: skip


ALARMS = {
    one.name: one
    for one in (
        alarm("订单服务错误率过高", 'workload:"order-service" AND level:ERROR | select count(*) as n'),
        alarm("订单服务响应缓慢", 'workload:"order-service" AND status:504 | select count(*) as n'),
        alarm("订单服务副本不足", 'object:"order-service" AND reason:BackOff | select count(*) as n'),
        alarm("订单数据库磁盘告警", '"No space left" | select count(*) as n'),
        alarm("商品服务错误率过高", 'workload:"item-service" AND level:ERROR | select count(*) as n'),
        alarm("支付服务错误率过高", 'workload:"pay-service" AND level:ERROR | select count(*) as n'),
        alarm("支付渠道超时", 'workload:"pay-service" AND "timeout" | select count(*) as n'),
        alarm("网关5xx过多", 'workload:"web-gateway" AND status:>499 | select count(*) as n'),
        alarm("消息服务不可用", 'workload:"message-service" AND level:ERROR | select count(*) as n'),
        alarm("搜索服务内存过高", 'workload:"search-service" AND "heap" | select count(*) as n'),
        alarm("慢查询增多", '"慢查询" | select count(*) as n'),
        alarm("证书即将过期", '"certificate" | select count(*) as n'),
        alarm("节点不可用", "reason:NodeNotReady | select count(*) as n group by node"),
        alarm("Pod反复重启", "reason:BackOff | select count(*) as n group by pod_name"),
        alarm("各服务错误率", "level:ERROR | select count(*) as n group by workload"),
        alarm("接口错误率", 'workload:"web-gateway" AND level:ERROR | select count(*) as n group by path'),
    )
}

NEEDS = {
    workload("web-gateway"): frozenset({workload("order-service"), workload("item-service")}),
    workload("order-service"): frozenset({workload("order-db"), workload("item-service")}),
    workload("cart-service"): frozenset({workload("redis-cache")}),
    workload("user-service"): frozenset({workload("redis-cache")}),
}
HOSTS = {
    node("10.0.0.1"): frozenset({workload("cart-service"), workload("user-service"), workload("report-job")}),
    node("10.0.0.2"): frozenset({workload("order-service"), workload("search-service")}),
}
TOPOLOGY = Topology(needs=NEEDS, hosts=HOSTS)


@dataclass
class Day:
    """Writes the alerts of one day."""

    start: datetime
    labels: dict[str, str] = field(default_factory=dict)
    records: list[AlarmRecord] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def raised(
        self,
        label: str,
        name: str,
        at_minutes: float,
        *,
        lasts: int = 5,
        every: int | None = None,
        times: int = 1,
        until_open: bool = False,
        status: AlarmStatus = AlarmStatus.RECOVERED,
        trigger: str = "$1.n > 10",
        group: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """One trouble: `times` records `every` minutes while it lasts `lasts` minutes in all."""
        for repeat in range(times):
            begin = at_minutes + repeat * (every or 0)
            number = f"{self.start:%m%d}-{next(self._numbers)}"
            self.labels[number] = f"{self.start:%m%d}/{label}"
            self.records.append(
                AlarmRecord(
                    record_id=number,
                    alarm_id=f"alarm-{name}",
                    alarm_name=name,
                    topic_id="t-1",
                    topic_name="业务日志",
                    region=PLACE.region,
                    trigger=trigger,
                    level=AlarmLevel.WARN,
                    status=AlarmStatus.OPEN if until_open else status,
                    raised_at=self.start + timedelta(minutes=begin),
                    duration=timedelta(minutes=max(0, int(at_minutes + lasts - begin))),
                    group=group,
                    notices=(),
                )
            )


def written() -> tuple[list[Alert], dict[str, str]]:
    """Return the alerts of all written days, and the label of each record."""
    alerts: list[Alert] = []
    labels: dict[str, str] = {}
    for number, tell in enumerate(_DAYS):
        # Days that lie a week apart cannot touch each other.
        day = Day(DAY - timedelta(weeks=number))
        tell(day)
        finder = Subjects(PLACE, ROSTER, ALARMS.values())
        alerts += [finder.alert(record) for record in day.records]
        labels |= day.labels
    return alerts, labels


def _repeats_of_one_outage(day: Day) -> None:
    day.raised("release", "订单服务错误率过高", 60, lasts=600, every=15, times=40)
    day.raised("passing", "慢查询增多", 200, lasts=6)


def _two_alarms_of_one_cause(day: Day) -> None:
    day.raised("release", "订单服务错误率过高", 60, lasts=120, every=30, times=4)
    day.raised("release", "订单服务响应缓慢", 64, lasts=110, every=30, times=4)
    day.raised("release", "订单服务副本不足", 68, lasts=90, every=60, times=2)
    day.raised("pay", "支付服务错误率过高", 63, lasts=60, every=30, times=2)


def _two_troubles_at_one_workload(day: Day) -> None:
    day.raised("release", "订单服务错误率过高", 0, lasts=900, every=60, times=15, until_open=True)
    # Begins right when the first repeats, hours after it began: another cause.
    day.raised("coupon", "订单服务响应缓慢", 301, lasts=590, every=60, times=10, until_open=True)


def _flapping_all_day(day: Day) -> None:
    for hour in range(0, 20, 2):
        day.raised("flap", "消息服务不可用", hour * 60 + 10, lasts=6)
    day.raised("memory", "搜索服务内存过高", 100, lasts=60, every=30, times=2)


def _flapping_within_the_hour(day: Day) -> None:
    for minute in range(0, 400, 20):
        day.raised("flap", "消息服务不可用", minute, lasts=3)


def _twice_in_a_day_is_two(day: Day) -> None:
    day.raised("morning", "慢查询增多", 180, lasts=8)
    day.raised("afternoon", "慢查询增多", 880, lasts=9)
    day.raised("pay-night", "支付服务错误率过高", 30, lasts=20, every=10, times=2)
    day.raised("pay-noon", "支付服务错误率过高", 720, lasts=20, every=10, times=2)


def _database_takes_its_callers_down(day: Day) -> None:
    day.raised("disk", "订单数据库磁盘告警", 300, lasts=90, every=30, times=3)
    day.raised("disk", "订单服务错误率过高", 303, lasts=85, every=15, times=6)
    day.raised("disk", "网关5xx过多", 305, lasts=80, every=15, times=6)
    # The message service has nothing to do with it, though it fails at the same minute.
    day.raised("message", "消息服务不可用", 304, lasts=30, every=15, times=2)


def _dependency_long_broken_before_caller(day: Day) -> None:
    day.raised("items", "商品服务错误率过高", 0, lasts=700, every=60, times=12, until_open=True)
    day.raised("release", "订单服务错误率过高", 400, lasts=300, every=60, times=5, until_open=True)


def _node_goes_down(day: Day) -> None:
    lost = (("node", "10.0.0.1"),)
    day.raised("node", "节点不可用", 120, lasts=60, every=15, times=4, group=lost)
    for name, pod in (
        ("cart", "cart-service-7d9f8b6c5d-x2x9z"),
        ("user", "user-service-6b8d7c9f4-kk2p8"),
        ("report", "report-job-0"),
    ):
        assert name in pod
        day.raised("node", "Pod反复重启", 126, lasts=40, every=20, times=2, group=(("pod_name", pod),))
    # On another node.
    day.raised(
        "pay",
        "Pod反复重启",
        128,
        lasts=40,
        every=20,
        times=2,
        group=(("pod_name", "pay-service-5c6b7d8f9-abcde"),),
    )


def _two_nodes_at_once(day: Day) -> None:
    day.raised("one", "节点不可用", 100, lasts=50, every=25, times=2, group=(("node", "10.0.0.1"),))
    day.raised("two", "节点不可用", 300, lasts=50, every=25, times=2, group=(("node", "10.0.0.2"),))
    day.raised("one", "各服务错误率", 104, lasts=40, every=20, times=2, group=(("workload", "cart-service"),))
    day.raised(
        "two", "各服务错误率", 306, lasts=40, every=20, times=2, group=(("workload", "search-service"),)
    )


def _one_alarm_for_many_workloads(day: Day) -> None:
    for name in ("item-service", "pay-service", "message-service", "search-service"):
        day.raised(name, "各服务错误率", 200, lasts=60, every=15, times=4, group=(("workload", name),))


def _one_workload_by_many_paths(day: Day) -> None:
    for number in range(8):
        day.raised(
            "gateway", "接口错误率", 500 + number, lasts=40, every=20, times=2,
            group=(("path", f"/api/v1/orders/{number}"),),
        )  # fmt: skip


def _changing_values_in_the_condition(day: Day) -> None:
    for number in range(10):
        day.raised(
            "errors",
            "商品服务错误率过高",
            40 + 12 * number,
            lasts=12,
            trigger=f"$1.n > 10 (is {17 + 31 * number})",
        )


def _names_within_names(day: Day) -> None:
    day.raised(
        "order", "各服务错误率", 100, lasts=30, every=10, times=3, group=(("workload", "order-service"),)
    )
    day.raised(
        "canary",
        "各服务错误率",
        101,
        lasts=30,
        every=10,
        times=3,
        group=(("workload", "order-service-canary"),),
    )
    day.raised(
        "canary", "Pod反复重启", 103, lasts=20, group=(("pod_name", "order-service-canary-6b8d7c9f4-kk2p8"),)
    )
    day.raised("order", "Pod反复重启", 104, lasts=20, group=(("pod_name", "order-service-7d9f8b6c5d-x2x9z"),))


def _storm_of_independent_trouble(day: Day) -> None:
    for place, name in enumerate(
        ("支付服务错误率过高", "搜索服务内存过高", "消息服务不可用", "证书即将过期", "慢查询增多")
    ):
        day.raised(name, name, 600 + place, lasts=45, every=15, times=3)


def _slow_domino(day: Day) -> None:
    # The cache goes first, its callers within minutes; the payment fails for a reason of its own in between.
    day.raised(
        "cache", "各服务错误率", 800, lasts=60, every=20, times=3, group=(("workload", "redis-cache"),)
    )
    day.raised(
        "cache", "各服务错误率", 806, lasts=55, every=20, times=3, group=(("workload", "cart-service"),)
    )
    day.raised(
        "cache", "各服务错误率", 808, lasts=55, every=20, times=3, group=(("workload", "user-service"),)
    )
    day.raised("channel", "支付渠道超时", 805, lasts=55, every=20, times=3)
    day.raised("channel", "支付服务错误率过高", 807, lasts=50, every=20, times=3)


def _recovered_and_back_after_half_an_hour(day: Day) -> None:
    day.raised("leak", "搜索服务内存过高", 0, lasts=30, every=10, times=3)
    day.raised("leak", "搜索服务内存过高", 60, lasts=30, every=10, times=3)


def _policy_changed_meanwhile(day: Day) -> None:
    day.raised("errors", "商品服务错误率过高", 0, lasts=20, every=10, times=2)
    day.raised("errors", "商品服务错误率过高", 25, lasts=0, status=AlarmStatus.INVALID)
    day.raised("errors", "商品服务错误率过高", 40, lasts=20, every=10, times=2)


def _shared_moment_but_unknown_subject(day: Day) -> None:
    day.raised("certificate", "证书即将过期", 100, lasts=30, every=15, times=2)
    day.raised("slow", "慢查询增多", 101, lasts=30, every=15, times=2)


def _release_while_a_caller_flaps(day: Day) -> None:
    for minute in (0, 90, 180, 270, 360):
        day.raised("flap", "网关5xx过多", minute, lasts=5)
    day.raised("release", "订单服务错误率过高", 182, lasts=60, every=20, times=3)


# What windows and names cannot know: here the grouping errs.


def _second_alarm_comes_late(day: Day) -> None:
    day.raised("release", "订单服务错误率过高", 0, lasts=120, every=30, times=4)
    day.raised("release", "订单服务响应缓慢", 25, lasts=90, every=30, times=3)


def _two_causes_at_one_workload_at_once(day: Day) -> None:
    day.raised("release", "支付服务错误率过高", 500, lasts=60, every=30, times=2)
    day.raised("bank", "支付渠道超时", 506, lasts=60, every=30, times=2)


def _a_caller_that_nobody_declared(day: Day) -> None:
    day.raised("search", "搜索服务内存过高", 700, lasts=60, every=20, times=3)
    day.raised("search", "商品服务错误率过高", 704, lasts=50, every=20, times=3)


def _the_same_leak_twice_a_day(day: Day) -> None:
    day.raised("leak", "搜索服务内存过高", 100, lasts=40, every=20, times=2)
    day.raised("leak", "搜索服务内存过高", 700, lasts=40, every=20, times=2)


def _caller_and_needed_fail_by_chance_together(day: Day) -> None:
    day.raised("items", "商品服务错误率过高", 900, lasts=40, every=20, times=2)
    day.raised("gateway", "网关5xx过多", 907, lasts=40, every=20, times=2)


_DAYS = (
    _repeats_of_one_outage,
    _two_alarms_of_one_cause,
    _two_troubles_at_one_workload,
    _flapping_all_day,
    _flapping_within_the_hour,
    _twice_in_a_day_is_two,
    _database_takes_its_callers_down,
    _dependency_long_broken_before_caller,
    _node_goes_down,
    _two_nodes_at_once,
    _one_alarm_for_many_workloads,
    _one_workload_by_many_paths,
    _changing_values_in_the_condition,
    _names_within_names,
    _storm_of_independent_trouble,
    _slow_domino,
    _recovered_and_back_after_half_an_hour,
    _policy_changed_meanwhile,
    _shared_moment_but_unknown_subject,
    _release_while_a_caller_flaps,
    _second_alarm_comes_late,
    _two_causes_at_one_workload_at_once,
    _a_caller_that_nobody_declared,
    _the_same_leak_twice_a_day,
    _caller_and_needed_fail_by_chance_together,
)


@dataclass(frozen=True)
class PairwiseQuality:
    """How well groups fit labels, counted over pairs of alerts."""

    together_rightly: int
    together_wrongly: int
    apart_wrongly: int

    @property
    def precision(self) -> float:
        return self.together_rightly / max(1, self.together_rightly + self.together_wrongly)

    @property
    def recall(self) -> float:
        return self.together_rightly / max(1, self.together_rightly + self.apart_wrongly)

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)

    def __add__(self, other: PairwiseQuality) -> PairwiseQuality:
        return PairwiseQuality(
            self.together_rightly + other.together_rightly,
            self.together_wrongly + other.together_wrongly,
            self.apart_wrongly + other.apart_wrongly,
        )


def quality(groups: Sequence[AlertGroup], labels: Mapping[str, str]) -> PairwiseQuality:
    """Compare groups with labels; alerts without a label do not count."""
    together = rightly = 0
    for group in groups:
        within = [
            labels[alert.record.record_id] for alert in group.alerts if alert.record.record_id in labels
        ]
        together += _pairs(len(within))
        rightly += sum(_pairs(number) for number in Counter(within).values())
    wanted = sum(_pairs(number) for number in Counter(labels.values()).values())
    return PairwiseQuality(rightly, together - rightly, wanted - rightly)


def wrong_groups(groups: Iterable[AlertGroup], labels: Mapping[str, str]) -> list[str]:
    """Name what was mixed up or torn apart, for a failing test's message."""
    seen: dict[str, str] = {}
    found = []
    for group in groups:
        within = {
            labels[alert.record.record_id] for alert in group.alerts if alert.record.record_id in labels
        }
        if len(within) > 1:
            found.append(f"mixed: {sorted(within)}")
        for label in within:
            if label in seen and seen[label] != group.id:
                found.append(f"torn: {label}")
            seen[label] = group.id
    return found


def _pairs(number: int) -> int:
    return number * (number - 1) // 2
