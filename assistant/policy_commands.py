"""`xiaozhi policy …`: the healing policy in force, and what is wrong with a new one."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption, JsonOption

if TYPE_CHECKING:
    from mcp_tencent.devops.policy.errors import PolicyError
    from mcp_tencent.devops.policy.model import LoadedPolicy

app = typer.Typer(name="policy", help="The healing policy in force; check a new one.", no_args_is_help=True)

_FAILED = 1


@app.command()
def show(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Print the healing policy in force: the file policy.yaml beside the settings, else the defaults."""
    from assistant.home import find_home
    from mcp_tencent.devops.policy.file import PolicyFile

    source = PolicyFile(find_home(home, os.environ).policy_file)
    if source.trouble is not None:
        _print_trouble(source.trouble, as_json=as_json)
        raise typer.Exit(_FAILED)
    _print_policy(source.current(), as_json=as_json)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy file that is not in force yet.")],
    as_json: JsonOption = False,
) -> None:
    """Find everything that is wrong with a policy file; ends with 1 when it could not be used."""
    from mcp_tencent.devops.policy.errors import PolicyError
    from mcp_tencent.devops.policy.file import read_policy

    try:
        loaded = read_policy(file)
    except PolicyError as error:
        _print_trouble(error, as_json=as_json)
        raise typer.Exit(_FAILED) from error
    if as_json:
        typer.echo(json.dumps({"ok": True, "version": loaded.version, "findings": []}))
    else:
        typer.echo(f"{file}: no errors; in force it would be {loaded.version}")


def _print_policy(loaded: LoadedPolicy, *, as_json: bool) -> None:
    content = loaded.policy.model_dump(mode="json")
    if as_json:
        result = {"version": loaded.version, "source": loaded.source, "policy": content}
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    import yaml

    typer.echo(f"# {loaded.version}, from {loaded.source}")
    typer.echo(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100), nl=False)


def _print_trouble(error: PolicyError, *, as_json: bool) -> None:
    from mcp_tencent.devops.policy.errors import PolicyInvalid

    findings = error.findings if isinstance(error, PolicyInvalid) else ()
    if as_json:
        listed = [asdict(finding) for finding in findings]
        typer.echo(json.dumps({"ok": False, "error": str(error), "findings": listed}, ensure_ascii=False))
        return
    typer.echo(str(error), err=True)
    typer.echo(f"{len(findings)} errors" if findings else error.hint, err=True)
