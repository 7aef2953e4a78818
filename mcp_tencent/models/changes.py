"""What writes to a cluster give back: what would change, what changed, how a rollout went, checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ObjectRef:
    """Names any object of a cluster."""

    api_version: str
    """E.g. apps/v1."""
    kind: str
    namespace: str
    """Empty for an object outside namespaces."""
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in (self.namespace, self.kind, self.name) if part)


class ChangeKind(StrEnum):
    """What a write did, or would do in a dry run."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    """Nothing differed, or this idempotency key had already done it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that differs; long values and all values of Secrets are masked."""

    path: str
    """Dotted, e.g. spec.template.spec.containers[app].image."""
    before: str | None
    """JSON text; None when the field was absent."""
    after: str | None
    """JSON text; None when the field is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The outcome of one write to one object."""

    ref: ObjectRef
    kind: ChangeKind
    dry_run: bool
    fields: tuple[FieldChange, ...]
    """Differences without bookkeeping of the cluster (status, managedFields, versions)."""
    repeated: bool = False
    """True when the idempotency key had already done it, so that nothing was written now."""


class RolloutState(StrEnum):
    """How a rollout stands, or ended."""

    PROGRESSING = "progressing"
    COMPLETE = "complete"
    """All wanted pods are new, ready, and have stayed so."""
    FAILED = "failed"
    """The cluster gave up: its progress deadline has passed."""
    TIMED_OUT = "timed_out"
    """We gave up waiting; the cluster may still get there."""
    GONE = "gone"
    """The workload was deleted meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStatus:
    """Where a rollout is."""

    state: RolloutState
    reason: str
    """Why, in the cluster's words or ours."""
    replicas_wanted: int
    replicas_updated: int
    replicas_ready: int
    replicas_available: int
    waited_seconds: float = 0.0
    relapses: int = 0
    """How often all pods were ready and then were not: flapping is no progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedObject:
    """An object as it was; the material of a checkpoint. May hold secret values: store sealed, never show."""

    ref: ObjectRef
    content_json: str | None
    """The whole object as canonical JSON text; None when it did not exist."""

    def __repr__(self) -> str:
        size = "absent" if self.content_json is None else f"{len(self.content_json)} characters"
        return f"SavedObject({self.ref}, {size})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Objects of one cluster as they were at one time."""

    cluster_id: str
    taken_at: datetime
    objects: tuple[SavedObject, ...]
