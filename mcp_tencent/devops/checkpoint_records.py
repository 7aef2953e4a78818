"""Checkpoints: objects of a cluster as they were before an act, sealed, and the store upon them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Column, Engine, LargeBinary, Text, update
from sqlmodel import Field, Session, SQLModel, col, select

from mcp_tencent.devops.errors import CheckpointUnknown
from mcp_tencent.models.changes import ObjectRef, SavedObject, Snapshot
from mcp_tencent.tables import UtcDateTime, changed_rows, insert_once, reading, writing


class Cipher(Protocol):
    """Seals what may hold secrets before it is written down."""

    def seal(self, plain: bytes) -> bytes:
        """Return `plain` sealed."""
        ...

    def unseal(self, sealed: bytes) -> bytes:
        """Return what was sealed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """That a workload and what belongs to it were put on record; the objects themselves are the snapshot."""

    id: str
    idempotency_key: str
    cluster_id: str
    workload_kind: str
    workload: str
    namespace: str
    reason: str
    """Why it was made, in Chinese."""
    created_by: str
    """The person or service on whose behalf."""
    incident_id: str | None
    taken_at: datetime
    restored_at: datetime | None = None


class CheckpointStore(Protocol):
    """The memory of checkpoints. Calls block; they are made off the event loop."""

    def add(self, checkpoint: Checkpoint, objects: Sequence[SavedObject]) -> bool:
        """Record a checkpoint; False, and nothing changed, when its idempotency key exists."""
        ...

    def get(self, checkpoint_id: str) -> Checkpoint:
        """Return a checkpoint; raises CheckpointUnknown."""
        ...

    def snapshot(self, checkpoint_id: str) -> Snapshot:
        """Return the objects to the byte as they were; raises CheckpointUnknown."""
        ...

    def find_by_key(self, idempotency_key: str) -> Checkpoint | None:
        """Return the checkpoint that was recorded with this key, or None."""
        ...

    def find(
        self, *, since: datetime, until: datetime, namespace: str | None = None, workload: str | None = None
    ) -> Sequence[Checkpoint]:
        """Return checkpoints taken in [since, until), newest first."""
        ...

    def of_incident(self, incident_id: str) -> Sequence[Checkpoint]:
        """Return the checkpoints of an incident, oldest first: the order in which the changes were made."""
        ...

    def mark_restored(self, checkpoint_id: str, *, at: datetime) -> None:
        """Record that a checkpoint was brought back; raises CheckpointUnknown."""
        ...


