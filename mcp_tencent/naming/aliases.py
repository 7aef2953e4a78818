"""Aliases that a house gives its things by settings, beside those that the things carry themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Names = Mapping[str, tuple[str, ...]]
"""What people call things, by id or exact name."""

_NONE: Names = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliases:
    """What the house calls its things, by their id or exact name.

    A workload stands under its name, or as namespace/name, or as cluster-id/namespace/name.
    """

    clusters: Names = field(default=_NONE)
    node_pools: Names = field(default=_NONE)
    namespaces: Names = field(default=_NONE)
    workloads: Names = field(default=_NONE)
    logsets: Names = field(default=_NONE)
    topics: Names = field(default=_NONE)
    alarms: Names = field(default=_NONE)
    dashboards: Names = field(default=_NONE)


def aliases_for(own: tuple[str, ...], given: Names, *keys: str) -> tuple[str, ...]:
    """Return the aliases given under any of `keys`, then a thing's own, each once."""
    return tuple(dict.fromkeys([*(alias for key in keys for alias in given.get(key, ())), *own]))
