"""`xiaozhi audit …`: what was done, by whom, and whether the record is whole."""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from assistant.command_options import HomeOption, JsonOption

app = typer.Typer(name="audit", help="What was done, by whom; whether the record is whole.")

_FAILED = 1


@app.callback(invoke_without_command=True)
def latest(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many of the latest lines.")] = 20,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the latest lines."""
    if context.invoked_subcommand is not None:
        return
    from assistant.app import open_audit
    from assistant.home import find_home

    with open_audit(find_home(home, os.environ), os.environ) as trail:
        lines = deque(trail.export(), maxlen=limit)
    if as_json:
        typer.echo(f"[{','.join(lines)}]")
        return
    for line in lines:
        told = json.loads(line)
        typer.echo(f"{told['seq']:>6}  {told['at']}  {told['person']}  {told['tool']}  {told['outcome']}")


@app.command()
def verify(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Walk the whole chain; ends with 1 when a line was altered, removed or cut off."""
    from assistant.app import open_audit
    from assistant.home import find_home

    with open_audit(find_home(home, os.environ), os.environ) as trail:
        faults = trail.verify()
    if as_json:
        found = [{"seq": one.seq, "kind": one.kind.value, "sentence": one.sentence} for one in faults]
        typer.echo(json.dumps({"whole": not faults, "faults": found}))
    for fault in () if as_json else faults:
        typer.echo(f"{fault.kind.value}: {fault.sentence}")
    if not faults and not as_json:
        typer.echo("The audit is whole.")
    if faults:
        raise typer.Exit(_FAILED)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write, one JSON object a line.")],
    home: HomeOption = None,
) -> None:
    """Write the whole audit to a file that does not exist yet."""
    from assistant.app import open_audit
    from assistant.home import find_home

    count = 0
    with (
        open_audit(find_home(home, os.environ), os.environ) as trail,
        file.open("x", encoding="utf-8") as out,
    ):
        for line in trail.export():
            out.write(line + "\n")
            count += 1
    typer.echo(f"Wrote {count} lines to {file}.")
