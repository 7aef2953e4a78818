"""What planning costs: questions against 2,000 known names.

Budget: at most 20 ms a question in the median. The reference, in the same run, is the naive way to find
names: rapidfuzz over every window of the sentence's syllables against all names.
Run: `python benchmarks/planner.py`.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from rapidfuzz import fuzz, process

from assistant.planner.heard import LONGEST_SENTENCE
from assistant.planner.inventory import Inventory, Thing
from assistant.planner.planner import Planner
from mcp_tencent.naming.sound import syllables

BUDGET_MS = 20.0
NONSENSE_BUDGET_MS = 50.0
NAMES = 2_000
ROUNDS = 5
NOW = datetime.fromisoformat("2026-10-12T10:30:00+08:00")
_FIRST = "订单 支付 库存 物流 会员 优惠 搜索 推荐 评价 客服 报表 风控 结算 账单 消息 短信 邮件 图片 视频 地址"
_SECOND = "接口 网关 任务 引擎 中心 缓存 回调 调度 同步 归档"
_THIRD = "东 西 南 北 上 下 甲 乙 丙 丁"
QUESTIONS = (
    "看看订单接口东的日志",
    "把支付网关南重启一下",
    "库存任务甲近三刻钟的 cpu",
    "昨天有什么告警，按重要程度说",
    "先看物流引擎乙的事件，然后把它扩到六个副本",
    "会员中心丙为什么一直重启",
    "以后日报发到 lisi 艾特 example 点 com",
    "搜索缓存丁昨天下午三点到五点有没有 timeout",
    "今天天气怎么样",
    "千万别动主数据库",
)
NONSENSE = ("啊" * 300, "a1" * 150, "重启" * 150, "把日志重启然后" * 40, "一二三" * 100, "点" * 300)


def inventory_of_a_large_house() -> Inventory:
    """Return 2,000 workloads with an id and a spoken name each."""
    parts = itertools.product(_FIRST.split(), _SECOND.split(), _THIRD.split())
    things = (
        Thing(kind="workload", id=f"svc-{number:04d}", names=("".join(part),))
        for number, part in enumerate(parts)
    )
    return Inventory(things=tuple(itertools.islice(things, NAMES)))


def milliseconds(act: Callable[[], object]) -> float:
    """Return how long an act takes."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1_000


def naive_scan(say: str, names: list[str]) -> object:
    """Compare every window of two to six syllables with every name."""
    heard = syllables(say)
    windows = (
        " ".join(heard[first : first + size])
        for size in range(2, 7)
        for first in range(max(0, len(heard) - size + 1))
    )
    return [process.extractOne(window, names, scorer=fuzz.ratio) for window in windows]


def main() -> int:
    """Measure and judge; 0 when all budgets hold."""
    inventory, planner = inventory_of_a_large_house(), Planner()
    warm = milliseconds(lambda: planner.warm(inventory))
    names = [" ".join(syllables(thing.names[0])) for thing in inventory.things]

    def plan(say: str) -> float:
        return milliseconds(lambda: planner.plan(say, inventory=inventory, now=NOW))

    ours = [plan(say) for _ in range(ROUNDS) for say in QUESTIONS]
    naive = [milliseconds(partial(naive_scan, say, names)) for say in QUESTIONS]
    median, reference = statistics.median(ours), statistics.median(naive)
    worst = max(min(plan(say[:LONGEST_SENTENCE]) for _ in range(ROUNDS)) for say in NONSENSE)
    print(f"index of {len(names)} names, once: {warm:.0f} ms")
    ok = [
        _judged("a question, median", median, BUDGET_MS),
        _judged(
            f"{LONGEST_SENTENCE} characters of nonsense, worst (longer texts are refused)",
            worst,
            NONSENSE_BUDGET_MS,
        ),
        _judged("ratio to the naive rapidfuzz scan of names alone", median / reference, 1.0),
    ]
    print(f"slowest question: {max(ours):.1f} ms; naive scan, median: {reference:.1f} ms")
    return 0 if all(ok) else 1


def _judged(what: str, measured: float, budget: float) -> bool:
    print(f"{'pass' if measured <= budget else 'FAIL'}  {what}: {measured:.2f} (budget {budget:g})")
    return measured <= budget


if __name__ == "__main__":
    sys.exit(main())
