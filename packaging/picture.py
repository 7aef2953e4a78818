"""Makes docs/demo.svg anew, out of a real run of the demo: `.venv/bin/python packaging/picture.py`.

The night's progress, line by line, is left out: it would fill three screens. Everything else is as it came.
"""

from __future__ import annotations

import re
import tempfile
from html import unescape
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from assistant.demo.performing import perform

PICTURE = Path(__file__).parents[1] / "docs" / "demo.svg"
WIDTH = 104
_PROGRESS = re.compile(r"\d\d:\d\d  [a-z-]+  |\s{15,}\S")
"""A line of the night's progress, or the rest of one that was too long."""

_TEXT = re.compile(r'textLength="(?P<length>[0-9.]+)"(?P<rest>[^>]*)>(?P<text>[^<]*)</text>')


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
    PICTURE.write_text(_wide(drawn.export_svg(title="小智")), encoding="utf-8")


def _wide(picture: str) -> str:
    """Give Chinese its width: Rich counts every sign of a text as one column when it says how long it is."""

    def measured(found: re.Match[str]) -> str:
        text = unescape(found["text"])
        length = float(found["length"]) / max(1, len(text)) * cell_len(text)
        return f'textLength="{length:g}"{found["rest"]}>{found["text"]}</text>'

    return _TEXT.sub(measured, picture)


if __name__ == "__main__":
    main()
