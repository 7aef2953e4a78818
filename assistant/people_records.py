"""Tables of persons, permissions, preferences and voiceprints, and the store upon them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Protocol

from sqlalchemy import Column, Engine, LargeBinary, delete
from sqlmodel import Field, Session, SQLModel, col, select

from assistant.database import scrub
from assistant.errors import PersonExists, UnknownPerson
from assistant.people import DigestPreferences, Grant, Person, Voiceprint, sorted_grants
from mcp_tencent.gateway.call import Permission
from mcp_tencent.tables import UtcDateTime, changed_rows, insert_once, reading, writing

_EVERYWHERE = "*"


class Cipher(Protocol):
    """Seals biometric data before it is written down."""

    def seal(self, plain: bytes) -> bytes:
        """Return `plain` sealed."""
        ...

    def unseal(self, sealed: bytes) -> bytes:
        """Return what was sealed."""
        ...


class PersonalTraces(Protocol):
    """What another store keeps about a person; forgotten in the transaction that removes the person."""

    def forget(self, session: Session, person_id: str) -> None:
        """Delete or blank everything that is kept about this person."""
        ...


class PersonRow(SQLModel, table=True):
    """One person."""

    __tablename__ = "persons"

    id: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=64, unique=True)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    window_start: time | None = None
    window_end: time | None = None
    max_seconds: int | None = None


class PermissionRow(SQLModel, table=True):
    """One permission of a person in one namespace, or everywhere."""

    __tablename__ = "person_permissions"

    person_id: str = Field(primary_key=True, foreign_key="persons.id", ondelete="CASCADE", max_length=64)
    permission: str = Field(primary_key=True, max_length=16)
    namespace: str = Field(primary_key=True, max_length=253)


class VoiceprintRow(SQLModel, table=True):
    """One sample of a person's voice, sealed."""

    __tablename__ = "voiceprints"

    id: str = Field(primary_key=True, max_length=64)
    person_id: str = Field(foreign_key="persons.id", ondelete="CASCADE", max_length=64, index=True)
    model: str = Field(max_length=64)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SqlPeopleStore:
    """Keeps people in the database.

    Args:
        engine: the database.
        cipher: seals voiceprints.
        traces: what else is kept about people and goes when they go.
    """

    def __init__(self, engine: Engine, cipher: Cipher, *, traces: Sequence[PersonalTraces] = ()) -> None:
        self._engine = engine
        self._cipher = cipher
        self._traces = tuple(traces)

    def add(self, name: str, *, now: datetime) -> Person:
        """Add a person without any permission.

        Raises:
            PersonExists: the name is taken.
        """
        row = PersonRow(id=f"person-{uuid.uuid4().hex[:12]}", name=name, created_at=now)
        with writing(self._engine) as session:
            if not insert_once(session, row, unique=["name"]):
                raise PersonExists(f"there is already somebody called {name}")
            return _person(session, row)

    def get(self, person: str) -> Person:
        """Return the person with this id or name; raises UnknownPerson."""
        with reading(self._engine) as session:
            return _person(session, _person_row(session, person))

    def everybody(self) -> Sequence[Person]:
        """Return all persons by name."""
        with reading(self._engine) as session:
            rows = session.exec(select(PersonRow).order_by(col(PersonRow.name))).all()
            return [_person(session, row) for row in rows]

    def grant(self, person: str, grant: Grant) -> Person:
        """Give a permission, in place of what the person had of it; raises UnknownPerson."""
        with writing(self._engine) as session:
            row = _person_row(session, person)
            _revoke(session, row.id, grant.permission)
            for namespace in sorted(grant.namespaces or {_EVERYWHERE}):
                session.add(PermissionRow(person_id=row.id, permission=grant.permission, namespace=namespace))
            session.flush()
            return _person(session, row)

    def revoke(self, person: str, permission: Permission) -> Person:
        """Take a permission away, also when it was never given; raises UnknownPerson."""
        with writing(self._engine) as session:
            row = _person_row(session, person)
            _revoke(session, row.id, permission)
            return _person(session, row)

    def prefer(self, person: str, preferences: DigestPreferences) -> Person:
        """Replace somebody's digest preferences; raises UnknownPerson."""
        with writing(self._engine) as session:
            row = _person_row(session, person)
            row.window_start = preferences.window_start
            row.window_end = preferences.window_end
            row.max_seconds = preferences.max_seconds
            session.add(row)
            session.flush()
            return _person(session, row)

    def enrol(self, person: str, *, model: str, embeddings: Sequence[bytes], now: datetime) -> None:
        """Put these voiceprints in the place of the person's earlier ones of the same model.

        Raises:
            UnknownPerson: nobody has this id or name.
        """
        with writing(self._engine) as session:
            row = _person_row(session, person)
            earlier = delete(VoiceprintRow).where(
                col(VoiceprintRow.person_id) == row.id, col(VoiceprintRow.model) == model
            )
            changed_rows(session, earlier)
            for embedding in embeddings:
                session.add(
                    VoiceprintRow(
                        id=f"voice-{uuid.uuid4().hex[:12]}",
                        person_id=row.id,
                        model=model,
                        created_at=now,
                        sealed=self._cipher.seal(embedding),
                    )
                )
        scrub(self._engine, VoiceprintRow.__tablename__)

    def voiceprints(self, *, model: str) -> Sequence[Voiceprint]:
        """Return everybody's voiceprints of one model, oldest first."""
        statement = (
            select(VoiceprintRow)
            .where(VoiceprintRow.model == model)
            .order_by(col(VoiceprintRow.created_at), col(VoiceprintRow.id))
        )
        with reading(self._engine) as session:
            return [
                Voiceprint(
                    id=row.id,
                    person_id=row.person_id,
                    model=row.model,
                    created_at=row.created_at,
                    embedding=self._cipher.unseal(row.sealed),
                )
                for row in session.exec(statement)
            ]

    def enrolled_models(self) -> Mapping[str, frozenset[str]]:
        """Return, by id of each person who has voiceprints, the models they were made with."""
        with reading(self._engine) as session:
            found = session.exec(select(VoiceprintRow.person_id, VoiceprintRow.model).distinct()).all()
        return {person: frozenset(model for owner, model in found if owner == person) for person, _ in found}

    def remove(self, person: str) -> None:
        """Forget a person: voiceprints, permissions and all other traces, also in the bytes of the file.

        Raises:
            UnknownPerson: nobody has this id or name.
        """
        with writing(self._engine) as session:
            row = _person_row(session, person)
            for traces in self._traces:
                traces.forget(session, row.id)
            changed_rows(session, delete(PersonRow).where(col(PersonRow.id) == row.id))
        scrub(self._engine, VoiceprintRow.__tablename__)


def _person_row(session: Session, person: str) -> PersonRow:
    statement = select(PersonRow).where((col(PersonRow.id) == person) | (col(PersonRow.name) == person))
    row = session.exec(statement).first()
    if row is None:
        raise UnknownPerson(f"nobody is known as {person}")
    return row


def _person(session: Session, row: PersonRow) -> Person:
    namespaces: dict[Permission, set[str]] = {}
    for granted in session.exec(select(PermissionRow).where(PermissionRow.person_id == row.id)):
        namespaces.setdefault(Permission(granted.permission), set()).add(granted.namespace)
    grants = [
        Grant(permission=permission, namespaces=None if _EVERYWHERE in names else frozenset(names))
        for permission, names in namespaces.items()
    ]
    preferences = DigestPreferences(
        window_start=row.window_start, window_end=row.window_end, max_seconds=row.max_seconds
    )
    return Person(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        grants=sorted_grants(grants),
        preferences=preferences,
    )


def _revoke(session: Session, person_id: str, permission: Permission) -> None:
    statement = delete(PermissionRow).where(
        col(PermissionRow.person_id) == person_id, col(PermissionRow.permission) == permission
    )
    changed_rows(session, statement)
