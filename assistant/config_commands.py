"""`xiaozhi config …`: look at the settings, check them, change them. No secret is ever printed."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption, JsonOption

if TYPE_CHECKING:
    from assistant.settings_findings import Finding
    from assistant.settings_listing import ListedSetting

app = typer.Typer(name="config", help="Look at the settings, check and change them.", no_args_is_help=True)

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Dotted key, such as digest.max_seconds.")]
_ASK = "-"


@app.command()
def show(
    home: HomeOption = None,
    every_key: Annotated[
        bool, typer.Option("--all", help="Every key there can be, with its meaning.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print every setting with its value and where it comes from; of a secret only that it is set."""
    from assistant.home import find_home
    from assistant.settings_listing import list_keys, list_settings

    if every_key:
        listed = list_keys()
    else:
        from assistant.errors import BadSettings
        from assistant.settings_loading import examine

        found = examine(find_home(home, os.environ), os.environ)
        if found.settings is None:
            raise BadSettings(found.findings)
        listed = list_settings(found.settings, found.values, found.origins)
    if as_json:
        typer.echo(json.dumps([asdict(setting) for setting in listed], ensure_ascii=False))
        return
    for setting in listed:
        typer.echo(_key_line(setting) if every_key else _value_line(setting))


@app.command()
def check(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Find everything that is wrong with the settings; ends with 1 when the program would not start."""
    from assistant.home import find_home
    from assistant.settings_loading import examine

    place = find_home(home, os.environ)
    found = examine(place, os.environ)
    if as_json:
        result = {"ok": found.settings is not None, "findings": [asdict(one) for one in found.findings]}
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        _print_findings(found.findings, str(place.config_file))
    if found.settings is None:
        raise typer.Exit(1)


@app.command("set")
def set_(
    pairs: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY VALUE…", help="A VALUE that is left out, or -, is asked for and not shown."
        ),
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change settings; they are checked as a whole first, and secrets are sealed.

    What belongs together is set together: xiaozhi config set llm.base_url URL llm.model NAME llm.api_key
    """
    from assistant.home import find_home
    from assistant.settings_editing import known_key, set_settings

    keys, given = pairs[::2], pairs[1::2]
    for key in keys:
        known_key(key)
    typed = [*given, *[_ASK] * (len(keys) - len(given))]
    values = {key: _ask(key) if text == _ASK else text for key, text in zip(keys, typed, strict=True)}
    change = set_settings(find_home(home, os.environ), os.environ, values)
    if as_json:
        typer.echo(json.dumps(asdict(change)))
        return
    typer.echo(f"Set {', '.join(change.keys)}.")
    for variable in change.outranked:
        typer.echo(f"Note: the environment variable {variable} outranks the file.", err=True)


@app.command()
def unset(key: KeyArgument, home: HomeOption = None) -> None:
    """Remove a setting, or a whole table, from the file; the default holds again."""
    from assistant.home import find_home
    from assistant.settings_editing import unset_setting

    unset_setting(find_home(home, os.environ), os.environ, key)
    typer.echo(f"Removed {key}.")


@app.command()
def seal(home: HomeOption = None) -> None:
    """Seal the secrets that stand in plain text in the file."""
    from assistant.home import find_home
    from assistant.settings_editing import seal_settings

    change = seal_settings(find_home(home, os.environ), os.environ)
    typer.echo(f"Sealed {', '.join(change.keys)}." if change.keys else "Every secret is sealed already.")


@app.command("rotate-key")
def rotate_key(home: HomeOption = None) -> None:
    """Make a new key and seal everything with it; nothing else of xiaozhi may run meanwhile."""
    from assistant.database import only_user, open_database
    from assistant.home import find_home
    from assistant.key_rotation import rotate_key as rotate
    from assistant.settings_loading import load_settings

    place = find_home(home, os.environ)
    settings, _ = load_settings(place, os.environ)
    url = settings.database_url.get_secret_value() if settings.database_url else place.database_url
    with open_database(url) as database, only_user(database):
        rotation = rotate(place, os.environ, database.engine)
    typer.echo(f"Sealed {rotation.settings} settings and {rotation.records} records with a new key.")


def _ask(key: str) -> str:
    """Read a value without showing it: from the terminal, or one line from a pipe."""
    if sys.stdin.isatty():
        return str(typer.prompt(key, hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")


def _value_line(setting: ListedSetting) -> str:
    if setting.value is None:
        return f"{setting.key} is not set"
    return f"{setting.key} = {json.dumps(setting.value, ensure_ascii=False)}  ({setting.origin})"


def _key_line(setting: ListedSetting) -> str:
    return f"{setting.key}: {setting.description}; {setting.allowed}"


def _print_findings(findings: tuple[Finding, ...], file: str) -> None:
    for finding in findings:
        typer.echo(f"{finding.severity}: {finding}")
    errors = sum(finding.severity == "error" for finding in findings)
    typer.echo(f"{file}: {errors} errors, {len(findings) - errors} warnings")
