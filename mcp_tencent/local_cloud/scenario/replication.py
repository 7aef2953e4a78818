"""Large worlds from small files: copies of workloads. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.scenario.model import Replicate, Scenario, Workload

_MINUTES_A_DAY = 1440
_A_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def season_of(workload: Workload, timezone: str) -> Season:
    """Return how busy a workload is by time of day."""
    match workload.season:
        case "flat":
            return Season(peak_hours=(), weekend_factor=1.0, timezone=timezone)
        case "night":
            return Season(
                peak_hours=(2.0,),
                peak_width_hours=2.5,
                night_factor=0.3,
                weekend_factor=1.0,
                timezone=timezone,
            )
        case "daily":
            return Season(timezone=timezone)


def replicated(scenario: Scenario) -> Iterator[tuple[WorkloadRef, Workload]]:
    """Yield all workloads of a scenario: those of its clusters, then the copies it asks for."""
    originals = scenario.workloads()
    yield from originals.items()
    for request in scenario.replicate:
        yield from _copies(request, originals[request.workload], scenario.timezone)


def _copies(request: Replicate, original: Workload, timezone: str) -> Iterator[tuple[WorkloadRef, Workload]]:
    per_minute = original.logs.per_minute
    if request.log_lines is not None:
        season = season_of(original, timezone)
        hours = [season.factor(_A_MONDAY + timedelta(hours=hour)) for hour in range(24)]
        mean = sum(hours) / len(hours)
        per_minute = request.log_lines / request.copies / _MINUTES_A_DAY / mean
    for number in range(1, request.copies + 1):
        changes = {
            "name": f"{original.name}-{number:03}",
            "aliases": tuple(f"{alias}{number}" for alias in original.aliases),
            "replicas": original.replicas if request.replicas is None else request.replicas,
            "logs": original.logs.model_copy(update={"per_minute": per_minute}),
        }
        copy = original.model_copy(update=changes)
        yield WorkloadRef(request.workload.cluster, copy.namespace, copy.name), copy
