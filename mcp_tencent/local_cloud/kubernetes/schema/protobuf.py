"""Reads objects in the binary form in which newer kubectl versions send some of them.

Wire format: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding, an envelope
around protocol buffers (https://protobuf.dev/programming-guides/encoding/); numbers in `numbers.json`.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError
from mcp_tencent.local_cloud.kubernetes.instants import to_text
from mcp_tencent.local_cloud.kubernetes.kinds import KINDS
from mcp_tencent.local_cloud.kubernetes.schema.shapes import Shape, all_types

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_DEEPEST = 60
_ZERO_MATTERS = frozenset(
    {
        "averageUtilization",
        "gracePeriodSeconds",
        "intVal",
        "maxReplicas",
        "minReplicas",
        "progressDeadlineSeconds",
        "replicas",
        "revisionHistoryLimit",
        "terminationGracePeriodSeconds",
        "tolerationSeconds",
    }
)
"""Numbers that are optional on the wire: zero is a value there, elsewhere it means absent."""
_BYTES = frozenset({("core.v1.Secret", "data"), ("core.v1.ConfigMap", "binaryData")})

_Value = int | bytes


class _MalformedError(ValueError):
    """Not what the wire format allows."""


def decode_protobuf(body: bytes) -> dict[str, Any]:
    """Return the object in an enveloped body as JSON, with its kind and apiVersion.

    Raises:
        BadRequestError: it is malformed, or of a kind that is not taken in this form.
    """
    if not body.startswith(_MAGIC):
        raise BadRequestError(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    try:
        envelope = dict(_fields(body[len(_MAGIC) :]))
        meta = dict(_fields(_content(envelope.get(1, b""))))
        version, kind = _text(_content(meta.get(1, b""))), _text(_content(meta.get(2, b"")))
        shape = _shapes().get((version, kind)) or _shapes().get(("", kind))
        if shape is None:
            raise BadRequestError(f'no kind "{kind[:60]}" is registered for version "{version[:60]}"')
        decoded = _structure(_content(envelope.get(2, b"")), shape, 0)
    except (_MalformedError, struct.error, OverflowError) as error:
        raise BadRequestError(f"unable to decode protobuf: {error}") from None
    return {**decoded, "kind": kind, "apiVersion": version}


@cache
def _numbers() -> Mapping[str, Mapping[str, str]]:
    text = resources.files(__package__).joinpath("numbers.json").read_text(encoding="utf-8")
    found: Mapping[str, Mapping[str, str]] = json.loads(text)
    return found


@cache
def _shapes() -> Mapping[tuple[str, str], str]:
    known = {(item.api_version, item.kind): item.shape for item in KINDS if item.shape in _numbers()}
    return known | {
        ("autoscaling/v1", "Scale"): "autoscaling.v1.Scale",
        ("policy/v1", "Eviction"): "policy.v1.Eviction",
        ("", "DeleteOptions"): "meta.v1.DeleteOptions",
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): "authorization.v1.SelfSubjectAccessReview",
        ("authorization.k8s.io/v1", "SelfSubjectRulesReview"): "authorization.v1.SelfSubjectRulesReview",
        ("authentication.k8s.io/v1", "SelfSubjectReview"): "authentication.v1.SelfSubjectReview",
    }


@cache
def _by_number(type_name: str) -> Mapping[tuple[int, ...], str]:
    """Return the fields of a type by their number, or numbers where one lies inside another message."""
    found = _numbers().get(type_name, {})
    return {tuple(int(part) for part in number.split(".")): name for name, number in found.items()}


def _structure(data: bytes, type_name: str, depth: int, outer: tuple[int, ...] = ()) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise _MalformedError("exceeded max depth")
    by_number = _by_number(type_name)
    shapes = all_types()[type_name].fields
    decoded: dict[str, Any] = {}
    for number, value in _fields(data):
        path = (*outer, number)
        name = by_number.get(path)
        if name is not None:
            _add(decoded, type_name, name, shapes[name], value, depth)
        elif not outer and isinstance(value, bytes) and any(known[:1] == path for known in by_number):
            decoded |= _structure(value, type_name, depth + 1, path)
    return decoded


def _add(decoded: dict[str, Any], type_name: str, name: str, shape: Shape, value: _Value, depth: int) -> None:
    if isinstance(shape, list):
        item = _value(value, shape[0], depth)
        decoded.setdefault(name, []).append(item if item is not None else "")
    elif isinstance(shape, dict):
        entry = dict(_fields(_content(value)))
        key = _text(_content(entry.get(1, b"")))
        raw = entry.get(2, b"")
        if (type_name, name) in _BYTES:
            item = base64.b64encode(_content(raw)).decode()
        else:
            item = _value(raw, shape["*"], depth)
        decoded.setdefault(name, {})[key] = item if item is not None else ""
    else:
        item = _value(value, shape, depth)
        if (
            item is not None
            and (item is not False)
            and (item != 0 or shape == "int-or-string" or name in _ZERO_MATTERS)
        ):
            decoded[name] = item


def _value(value: _Value, shape: Shape, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    """Return a field's value as JSON; None for what JSON leaves out."""
    if not isinstance(shape, str):
        raise _MalformedError("lists of lists do not exist")
    if shape.startswith("#"):
        return _structure(_content(value), shape[1:], depth + 1)
    match shape:
        case "integer":
            number = _number(value)
            return number - 2**64 if number >= 2**63 else number
        case "boolean":
            return bool(_number(value))
        case "number":
            return struct.unpack("<d", _content(value))[0]
        case "time":
            return _time(_content(value))
        case "int-or-string":
            parts = dict(_fields(_content(value)))
            if parts.get(1, 0) == 1:
                return _text(_content(parts.get(3, b"")))
            number = _number(parts.get(2, 0))
            return number if number < 2**63 else number - 2**64
        case "quantity":
            parts = dict(_fields(_content(value)))
            return _text(_content(parts.get(1, b"0"))) or "0"
        case "any":
            return None
    return _text(_content(value)) or None


def _time(data: bytes) -> str | None:
    parts = dict(_fields(data))
    seconds = _number(parts.get(1, 0))
    if seconds == 0 or seconds >= 2**40:
        return None
    return to_text(datetime.fromtimestamp(seconds, UTC))


def _fields(data: bytes) -> Iterator[tuple[int, _Value]]:
    """Yield number and value of every field of a message; doubles and fixed integers as bytes."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire == 2:
            length, position = _varint(data, position)
        elif wire in {1, 5}:
            length = 8 if wire == 1 else 4
        else:
            raise _MalformedError(f"illegal wire type {wire}")
        if position + length > len(data):
            raise _MalformedError("unexpected EOF")
        yield number, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise _MalformedError("unexpected EOF")
        byte = data[position]
        number |= (byte & 0x7F) << shift
        position += 1
        shift += 7
        if byte < 0x80:
            return number & (2**64 - 1), position


def _content(value: _Value) -> bytes:
    if isinstance(value, bytes):
        return value
    raise _MalformedError("a number where a message must be")


def _number(value: _Value) -> int:
    if isinstance(value, int):
        return value
    raise _MalformedError("a message where a number must be")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
