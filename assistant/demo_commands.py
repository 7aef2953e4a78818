"""`xiaozhi demo`: a whole day on the local cloud, narrated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.command_options import require_local_cloud


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where sound, page, mail and transcript are written.")
    ] = Path("demo"),
    serve: Annotated[
        bool, typer.Option("--serve", help="Leave the local cloud running at the end, until Ctrl-C.")
    ] = False,
    play: Annotated[bool, typer.Option("--play", help="Let it be heard over the loudspeaker.")] = False,
) -> None:
    """Show a whole day on a local cloud: night, greeting, questions, a roll-back, a stranger."""
    require_local_cloud()
    from assistant.demo.performing import perform

    perform(out, serve=serve, play=play)
