"""JSON patch (RFC 6902) with JSON pointers (RFC 6901). Pure."""

from __future__ import annotations

import copy
from typing import Any

from mcp_tencent.local_cloud.kubernetes.patching.errors import FailedPatchError, MalformedPatchError

_MAX_OPERATIONS = 10_000


def apply_json_patch(document: Any, operations: Any) -> Any:  # noqa: ANN401 - any JSON value, by definition
    """Return `document` changed by all `operations`, in order.

    Raises:
        MalformedPatchError: not a list of operations.
        FailedPatchError: an operation does not fit; nothing is changed.
    """
    if not isinstance(operations, list):
        raise MalformedPatchError("a JSON patch is a list of operations")
    if len(operations) > _MAX_OPERATIONS:
        raise MalformedPatchError(
            f"The allowed maximum operations in a JSON patch is {_MAX_OPERATIONS}, got {len(operations)}"
        )
    for operation in operations:
        document = _apply(document, operation)
    return document


def _apply(document: Any, operation: Any) -> Any:  # noqa: ANN401
    if not isinstance(operation, dict):
        raise MalformedPatchError("an operation of a JSON patch is an object")
    name = operation.get("op")
    path = _pointer(operation, "path")
    match name:
        case "add":
            return _add(document, path, _value(operation))
        case "remove":
            return _remove(document, path)
        case "replace":
            _look_up(document, path, "replace")
            return _set(document, path, _value(operation))
        case "move":
            source = _pointer(operation, "from")
            if path[: len(source)] == source and path != source:
                raise FailedPatchError("a value cannot be moved into itself")
            value = _look_up(document, source, "move")
            return _add(_remove(document, source), path, value)
        case "copy":
            return _add(
                document, path, copy.deepcopy(_look_up(document, _pointer(operation, "from"), "copy"))
            )
        case "test":
            if not _equal(_look_up(document, path, "test"), _value(operation)):
                raise FailedPatchError(f"testing value {operation['path']} failed: test failed")
            return document
    raise MalformedPatchError(f"Unexpected kind: {name!s:.40}")


def _pointer(operation: dict[str, Any], key: str) -> list[str]:
    text = operation.get(key)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise MalformedPatchError(f"an operation needs a JSON pointer as {key!r}")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _value(operation: dict[str, Any]) -> Any:  # noqa: ANN401
    if "value" not in operation:
        raise MalformedPatchError(f"operation {operation['op']!r} needs a value")
    return operation["value"]


def _index(items: list[Any], token: str, *, end: bool) -> int:
    """Return the index that `token` names; `end` allows the place after the last item."""
    if end and token == "-":  # noqa: S105 - a reference token, nothing secret
        return len(items)
    if not token.isascii() or not token.isdigit() or len(token) > 9 or (len(token) > 1 and token[0] == "0"):
        raise FailedPatchError(f"value was not a proper array index: {token!r}")
    index = int(token)
    if index > len(items) - (not end):
        raise FailedPatchError(f"Unable to access invalid index: {index}")
    return index


def _look_up(document: Any, path: list[str], name: str) -> Any:  # noqa: ANN401
    for token in path:
        if isinstance(document, list):
            document = document[_index(document, token, end=False)]
        elif isinstance(document, dict) and token in document:
            document = document[token]
        else:
            raise FailedPatchError(
                f'{name} operation does not apply: doc is missing path: "/{"/".join(path)}": missing value'
            )
    return document


def _set(document: Any, path: list[str], value: Any) -> Any:  # noqa: ANN401
    """Replace what is at `path`, which exists."""
    if not path:
        return value
    token, rest = path[0], path[1:]
    if isinstance(document, list):
        index = _index(document, token, end=False)
        return [*document[:index], _set(document[index], rest, value), *document[index + 1 :]]
    return {**document, token: _set(document[token], rest, value)}


def _add(document: Any, path: list[str], value: Any) -> Any:  # noqa: ANN401
    if not path:
        return value
    parent = _look_up(document, path[:-1], "add")
    if isinstance(parent, list):
        index = _index(parent, path[-1], end=True)
        return _set(document, path[:-1], [*parent[:index], value, *parent[index:]])
    if isinstance(parent, dict):
        return _set(document, path[:-1], {**parent, path[-1]: value})
    raise FailedPatchError(
        f'add operation does not apply: doc is missing path: "/{"/".join(path)}": missing value'
    )


def _remove(document: Any, path: list[str]) -> Any:  # noqa: ANN401
    if not path:
        raise FailedPatchError("the whole document cannot be removed")
    parent = _look_up(document, path[:-1], "remove")
    if isinstance(parent, list):
        index = _index(parent, path[-1], end=False)
        return _set(document, path[:-1], [*parent[:index], *parent[index + 1 :]])
    if isinstance(parent, dict) and path[-1] in parent:
        return _set(document, path[:-1], {key: item for key, item in parent.items() if key != path[-1]})
    raise FailedPatchError(
        f'remove operation does not apply: doc is missing path: "/{"/".join(path)}": missing value'
    )


def _equal(left: Any, right: Any) -> bool:  # noqa: ANN401
    """Compare as JSON does: 1 equals 1.0, but true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right)
