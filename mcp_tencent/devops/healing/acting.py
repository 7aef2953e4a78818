"""The frame of every act on a workload: rehearse, checkpoint, act, follow to the real outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from mcp.server.mcpserver import Context

from mcp_tencent.basic.following import follow_rollout
from mcp_tencent.devops.checkpoint_records import Checkpoint
from mcp_tencent.devops.healing.checkpoints import Checkpoints
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.errors import CloudError
from mcp_tencent.models.changes import Change, ChangeKind, RolloutStatus
from mcp_tencent.naming.located import Located


class Act(Protocol):
    """One act on a cluster."""

    def __call__(self, *, dry_run: bool, key: str | None) -> Awaitable[Change]:
        """Do it, or only rehearse it; under a key it can be sent again after a fault without harm."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an act."""

    change: Change
    checkpoint: Checkpoint | None
    """None when nothing was changed."""
    rollout: RolloutStatus | None
    """None when nothing was changed, or nothing is rolled out by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is to be done and why.

    Args:
        reason: Why the checkpoint is made, in Chinese.
        rolls_out: Whether pods are replaced, so that there is a rollout to wait for.
        incident_id: The incident that it belongs to.
        dry_run: Whether it is only rehearsed.
    """

    reason: str
    rolls_out: bool
    incident_id: str | None
    dry_run: bool


async def acted(
    desk: HealingDesk, context: Context[Any, Any], found: Located, intent: Intent, act: Act
) -> Outcome:
    """Do one thing to a workload so that it can be taken back.

    The rehearsal comes first: it finds what the cluster would refuse before anything is recorded, and that
    there is nothing to do. A call that is repeated after a crash keeps the checkpoint of the first time, and
    the cluster recognises the act by that checkpoint's id.

    Raises:
        IncidentUnknown: There is no such incident.
        CloudError: It was refused or failed; after the checkpoint its detail names the checkpoint.
    """
    checkpoints = Checkpoints(desk)
    await checkpoints.check_incident(intent.incident_id)
    begun = None if intent.dry_run else await checkpoints.begun()
    if begun is None:
        rehearsed = await act(dry_run=True, key=None)
        if intent.dry_run or rehearsed.kind is ChangeKind.UNCHANGED:
            return Outcome(change=rehearsed, checkpoint=None, rollout=None)
    checkpoint = begun or await checkpoints.take(
        found, reason=intent.reason, by=desk.who(context), incident_id=intent.incident_id
    )
    with naming(checkpoint):
        change = await act(dry_run=False, key=checkpoint.id)
    inside = desk.basic.inside(found.cluster)
    rollout = (
        await follow_rollout(desk.basic, context, inside, found.workload.ref) if intent.rolls_out else None
    )
    return Outcome(change=change, checkpoint=checkpoint, rollout=rollout)


@contextmanager
def naming(checkpoint: Checkpoint) -> Iterator[None]:
    """Let errors say which checkpoint was made before, for whoever puts things right."""
    try:
        yield
    except CloudError as error:
        error.detail = f"{error.detail}; checkpoint {checkpoint.id} holds the state before"
        raise
