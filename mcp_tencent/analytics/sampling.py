"""A bounded sample of many log lines, spread over a period; each line knows how many it stands for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from mcp_tencent.models.logs import LogLine
from mcp_tencent.periods import Period
from mcp_tencent.ports import LogSearch
from mcp_tencent.side_by_side import side_by_side

SLICES = 12
LINES_A_SLICE = 200
_AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Lines of one slice of time."""

    start: datetime
    lines: tuple[LogLine, ...]
    total: int
    """So many lines the slice has."""

    @property
    def weight(self) -> float:
        """How many lines each sampled one stands for."""
        return self.total / len(self.lines) if self.lines else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Lines of a period, by slices, oldest first."""

    slices: tuple[Slice, ...]

    @property
    def total(self) -> int:
        """How many lines the period has."""
        return sum(part.total for part in self.slices)

    @property
    def taken(self) -> int:
        """How many of them were looked at."""
        return sum(len(part.lines) for part in self.slices)

    @property
    def complete(self) -> bool:
        """Whether every line was looked at."""
        return self.taken >= self.total


async def sampled(
    search: LogSearch,
    topic_id: str,
    query: str,
    period: Period,
    *,
    slices: int = SLICES,
    lines_a_slice: int = LINES_A_SLICE,
) -> Sample:
    """Take a sample; at most `slices` times `lines_a_slice` lines are downloaded, however many there are.

    Raises:
        CloudError: As LogSearch raises it.
    """
    step = period.length / slices
    borders = [period.start + index * step for index in range(slices)] + [period.end]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(start: datetime, end: datetime) -> Slice:
        async with turns:
            page = await search.search(topic_id, query, start, end, limit=lines_a_slice)
            total = len(page.lines)
            if not page.complete:
                total = max(total, (await search.histogram(topic_id, query, start, end)).total)
        return Slice(start=start, lines=page.lines, total=total)

    parts = await side_by_side(one(start, end) for start, end in pairwise(borders))
    return Sample(slices=tuple(parts))


def weighted_texts(samples: Sequence[Sample]) -> list[tuple[str, float]]:
    """Return the texts of samples with their weights."""
    return [(line.text, part.weight) for sample in samples for part in sample.slices for line in part.lines]
