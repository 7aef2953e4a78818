"""Patterns of samples as answers have them: with the level and workload that they usually come from. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mcp_tencent.analytics.answers import PatternLine
from mcp_tencent.analytics.patterns_drain3 import Pattern, PatternMiner
from mcp_tencent.analytics.sampling import Sample
from mcp_tencent.basic.log_reading import level_of
from mcp_tencent.basic.paging import cut
from mcp_tencent.models.logs import LogLine

_EXAMPLE = 160
_WORKLOADS = ("workload", "__TAG__.pod_label_app", "service", "app")


def pattern_lines(samples: Sequence[Sample]) -> list[PatternLine]:
    """Return the patterns of samples, most frequent first, each with its usual level and workload."""
    miner = PatternMiner()
    origins: dict[int, Counter[tuple[str, str]]] = {}
    examples: dict[str, int] = {}
    total = 0.0
    for sample in samples:
        for part in sample.slices:
            for line in part.lines:
                number = miner.add(line.text, part.weight)
                origins.setdefault(number, Counter())[level_of(line), workload_of(line)] += 1
                examples.setdefault(line.text.strip()[:1000], number)
                total += part.weight
    return [_pattern_line(one, origins.get(examples.get(one.example, -1)), total) for one in miner.patterns()]


def _pattern_line(pattern: Pattern, origins: Counter[tuple[str, str]] | None, total: float) -> PatternLine:
    level, workload = origins.most_common(1)[0][0] if origins else ("", "")
    return PatternLine(
        template=cut(pattern.template, 200),
        count=max(1, round(pattern.count)),
        share=round(pattern.count / total, 4) if total else 0.0,
        level=level,
        workload=workload,
        example=cut(pattern.example, _EXAMPLE),
    )


def workload_of(line: LogLine) -> str:
    """Return the workload that wrote a line, or nothing."""
    return next((line.fields[name] for name in _WORKLOADS if line.fields.get(name)), "")