class CheckpointRow(SQLModel, table=True):
    """One checkpoint."""

    __tablename__ = "checkpoints"

    id: str = Field(primary_key=True, max_length=64)
    idempotency_key: str = Field(max_length=200, unique=True)
    cluster_id: str = Field(max_length=64)
    workload_kind: str = Field(max_length=64)
    workload: str = Field(max_length=253, index=True)
    namespace: str = Field(max_length=253)
    reason: str = Field(sa_column=Column(Text, nullable=False))
    created_by: str = Field(max_length=128)
    incident_id: str | None = Field(default=None, foreign_key="incidents.id", max_length=64, index=True)
    taken_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    restored_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class CheckpointObjectRow(SQLModel, table=True):
    """One object of a checkpoint; its content may hold secret values and is sealed."""

    __tablename__ = "checkpoint_objects"

    checkpoint_id: str = Field(primary_key=True, foreign_key="checkpoints.id", max_length=64)
    position: int = Field(primary_key=True)
    api_version: str = Field(max_length=128)
    kind: str = Field(max_length=64)
    namespace: str = Field(max_length=253)
    name: str = Field(max_length=253)
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class SqlCheckpointStore:
    """Keeps checkpoints in the database; satisfies `CheckpointStore`."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher

    def add(self, checkpoint: Checkpoint, objects: Sequence[SavedObject]) -> bool:
        """Record a checkpoint; False, and nothing changed, when its idempotency key exists."""
        with writing(self._engine) as session:
            if not insert_once(session, CheckpointRow(**asdict(checkpoint)), unique=["idempotency_key"]):
                return False
            for position, saved in enumerate(objects):
                session.add(self._object_row(checkpoint.id, position, saved))
            return True

    def get(self, checkpoint_id: str) -> Checkpoint:
        """Return a checkpoint; raises CheckpointUnknown."""
        with reading(self._engine) as session:
            return _checkpoint(_checkpoint_row(session, checkpoint_id))

    def snapshot(self, checkpoint_id: str) -> Snapshot:
        """Return the objects to the byte as they were; raises CheckpointUnknown."""
        statement = (
            select(CheckpointObjectRow)
            .where(CheckpointObjectRow.checkpoint_id == checkpoint_id)
            .order_by(col(CheckpointObjectRow.position))
        )
        with reading(self._engine) as session:
            row = _checkpoint_row(session, checkpoint_id)
            objects = tuple(self._saved_object(saved) for saved in session.exec(statement))
            return Snapshot(cluster_id=row.cluster_id, taken_at=row.taken_at, objects=objects)

    def find_by_key(self, idempotency_key: str) -> Checkpoint | None:
        """Return the checkpoint that was recorded with this key, or None."""
        with reading(self._engine) as session:
            statement = select(CheckpointRow).where(CheckpointRow.idempotency_key == idempotency_key)
            row = session.exec(statement).one_or_none()
            return None if row is None else _checkpoint(row)

    def find(
        self, *, since: datetime, until: datetime, namespace: str | None = None, workload: str | None = None
    ) -> Sequence[Checkpoint]:
        """Return checkpoints taken in [since, until), newest first."""
        taken_at = col(CheckpointRow.taken_at)
        statement = select(CheckpointRow).where(taken_at >= since, taken_at < until)
        if namespace is not None:
            statement = statement.where(CheckpointRow.namespace == namespace)
        if workload is not None:
            statement = statement.where(CheckpointRow.workload == workload)
        with reading(self._engine) as session:
            ordered = statement.order_by(taken_at.desc(), col(CheckpointRow.id).desc())
            return [_checkpoint(row) for row in session.exec(ordered)]

    def of_incident(self, incident_id: str) -> Sequence[Checkpoint]:
        """Return the checkpoints of an incident, oldest first: the order in which the changes were made."""
        statement = (
            select(CheckpointRow)
            .where(CheckpointRow.incident_id == incident_id)
            .order_by(col(CheckpointRow.taken_at), col(CheckpointRow.id))
        )
        with reading(self._engine) as session:
            return [_checkpoint(row) for row in session.exec(statement)]

    def mark_restored(self, checkpoint_id: str, *, at: datetime) -> None:
        """Record that a checkpoint was brought back; raises CheckpointUnknown."""
        statement = update(CheckpointRow).where(col(CheckpointRow.id) == checkpoint_id).values(restored_at=at)
        with writing(self._engine) as session:
            if changed_rows(session, statement) == 0:
                raise CheckpointUnknown(f"no checkpoint has the id {checkpoint_id}")

    def _object_row(self, checkpoint_id: str, position: int, saved: SavedObject) -> CheckpointObjectRow:
        content = saved.content_json
        return CheckpointObjectRow(
            checkpoint_id=checkpoint_id,
            position=position,
            api_version=saved.ref.api_version,
            kind=saved.ref.kind,
            namespace=saved.ref.namespace,
            name=saved.ref.name,
            sealed=None if content is None else self._cipher.seal(content.encode()),
        )

    def _saved_object(self, row: CheckpointObjectRow) -> SavedObject:
        ref = ObjectRef(api_version=row.api_version, kind=row.kind, namespace=row.namespace, name=row.name)
        content = None if row.sealed is None else self._cipher.unseal(row.sealed).decode()
        return SavedObject(ref=ref, content_json=content)


def _checkpoint_row(session: Session, checkpoint_id: str) -> CheckpointRow:
    row = session.get(CheckpointRow, checkpoint_id)
    if row is None:
        raise CheckpointUnknown(f"no checkpoint has the id {checkpoint_id}")
    return row


def _checkpoint(row: CheckpointRow) -> Checkpoint:
    return Checkpoint(**row.model_dump())
