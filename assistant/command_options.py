"""Options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of settings, data and models; default: $XIAOZHI_HOME, else XDG."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result, or the error, as JSON.")]
