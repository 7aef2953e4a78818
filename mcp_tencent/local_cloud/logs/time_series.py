"""The function time_series of CLS: counts per step of time, with empty steps filled in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.logs.answers import Cell, Window

_STEP = re.compile(r"([1-9]\d{0,5})([smhd])")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DIRECTIVES = {"Y": "%Y", "m": "%m", "d": "%d", "H": "%H", "i": "%M", "s": "%S", "%": "%%"}
_UTC8 = timedelta(hours=8)
_MOST_STEPS = 100_000


def parse_step(text: str) -> int | None:
    """Return the milliseconds of a step such as `30s`, `5m`, `1h` or `1d`; None when it is none."""
    match = _STEP.fullmatch(text.strip())
    return int(match[1]) * _UNIT_MS[match[2]] if match else None


def strftime_format(text: str) -> str | None:
    """Return the C form of a CLS format (as MySQL's: minutes are %i); None when a part is unknown."""
    parts = re.split(r"%(.)", text)
    if any(letter not in _DIRECTIVES for letter in parts[1::2]) or "%" in "".join(parts[0::2]):
        return None
    return "".join(_DIRECTIVES[part] if position % 2 else part for position, part in enumerate(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """How to fill in what is missing."""

    column: int
    """Position of the time among the result's columns."""
    step_ms: int
    format: str
    padding: int | None
    """What the other columns hold at a filled-in time."""

    def filled(self, rows: Sequence[tuple[Cell, ...]], width: int, window: Window) -> list[tuple[Cell, ...]]:
        """Return the rows in order of time, with a row for each step of the window that had none."""
        labels = self._labels(window)
        known: dict[Cell, list[tuple[Cell, ...]]] = {label: [] for label in labels}
        for row in rows:
            known.setdefault(row[self.column], []).append(row)
        result: list[tuple[Cell, ...]] = []
        for label, found in known.items():
            padded = tuple(label if index == self.column else self.padding for index in range(width))
            result.extend(found or [padded])
        return result

    def _labels(self, window: Window) -> list[str]:
        step = self.step_ms
        offset = int(_UTC8 / timedelta(milliseconds=1))
        first = (window.from_ms + offset) // step
        last = (window.to_ms - 1 + offset) // step
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        stamps = (
            epoch + timedelta(milliseconds=number * step)
            for number in range(first, min(last, first + _MOST_STEPS) + 1)
        )
        return list(dict.fromkeys(stamp.strftime(self.format) for stamp in stamps))
