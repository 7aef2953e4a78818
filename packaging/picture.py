"""Makes docs/demo.svg anew, out of a real run of the demo: `.venv/bin/python packaging/picture.py`.

The night's progress, line by line, is left out: it would fill three screens. Everything else is as it came.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from assistant.demo.performing import perform

PICTURE = Path(__file__).parents[1] / "docs" / "demo.svg"
WIDTH = 104
_PROGRESS = re.compile(r"\d\d:\d\d  [a-z-]+  |\s{24}\S")
"""A line of the night's progress, or the rest of one that was too long."""


def main() -> None:
    """Play the demo and draw what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        played = Console(width=WIDTH, record=True, highlight=False)
        perform(Path(folder) / "demo", console=played)
        told = played.export_text(styles=True).replace(f"{folder}/", "")
    drawn = Console(width=WIDTH, record=True, highlight=False)
    drawn.print(Text("$ make demo", style="bold"))
    for line in told.splitlines():
        text = Text.from_ansi(line)
        if not _PROGRESS.match(text.plain):
            drawn.print(text)
    PICTURE.write_text(drawn.export_svg(title="小智"), encoding="utf-8")


if __name__ == "__main__":
    main()
