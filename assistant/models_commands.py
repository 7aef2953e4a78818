"""`xiaozhi models …`: which speech models are here, fetch the official ones, check them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption, JsonOption

if TYPE_CHECKING:
    from voice.model_pulling import PullProgress
    from voice.models import ModelStatus

app = typer.Typer(name="models", help="Speech models: list, fetch and check them.", no_args_is_help=True)
DEFAULT_MODEL = "vosk-model-small-cn-0.22"
_MIB = 1024 * 1024


@app.command("list")
def list_(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List every known model, whether it is here, and which ones are used."""
    from assistant.home import find_home
    from assistant.settings_loading import load_settings
    from assistant.speech_models import missing_extra, models_in_use
    from voice.models import look_at_models

    place = find_home(home, os.environ)
    settings, _ = load_settings(place, os.environ)
    statuses = look_at_models(place.models_dir)
    used = {one.model.name: one.why for one in models_in_use(place, settings.models)}
    if as_json:
        told = [{**_told(status), "used": status.model.name in used} for status in statuses]
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for status in statuses:
        model = status.model
        mark = f"in use ({used[model.name]})" if model.name in used else ""
        if status.usable and (extra := missing_extra(model.format)):
            mark = f"needs pip install 'xiaozhi[{extra}]'"
        size = f"{round(model.download_bytes / _MIB)} MiB" if model.download_bytes else ""
        typer.echo(f"{model.name:53} {model.use:11} {status.state:9} {size:>8}  {mark}".rstrip())
        for problem in status.problems:
            typer.echo(f"    {problem}")


@app.command()
def pull(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME…]", help=f"Default: {DEFAULT_MODEL}.")
    ] = None,
    home: HomeOption = None,
    mirror: Annotated[
        list[str] | None, typer.Option("--mirror", metavar="URL", help="Try this address first.")
    ] = None,
    accept_sha256: Annotated[
        str | None,
        typer.Option(
            "--accept-sha256", metavar="SUM", help="Install a file with this sum though another was expected."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch models; an interrupted download goes on where it ended."""
    from assistant.clock import SystemClock
    from assistant.home import find_home
    from assistant.settings_loading import load_settings
    from voice.errors import ModelUnknown
    from voice.model_fetcher_httpx import HttpxFetcher
    from voice.model_pulling import ModelPuller
    from voice.models import model_named

    place = find_home(home, os.environ)
    settings, _ = load_settings(place, os.environ)
    chosen = [model_named(name) for name in names or [DEFAULT_MODEL]]
    for model in chosen:
        if not model.remote_files:
            raise ModelUnknown(f"{model.name} is embedded: there is nothing to fetch")
    mirrors = (*(mirror or ()), *settings.models.mirrors)
    puller = ModelPuller(place.models_dir, HttpxFetcher(), mirrors=mirrors)
    records = []
    for model in chosen:
        with _progress_bar(quiet=as_json) as on_progress:
            record = puller.pull(
                model, now=SystemClock().now(), accepted_sha256=accept_sha256, on_progress=on_progress
            )
        records.append(record)
        if not as_json:
            expected = "as expected" if record.expected_sha256 == record.arrived_sha256 else "recorded"
            typer.echo(f"{model.name} is installed; SHA-256 {record.arrived_sha256} ({expected}).")
    if as_json:
        told = [record.model_dump(mode="json", exclude={"files"}) for record in records]
        typer.echo(json.dumps(told, ensure_ascii=False))


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME…]", help="Default: all here.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare every file of the models that are here with what was installed; ends with 1 if one differs."""
    from assistant.home import find_home
    from voice.models import ModelState, look_at_models, model_named, verify_model

    wanted = {model_named(name).name for name in names or ()}
    statuses = [
        status
        for status in look_at_models(find_home(home, os.environ).models_dir)
        if status.model.name in wanted or (not wanted and status.state is not ModelState.ABSENT)
    ]
    found = {status.model.name: verify_model(status) for status in statuses}
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        for name, problems in found.items():
            typer.echo(f"{name}: {'; '.join(problems) or 'sound'}")
    if any(found.values()):
        raise typer.Exit(1)


def _told(status: ModelStatus) -> dict[str, object]:
    return {
        "name": status.model.name,
        "use": status.model.use,
        "state": status.state,
        "licence": status.model.licence,
        "folder": str(status.folder) if status.folder else None,
        "problems": status.problems,
    }


@contextmanager
def _progress_bar(*, quiet: bool) -> Iterator[Callable[[PullProgress], None]]:
    """Show how far a download is, on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        tasks: dict[str, TaskID] = {}

        def show(progress: PullProgress) -> None:
            if progress.file not in tasks:
                tasks[progress.file] = bar.add_task(progress.file)
            bar.update(tasks[progress.file], completed=progress.done_bytes, total=progress.total_bytes)

        yield show
