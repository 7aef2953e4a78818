"""Settings from the file and the environment; everything wrong with them is found at once.

The environment outranks the file, and the file outranks the defaults. A variable is the key in capitals with
two underscores between its parts: `XIAOZHI_LLM__API_KEY`, `XIAOZHI_CLOUD__ACCOUNTS__PROD__SECRET_ID`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from assistant.config_file import read_config
from assistant.errors import BadSettings, SecretsError, SettingsSyntaxWrong
from assistant.home import Home
from assistant.sealing import Sealer, is_sealed, open_sealer
from assistant.settings import ENVIRONMENT_DELIMITER, ENVIRONMENT_PREFIX, Settings
from assistant.settings_findings import (
    Finding,
    Origins,
    Severity,
    bad_value,
    findings_of,
    unknown_key,
    value_at,
)
from assistant.settings_schema import KeyPath, dotted, find_key, key_path

_RESERVED_VARIABLES = frozenset({"XIAOZHI_HOME"})
_UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Settings, and what was found while reading them.

    Attributes:
        settings: the settings, or None when a finding is an error.
        findings: errors and warnings.
        values: what file and environment set, nested, secrets opened; never to be shown as it is.
        origins: which of the two set what.
    """

    settings: Settings | None
    findings: tuple[Finding, ...]
    values: Mapping[str, Any]
    origins: Origins

    def __repr__(self) -> str:
        return f"Examination(findings={self.findings!r})"


def load_settings(home: Home, environ: Mapping[str, str]) -> tuple[Settings, tuple[Finding, ...]]:
    """Return the settings and the warnings about them.

    Raises:
        BadSettings: at least one setting cannot be used; carries every finding.
    """
    examination = examine(home, environ)
    if examination.settings is None:
        raise BadSettings(examination.findings)
    return examination.settings, examination.findings


def examine(home: Home, environ: Mapping[str, str]) -> Examination:
    """Read everything and find all that is wrong, without raising for it."""
    try:
        file_values = read_config(home.config_file)
    except SettingsSyntaxWrong as exc:
        origins = Origins(file=str(home.config_file), environment={})
        finding = Finding(
            key=home.config_file.name,
            problem=exc.problem,
            remedy=exc.remedy,
            origin=f"{home.config_file}{exc.place}",
        )
        return Examination(settings=None, findings=(finding,), values={}, origins=origins)
    return examine_values(file_values, home, environ)


def examine_values(file_values: Mapping[str, Any], home: Home, environ: Mapping[str, str]) -> Examination:
    """Find all that is wrong with these values of a file under this environment."""
    file_values = _spelled_as_in_the_model(file_values)
    from_environment = _EnvironmentSource(environ)()
    origins = Origins(file=str(home.config_file), environment=from_environment)
    unsealer = _Unsealer(home, environ, origins)
    values = unsealer.opened(_merged(file_values, from_environment))
    findings = [*_unknown_variables(environ, origins), *unsealer.findings, *_plain_secrets(file_values, home)]
    settings, mistakes = _validated(values, origins)
    # A warning about a key must not hide an error about it.
    known = {finding.key for finding in findings if finding.severity is Severity.ERROR}
    findings += [finding for finding in mistakes if finding.key not in known]
    if any(finding.severity is Severity.ERROR for finding in findings):
        settings = None
    return Examination(settings=settings, findings=tuple(findings), values=values, origins=origins)


