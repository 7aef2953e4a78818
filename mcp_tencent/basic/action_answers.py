"""What the tools that act on a cluster answer: what changed, and what came of it."""

from __future__ import annotations

from pydantic import Field

from mcp_tencent.basic.cluster_answers import Answer, Line
from mcp_tencent.basic.paging import cut
from mcp_tencent.models.changes import Change, FieldChange, RolloutStatus

_MOST_FIELDS = 12


class FieldLine(Line):
    """A field that changed; values of Secrets are masked."""

    path: str
    before: str | None
    after: str | None


class RolloutLine(Line):
    """Where the rollout is after the act."""

    state: str = Field(
        description="complete; failed: the cluster gave up; timed_out: not complete in the time we waited; "
        "gone: the workload was deleted meanwhile; progressing: it could not be watched to its end."
    )
    reason: str
    wanted: int
    updated: int
    ready: int
    available: int
    waited_seconds: float
    relapses: int = Field(description="How often all pods were ready and then were not.")


class ActionAnswer(Answer):
    """What every act on a cluster answers."""

    dry_run: bool
    cluster: str
    namespace: str
    kind: str
    name: str
    change: str = Field(description="created, updated, deleted or unchanged; in a dry run what would be.")
    fields: list[FieldLine] = Field(description="What differs, at most twelve fields.")
    fields_left_out: int = 0


class WorkloadActionAnswer(ActionAnswer):
    """What an act on a workload came to."""

    replicas_before: int
    rollout: RolloutLine | None = Field(
        description="null in a dry run, and where there is nothing to roll out."
    )
    warning: str = Field(default="", description="Chinese; what may undo or hinder the act.")


class ManifestActionAnswer(ActionAnswer):
    """What applying a manifest came to."""

    rollout: RolloutLine | None = Field(description="null in a dry run, and for what has no pods.")


class PodActionAnswer(ActionAnswer):
    """What deleting a pod came to."""

    owner: str
    gone: bool
    replaced: bool = Field(description="As many pods of the workload are ready as are wanted.")
    waited_seconds: float


class ConfigActionAnswer(ActionAnswer):
    """What changing configuration came to."""

    keys: list[str]
    used_by: list[str] = Field(description="Workloads that read it; they see the change after a restart.")


def field_lines(change: Change) -> list[FieldLine]:
    """Return the fields that differ, as an answer shows them."""
    return [_line(one) for one in change.fields[:_MOST_FIELDS]]


def fields_left_out(change: Change) -> int:
    """Return how many fields an answer does not show."""
    return max(0, len(change.fields) - _MOST_FIELDS)


def rollout_line(status: RolloutStatus) -> RolloutLine:
    """Return a rollout as an answer shows it."""
    return RolloutLine(
        state=status.state.value,
        reason=cut(status.reason, 200),
        wanted=status.replicas_wanted,
        updated=status.replicas_updated,
        ready=status.replicas_ready,
        available=status.replicas_available,
        waited_seconds=round(status.waited_seconds, 1),
        relapses=status.relapses,
    )


def _line(change: FieldChange) -> FieldLine:
    return FieldLine(path=cut(change.path, 200), before=_shown(change.before), after=_shown(change.after))


def _shown(value: str | None) -> str | None:
    return None if value is None else cut(value, 80)
