"""What is wrong with a setting: key, value, problem and remedy. The value of a secret never stands in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from assistant.sealing import is_sealed
from assistant.settings_schema import KeyPath, SettingKey, dotted, find_key, nearest_key, variable_name

_LONGEST_VALUE = 80


class Severity(StrEnum):
    """Whether the program starts in spite of it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with the settings.

    Attributes:
        key: which setting, dotted; empty for the file as a whole.
        value: what stands there as it may be shown, or None: a secret, a section, or nothing.
        problem: what is wrong with it, to be read after the key.
        remedy: what to write instead, as a sentence.
        origin: the file or the environment variable that it comes from.
        severity: whether the program starts in spite of it.
    """

    key: str
    value: str | None = None
    problem: str
    remedy: str
    origin: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value is not None else ""
        return f"{self.key}{shown} {self.problem} ({self.origin}). {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Where values come from.

    Attributes:
        file: the settings file as it is named to people.
        environment: the keys that environment variables set, nested as in the file.
    """

    file: str
    environment: Mapping[str, Any]

    def of(self, path: KeyPath) -> str:
        """Return the environment variable that set `path`, or the file."""
        return variable_name(path) if self.from_environment(path) else self.file

    def from_environment(self, path: KeyPath) -> bool:
        """Tell whether an environment variable set `path`."""
        return value_at(self.environment, path) is not None


def value_at(values: object, path: Sequence[str | int]) -> object:
    """Return what stands at `path` in nested tables and lists, or None."""
    for part in path:
        if isinstance(values, Mapping):
            values = values.get(part)
        elif isinstance(values, Sequence) and isinstance(part, int) and part < len(values):
            values = values[part]
        else:
            return None
    return values


def shown(key: SettingKey | None, value: object) -> str | None:
    """Return a value as it may be shown, or None: secrets, sections and unknown keys are never shown.

    Of an unknown key nobody knows whether it was meant to be a secret.
    """
    if key is None or key.is_secret or key.is_section or isinstance(value, Mapping) or value is None:
        return None
    text = str(value)
    if is_sealed(text):
        return "sealed:…"
    text = without_credentials(text)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


def without_credentials(text: str) -> str:
    """Return a text without the user name and password of any address in it."""
    return re.sub(r"//[^/@\s]*@", "//…@", text)


def findings_of(error: ValidationError, values: Mapping[str, Any], origins: Origins) -> list[Finding]:
    """Translate pydantic's errors; none of them repeats a secret."""
    findings = []
    for detail in error.errors(include_url=False, include_input=False):
        kind, path = detail["type"], detail["loc"]
        extra = str(detail.get("ctx", {}).get("key", ""))
        path = (*path, *extra.split(".")) if extra else path
        if kind == "extra_forbidden":
            findings.append(unknown_key(path, origins))
        elif path[-1] == "[key]":
            findings.append(_bad_name(path[:-1], detail["msg"], origins))
        else:
            problem = _problem(kind, detail["msg"])
            findings.append(bad_value(path, value_at(values, path), problem, origins))
    return findings


def bad_value(path: KeyPath, value: object, problem: str, origins: Origins) -> Finding:
    """Return the finding for a key that exists and holds something wrong, or nothing."""
    return Finding(
        key=dotted(path),
        value=shown(find_key(path), value),
        problem=problem,
        remedy=_remedy(path, by_environment=origins.from_environment(path)),
        origin=origins.of(path),
    )


def unknown_key(path: KeyPath, origins: Origins, *, severity: Severity = Severity.ERROR) -> Finding:
    """Return the finding for a key that no setting has, with the nearest one that exists."""
    near = nearest_key(path)
    meant = f"Did you mean {near}? Otherwise remove it." if near else "Remove it."
    return Finding(
        key=dotted(path), problem="is no setting", remedy=meant, origin=origins.of(path), severity=severity
    )


def _bad_name(path: KeyPath, message: str, origins: Origins) -> Finding:
    parent = dotted(path[:-1])
    return Finding(
        key=dotted(path),
        problem=message,
        remedy=f"Choose another name, for example [{parent}.main].",
        origin=origins.of(path),
    )


def _problem(kind: str, message: str) -> str:
    if kind == "missing":
        return "is missing"
    if kind in {"string_too_short", "too_short"}:
        return "must not be empty"
    text = message.replace("Input should be", "must be").replace("Value should", "must")
    return text[0].lower() + text[1:]


def _remedy(path: KeyPath, *, by_environment: bool) -> str:
    # An item of a list has no line of its own in the file: the remedy is to write the list.
    whole = path[: next((i for i, part in enumerate(path) if isinstance(part, int)), len(path))]
    key = find_key(whole)
    if key is None or not whole:
        return "See 'xiaozhi config show --all'."
    if key.is_secret:
        command = f"xiaozhi config set {dotted(whole)}"
        return f"Set it with: {command} ({key.description}; the value is asked for)."
    if key.is_section:
        return f"Write the table {key.written()} ({key.description})."
    meaning = f"{key.description}; {key.allowed()}"
    if by_environment:
        return f"Set {variable_name(whole)} to, for example, {key.example} ({meaning})."
    return f"Write, for example: {key.written()} ({meaning})."
