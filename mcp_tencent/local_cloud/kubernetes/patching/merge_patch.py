"""JSON merge patch (RFC 7386). Pure."""

from __future__ import annotations

from typing import Any


def merge(target: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON value, by definition
    """Return `target` changed by `patch`: nulls remove, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged
