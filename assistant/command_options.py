"""Options that commands share, and what some of them need to be installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import FeatureNotInstalled

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of settings, data and models; default: $XIAOZHI_HOME, else XDG."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result, or the error, as JSON.")]
ScenarioOption = Annotated[
    str | None,
    typer.Option("--scenario", metavar="NAME|FILE", help="An embedded local cloud, not the configured one."),
]


def require_local_cloud() -> None:
    """Say what to install where the local cloud's own packages are left out, as on a device.

    Raises:
        FeatureNotInstalled: they are.
    """
    if find_spec("duckdb") is None or find_spec("lark") is None:
        raise FeatureNotInstalled("the local cloud is not installed", extra="local-cloud")
