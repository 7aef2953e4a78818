"""The arithmetic of a Deployment's rolling update. Pure.

Follows the algorithm that the Deployment documentation describes: never more pods than replicas + maxSurge,
never fewer available than replicas - maxUnavailable, unhealthy old pods first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSize:
    """One ReplicaSet of the rollout."""

    name: str
    wanted: int
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far a rolling update may go, in pods."""

    surge: int
    unavailable: int


def resolve(value: int | str | None, total: int, *, up: bool) -> int:
    """Return a count or percentage of `total` as a count; percentages are rounded up or down."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    share = int(value.rstrip("%")) * total
    return -(-share // 100) if up else share // 100


def resolve_bounds(surge: int | str | None, unavailable: int | str | None, replicas: int) -> Bounds:
    """Return the bounds for `replicas` pods: surge rounded up, unavailable down, never both zero."""
    extra = resolve(surge, replicas, up=True)
    missing = resolve(unavailable, replicas, up=False)
    if extra == 0 and missing == 0:
        missing = 1
    return Bounds(surge=extra, unavailable=min(missing, replicas))


def new_set_size(replicas: int, new: SetSize, old: Sequence[SetSize], bounds: Bounds) -> int:
    """Return how many pods the new ReplicaSet should want next."""
    if new.wanted >= replicas:
        return replicas
    room = replicas + bounds.surge - new.wanted - sum(item.wanted for item in old)
    return new.wanted if room <= 0 else new.wanted + min(room, replicas - new.wanted)


def old_set_sizes(replicas: int, new: SetSize, old: Sequence[SetSize], bounds: Bounds) -> dict[str, int]:
    """Return the next size of every old ReplicaSet that shrinks; `old` is oldest first."""
    min_available = replicas - bounds.unavailable
    total = new.wanted + sum(item.wanted for item in old)
    budget = total - min_available - (new.wanted - new.available)
    sizes = {item.name: item.wanted for item in old}
    if budget <= 0:
        return {}
    for item in old:
        unhealthy = min(budget, item.wanted - item.available)
        if unhealthy > 0:
            sizes[item.name] -= unhealthy
            budget -= unhealthy
    spare = new.available + sum(item.available for item in old) - min_available
    for item in old:
        step = min(sizes[item.name], max(spare, 0))
        sizes[item.name] -= step
        spare -= step
    return {item.name: sizes[item.name] for item in old if sizes[item.name] != item.wanted}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledSet:
    """One ReplicaSet while the Deployment is scaled during a rollout; newest first."""

    name: str
    wanted: int
    planned_for: int
    """Deployment size with surge for which it was last sized; 0 when not known."""


def proportional_sizes(replicas: int, bounds: Bounds, sets: Sequence[ScaledSet]) -> dict[str, int]:
    """Return the size of each set when the Deployment changes size in the middle of a rollout."""
    allowed = replicas + bounds.surge if replicas > 0 else 0
    total = sum(item.wanted for item in sets)
    to_add = allowed - total
    ordered = sorted(sets, key=lambda item: item.wanted, reverse=True)
    added = 0
    sizes = {}
    for item in ordered:
        share = 0 if to_add == 0 else _share(item, replicas, allowed, to_add, added)
        sizes[item.name] = item.wanted + share
        added += share
    if ordered:
        first = ordered[0].name
        sizes[first] = max(sizes[first] + to_add - added, 0)
    return sizes


def _share(item: ScaledSet, replicas: int, allowed: int, to_add: int, added: int) -> int:
    if item.wanted == 0:
        return 0
    if replicas == 0:
        return -item.wanted
    share = math.floor(item.wanted * allowed / (item.planned_for or allowed) + 0.5) - item.wanted
    left = to_add - added
    return max(min(share, left), 0) if to_add > 0 else min(max(share, left), 0)
