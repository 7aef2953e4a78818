"""How fast the local cloud is up, its modules already imported: the budget is 0.5 s for the demo's day."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

import httpx

from mcp_tencent.local_cloud.scenario.reading import load_scenario, parse_scenario, shipped_log_profiles
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ManualClock
from mcp_tencent.local_cloud.world import World

BUDGET_SECONDS = 0.5
REPEATS = 5
START = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)


def started(scenario_name: str) -> float:
    parse_scenario.cache_clear()
    shipped_log_profiles.cache_clear()
    before = time.perf_counter()
    with LocalCloud(scenario_name, clock=ManualClock(START)) as cloud:
        httpx.get(f"{cloud.url}/healthz").raise_for_status()
        return time.perf_counter() - before


def main() -> int:
    worst = 0.0
    for name in ("quiet", "overload", "yesterday"):
        times = sorted(started(name) for _ in range(REPEATS))
        median = times[len(times) // 2]
        worst = max(worst, median)
        spread = f"{times[0] * 1000:.0f} to {times[-1] * 1000:.0f}"
        print(f"{name:12} up in {median * 1000:6.0f} ms (median of {REPEATS}; {spread})")
    before = time.perf_counter()
    world = World(load_scenario("large"), ManualClock(START))
    pods = sum(len(life.pods) for life in world.lives.values())
    seconds = time.perf_counter() - before
    print(f"large        built in {seconds:.1f} s: {len(world.lives)} workloads, {pods} pods")
    print(f"budget       {BUDGET_SECONDS * 1000:.0f} ms: {'met' if worst <= BUDGET_SECONDS else 'MISSED'}")
    return 0 if worst <= BUDGET_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
