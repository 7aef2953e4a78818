"""The command `xiaozhi`: a thin face over the rest. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from assistant import backup_commands, config_commands
from assistant.command_options import JsonOption
from assistant.errors import AssistantError, FeatureNotInstalled
from mcp_tencent.errors import CloudError

app = typer.Typer(
    name="xiaozhi",
    help="小智: a voice appliance for cloud operations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(config_commands.app)
app.command()(backup_commands.backup)
app.command()(backup_commands.restore)

ScenarioOption = Annotated[
    str, typer.Option("--scenario", metavar="NAME|FILE", help="A shipped scenario, or a YAML file.")
]
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the transcript is written.")]

FAILED, OUTSIDE_UNAVAILABLE, INTERRUPTED = 1, 5, 130


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed_version("xiaozhi"))


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the transcript is written.")
    ] = Path("demo"),
    scenario: ScenarioOption = "yesterday",
) -> None:
    """Show 小智 at work: the local cloud, a bad release found, rolled back and verified."""
    _require_local_cloud()
    from assistant.demo import run_demo

    if not run_demo(out, scenario):
        raise typer.Exit(FAILED)


@app.command("local-cloud")
def local_cloud(
    scenario: ScenarioOption = "yesterday",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free port.")] = 8700,
    list_scenarios: Annotated[
        bool, typer.Option("--list", help="List the shipped scenarios instead of serving one.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Imitate Tencent Cloud and its Kubernetes clusters on this machine, until SIGTERM or Ctrl-C."""
    _require_local_cloud()
    from mcp_tencent.local_cloud.scenario.reading import load_scenario, shipped_scenarios
    from mcp_tencent.local_cloud.serving import serve

    if list_scenarios:
        shipped = [load_scenario(name) for name in shipped_scenarios()]
        if as_json:
            typer.echo(
                json.dumps([{"name": one.name, "title": one.title} for one in shipped], ensure_ascii=False)
            )
        else:
            for one in shipped:
                typer.echo(f"{one.name:28} {one.title}")
        return
    serve(scenario, port=port, as_json=as_json, out=sys.stdout)


def _require_local_cloud() -> None:
    """Say what to install where the local cloud's own packages are left out, as on a device."""
    try:
        import duckdb  # noqa: F401 - only whether it is there
        import lark  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as exc:
        raise FeatureNotInstalled("the local cloud is not installed", extra="local-cloud") from exc


def main() -> NoReturn:
    """Run the command line; every expected failure ends in one sentence, a hint and an exit status."""
    as_json = "--json" in sys.argv
    try:
        app()
    except AssistantError as error:
        _fail(str(error), error.spoken, error.hint, error.exit_code, as_json=as_json)
    except CloudError as error:
        status = OUTSIDE_UNAVAILABLE if error.retryable else FAILED
        _fail(str(error), error.spoken, error.hint, status, as_json=as_json)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _fail(what: str, spoken: str, hint: str, status: int, *, as_json: bool) -> NoReturn:
    if as_json:
        error = {"error": what, "spoken": spoken, "hint": hint}
        typer.echo(json.dumps(error, ensure_ascii=False), err=True)
    else:
        typer.echo(f"error: {what}\n{hint}", err=True)
    sys.exit(status)
