"""Requests checked against the specification, responses completed and checked against it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from mcp_tencent.local_cloud.tencent.errors import (
    RequestError,
    SpecificationError,
    invalid_parameter,
    invalid_value,
    missing_parameter,
)
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject
from mcp_tencent.local_cloud.tencent.specification import Field, Fields, FieldType

MAX_DEPTH = 24
"""Objects in objects: the deepest real request (escalations of alarm notices) needs far less."""

_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)


def validate_request(fields: Fields, types: Mapping[str, Fields], body: JsonObject) -> dict[str, Json]:
    """Return the parameters of a request without those that are null, which the service takes as absent.

    Raises:
        RequestError: UnknownParameter, MissingParameter, InvalidParameter (wrong type) or
            InvalidParameterValue, each naming the path of the parameter, as in `Filters.0.Key`.
    """
    return _checked_object(fields, types, body, path="", depth=0)


def _checked_object(
    fields: Fields, types: Mapping[str, Fields], body: JsonObject, *, path: str, depth: int
) -> dict[str, Json]:
    if depth > MAX_DEPTH:
        raise invalid_parameter(f"The parameter `{path}` is nested too deeply.")
    for name in body:
        if name not in fields:
            raise RequestError(
                "UnknownParameter", f"The parameter `{_shown(path + name)}` is not recognized."
            )
    checked: dict[str, Json] = {}
    for name, field in fields.items():
        value = body.get(name)
        if value is None:
            if field.required:
                raise missing_parameter(path + name)
            continue
        checked[name] = _checked_field(field, types, value, path=path + name, depth=depth)
    return checked


def _checked_field(field: Field, types: Mapping[str, Fields], value: Json, *, path: str, depth: int) -> Json:
    if not field.type.is_list:
        return _checked_value(field.type, types, value, path=path, depth=depth)
    if not isinstance(value, list):
        raise _wrong_type(path, "a list")
    return [
        _checked_value(field.type, types, item, path=f"{path}.{index}", depth=depth)
        for index, item in enumerate(value)
    ]


def _checked_value(
    expected: FieldType, types: Mapping[str, Fields], value: Json, *, path: str, depth: int
) -> Json:
    if expected.name in types:
        if not isinstance(value, dict):
            raise _wrong_type(path, "an object")
        return _checked_object(types[expected.name], types, value, path=f"{path}.", depth=depth + 1)
    if not _is_scalar(expected.name, value):
        raise _wrong_type(path, expected.name)
    if isinstance(value, str) and not _is_unicode(value):
        raise invalid_value(path, "…", "not a valid UTF-8 string")
    if expected.name == "datetime_iso":
        _require_iso_datetime(path, str(value))
    return value


def _is_scalar(name: str, value: Json) -> bool:
    match name:
        case "int64":
            return isinstance(value, int) and not isinstance(value, bool) and value in _INT64
        case "uint64":
            return isinstance(value, int) and not isinstance(value, bool) and value in _UINT64
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case "bool":
            return isinstance(value, bool)
        case "string" | "datetime_iso":
            return isinstance(value, str)
        case _:
            raise SpecificationError(f"the specification names an unknown type {name!r}")


def _is_unicode(value: str) -> bool:
    """Tell whether the text can be encoded: JSON escapes can spell lone surrogates, which no text has."""
    if value.isascii():
        return True
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _require_iso_datetime(path: str, value: str) -> None:
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise invalid_value(path, value, "an ISO 8601 time such as 2026-11-20T08:00:00+08:00") from error


def _wrong_type(path: str, expected: str) -> RequestError:
    return invalid_parameter(
        f"The value type of parameter `{_shown(path)}` is not valid, expected {expected}."
    )


def _shown(path: str) -> str:
    """Return the path short and free of what no error message should carry back."""
    return path[:120].encode("utf-8", "replace").decode()


def complete_response(
    fields: Fields, types: Mapping[str, Fields], body: JsonObject, *, path: str = ""
) -> dict[str, Json]:
    """Return the response with every field that the specification lists; those not answered are null.

    Raises:
        SpecificationError: the response has a field or a type that the specification does not know.
    """
    unknown = body.keys() - fields.keys()
    if unknown:
        raise SpecificationError(
            f"the response has {sorted(unknown)} in {path or 'its root'}, the specification not"
        )
    return {
        name: _completed(field, types, body.get(name), path=f"{path}{name}") for name, field in fields.items()
    }


def _completed(field: Field, types: Mapping[str, Fields], value: Json, *, path: str) -> Json:
    if value is None:
        return None
    if not field.type.is_list:
        return _completed_value(field.type, types, value, path=path)
    if not isinstance(value, list | tuple):
        raise SpecificationError(f"{path} must be a list, got {type(value).__name__}")
    return [_completed_value(field.type, types, item, path=f"{path}.") for item in value]


def _completed_value(expected: FieldType, types: Mapping[str, Fields], value: Json, *, path: str) -> Json:
    if expected.name in types:
        if not isinstance(value, Mapping):
            raise SpecificationError(f"{path} must be an object, got {type(value).__name__}")
        return complete_response(types[expected.name], types, value, path=f"{path}.")
    if not _is_scalar(expected.name, value):
        raise SpecificationError(f"{path} must be {expected.name}, got {type(value).__name__}")
    return value
