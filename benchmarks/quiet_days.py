"""False alarms of detect_anomalies on quiet days: the generators' own lines, many seeds, many days.

    python benchmarks/quiet_days.py [SEEDS] [DAYS]

Each seed is a shop of three workloads that live undisturbed for DAYS + 14 days; each of the last DAYS days is
judged against the 14 before it, as the tool does. A made-up log anomaly, 14 lines a minute for 40 minutes, is
then put into each of these days in turn, to show that the judge is not merely deaf.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from mcp_tencent.analytics.anomalies import find_anomalies
from mcp_tencent.analytics.baseline import DAYS_BACK, buckets
from mcp_tencent.analytics.counting import Counts, Gathered, SeriesName
from mcp_tencent.local_cloud.conditions import Condition, LogPattern, Timeline
from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.local_cloud.logs.generation.workload import WorkloadLogSource
from mcp_tencent.periods import Period

ZONE = ZoneInfo("Asia/Shanghai")
END = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORKLOADS = {
    "web-gateway": ("nginx", 10.0),
    "order-service": ("java-order", 24.0),
    "item-service": ("java-web", 18.0),
}
"""Profile and lines a minute at full traffic."""
PROFILES = Path(__file__).parents[1] / "mcp_tencent" / "local_cloud" / "log_profiles.yaml"


def source(seed: int, workload: str, start: datetime) -> WorkloadLogSource:
    """Return what one undisturbed workload writes."""
    profile, per_minute = WORKLOADS[workload]
    normal = yaml.safe_load(PROFILES.read_text(encoding="utf-8"))[profile]["normal"]
    whole = sum(one["per_minute"] for one in normal)
    timeline = Timeline()
    timeline.record(start, Condition(pods=(f"{workload}-a", f"{workload}-b")))
    return WorkloadLogSource(
        seed=seed,
        cluster_id="cls-quiet",
        namespace="shop",
        workload=workload,
        container="app",
        timeline=timeline,
        patterns=[
            LogPattern(
                template=one["template"],
                level=one["level"],
                per_minute=one["per_minute"] * per_minute / whole,
            )
            for one in normal
        ],
        season=Season(),
    )


def lived(seed: int, start: datetime) -> Counts:
    """Count the lines of all workloads by hour and level."""
    counts: Counts = {}
    for workload in WORKLOADS:
        for line in source(seed, workload, start).lines(start, END):
            name = SeriesName(workload=workload, level=dict(line.fields)["level"])
            hour = start + (line.timestamp_ms - int(start.timestamp() * 1000)) // 3_600_000 * HOUR
            series = counts.setdefault(name, {})
            series[hour] = series.get(hour, 0) + 1
    return counts


def alarms(counts: Mapping[SeriesName, dict[datetime, int]], start: datetime, day: datetime) -> int:
    """Judge one day."""
    past = frozenset(at for at in buckets(start, day, HOUR))
    gathered = Gathered(counts=dict(counts), covered=past)
    return len(find_anomalies(gathered, Period(start=day, end=day + DAY), bucket=HOUR, zone=ZONE))


def planted(counts: Counts, day: datetime) -> Counts:
    """Return the counts with 560 unknown warnings in the tenth hour of the day."""
    name = SeriesName(workload="item-service", level="WARN")
    series = dict(counts[name])
    series[day + 9 * HOUR] = series.get(day + 9 * HOUR, 0) + 560
    return {**counts, name: series}


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    days = int(sys.argv[2]) if len(sys.argv) > 2 else 14
    start = END - (days + DAYS_BACK) * DAY
    began = time.perf_counter()
    per_day: list[int] = []
    found = lines = 0
    for seed in range(seeds):
        counts = lived(seed, start)
        lines += sum(sum(series.values()) for series in counts.values())
        for index in range(days):
            day = END - (days - index) * DAY
            per_day.append(alarms(counts, start, day))
            found += alarms(planted(counts, day), start, day) > per_day[-1]
    judged = len(per_day)
    print(f"{lines} lines of {seeds} shops, {time.perf_counter() - began:.0f} s")
    print(f"quiet days judged: {judged}; false alarms: {sum(per_day)}, a day: {sum(per_day) / judged:.3f}")
    print(f"most on one day: {max(per_day)} (1 allowed); planted anomalies found: {found}/{judged}")
    if max(per_day) > 1 or found < judged:
        sys.exit(1)


if __name__ == "__main__":
    main()
