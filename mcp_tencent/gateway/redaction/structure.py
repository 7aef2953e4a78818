"""Secrets in structured content: by the key that holds them, by a sibling that names them, or by shape."""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

from mcp_tencent.gateway.call import PersonalData
from mcp_tencent.gateway.redaction.names import names_a_secret
from mcp_tencent.gateway.redaction.personal import MOBILE_MASK, mask_personal
from mcp_tencent.gateway.redaction.text import MASK, mask_key_lines, mask_secrets, opens_a_key

_NAME_KEYS = frozenset({"name", "key", "field", "header", "env", "variable", "k", "param", "parameter"})
_VALUE_KEYS = frozenset({"value", "val", "v", "content", "data", "default", "values"})
_SECRET_CONTENT = frozenset({"data", "stringData", "changes"})
_MOBILE_NAME = re.compile(r"mobile|phone|手机", re.IGNORECASE)
_ITEM_NAME = re.compile(r"(?P<flag>--?)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,99})")
_MOST_EMBEDDED = 200_000  # characters of JSON text that is still taken apart
_DEEPEST = 60


class Redactor:
    """Masks what must not leave.

    Args:
        shows: Personal data that is left as it is.
    """

    def __init__(self, shows: frozenset[PersonalData] = frozenset()) -> None:
        self._shows = shows

    def text(self, text: str) -> str:
        """Return `text` masked; text that is JSON is masked as the structure that it is."""
        return _Walk(self._shows).text(text)

    def value(self, value: JsonValue) -> JsonValue:
        """Return a masked copy of `value`: keys and values, to any depth."""
        return _Walk(self._shows).value(value, depth=0)


class _Walk:
    """One pass over one document, in its order: a key that begins in one line ends in a later one."""

    def __init__(self, shows: frozenset[PersonalData]) -> None:
        self._shows = shows
        self._in_key = False

    def value(self, value: JsonValue, *, depth: int) -> JsonValue:
        if depth > _DEEPEST:
            return MASK  # nobody means this; what cannot be looked at does not leave
        match value:
            case str():
                return self.text(value, depth)
            case list():
                return self._list(value, depth)
            case dict():
                return self._object(value, depth)
            case _:
                return value

    def text(self, text: str, depth: int = 0) -> str:
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode(
                "utf-8"
            )  # half a character cannot be stored or sent
        if self._in_key:
            text, self._in_key = mask_key_lines(text), "-----END " not in text
        if text[:1] in "{[" and 2 < len(text) < _MOST_EMBEDDED:
            text = self._embedded(text, depth)
        if opens_a_key(text):
            self._in_key = True
        return mask_personal(mask_secrets(text), self._shows)

    def _embedded(self, text: str, depth: int) -> str:
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return text
        masked = self.value(parsed, depth=depth + 1)
        if masked == parsed:
            return text
        indent = 2 if "\n" in text else None
        return json.dumps(masked, ensure_ascii=False, indent=indent)

    def _list(self, values: list[JsonValue], depth: int) -> list[JsonValue]:
        masked: list[JsonValue] = []
        secret_next = False
        for value in values:
            if secret_next and isinstance(value, str) and not value.startswith("-"):
                masked.append(MASK)
            else:
                masked.append(self.value(value, depth=depth + 1))
            secret_next = isinstance(value, str) and _announces(value, len(values))
        return masked

    def _object(self, fields: dict[str, JsonValue], depth: int) -> dict[str, JsonValue]:
        hidden = str(fields.get("kind")).lower() == "secret"  # an object, or the arguments that change one
        named = any(
            key.lower() in _NAME_KEYS and isinstance(value, str) and names_a_secret(value)
            for key, value in fields.items()
        )
        masked: dict[str, JsonValue] = {}
        for key, value in fields.items():
            secret = (
                names_a_secret(key)
                or (named and key.lower() in _VALUE_KEYS)
                or (hidden and key in _SECRET_CONTENT)
            )
            masked[self.text(key, depth)] = (
                self._all(value, depth + 1) if secret else self._field(key, value, depth + 1)
            )
        rows, columns = masked.get("rows"), fields.get("columns")
        if isinstance(rows, list) and isinstance(columns, list):
            masked["rows"] = _mask_columns(rows, columns)
        return masked

    def _field(self, key: str, value: JsonValue, depth: int) -> JsonValue:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if is_number and _MOBILE_NAME.search(key) and PersonalData.MOBILE not in self._shows:
            return (
                mask_personal(str(value), self._shows)
                if MOBILE_MASK in mask_personal(str(value), self._shows)
                else value
            )
        return self.value(value, depth=depth)

    def _all(self, value: JsonValue, depth: int) -> JsonValue:
        """Mask everything below a secret's name but what cannot be a secret: nothing, yes and no."""
        match value:
            case None | bool() | "":
                return value
            case list():
                return [self._all(item, depth + 1) for item in value]
            case dict() if depth <= _DEEPEST:
                return {self.text(key, depth): self._all(item, depth + 1) for key, item in value.items()}
            case _:
                return MASK


def _announces(text: str, length: int) -> bool:
    """Tell whether a list item is the name of the secret that comes next: a flag, or the first of a pair."""
    named = _ITEM_NAME.fullmatch(text)
    return named is not None and (bool(named["flag"]) or length == 2) and names_a_secret(named["name"])


def _mask_columns(rows: list[JsonValue], columns: list[JsonValue]) -> list[JsonValue]:
    names = [column.get("name") if isinstance(column, dict) else column for column in columns]
    secret = {index for index, name in enumerate(names) if isinstance(name, str) and names_a_secret(name)}
    if not secret:
        return rows
    return [
        [MASK if index in secret and cell is not None else cell for index, cell in enumerate(row)]
        if isinstance(row, list)
        else row
        for row in rows
    ]
