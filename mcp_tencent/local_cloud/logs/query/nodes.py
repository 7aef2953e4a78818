"""A search as a tree. Both languages are read into it; what differs between them is decided while reading.

Patterns keep one canonical escaping: `*` and `?` are wildcards, and `\\*`, `\\?`, `\\\\` are those characters.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class QuerySyntax(enum.IntEnum):
    """The language of a search, numbered as the parameter `QuerySyntax` of SearchLog."""

    LUCENE = 0
    CQL = 1
