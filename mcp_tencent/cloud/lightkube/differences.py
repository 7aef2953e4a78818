"""What differs between two states of an object, without what the cluster itself keeps book of (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mcp_tencent.cloud.lightkube.object_parts import REVISION
from mcp_tencent.models.changes import FieldChange

KubernetesJson = dict[str, Any]
"""An object of the Kubernetes API as plain JSON."""

IDEMPOTENCY_KEY = "xiaozhi/idempotency-key"
"""Annotation that names the write which an object last got from us."""

MASKED = '"***"'
LONGEST_SHOWN = 200
_SERVERS_METADATA = frozenset(
    {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
)
_BOOKKEEPING_ANNOTATIONS = frozenset({IDEMPOTENCY_KEY, REVISION})


def restorable(item: KubernetesJson) -> KubernetesJson:
    """Return the part of an object that people and we decide on; what a restore brings back to the byte.

    Without status, the server's metadata, and the annotations by which controllers and we keep book.
    """
    meta = {key: value for key, value in item.get("metadata", {}).items() if key not in _SERVERS_METADATA}
    annotations = {
        key: value
        for key, value in (meta.get("annotations") or {}).items()
        if key not in _BOOKKEEPING_ANNOTATIONS
    }
    meta.pop("annotations", None)
    if annotations:
        meta["annotations"] = annotations
    kept = {key: value for key, value in item.items() if key not in ("status", "metadata")}
    return {**kept, "metadata": meta}


def canonical(item: KubernetesJson) -> str:
    """Return JSON text that is the same for equal objects and for no others."""
    return json.dumps(item, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def differences(before: KubernetesJson | None, after: KubernetesJson | None) -> tuple[FieldChange, ...]:
    """Return which fields differ, by path; values of Secrets are masked and long ones cut."""
    one, other = restorable(before or {}), restorable(after or {})
    secret = "Secret" in (one.get("kind"), other.get("kind"))
    return tuple(
        FieldChange(path=path, before=_shown(path, old, secret), after=_shown(path, new, secret))
        for path, old, new in _walk("", one, other)
    )


class _Absent:
    """Stands for a field that is not there, where None may be a value."""


_ABSENT = _Absent()


def _walk(path: str, one: object, other: object) -> Iterator[tuple[str, object, object]]:
    if one is other or _text(one) == _text(other):
        return
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            deeper = f"{path}.{key}" if path else str(key)
            yield from _walk(deeper, one.get(key, _ABSENT), other.get(key, _ABSENT))
        return
    ones, others = _by_name(one), _by_name(other)
    if ones is not None and others is not None and (set(ones) != set(others) or [*ones] == [*others]):
        for name in dict.fromkeys([*ones, *others]):
            yield from _walk(f"{path}[{name}]", ones.get(name, _ABSENT), others.get(name, _ABSENT))
        return
    yield path, one, other


def _text(value: object) -> str | None:
    # By text and not by ==, to which false and 0 are equal.
    return None if isinstance(value, _Absent) else json.dumps(value, sort_keys=True)


def _by_name(value: object) -> Mapping[str, object] | None:
    """Return a list's entries by their names (containers, variables, ports), None where they have none."""
    if not isinstance(value, list) or not value:
        return None
    names = [entry.get("name") if isinstance(entry, Mapping) else None for entry in value]
    named = {name: entry for name, entry in zip(names, value, strict=True) if isinstance(name, str)}
    return named if len(named) == len(value) else None


def _shown(path: str, value: object, secret: bool) -> str | None:
    if isinstance(value, _Absent):
        return None
    if secret and path.split(".")[0] in ("data", "stringData"):
        return MASKED
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
