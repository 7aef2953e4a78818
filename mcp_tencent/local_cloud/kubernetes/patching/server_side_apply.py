"""Server-side apply: each manager owns the fields that it last applied. Pure.

Kept simpler than the real one: ownership is what each manager applied last, not managedFields; fields set by
plain updates belong to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mcp_tencent.local_cloud.kubernetes.schema.shapes import MERGE_KEYS, Shape, all_types

Path = tuple[str, ...]


def leaves(value: Any, shape: Shape, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - JSON
    """Yield the owned fields of an applied configuration; list items are addressed by their merge key."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _field_leaves(item, shape, key, path)
    else:
        yield path, value


def _field_leaves(value: Any, shape: Shape, key: str, path: Path) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401
    inner, merge_key = _inner(shape, key)
    if isinstance(value, list) and merge_key and isinstance(inner, list):
        for item in value:
            identity = f"[{merge_key}={item.get(merge_key)}]" if isinstance(item, dict) else str(item)
            yield from leaves(item, inner[0], (*path, key, identity))
    else:
        yield from leaves(value, inner, (*path, key))


def conflicts(
    current: Mapping[str, Any],
    wanted: Mapping[str, Any],
    others: Mapping[str, Mapping[str, Any]],
    type_name: str,
) -> list[tuple[str, str]]:
    """Return (manager, field) for each field that `wanted` would take from another manager."""
    shape = f"#{type_name}"
    now = dict(leaves(current, shape))
    found = []
    for path, value in leaves(wanted, shape):
        if path[:1] in {("apiVersion",), ("kind",)} or path[:2] in {
            ("metadata", "name"),
            ("metadata", "namespace"),
        }:
            continue
        if now.get(path) == value:
            continue
        found += [
            (manager, "." + ".".join(path).replace(".[", "["))
            for manager, applied in sorted(others.items())
            if path in dict(leaves(applied, shape))
        ]
    return found


def removals(before: Any, wanted: Any, shape: Shape) -> Any:  # noqa: ANN401 - JSON
    """Return a strategic merge patch that deletes what `before` had and `wanted` lacks; None for nothing."""
    if not isinstance(before, dict) or not isinstance(wanted, dict):
        return None
    patch: dict[str, Any] = {}
    for key, old in before.items():
        inner, merge_key = _inner(shape, key)
        if key not in wanted:
            patch[key] = _delete_all(old, merge_key)
        elif (
            isinstance(old, list) and merge_key and isinstance(inner, list) and isinstance(wanted[key], list)
        ):
            items = _item_removals(old, wanted[key], merge_key, inner[0])
            if items:
                patch[key] = items
        elif nested := removals(old, wanted[key], inner):
            patch[key] = nested
    return patch or None


def _delete_all(old: Any, merge_key: str | None) -> Any:  # noqa: ANN401
    if isinstance(old, list) and merge_key:
        return [
            {"$patch": "delete", merge_key: item.get(merge_key)} for item in old if isinstance(item, dict)
        ]
    return None


def _item_removals(old: list[Any], new: list[Any], merge_key: str, shape: Shape) -> list[Any]:
    kept = {item.get(merge_key): item for item in new if isinstance(item, dict)}
    found = []
    for item in old:
        if not isinstance(item, dict):
            continue
        identity = item.get(merge_key)
        if identity not in kept:
            found.append({"$patch": "delete", merge_key: identity})
        elif nested := removals(item, kept[identity], shape):
            found.append({merge_key: identity, **nested})
    return found


def _inner(shape: Shape, key: str) -> tuple[Shape, str | None]:
    if isinstance(shape, dict):
        return shape["*"], None
    if isinstance(shape, str) and shape.startswith("#"):
        name = shape[1:]
        return all_types()[name].fields.get(key, "any"), MERGE_KEYS.get((name, key))
    return "any", None
