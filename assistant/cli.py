"""The command `xiaozhi`: a thin face over the rest. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Protocol

import typer

app = typer.Typer(
    name="xiaozhi",
    help="小智: a voice appliance for cloud operations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of settings, data and models; default: $XIAOZHI_HOME, else XDG."),
]
ScenarioOption = Annotated[
    str | None,
    typer.Option("--scenario", help="Name of a shipped scenario, or a YAML file, for an embedded cloud."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result, or the error, as JSON.")]

FAILED, REFUSED, OUTSIDE_UNAVAILABLE = 1, 3, 5


class SpokenError(Protocol):
    """What all our error trees have in common."""

    @property
    def spoken(self) -> str:
        """One short Chinese sentence."""
        ...

    @property
    def hint(self) -> str:
        """What to do about it."""
        ...


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed_version("xiaozhi"))
