"""Tells the demo's story on the terminal, and keeps it for the transcript."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from rich.console import Console
from rich.table import Table
from rich.text import Text

Told = Mapping[str, JsonValue]


@dataclass(slots=True)
class Narrator:
    """Prints a line and keeps what it says as values.

    Args:
        console: Where it is printed.
    """

    console: Console
    told: list[Told] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def chapter(self, title: str, english: str) -> None:
        """Begin a chapter."""
        self.console.print()
        self.console.rule(f"[bold]{title}[/bold]  [dim]{english}", align="left")
        self.keep("chapter", title=title)

    def speech(self, who: str, text: str, *, style: str) -> None:
        """Show what somebody says."""
        self._beside(who, Text(text), style)

    def note(self, text: str) -> None:
        """Show something of lesser weight."""
        self._beside("", Text(text, style="dim"), "dim")

    def table(self, *headings: str, rows: Sequence[Sequence[str | Text]]) -> None:
        """Show a table."""
        table = Table(*headings, box=None, header_style="dim", pad_edge=False)
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def keep(self, event: str, **values: JsonValue) -> None:
        """Keep something that happened."""
        at_s = round(time.monotonic() - self._began, 2)
        self.told.append({"at_s": at_s, "event": event, **values})

    @property
    def seconds(self) -> float:
        """How long the story has gone on."""
        return time.monotonic() - self._began

    def transcript(self) -> str:
        """Return everything that was kept, as JSON."""
        return json.dumps(self.told, ensure_ascii=False, indent=1) + "\n"

    def _beside(self, who: str, text: Text, style: str) -> None:
        """Print side by side, so that long sentences wrap beside the name."""
        line = Table.grid(padding=(0, 2))
        line.add_column(style=style, no_wrap=True, min_width=6)
        line.add_column(overflow="fold")
        line.add_row(who, text)
        self.console.print(line)
