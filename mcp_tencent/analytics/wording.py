"""Forms of sentences that the analytics tools share. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_tencent.analytics.baseline import change_ratio
from mcp_tencent.naming.located import LocatedTopic


def compared(now: int, before: int) -> str:
    """Return how a number stands to one before, as a clause: ，比之前多30%."""
    change = change_ratio(now, before)
    if change is None:
        return "，之前没有" if now else ""
    if abs(change) < 0.1:
        return "，和之前差不多"
    if change >= 2:
        return f"，是之前的{now / before:.0f}倍"
    return f"，比之前{'多' if change > 0 else '少'}{abs(change):.0%}"


def preface(topics: Sequence[LocatedTopic]) -> str:
    """Return what a summary begins with when a topic was found by sound only."""
    return topics[0].preface if len(topics) == 1 else ""
