"""The log lines of one workload, made from its timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from mcp_tencent.local_cloud.conditions import LogPattern, Timeline
from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.local_cloud.logs.lines import LogLine


class WorkloadLogSource:
    """A LogSource for one container of one workload."""

    def __init__(
        self,
        *,
        seed: int,
        cluster_id: str,
        namespace: str,
        workload: str,
        container: str,
        timeline: Timeline,
        patterns: Sequence[LogPattern],
        season: Season,
        node_of: Callable[[str], tuple[str, str]] | None = None,
    ) -> None:
        """`node_of` maps a pod's name to its node's (name, IP address); by default both are made up.

        Raises:
            TemplateError: a pattern has a slot that nobody fills.
        """
        raise NotImplementedError

    def lines(self, start: datetime, end: datetime) -> Iterable[LogLine]:
        """Return the lines of all pods within [start, end), oldest first."""
        raise NotImplementedError

    def pod_lines(self, pod: str, start: datetime, end: datetime) -> Iterable[LogLine]:
        """Return those lines that `pod` wrote."""
        raise NotImplementedError
