"""Reading more log lines than one search gives: each once, in order, none left out (pure).

A search pages through at most 10,000 lines within an hour. A longer one is continued by a new search that
begins at the millisecond of the last line that was read; the lines of that millisecond that were read already
are recognised and dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mcp_tencent.cloud.tencentcloud.instants import to_milliseconds
from mcp_tencent.models.logs import LogLine, SortOrder


class LogWalk:
    """Where a long reading has got to. Remembers the lines of one millisecond only."""

    def __init__(self, start_ms: int, end_ms: int, order: SortOrder) -> None:
        self._ascending = order is SortOrder.OLDEST_FIRST
        self.start_ms = start_ms
        """Beginning of the window to search now, Unix milliseconds, included."""
        self.end_ms = end_ms
        """Its end, not included."""
        self._edge: int | None = None
        self._read_at_edge: Counter[object] = Counter()
        self._to_drop: Counter[object] = Counter()

    def take(self, lines: Sequence[LogLine]) -> list[LogLine]:
        """Return those of a page's lines that were not read before."""
        fresh = []
        for line in lines:
            name = _identity(line)
            if self._to_drop[name] > 0:
                self._to_drop[name] -= 1
                continue
            at = to_milliseconds(line.at)
            if at != self._edge:
                self._edge = at
                self._read_at_edge.clear()
            self._read_at_edge[name] += 1
            fresh.append(line)
        return fresh

    def search_anew(self) -> bool:
        """Narrow the window to what is left; False when it would be the same window again.

        False means that a whole search lies within one millisecond: read that by offset, then `pass_edge`.
        """
        if self._edge is None:
            return False
        before = (self.start_ms, self.end_ms)
        if self._ascending:
            self.start_ms = self._edge
        else:
            self.end_ms = self._edge + 1
        self._to_drop = Counter(self._read_at_edge)
        return (self.start_ms, self.end_ms) != before

    def edge(self) -> tuple[int, int]:
        """Return the one millisecond being read as a window; its lines will come from the first on."""
        if self._edge is None:
            raise ValueError("nothing was read yet")
        self._to_drop = Counter(self._read_at_edge)
        return self._edge, self._edge + 1

    def pass_edge(self) -> bool:
        """Leave the present millisecond behind; False when nothing is left."""
        if self._edge is None:
            raise ValueError("nothing was read yet")
        if self._ascending:
            self.start_ms = self._edge + 1
        else:
            self.end_ms = self._edge
        self._to_drop.clear()
        return self.start_ms < self.end_ms


def _identity(line: LogLine) -> object:
    if line.pkg_id:
        return (line.at, line.pkg_id, line.pkg_log_id)
    # Without a package number, equal lines are told apart by how many there were.
    return (line.at, line.source, line.filename, tuple(line.fields.items()), line.text)
