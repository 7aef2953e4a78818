"""What an anomaly's lines say, and whether such lines stood there before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mcp_tencent.analytics.anomalies import Anomaly
from mcp_tencent.analytics.baseline import Direction
from mcp_tencent.analytics.counting import Dimensions
from mcp_tencent.analytics.patterns_drain3 import Pattern, PatternMiner
from mcp_tencent.analytics.sampling import sampled, weighted_texts
from mcp_tencent.periods import Period
from mcp_tencent.ports import LogSearch

_BEFORE = timedelta(days=3)
_SLICES = 3
_LINES_A_SLICE = 150
_MOST_PATTERNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the lines of an anomaly say."""

    patterns: tuple[Pattern, ...]
    """At most three, most frequent first: the new ones, or the most frequent one if none is new."""
    new: bool
    """No sampled line of the days before is like them."""


async def evidence_of(
    search: LogSearch, topic_id: str, anomaly: Anomaly, dimensions: Dimensions
) -> Evidence | None:
    """Look at the lines of an anomaly's weightiest level; None when it is that lines were missing.

    New kinds of lines are preferred to those that were there before: they are what the anomaly is about.

    Raises:
        CloudError: As LogSearch raises it.
    """
    first = anomaly.episodes[0]
    if first.episode.direction is Direction.DOWN:
        return None
    query = series_query(dimensions, anomaly.workload, first.level)
    during = Period(start=first.episode.start, end=first.episode.end)
    before = Period(start=during.start - _BEFORE, end=during.start)
    lines = await sampled(search, topic_id, query, during, slices=_SLICES, lines_a_slice=_LINES_A_SLICE)
    earlier = await sampled(search, topic_id, query, before, slices=_SLICES, lines_a_slice=_LINES_A_SLICE)
    known = PatternMiner()
    known.add_all(text for text, _ in weighted_texts([earlier]))
    miner = PatternMiner()
    for text, weight in weighted_texts([lines]):
        miner.add(text, weight)
    patterns = miner.patterns()
    new = [pattern for pattern in patterns if not known.knows(pattern.example)]
    if new:
        return Evidence(patterns=tuple(new[:_MOST_PATTERNS]), new=True)
    return Evidence(patterns=tuple(patterns[:1]), new=False) if patterns else None


def series_query(dimensions: Dimensions, workload: str, level: str) -> str:
    """Return the search for the lines of one series."""
    parts = [
        f'{field}:"{_escaped(value)}"'
        for field, value in ((dimensions.workload, workload), (dimensions.level, level))
        if field and value
    ]
    return " AND ".join(parts) or "*"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
