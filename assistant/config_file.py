"""The settings file: read, and changed without losing comments and order."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Array, InlineTable, Table

from assistant.atomic_files import replace_file
from assistant.errors import SettingsFileError, SettingsSyntaxWrong
from assistant.sealing import Sealer
from assistant.settings_schema import KeyPath, key_path


def read_config(path: Path) -> dict[str, Any]:
    """Return the values of the file, nested; none when there is no file.

    Raises:
        SettingsSyntaxWrong: the file is not TOML.
        SettingsFileError: the file cannot be read.
    """
    return _parse(_read_text(path))


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise SettingsSyntaxWrong(
            "is not UTF-8 text", place=f":{line}", remedy="Save the file as UTF-8."
        ) from None
    except OSError as exc:
        raise SettingsFileError(f"{path} cannot be read: {exc.strerror}") from exc


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        found = re.fullmatch(
            r"(?P<what>.*?) \((?:at line (?P<line>\d+), column (?P<column>\d+)|at end of document)\)",
            str(exc),
            re.DOTALL,
        )
        end = f":{text.count(chr(10)) + 1}:{len(text.rpartition(chr(10))[2]) + 1}"
        place = f":{found['line']}:{found['column']}" if found and found["line"] else end
        remedy = "Texts stand in double quotes, tables begin with [name], each key has a line of its own."
        # The parser may quote a piece of the file, and that may be a piece of a secret.
        what = re.sub(r"'[^']*'", "…", found["what"] if found else "").strip() or "unreadable"
        raise SettingsSyntaxWrong(
            f"is not TOML: {what[0].lower()}{what[1:]}", place=place, remedy=remedy
        ) from None


def changed_text(path: Path, change: Callable[[tomlkit.TOMLDocument], None]) -> str:
    """Return the text of the file with `change` applied to it; the file itself is not touched.

    Raises:
        SettingsSyntaxWrong: the file is not TOML, so that nothing can be changed in it safely.
    """
    text = _read_text(path)
    _parse(text)
    document = tomlkit.parse(text)
    change(document)
    return tomlkit.dumps(document)


def write_config(path: Path, text: str) -> None:
    """Replace the file in one step, readable by its owner only."""
    try:
        replace_file(path.resolve() if path.is_symlink() else path, text.encode(), mode=0o600)
    except OSError as exc:
        raise SettingsFileError(f"{path} cannot be written: {exc.strerror}") from exc


def setting(path: Sequence[str], value: object) -> Callable[[tomlkit.TOMLDocument], None]:
    """Return a change that sets `path` to `value`, making tables on the way."""

    def change(document: tomlkit.TOMLDocument) -> None:
        table: Any = document
        for part in path[:-1]:
            name = _name_in(table, part)
            if not isinstance(table.get(name), dict):
                table[name] = tomlkit.table(is_super_table=part != path[-2])
            table = table[name]
        table[_name_in(table, path[-1])] = value

    return change


def unsetting(path: Sequence[str]) -> Callable[[tomlkit.TOMLDocument], None]:
    """Return a change that removes `path`, and does nothing where it is not set."""

    def change(document: tomlkit.TOMLDocument) -> None:
        table: Any = document
        for part in path[:-1]:
            table = table.get(_name_in(table, part))
            if not isinstance(table, dict):
                return
        table.pop(_name_in(table, path[-1]), None)

    return change


def sealing(paths: Sequence[KeyPath], sealer: Sealer) -> Callable[[tomlkit.TOMLDocument], None]:
    """Return a change that seals the plain secrets at `paths` in their places."""
    return _replacing(paths, sealer.seal_text)


def resealing(paths: Sequence[KeyPath], sealer: Sealer) -> Callable[[tomlkit.TOMLDocument], None]:
    """Return a change that seals what is sealed at `paths` anew, with the current key."""
    return _replacing(paths, lambda sealed: sealer.seal_text(sealer.unseal_text(sealed)))


def _replacing(
    paths: Sequence[KeyPath], new_text: Callable[[str], str]
) -> Callable[[tomlkit.TOMLDocument], None]:
    def change(document: tomlkit.TOMLDocument) -> None:
        for path in paths:
            holder: Any = document
            for part in path[:-1]:
                holder = holder[_name_in(holder, part)]
            name = _name_in(holder, path[-1])
            holder[name] = new_text(str(holder[name]))

    return change


def _name_in(table: Table | InlineTable | Array | tomlkit.TOMLDocument, part: str | int) -> Any:  # noqa: ANN401 - name or index
    """Return the name under which `part` stands in this table: some keys have a second spelling."""
    if isinstance(table, tomlkit.TOMLDocument) and part not in table:
        return next((name for name in table if key_path(name)[0] == part), part)
    return part
