"""Settings as they may be shown: every value with where it comes from, secrets only as set or not set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from enum import Enum

from pydantic import BaseModel, SecretStr

from assistant.settings import Settings
from assistant.settings_findings import Origins, value_at, without_credentials
from assistant.settings_schema import KeyPath, dotted, every_key, find_key, variable_name

HIDDEN = "********"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSetting:
    """One setting for people to read."""

    key: str
    value: str | int | float | bool | list[str] | None
    """As it would be written; HIDDEN for a secret that is set, None where nothing is set."""
    origin: str
    """The environment variable, `file`, or `default`."""
    description: str
    allowed: str


def list_settings(settings: Settings, values: Mapping[str, object], origins: Origins) -> list[ListedSetting]:
    """Return every setting that there is now, in the order of the model.

    Args:
        settings: the settings in force.
        values: what file and environment have set, nested.
        origins: which of the two set what.
    """
    return [_listed(path, value, values, origins) for path, value in _leaves(settings, ())]


def list_keys() -> list[ListedSetting]:
    """Return every key that there can be, with `<name>` for names of one's own choice."""
    return [
        ListedSetting(
            key=dotted(key.path), value=None, origin="", description=key.description, allowed=key.allowed()
        )
        for key in every_key()
    ]


def _leaves(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _leaves(getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, (*path, name))
    else:
        key = find_key(path)
        # A section that is not there, such as [llm], has no value of its own.
        if key is not None and not key.is_section:
            yield path, value


def _listed(path: KeyPath, value: object, values: Mapping[str, object], origins: Origins) -> ListedSetting:
    key = find_key(path)
    if key is None:
        raise LookupError(f"{dotted(path)} is not in the schema of the settings")
    origin = "default"
    if value_at(values, path) is not None:
        origin = variable_name(path) if origins.from_environment(path) else "file"
    return ListedSetting(
        key=dotted(path),
        value=_printable(value) if not key.is_secret else (HIDDEN if value else None),
        origin=origin,
        description=key.description,
        allowed=key.allowed(),
    )


def _printable(value: object) -> str | int | float | bool | list[str] | None:
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, tuple):
        return [str(_printable(item)) for item in value]
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_credentials(str(value))
