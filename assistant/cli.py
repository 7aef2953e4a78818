"""The command `xiaozhi`: a thin face over the rest. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version as installed_version
from typing import Annotated, NoReturn, Protocol, runtime_checkable

import typer

from assistant import (
    audit_commands,
    backup_commands,
    config_commands,
    demo_commands,
    digest_commands,
    doctor_commands,
    hear_commands,
    mcp_commands,
    models_commands,
    night_commands,
    people_commands,
    planner_commands,
    policy_commands,
    run_commands,
    say_commands,
    turns_commands,
)
from assistant.command_options import JsonOption, require_local_cloud
from assistant.errors import AssistantError
from mcp_tencent.errors import CloudError

app = typer.Typer(
    name="xiaozhi",
    help="小智: a voice appliance for cloud operations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(config_commands.app)
app.add_typer(policy_commands.app)
app.add_typer(audit_commands.app)
app.add_typer(people_commands.app)
app.add_typer(digest_commands.app)
app.command()(digest_commands.digest)
app.add_typer(mcp_commands.tokens_app)
app.add_typer(models_commands.app)
app.command()(say_commands.say)
app.command()(doctor_commands.doctor)
app.command()(mcp_commands.mcp)
app.command()(run_commands.run)
app.command()(demo_commands.demo)
app.command()(hear_commands.hear)
app.command()(turns_commands.turns)
app.command()(night_commands.night)
app.command()(night_commands.worker)
app.command()(backup_commands.backup)
app.command()(backup_commands.restore)
app.command()(planner_commands.ask)
app.command("eval")(planner_commands.evaluate)

ScenarioOption = Annotated[
    str, typer.Option("--scenario", metavar="NAME|FILE", help="A shipped scenario, or a YAML file.")
]

FAILED, OUTSIDE_UNAVAILABLE, INTERRUPTED = 1, 5, 130


@runtime_checkable
class Explained(Protocol):
    """What every error of ours can say; anything else is a bug and shows its trace."""

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
    require_local_cloud()
    from mcp_tencent.local_cloud.scenario.reading import load_scenario, shipped_scenarios

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
    from mcp_tencent.local_cloud.serving import serve

    serve(scenario, port=port, as_json=as_json, out=sys.stdout)


def main() -> NoReturn:
    """Run the command line; every expected failure ends in one sentence, a hint and an exit status."""
    as_json = "--json" in sys.argv
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        cause = _only_cause(error)
        if not isinstance(cause, Explained):
            raise
        _fail(cause, as_json=as_json)
    sys.exit(0)


def _only_cause(error: BaseException) -> BaseException:
    """Return what the groups hold that task groups make of a single error passing through them."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _fail(error: Explained, *, as_json: bool) -> NoReturn:
    if as_json:
        told = {"error": str(error), "spoken": error.spoken, "hint": error.hint}
        typer.echo(json.dumps(told, ensure_ascii=False), err=True)
    else:
        typer.echo(f"error: {error}\n{error.hint}", err=True)
    sys.exit(_exit_status(error))


def _exit_status(error: Explained) -> int:
    if isinstance(error, AssistantError):
        return error.exit_code
    return OUTSIDE_UNAVAILABLE if isinstance(error, CloudError) and error.retryable else FAILED