class _EnvironmentSource(EnvSettingsSource):
    """Reads a given environment; what should be JSON and is not stays text: validation will name it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        variables = {
            name.lower(): value for name, value in environ.items() if name not in _RESERVED_VARIABLES
        }
        self.env_vars = {name: value for name, value in variables.items() if value}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ANN401 - its base's signature
        try:
            return super().decode_complex_value(field_name, field, value)
        except json.JSONDecodeError:
            return value


class _Unsealer:
    """Opens sealed secrets wherever they stand; needs no key where none is sealed."""

    def __init__(self, home: Home, environ: Mapping[str, str], origins: Origins) -> None:
        self.findings: list[Finding] = []
        self._home = home
        self._environ = environ
        self._origins = origins
        self._sealer: Sealer | None = None

    def opened(self, values: Any, path: KeyPath = ()) -> Any:  # noqa: ANN401 - nested tables and lists
        if isinstance(values, Mapping):
            return {name: self.opened(value, (*path, name)) for name, value in values.items()}
        if isinstance(values, list):
            return [self.opened(value, (*path, index)) for index, value in enumerate(values)]
        return self._secret(values, path) if isinstance(values, str) and is_sealed(values) else values

    def _secret(self, sealed: str, path: KeyPath) -> str:
        key = find_key(path)
        if key is None:
            return _UNREADABLE
        if not key.is_secret:
            self.findings.append(bad_value(path, sealed, "is sealed, but is no secret", self._origins))
            return _UNREADABLE
        try:
            self._sealer = self._sealer or open_sealer(self._home, self._environ)
            return self._sealer.unseal_text(sealed)
        except SecretsError as exc:
            finding = Finding(
                key=dotted(path),
                problem=f"cannot be opened: {exc}",
                remedy=exc.hint,
                origin=self._origins.of(path),
            )
            self.findings.append(finding)
            return _UNREADABLE


def _validated(values: dict[str, Any], origins: Origins) -> tuple[Settings | None, list[Finding]]:
    """Validate, and validate again without what was wrong: one mistake must not hide another."""
    findings: dict[str, Finding] = {}
    remaining = values
    settings: Settings | None = None
    while settings is None:
        try:
            settings = Settings(**remaining)
        except ValidationError as exc:
            for finding in findings_of(exc, remaining, origins):
                findings.setdefault(finding.key, finding)
            reduced = remaining
            for detail in exc.errors(include_url=False, include_input=False, include_context=False):
                reduced = _without(reduced, detail["loc"], missing=detail["type"] == "missing")
            # Every round must leave less, or there would be no end.
            remaining = reduced if reduced != remaining else {}
    return (None if findings else settings), list(findings.values())


def _without(values: dict[str, Any], path: KeyPath, *, missing: bool) -> dict[str, Any]:
    """Return the values without what stands at `path`, or without the table in which something is missing."""
    tables = [part for part in path if isinstance(part, str) and part != "[key]"]
    first, rest = (tables[0], tables[1:]) if tables else ("", [])
    if (missing and len(rest) <= 1) or not rest or not isinstance(values.get(first), dict):
        # A rule over all settings names no key; then there is nothing left that another rule could find.
        return {name: value for name, value in values.items() if first and name != first}
    below = _without(values[first], tuple(rest), missing=missing)
    return {**values, first: below}


def _unknown_variables(environ: Mapping[str, str], origins: Origins) -> list[Finding]:
    """Find variables that begin like ours and set nothing.

    Without the delimiter they only earn a warning: an orchestrator makes such names itself for a service that
    is called xiaozhi (`XIAOZHI_PORT`, `XIAOZHI_SERVICE_HOST`).
    """
    findings = []
    for name in sorted(environ):
        parts = tuple(name.removeprefix(ENVIRONMENT_PREFIX).lower().split(ENVIRONMENT_DELIMITER))
        if not name.startswith(ENVIRONMENT_PREFIX) or name in _RESERVED_VARIABLES or not environ[name]:
            continue
        if find_key(parts) is None and value_at(origins.environment, parts) is None:
            severity = Severity.ERROR if len(parts) > 1 else Severity.WARNING
            here = Origins(file=name, environment={})
            findings.append(unknown_key(parts, here, severity=severity))
    return findings


def _plain_secrets(file_values: Mapping[str, Any], home: Home) -> list[Finding]:
    return [
        Finding(
            key=dotted(path),
            problem="stands in plain text in the file",
            remedy="Seal it with: xiaozhi config seal",
            origin=str(home.config_file),
            severity=Severity.WARNING,
        )
        for path in plain_secret_paths(file_values)
    ]


def plain_secret_paths(file_values: Mapping[str, Any]) -> list[KeyPath]:
    """Return where secrets stand in plain text in the values of a file."""
    texts = _texts(_spelled_as_in_the_model(file_values), ())
    keys = ((path, find_key(path)) for path, text in texts if text and not is_sealed(text))
    return [path for path, key in keys if key is not None and key.is_secret]


def sealed_paths(file_values: Mapping[str, Any]) -> list[KeyPath]:
    """Return where something sealed stands in the values of a file."""
    return [path for path, text in _texts(_spelled_as_in_the_model(file_values), ()) if is_sealed(text)]


def _texts(values: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:  # noqa: ANN401 - nested tables and lists
    if isinstance(values, str):
        yield path, values
    elif isinstance(values, Mapping):
        for name, value in values.items():
            yield from _texts(value, (*path, name))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from _texts(value, (*path, index))


def _spelled_as_in_the_model(values: Mapping[str, Any]) -> dict[str, Any]:
    spelled: dict[str, Any] = {}
    for name, value in values.items():
        ours = key_path(name)[0]
        spelled[ours] = _merged(spelled[ours], value) if ours in spelled else value
    return spelled


def _merged(below: Any, above: Any) -> Any:  # noqa: ANN401 - nested tables and lists
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    merged = dict(below)
    for name, value in above.items():
        merged[name] = _merged(merged[name], value) if name in merged else value
    return merged
