"""Strategic merge patch: a merge patch that knows which lists merge by key. Pure.

Format: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_tencent.local_cloud.kubernetes.patching.errors import MalformedPatchError
from mcp_tencent.local_cloud.kubernetes.schema.shapes import MERGE_KEYS, Shape, all_types

_DIRECTIVE = "$patch"
_RETAIN = "$retainKeys"
_DELETE_PREFIX = "$deleteFromPrimitiveList/"
_ORDER_PREFIX = "$setElementOrder/"


def strategic_merge(target: Mapping[str, Any], patch: Mapping[str, Any], type_name: str) -> dict[str, Any]:
    """Return `target`, a structure of the type, changed by `patch`.

    Raises:
        MalformedPatchError: a directive or a list item is not as it must be.
    """
    merged = _merge_map(dict(target), patch, f"#{type_name}")
    return merged if merged is not None else {}


def _merge_map(target: dict[str, Any], patch: Mapping[str, Any], shape: Shape) -> dict[str, Any] | None:
    """Return the merged map; None when the patch says to delete it."""
    directive = patch.get(_DIRECTIVE)
    if directive == "delete":
        return None
    if directive == "replace":
        return {key: value for key, value in patch.items() if not key.startswith("$")}
    if directive not in (None, "merge"):
        raise MalformedPatchError(f"Unknown patch type found: {directive!s:.40}")
    merged = dict(target)
    if _RETAIN in patch:
        retained = _scalars(patch[_RETAIN])
        merged = {key: value for key, value in merged.items() if key in retained}
    for key, value in patch.items():
        if key.startswith(_DELETE_PREFIX):
            name = key.removeprefix(_DELETE_PREFIX)
            gone = _scalars(value)
            if isinstance(merged.get(name), list):
                merged[name] = [item for item in merged[name] if item not in gone]
        elif not key.startswith("$"):
            _merge_field(merged, key, value, shape, patch.get(f"{_ORDER_PREFIX}{key}"))
    for key, order in patch.items():
        name = key.removeprefix(_ORDER_PREFIX)
        if key.startswith(_ORDER_PREFIX) and name not in patch and isinstance(merged.get(name), list):
            merged[name] = _ordered(merged[name], order, _merge_key(shape, name))
    return merged


def _merge_field(merged: dict[str, Any], key: str, value: object, shape: Shape, order: object) -> None:
    if value is None:
        merged.pop(key, None)
        return
    field_shape, merge_key = _field_shape(shape, key), _merge_key(shape, key)
    present = merged.get(key)
    if isinstance(value, dict):
        result = _merge_map(present if isinstance(present, dict) else {}, value, field_shape)
        if result is None:
            merged.pop(key, None)
        else:
            merged[key] = result
    elif isinstance(value, list) and merge_key is not None:
        items = present if isinstance(present, list) else []
        item_shape = field_shape[0] if isinstance(field_shape, list) else "any"
        merged[key] = _merge_list(items, value, merge_key, item_shape, order)
    else:
        merged[key] = value


def _merge_list(
    present: list[Any], patch: list[Any], merge_key: str, shape: Shape, order: object
) -> list[Any]:
    if merge_key == "":
        return _ordered([*present, *(item for item in patch if item not in present)], order, "")
    if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" and len(item) == 1 for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and _DIRECTIVE in item)]
    merged = list(present)
    for item in patch:
        if not isinstance(item, dict):
            raise MalformedPatchError("unable to find the merge key in a list item that is no object")
        if merge_key not in item:
            raise MalformedPatchError(
                f"map: {str(sorted(item))[:80]} does not contain declared merge key: {merge_key}"
            )
        at = next(
            (
                index
                for index, known in enumerate(merged)
                if isinstance(known, dict) and known.get(merge_key) == item[merge_key]
            ),
            None,
        )
        result = _merge_map(merged[at] if at is not None else {}, item, shape)
        if at is None:
            merged += [result] if result is not None else []
        elif result is None:
            del merged[at]
        else:
            merged[at] = result
    return _ordered(merged, order, merge_key)


def _ordered(items: list[Any], order: object, merge_key: str | None) -> list[Any]:
    """Put the items that `order` names into its order; the others stay about where they were."""
    if order is None or merge_key is None:
        return items
    if not isinstance(order, list):
        raise MalformedPatchError("$setElementOrder needs a list")
    wanted = [entry.get(merge_key) if isinstance(entry, dict) else entry for entry in order]
    named = [item for item in items if _identity(item, merge_key) in wanted]
    named.sort(key=lambda item: wanted.index(_identity(item, merge_key)))
    others = [(index, item) for index, item in enumerate(items) if _identity(item, merge_key) not in wanted]
    for index, item in others:
        named.insert(min(index, len(named)), item)
    return named


def _identity(item: object, merge_key: str) -> object:
    return item.get(merge_key) if merge_key and isinstance(item, dict) else item


def _scalars(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise MalformedPatchError("a directive of a strategic merge patch needs a list")
    return value


def _field_shape(shape: Shape, name: str) -> Shape:
    if isinstance(shape, dict):
        found: Shape = shape["*"]
        return found
    if isinstance(shape, str) and shape.startswith("#"):
        return all_types()[shape[1:]].fields.get(name, "any")
    return "any"


def _merge_key(shape: Shape, name: str) -> str | None:
    if isinstance(shape, str) and shape.startswith("#"):
        return MERGE_KEYS.get((shape[1:], name))
    return None
