"""Tables of incidents, attempts and timelines, and the store upon them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import Column, Engine, Index, Text, UniqueConstraint, and_, or_, update
from sqlmodel import Field, Session, SQLModel, col, select

from mcp_tencent.devops.errors import AttemptFinished, AttemptUnknown, IncidentChanged, IncidentUnknown
from mcp_tencent.devops.incidents import (
    Attempt,
    AttemptOutcome,
    Incident,
    IncidentQuery,
    IncidentStatus,
    Rung,
    TimelineEvent,
)
from mcp_tencent.tables import UtcDateTime, changed_rows, insert_once, reading, writing


class IncidentRow(SQLModel, table=True):
    """One incident."""

    __tablename__ = "incidents"
    __table_args__ = (Index(None, "status", "opened_at"),)

    id: str = Field(primary_key=True, max_length=64)
    idempotency_key: str = Field(max_length=200, unique=True)
    fingerprint: str = Field(max_length=128, index=True)
    cluster_id: str = Field(max_length=64)
    namespace: str = Field(max_length=253)
    workload_kind: str = Field(max_length=64)
    workload: str = Field(max_length=253)
    title: str = Field(sa_column=Column(Text, nullable=False))
    score: float
    alert_count: int
    status: str = Field(max_length=16)
    opened_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    last_seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    closed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    policy_version: str = Field(max_length=64)
    facts_json: str = Field(sa_column=Column(Text, nullable=False))
    version: int


class IncidentEventRow(SQLModel, table=True):
    """One line of an incident's timeline."""

    __tablename__ = "incident_events"
    __table_args__ = (UniqueConstraint("incident_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    incident_id: str = Field(foreign_key="incidents.id", max_length=64, index=True)
    key: str = Field(max_length=200)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    kind: str = Field(max_length=32)
    text: str = Field(sa_column=Column(Text, nullable=False))
    evidence_json: str = Field(sa_column=Column(Text, nullable=False))


class AttemptRow(SQLModel, table=True):
    """One attempt to heal an incident."""

    __tablename__ = "attempts"
    __table_args__ = (UniqueConstraint("incident_id", "number"),)

    id: str = Field(primary_key=True, max_length=64)
    incident_id: str = Field(foreign_key="incidents.id", max_length=64)
    number: int
    rung: str = Field(max_length=16)
    action: str = Field(sa_column=Column(Text, nullable=False))
    idempotency_key: str = Field(max_length=200, unique=True)
    checkpoint_id: str | None = Field(default=None, foreign_key="checkpoints.id", max_length=64)
    started_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    outcome: str | None = Field(default=None, max_length=32)
    reason: str = Field(sa_column=Column(Text, nullable=False))
    evidence_json: str = Field(sa_column=Column(Text, nullable=False))


class SqlIncidentStore:
    """Keeps incidents in the database; satisfies `IncidentStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, incident: Incident) -> bool:
        """Record a new incident; False, and nothing changed, when its idempotency key exists."""
        with writing(self._engine) as session:
            return insert_once(session, IncidentRow(**asdict(incident)), unique=["idempotency_key"])

    def find_by_key(self, idempotency_key: str) -> Incident | None:
        """Return the incident that was opened with this key, or None."""
        with reading(self._engine) as session:
            statement = select(IncidentRow).where(IncidentRow.idempotency_key == idempotency_key)
            row = session.exec(statement).one_or_none()
            return None if row is None else _incident(row)

    def get(self, incident_id: str) -> Incident:
        """Return an incident; raises IncidentUnknown."""
        with reading(self._engine) as session:
            return _incident(_incident_row(session, incident_id))

    def find(self, query: IncidentQuery) -> Sequence[Incident]:
        """Return incidents, newest first; raises IncidentUnknown for an unknown `after_id`."""
        opened_at, incident_id = col(IncidentRow.opened_at), col(IncidentRow.id)
        statement = select(IncidentRow).where(opened_at >= query.since, opened_at < query.until)
        if query.status is not None:
            statement = statement.where(IncidentRow.status == query.status)
        with reading(self._engine) as session:
            if query.after_id is not None:
                last = _incident_row(session, query.after_id)
                earlier = and_(opened_at == last.opened_at, incident_id < last.id)
                statement = statement.where(or_(opened_at < last.opened_at, earlier))
            ordered = statement.order_by(opened_at.desc(), incident_id.desc()).limit(query.limit)
            return [_incident(row) for row in session.exec(ordered)]

    def save(self, incident: Incident) -> Incident:
        """Replace the incident that was read; raises IncidentChanged and IncidentUnknown."""
        saved = replace(incident, version=incident.version + 1)
        values = asdict(saved)
        # What names an incident never changes.
        for fixed in ("id", "idempotency_key"):
            del values[fixed]
        statement = (
            update(IncidentRow)
            .where(col(IncidentRow.id) == incident.id, col(IncidentRow.version) == incident.version)
            .values(**values)
        )
        with writing(self._engine) as session:
            if changed_rows(session, statement) == 1:
                return saved
            stands = _incident_row(session, incident.id)
            raise IncidentChanged(
                f"incident {incident.id} was read in version {incident.version}, it is {stands.version} now"
            )

    def add_event(self, incident_id: str, event: TimelineEvent, *, key: str) -> bool:
        """Append to the timeline; False, and nothing changed, when `key` stands in it already."""
        with writing(self._engine) as session:
            _incident_row(session, incident_id)
            row = IncidentEventRow(incident_id=incident_id, key=key, **asdict(event))
            return insert_once(session, row, unique=["incident_id", "key"])

    def timeline(self, incident_id: str) -> Sequence[TimelineEvent]:
        """Return what happened, oldest first, in the order of its recording within one instant."""
        statement = (
            select(IncidentEventRow)
            .where(IncidentEventRow.incident_id == incident_id)
            .order_by(col(IncidentEventRow.at), col(IncidentEventRow.id))
        )
        with reading(self._engine) as session:
            return [
                TimelineEvent(at=row.at, kind=row.kind, text=row.text, evidence_json=row.evidence_json)
                for row in session.exec(statement)
            ]

    def start_attempt(self, attempt: Attempt) -> bool:
        """Record an attempt before it acts; False, and nothing changed, when its idempotency key exists."""
        with writing(self._engine) as session:
            _incident_row(session, attempt.incident_id)
            return insert_once(session, AttemptRow(**asdict(attempt)), unique=["idempotency_key"])

    def finish_attempt(
        self, attempt_id: str, outcome: AttemptOutcome, *, at: datetime, reason: str, evidence_json: str
    ) -> Attempt:
        """Record how an attempt ended, once; raises AttemptUnknown and AttemptFinished."""
        statement = (
            update(AttemptRow)
            .where(col(AttemptRow.id) == attempt_id, col(AttemptRow.outcome).is_(None))
            .values(outcome=outcome, finished_at=at, reason=reason, evidence_json=evidence_json)
        )
        with writing(self._engine) as session:
            changed_rows(session, statement)
            row = session.get(AttemptRow, attempt_id)
            if row is None:
                raise AttemptUnknown(f"no attempt has the id {attempt_id}")
            if row.outcome != outcome:
                raise AttemptFinished(f"attempt {attempt_id} ended as {row.outcome}, not as {outcome}")
            return _attempt(row)

    def attempts(self, incident_id: str) -> Sequence[Attempt]:
        """Return the attempts of an incident in their order."""
        statement = (
            select(AttemptRow).where(AttemptRow.incident_id == incident_id).order_by(col(AttemptRow.number))
        )
        with reading(self._engine) as session:
            return [_attempt(row) for row in session.exec(statement)]

    def attempts_between(self, since: datetime, until: datetime) -> Sequence[Attempt]:
        """Return all attempts started at or after `since` and before `until`, oldest first."""
        started_at = col(AttemptRow.started_at)
        statement = (
            select(AttemptRow)
            .where(started_at >= since, started_at < until)
            .order_by(started_at, col(AttemptRow.id))
        )
        with reading(self._engine) as session:
            return [_attempt(row) for row in session.exec(statement)]


def _incident_row(session: Session, incident_id: str) -> IncidentRow:
    row = session.get(IncidentRow, incident_id)
    if row is None:
        raise IncidentUnknown(f"no incident has the id {incident_id}")
    return row


def _incident(row: IncidentRow) -> Incident:
    return Incident(**row.model_dump(exclude={"status"}), status=IncidentStatus(row.status))


def _attempt(row: AttemptRow) -> Attempt:
    return Attempt(
        **row.model_dump(exclude={"rung", "outcome"}),
        rung=Rung(row.rung),
        outcome=None if row.outcome is None else AttemptOutcome(row.outcome),
    )
