"""`xiaozhi backup` and `xiaozhi restore`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from assistant.clock import SystemClock
from assistant.command_options import HomeOption, JsonOption


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write; it must not exist.")],
    with_key: Annotated[
        bool,
        typer.Option("--with-key", help="Put the key in, too: whoever has the archive can open the secrets."),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Back up the SQLite database and the settings, while everything runs."""
    from assistant.backup import back_up
    from assistant.home import find_home

    place = find_home(home, os.environ)
    manifest = back_up(place, _database_file(home), file, with_key=with_key, now=SystemClock().now())
    if as_json:
        from pydantic import TypeAdapter

        typer.echo(TypeAdapter(type(manifest)).dump_json(manifest).decode())
        return
    names = ", ".join(f"{member.name} ({member.size_bytes} bytes)" for member in manifest.members)
    typer.echo(f"Wrote {file}: {names}.")
    if manifest.has_key:
        typer.echo("It holds the key: keep it as safe as the secrets themselves.")
    else:
        typer.echo(f"It does not hold the key; keep {place.key_file} apart, or the secrets cannot be opened.")
    if manifest.plain_secrets:
        listed = ", ".join(manifest.plain_secrets)
        typer.echo(
            f"Warning: it holds secrets in plain text ({listed}); run 'xiaozhi config seal'.", err=True
        )


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive that 'xiaozhi backup' wrote.")],
    database_only: Annotated[
        bool, typer.Option("--database-only", help="Leave settings and key as they are.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Put a backup in place of what is here; what was here is kept. Nothing else of xiaozhi may run."""
    from assistant.backup import restore as put_back
    from assistant.home import find_home
    from assistant.settings_loading import examine

    place = find_home(home, os.environ)
    target = _database_file(home, for_restore=True)
    done = put_back(place, target, file, database_only=database_only, now=SystemClock().now())
    names = ", ".join(member.name for member in done.manifest.members)
    typer.echo(f"Restored the backup of {done.manifest.made_at:%Y-%m-%d %H:%M} UTC ({names}).")
    for path in done.kept:
        typer.echo(f"Kept what was there before as {path}.")
    found = examine(place, os.environ)
    for finding in found.findings:
        typer.echo(f"{finding.severity}: {finding}", err=True)
    if found.settings is not None and _database_file(home, for_restore=True) != target:
        typer.echo(f"Warning: the restored settings name another database than {target}.", err=True)


def _database_file(home: Path | None, *, for_restore: bool = False) -> Path:
    """Return the SQLite file that the settings name; a backup of PostgreSQL is made with its own tools."""
    from assistant.database import parse_url, sqlite_file
    from assistant.errors import BackupNotPossible, BadSettings
    from assistant.home import find_home
    from assistant.settings_loading import load_settings

    place = find_home(home, os.environ)
    url = parse_url(place.database_url)
    try:
        settings, _ = load_settings(place, os.environ)
    except BadSettings:
        # Restoring is how broken settings are mended; then the database lies where it lies by default.
        if not for_restore:
            raise
    else:
        if settings.database_url is not None:
            url = parse_url(settings.database_url.get_secret_value())
    if url.drivername != "sqlite":
        raise BackupNotPossible("the records are kept in PostgreSQL: back it up with pg_dump")
    return sqlite_file(url)
