"""Changing the settings file: checked as a whole before it is written, replaced in one step."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import tomlkit

from assistant.atomic_files import locked_folder
from assistant.config_file import changed_text, read_config, sealing, setting, unsetting, write_config
from assistant.errors import BadSettings, UnknownSetting
from assistant.home import Home
from assistant.sealing import Sealer, open_sealer
from assistant.settings_findings import Finding, Severity
from assistant.settings_loading import examine_values, plain_secret_paths
from assistant.settings_schema import SettingKey, dotted, find_key, key_path, nearest_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was written.

    Attributes:
        keys: the settings that were changed.
        outranked: environment variables that outrank what was written.
    """

    keys: tuple[str, ...]
    outranked: tuple[str, ...] = ()


def known_key(text: str) -> SettingKey:
    """Return the setting that has this key.

    Raises:
        UnknownSetting: there is none, or it is a whole table.
    """
    path = key_path(text)
    key = find_key(path)
    if key is None:
        near = nearest_key(path)
        raise UnknownSetting(f"{text} is no setting" + (f"; did you mean {near}?" if near else ""))
    if key.is_section:
        raise UnknownSetting(f"{text} is a table: set the keys in it, such as {text}.KEY")
    return key


def set_settings(home: Home, environ: Mapping[str, str], values: Mapping[str, str]) -> Change:
    """Write these values, given as people type them; secrets are sealed.

    Raises:
        UnknownSetting: a key that no setting has.
        BadSettings: a value cannot be used, or with these values something is missing; nothing is written.
        SettingsSyntaxWrong: the file is not TOML, so that nothing can be changed in it safely.
        SecretsError: there is a key to seal with, and it cannot be used.
    """
    keys = [known_key(key) for key in values]
    sealer = open_sealer(home, environ, create=True) if any(key.is_secret for key in keys) else None
    readings = [_readings(key, text, sealer) for key, text in zip(keys, values.values(), strict=True)]
    with locked_folder(home.config_dir):
        before = _errors(read_config(home.config_file), home, environ)
        problems: list[Finding] = []
        for choice in product(*readings):
            text = _with_values(home, keys, choice)
            problems = _new(before, _errors(tomllib.loads(text), home, environ))
            if not problems:
                write_config(home.config_file, text)
                return _change(keys, home, environ)
    raise BadSettings(problems)


def unset_setting(home: Home, environ: Mapping[str, str], key: str) -> Change:
    """Remove a setting or a whole table from the file; raises as `set_settings` does."""
    path = key_path(key)
    if find_key(path) is None:
        known_key(key)
    with locked_folder(home.config_dir):
        before = _errors(read_config(home.config_file), home, environ)
        text = changed_text(home.config_file, unsetting(path))
        if problems := _new(before, _errors(tomllib.loads(text), home, environ)):
            raise BadSettings(problems)
        write_config(home.config_file, text)
    return Change(keys=(key,))


def seal_settings(home: Home, environ: Mapping[str, str]) -> Change:
    """Seal every secret that stands in plain text in the file; other text of the file stays as it is."""
    with locked_folder(home.config_dir):
        paths = plain_secret_paths(read_config(home.config_file))
        if not paths:
            return Change(keys=())
        sealer = open_sealer(home, environ, create=True)
        write_config(home.config_file, changed_text(home.config_file, sealing(paths, sealer)))
    return Change(keys=tuple(dotted(path) for path in paths))


def _with_values(home: Home, keys: Sequence[SettingKey], values: Sequence[object]) -> str:
    def change(document: tomlkit.TOMLDocument) -> None:
        for key, value in zip(keys, values, strict=True):
            setting([str(part) for part in key.path], value)(document)

    return changed_text(home.config_file, change)


def _readings(key: SettingKey, text: str, sealer: Sealer | None) -> list[object]:
    """Return what the typed text may mean, the likelier first: `90` a number, else a text of two digits."""
    if key.is_secret and sealer is not None and not key.is_list:
        return [sealer.seal_text(text)]
    try:
        parsed = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return [text]
    if key.is_secret and sealer is not None and isinstance(parsed, list):
        return [[sealer.seal_text(str(item)) for item in parsed]]
    return [parsed, text]


def _errors(values: Mapping[str, object], home: Home, environ: Mapping[str, str]) -> list[Finding]:
    found = examine_values(values, home, environ).findings
    return [finding for finding in found if finding.severity is Severity.ERROR]


def _new(before: Sequence[Finding], after: Sequence[Finding]) -> list[Finding]:
    """Return what a change makes worse: what was wrong before may be mended one by one."""
    known = {(finding.key, finding.problem, finding.value) for finding in before}
    return [finding for finding in after if (finding.key, finding.problem, finding.value) not in known]


def _change(keys: Sequence[SettingKey], home: Home, environ: Mapping[str, str]) -> Change:
    origins = examine_values({}, home, environ).origins
    outranked = tuple(origins.of(key.path) for key in keys if origins.from_environment(key.path))
    return Change(keys=tuple(dotted(key.path) for key in keys), outranked=outranked)
