"""A million log lines, searched and analysed; the reference is a plain Python scan of the same lines.

Budget: every question ≤ 1 s on 2 cores once the lines are made. Run: python benchmarks/log_search.py [LINES]
"""

from __future__ import annotations

import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.conditions import Condition, LogPattern, Timeline
from mcp_tencent.local_cloud.logs.answers import SearchQuestion, Window
from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.local_cloud.logs.generation.workload import WorkloadLogSource
from mcp_tencent.local_cloud.logs.indexing import DEFAULT_TOKENIZER, KeyIndex, TopicIndex, ValueType
from mcp_tencent.local_cloud.logs.lines import LogLine
from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.logs.topics import to_milliseconds
from mcp_tencent.local_cloud.simulation import ManualClock

START = datetime(2026, 11, 19, tzinfo=UTC)
END = START + timedelta(days=1)
EVER = Window(from_ms=to_milliseconds(START), to_ms=to_milliseconds(END))
TOPICS = ("shop",)
BUDGET_MS = 1_000.0
ERROR = re.compile(
    rf"(?:^|[{re.escape(DEFAULT_TOKENIZER)}])error(?:$|[{re.escape(DEFAULT_TOKENIZER)}])", re.IGNORECASE
)
PHRASE = re.compile(rf"connection[{re.escape(DEFAULT_TOKENIZER)}]+refused", re.IGNORECASE)


def source(lines_a_day: int) -> WorkloadLogSource:
    timeline = Timeline()
    timeline.record(START, Condition(pods=tuple(f"order-{number}" for number in range(20)), error_ratio=0.02))
    per_minute = lines_a_day / 1440
    request = "{time} {level} [http-nio-8080-exec-{thread}] c.s.OrderController - {method} {path} "
    patterns = (
        LogPattern(
            template=request + "status={status} cost={latency_ms}ms user={user_id} trace={trace_id}",
            level="INFO",
            per_minute=per_minute * 0.7,
            fields=(("status", "{status}"), ("latency_ms", "{latency_ms}")),
        ),
        LogPattern(
            template="{time} {level} 订单 {order_id} 创建成功 商品={product} 金额={amount} 用户={user_id}",
            level="INFO",
            per_minute=per_minute * 0.3,
        ),
        LogPattern(
            template="{time} {level} redis 10.0.0.9: connection refused, order={order_id}\n{java_trace}",
            level="ERROR",
            per_minute=per_minute * 0.001,
        ),
    )
    return WorkloadLogSource(
        seed=1,
        cluster_id="cls-bench",
        namespace="shop",
        workload="order",
        container="app",
        timeline=timeline,
        patterns=patterns,
        season=Season(peak_hours=(), weekend_factor=1.0),
    )


def timed(action: Callable[[], int], repeats: int = 3) -> tuple[float, int]:
    """Return the median of the wall times in ms, and the result."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        result = action()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[len(times) // 2], result


def rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def level(line: LogLine) -> str:
    return dict(line.fields)["level"]


def questions(
    store: LogStore, lines: list[LogLine]
) -> list[tuple[str, Callable[[], int], Callable[[], int]]]:
    """Return (name, our way, plain way); both ways return the same number."""

    def count(query: str) -> Callable[[], int]:
        return lambda: store.count(TOPICS, query, QuerySyntax.CQL, EVER)

    def histogram() -> int:
        bars = store.histogram(TOPICS, "error", QuerySyntax.CQL, EVER, 3_600_000)
        return max(bar.count for bar in bars)

    def plain_histogram() -> int:
        hours = Counter(line.timestamp_ms // 3_600_000 for line in lines if is_error(line))
        return max(hours.values())

    def groups() -> int:
        statement = "* | select level, count(*) as c, avg(latency_ms) as a group by level order by c desc"
        return int(str(store.analyze(TOPICS, statement, QuerySyntax.CQL, EVER).rows[0][1]))

    def is_error(line: LogLine) -> bool:
        return ERROR.search(line.text) is not None or level(line) == "ERROR"

    def in_range(line: LogLine) -> bool:
        fields = dict(line.fields)
        return fields.get("status") == "404" and int(fields.get("latency_ms", "0")) > 100

    def page(query: str) -> Callable[[], int]:
        question = SearchQuestion(topic_ids=TOPICS, query=query, window=EVER, limit=1000)
        return lambda: store.search(question).logs[-1].line.timestamp_ms

    def plain_page(matches: Callable[[LogLine], bool]) -> Callable[[], int]:
        return lambda: [line for line in lines if matches(line)][-1000:][0].timestamp_ms

    return [
        ("token: error", count("error"), lambda: sum(map(is_error, lines))),
        (
            'phrase: "connection refused"',
            count('"connection refused"'),
            lambda: sum(PHRASE.search(line.text) is not None for line in lines),
        ),
        ("Chinese: 创建成功", count("创建成功"), lambda: sum("创建成功" in line.text for line in lines)),
        (
            "keys: status:404 AND latency_ms:>100",
            count("status:404 AND latency_ms:>100"),
            lambda: sum(map(in_range, lines)),
        ),
        ("histogram of errors by hour", histogram, plain_histogram),
        ("group by level with an average", groups, lambda: Counter(map(level, lines)).most_common(1)[0][1]),
        ("newest 1,000 of all", page("*"), plain_page(lambda line: True)),
        ("newest 1,000 errors", page("error"), plain_page(is_error)),
    ]


def main() -> int:
    """Print the table; exit 1 when an answer is wrong or over budget."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    made = source(int(wanted / 1.001))
    began = time.perf_counter()
    number = sum(1 for _ in made.lines(START, END))
    generation = time.perf_counter() - began
    store = LogStore(clock=ManualClock(END))
    store.add_topic(
        "shop",
        TopicIndex(
            keys={
                "level": KeyIndex(),
                "status": KeyIndex(type=ValueType.LONG),
                "latency_ms": KeyIndex(type=ValueType.LONG),
            }
        ),
    )
    store.add_source("shop", made, since=START)
    began = time.perf_counter()
    assert store.count(TOPICS, "*", QuerySyntax.CQL, EVER) == number
    loading = time.perf_counter() - began
    print(f"lines                {number:>12,}")
    print(f"made                 {number / generation:>12,.0f} lines/s")
    print(f"made and loaded      {number / loading:>12,.0f} lines/s ({loading:.1f} s)")
    print(f"peak RSS with all    {rss_mb():>12,.0f} MB")
    lines = list(made.lines(START, END))
    failed = False
    print(f"{'question':<40} {'ours':>9} {'plain scan':>11} {'ratio':>7}")
    for name, ours, plain in questions(store, lines):
        our_ms, found = timed(ours)
        plain_ms, expected = timed(plain, repeats=1)
        verdict = "" if found == expected and our_ms <= BUDGET_MS else "  FAILED"
        failed = failed or bool(verdict)
        print(f"{name:<40} {our_ms:>6.0f} ms {plain_ms:>8.0f} ms {our_ms / plain_ms:>7.2f}{verdict}")
        if found != expected:
            print(f"    answers differ: {found} and {expected}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
