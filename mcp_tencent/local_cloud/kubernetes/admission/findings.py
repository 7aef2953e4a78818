"""Collects what is wrong with an object, in the API server's words. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from mcp_tencent.local_cloud.kubernetes.errors import Cause

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
    "characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters "
    "or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_1035_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)


class Findings:
    """What is wrong so far."""

    def __init__(self) -> None:
        self.causes: list[Cause] = []

    def invalid(self, field: str, value: object, why: str) -> None:
        """Note a value that breaks a rule."""
        self._add(field, "FieldValueInvalid", f"Invalid value: {_shown(value)}: {why}")

    def required(self, field: str, why: str = "") -> None:
        """Note a value that is missing."""
        self._add(field, "FieldValueRequired", f"Required value: {why}" if why else "Required value")

    def unsupported(self, field: str, value: object, allowed: Iterable[str]) -> None:
        """Note a value outside an enumeration."""
        known = ", ".join(f'"{item}"' for item in sorted(allowed))
        self._add(
            field, "FieldValueNotSupported", f"Unsupported value: {_shown(value)}: supported values: {known}"
        )

    def duplicate(self, field: str, value: object) -> None:
        """Note a value that must be unique and is not."""
        self._add(field, "FieldValueDuplicate", f"Duplicate value: {_shown(value)}")

    def forbidden(self, field: str, why: str) -> None:
        """Note a value that may not be there, or not be changed."""
        self._add(field, "FieldValueForbidden", f"Forbidden: {why}")

    def invalid_reference(self, field: str, value: object) -> None:
        """Note a name that nothing bears."""
        self._add(field, "FieldValueNotFound", f"Not found: {_shown(value)}")

    def one_of(self, field: str, value: object, allowed: Sequence[str]) -> None:
        """Note a value that is present and not among `allowed`."""
        if value is not None and value not in allowed:
            self.unsupported(field, value, allowed)

    def not_negative(self, field: str, value: object) -> None:
        """Note a number below zero."""
        if isinstance(value, int) and value < 0:
            self.invalid(field, value, "must be greater than or equal to 0")

    def dns_label(self, field: str, value: str) -> None:
        """Note what is no RFC 1123 label."""
        self._name(field, value, _LABEL, _LABEL_RULE, 63)

    def dns_label_1035(self, field: str, value: str) -> None:
        """Note what is no RFC 1035 label."""
        self._name(field, value, _LABEL_1035, _LABEL_1035_RULE, 63)

    def dns_subdomain(self, field: str, value: str) -> None:
        """Note what is no RFC 1123 subdomain."""
        self._name(field, value, _SUBDOMAIN, _SUBDOMAIN_RULE, 253)

    def _name(self, field: str, value: str, pattern: re.Pattern[str], rule: str, limit: int) -> None:
        if len(value) > limit:
            self.invalid(field, value[:300], f"must be no more than {limit} characters")
        elif not pattern.fullmatch(value):
            self.invalid(field, value, rule)

    def _add(self, field: str, reason: str, message: str) -> None:
        self.causes.append(Cause(field=field, reason=reason, message=message))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 600 else f"{text[:600]}…"
