"""Aliases that a house gives its things by settings, beside those that the things carry themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Names = Mapping[str, tuple[str, ...]]
"""What people call things, by id or exact name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliases:
    """What the house calls its things, by their id or exact name.

    A workload stands under its name, or as namespace/name, or as cluster-id/namespace/name.
    """

    clusters: Names = field(default_factory=dict)
    node_pools: Names = field(default_factory=dict)
    namespaces: Names = field(default_factory=dict)
    workloads: Names = field(default_factory=dict)
    logsets: Names = field(default_factory=dict)
    topics: Names = field(default_factory=dict)
    alarms: Names = field(default_factory=dict)
    dashboards: Names = field(default_factory=dict)


def aliases_for(own: tuple[str, ...], given: Names, *keys: str) -> tuple[str, ...]:
    """Return the aliases given under any of `keys`, then a thing's own, each once."""
    return tuple(dict.fromkeys([*(alias for key in keys for alias in given.get(key, ())), *own]))
