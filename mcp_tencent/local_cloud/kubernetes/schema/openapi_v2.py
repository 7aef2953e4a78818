"""OpenAPI v2 in the binary form that kubectl asks for, as far as kubectl reads it.

Wire format: protocol buffers (https://protobuf.dev/programming-guides/encoding/) of the messages in
https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto; the field numbers are that file's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from mcp_tencent.local_cloud.kubernetes.kinds import KINDS, ResourceKind
from mcp_tencent.local_cloud.kubernetes.schema.openapi_v3 import (
    PATCH_PARAMETERS,
    PATCH_TYPES,
    full_name,
    group_version_kind,
    object_path,
    reachable_types,
)
from mcp_tencent.local_cloud.kubernetes.schema.shapes import MERGE_KEYS, Shape, all_types, merge_strategy

PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


@cache
def binary_document() -> bytes:
    """Return the whole description."""
    kinds: dict[str, list[ResourceKind]] = {}
    for item in KINDS:
        kinds.setdefault(item.shape, []).append(item)
    definitions = b"".join(
        _message(1, _named(full_name(name), _structure(name, kinds.get(name, []))))
        for name in reachable_types(iter(kinds))
    )
    paths = b"".join(
        _message(2, _named(object_path(item), _path(item))) for item in KINDS if "patch" in item.verbs
    )
    info = _text(1, "Kubernetes") + _text(2, "v1.32")
    return _text(1, "2.0") + _message(2, info) + _message(8, paths) + _message(9, definitions)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _message(field: int, content: bytes) -> bytes:
    """Return a length-delimited field (wire type 2)."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _named(name: str, value: bytes) -> bytes:
    """Return an entry of a map as gnostic writes them: name = 1, value = 2."""
    return _text(1, name) + _message(2, value)


def _extension(field: int, name: str, value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return a vendor extension: a NamedAny whose value is given as YAML (Any.yaml = 2)."""
    text = value if isinstance(value, str) else json.dumps(value)
    return _message(field, _named(name, _text(2, text + "\n")))


def _path(resource: ResourceKind) -> bytes:
    """Return a PathItem with its PATCH operation (patch = 8)."""
    parameters = b"".join(_message(8, _query_parameter(name)) for name in PATCH_PARAMETERS)
    consumes = b"".join(_text(7, name) for name in PATCH_TYPES)
    answer = _message(1, _named("200", _message(1, _text(1, "OK"))))
    extensions = _extension(13, "x-kubernetes-group-version-kind", group_version_kind(resource))
    operation = consumes + parameters + _message(9, answer) + extensions
    return _message(8, operation)


def _query_parameter(name: str) -> bytes:
    """Return a ParametersItem: parameter = 1, non_body_parameter = 2, query_parameter_sub_schema = 3."""
    schema = _text(3, "query") + _text(4, name) + _text(6, "string")
    return _message(1, _message(2, _message(3, schema)))


def _structure(name: str, kinds: Iterable[ResourceKind]) -> bytes:
    shape = all_types()[name]
    properties = b""
    for field, inner in shape.fields.items():
        schema = _schema(inner)
        if (name, field) in MERGE_KEYS:
            if MERGE_KEYS[(name, field)]:
                schema += _extension(31, "x-kubernetes-patch-merge-key", MERGE_KEYS[(name, field)])
            schema += _extension(31, "x-kubernetes-patch-strategy", merge_strategy(name, field))
        properties += _message(1, _named(field, schema))
    required = b"".join(_text(19, field) for field in shape.required)
    found = required + _type("object") + _message(25, properties)
    listed = [group_version_kind(item) for item in kinds]
    return found + (_extension(31, "x-kubernetes-group-version-kind", listed) if listed else b"")


def _type(name: str) -> bytes:
    """Return Schema.type = 22, a TypeItem."""
    return _message(22, _text(1, name))


def _schema(shape: Shape) -> bytes:
    if isinstance(shape, list):
        return _type("array") + _message(23, _message(1, _schema(shape[0])))
    if isinstance(shape, dict):
        return _type("object") + _message(21, _message(1, _schema(shape["*"])))
    if shape.startswith("#"):
        return _text(1, f"#/definitions/{full_name(shape[1:])}")
    formats = {"integer": "int32", "number": "double", "time": "date-time", "int-or-string": "int-or-string"}
    types = {"any": "object", "time": "string", "int-or-string": "string", "quantity": "string"}
    return (_text(2, formats[shape]) if shape in formats else b"") + _type(types.get(shape, shape))
