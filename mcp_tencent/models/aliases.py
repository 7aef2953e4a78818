"""How a cloud object says what people call it: by annotation, tag, or a line of its description (pure)."""

from __future__ import annotations

import re

ALIAS_KEY = "xiaozhi/alias"
"""Kubernetes annotation and Tencent Cloud tag: what people call a thing, comma-separated."""

_SEPARATORS = re.compile(r"[,，、;；]")
_IN_DESCRIPTION = re.compile(r"别名\s*[:：]\s*([^\n。]+)")


def aliases_in(text: str) -> tuple[str, ...]:
    """Return the names in a comma-separated text, in order, each once."""
    return tuple(dict.fromkeys(part.strip() for part in _SEPARATORS.split(text) if part.strip()))


def aliases_in_description(text: str) -> tuple[str, ...]:
    """Return the names that a description gives as “别名: 生产、广州”; clusters have no annotations."""
    found = _IN_DESCRIPTION.search(text)
    return aliases_in(found[1]) if found else ()
