"""A million log lines per topic, searchable: lines are made when first asked for and kept while there is room."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mcp_tencent.local_cloud.logs.answers import (
    Analysis,
    Context,
    FoundLogs,
    HistogramBar,
    SearchQuestion,
    Window,
)
from mcp_tencent.local_cloud.logs.indexing import TopicIndex
from mcp_tencent.local_cloud.logs.lines import LogLine, LogSource
from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax
from mcp_tencent.local_cloud.simulation import Clock


class LogStore:
    """Topics and their logs. Not thread-safe: one event loop asks, one question at a time."""

    def __init__(self, *, clock: Clock, max_generated_lines: int = 3_000_000) -> None:
        raise NotImplementedError

    def add_topic(self, topic_id: str, index: TopicIndex | None = None) -> None:
        """Add an empty topic; without an index nothing in it can be searched. Raises TopicExists."""

    def set_index(self, topic_id: str, index: TopicIndex | None) -> None:
        """Replace the index; it applies to all logs of the topic, old ones too. Raises TopicNotFound."""

    def remove_topic(self, topic_id: str) -> None:
        """Drop the topic and its logs. Raises TopicNotFound."""

    def add_source(self, topic_id: str, source: LogSource, *, since: datetime) -> None:
        """Let `source` write into the topic from `since` on. Raises TopicNotFound."""

    def append(self, topic_id: str, lines: Iterable[LogLine]) -> str:
        """Store uploaded lines as one package and return its id. Raises TopicNotFound."""
        raise NotImplementedError

    def search(self, question: SearchQuestion) -> FoundLogs:
        """Raises TopicNotFound, IndexNotEnabled, QuerySyntaxError, CursorInvalid."""
        raise NotImplementedError

    def count(self, topic_ids: tuple[str, ...], query: str, syntax: QuerySyntax, window: Window) -> int:
        """Return how many logs match."""
        raise NotImplementedError

    def histogram(
        self, topic_ids: tuple[str, ...], query: str, syntax: QuerySyntax, window: Window, interval_ms: int
    ) -> tuple[HistogramBar, ...]:
        """Return a bar for each interval that meets the window, empty ones too; they start on multiples."""
        raise NotImplementedError

    def context(
        self, topic_id: str, package_id: str, package_log_id: int, *, before: int, after: int
    ) -> Context:
        """Raises TopicNotFound, LogNotFound."""
        raise NotImplementedError

    def analyze(
        self, topic_ids: tuple[str, ...], statement: str, syntax: QuerySyntax, window: Window
    ) -> Analysis:
        """Run `query | select …`. Raises StatementError, AnalysisFailed, AnalysisTooExpensive, IndexNotEnabled."""
        raise NotImplementedError
