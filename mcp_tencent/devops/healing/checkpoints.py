"""Checkpoints of workloads: taken before every act, and brought back to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mcp_tencent.devops.checkpoint_records import Checkpoint
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.models.changes import Change, ChangeKind, Snapshot
from mcp_tencent.models.clusters import Cluster
from mcp_tencent.models.workloads import WorkloadKind, WorkloadRef
from mcp_tencent.naming.located import Located
from mcp_tencent.serving.intent import has_key
from mcp_tencent.tables import stable_id

CONFIG_KINDS = frozenset({"ConfigMap", "Secret"})
WORKLOAD_KINDS = frozenset(kind.value for kind in WorkloadKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What bringing a checkpoint back did."""

    changes: tuple[Change, ...]

    @property
    def changed(self) -> tuple[Change, ...]:
        """The objects that were not as they had been."""
        return tuple(change for change in self.changes if change.kind is not ChangeKind.UNCHANGED)

    @property
    def pods_replaced(self) -> bool:
        """Whether the pod template came back, so that the cluster replaces the pods."""
        return any(
            change.ref.kind in WORKLOAD_KINDS
            and (
                change.kind is ChangeKind.CREATED
                or any(field.path.startswith("spec.template") for field in change.fields)
            )
            for change in self.changed
        )

    @property
    def needs_restart(self) -> bool:
        """Whether configuration came back that running pods will only read when they start again."""
        return not self.pods_replaced and any(change.ref.kind in CONFIG_KINDS for change in self.changed)


def ref_of(checkpoint: Checkpoint) -> WorkloadRef:
    """Return the workload that a checkpoint is of."""
    return WorkloadRef(
        namespace=checkpoint.namespace,
        kind=WorkloadKind(checkpoint.workload_kind),
        name=checkpoint.workload,
    )


class Checkpoints:
    """Takes checkpoints and brings them back.

    Args:
        desk: Where they are kept, and the clusters.
    """

    def __init__(self, desk: HealingDesk) -> None:
        self._desk = desk

    async def preview(self, located: Located) -> Snapshot:
        """Return what a checkpoint would hold, without keeping it."""
        inside = self._desk.basic.inside(located.cluster)
        return await inside.snapshot_workload(located.workload.ref, self._desk.basic.now())

    async def check_incident(self, incident_id: str | None) -> None:
        """Make sure that an incident exists, if one is named; raises IncidentUnknown."""
        if incident_id is not None:
            await in_store(lambda: self._desk.incidents.get(incident_id))

    async def take(
        self, located: Located, *, reason: str, by: str, incident_id: str | None = None
    ) -> Checkpoint:
        """Put a workload and what belongs to it on record, as they are now.

        Args:
            located: The workload.
            reason: Why, in Chinese.
            by: On whose behalf.
            incident_id: The incident that it belongs to.

        Raises:
            IncidentUnknown: There is no such incident.
            CloudError: An object could not be read; nothing was recorded.
        """
        await self.check_incident(incident_id)
        snapshot = await self.preview(located)
        key, ref = self._desk.basic.new_key(), located.workload.ref
        checkpoint = Checkpoint(
            id=stable_id("cp", key),
            idempotency_key=key,
            cluster_id=located.cluster.cluster_id,
            workload_kind=ref.kind.value,
            workload=ref.name,
            namespace=ref.namespace,
            reason=reason,
            created_by=by,
            incident_id=incident_id,
            taken_at=snapshot.taken_at,
        )
        await in_store(lambda: self._desk.checkpoints.add(checkpoint, snapshot.objects))
        return checkpoint

    async def begun(self) -> Checkpoint | None:
        """Return the checkpoint that the call under way has made before a crash; None when it is new."""
        if not has_key():
            return None
        key = self._desk.basic.new_key()
        return await in_store(lambda: self._desk.checkpoints.find_by_key(key))

    async def get(self, checkpoint_id: str) -> Checkpoint:
        """Return a checkpoint; raises CheckpointUnknown."""
        return await in_store(lambda: self._desk.checkpoints.get(checkpoint_id))

    async def between(
        self, since: datetime, until: datetime, ref: WorkloadRef | None, cluster_id: str | None
    ) -> Sequence[Checkpoint]:
        """Return checkpoints taken in [since, until), newest first; of all workloads unless one is given."""
        found = await in_store(
            lambda: self._desk.checkpoints.find(
                since=since,
                until=until,
                namespace=ref.namespace if ref is not None else None,
                workload=ref.name if ref is not None else None,
            )
        )
        return [
            checkpoint
            for checkpoint in found
            if (cluster_id is None or checkpoint.cluster_id == cluster_id)
            and (ref is None or checkpoint.workload_kind == ref.kind)
        ]

    async def restore(self, checkpoint: Checkpoint, cluster: Cluster, *, dry_run: bool) -> Restored:
        """Bring every object of a checkpoint back to what it was.

        Raises:
            CloudError: An object could not be written; those before it are back already, and the same call
                goes on where it ended.
        """
        snapshot = await in_store(lambda: self._desk.checkpoints.snapshot(checkpoint.id))
        inside = self._desk.basic.inside(cluster)
        key = None if dry_run else self._desk.basic.new_key()
        changes = await inside.restore(snapshot, dry_run=dry_run, idempotency_key=key)
        if not dry_run:
            now = self._desk.basic.now()
            await in_store(lambda: self._desk.checkpoints.mark_restored(checkpoint.id, at=now))
        return Restored(changes=tuple(changes))
