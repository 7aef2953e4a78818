"""Tables of deliveries, of the pace of limited targets and of who wants what where; the stores upon them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Column, ColumnElement, Engine, Index, Text, delete, func, update
from sqlmodel import Field, Session, SQLModel, col, select

from mcp_tencent.push.channels import Channel, Target
from mcp_tencent.push.delivery import Delivery, DeliveryStatus
from mcp_tencent.push.errors import DeliveryUnknown
from mcp_tencent.push.message import report_from_json, report_to_json
from mcp_tencent.push.pacing import Pace
from mcp_tencent.tables import UtcDateTime, changed_rows, insert_once, reading, writing

_FORGOTTEN = "forgotten"
_FINAL = tuple(status.value for status in DeliveryStatus if status.final)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPreference:
    """Where one person wants reports on one channel."""

    person: str
    channel: Channel
    target: str
    """As `Target.text`: addresses, or a robot's name and mobile numbers."""
    enabled: bool = True


class PreferenceStore(Protocol):
    """Who wants reports where. Calls block; they are made off the event loop."""

    def set(self, preference: DeliveryPreference) -> None:
        """Keep a preference in the place of the person's earlier one for this channel."""
        ...

    def of(self, person: str) -> Sequence[DeliveryPreference]:
        """Return a person's preferences by channel."""
        ...

    def everybody(self) -> Sequence[DeliveryPreference]:
        """Return the preferences of all, by person and channel."""
        ...


class DeliveryRow(SQLModel, table=True):
    """One report on its way to one target."""

    __tablename__ = "deliveries"
    __table_args__ = (Index(None, "status", "created_at"),)

    id: str = Field(primary_key=True, max_length=200)
    report_reference: str = Field(max_length=100, index=True)
    report_json: str = Field(sa_column=Column(Text, nullable=False))
    channel: str = Field(max_length=16)
    recipients_json: str = Field(sa_column=Column(Text, nullable=False))
    mentions_json: str = Field(sa_column=Column(Text, nullable=False))
    person: str | None = Field(default=None, max_length=64, index=True)
    status: str = Field(max_length=16)
    attempts: int
    reason: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    next_attempt_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class PaceRow(SQLModel, table=True):
    """How much of a provider's limit is used for one target."""

    __tablename__ = "delivery_paces"

    target: str = Field(primary_key=True, max_length=200)
    turns_json: str = Field(sa_column=Column(Text, nullable=False))
    blocked_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class PreferenceRow(SQLModel, table=True):
    """Where one person wants reports on one channel."""

    __tablename__ = "delivery_preferences"

    person: str = Field(primary_key=True, max_length=64)
    channel: str = Field(primary_key=True, max_length=16)
    target: str = Field(sa_column=Column(Text, nullable=False))
    enabled: bool


class SqlDeliveryStore:
    """Keeps deliveries in the database; satisfies `DeliveryStore` and `DispatchStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, delivery: Delivery) -> bool:
        """Record a new delivery; False, and nothing changed, when its id exists."""
        with writing(self._engine) as session:
            return insert_once(session, _row(delivery), unique=["id"])

    def find(self, delivery_id: str) -> Delivery | None:
        """Return a delivery, or None."""
        with reading(self._engine) as session:
            row = session.get(DeliveryRow, delivery_id)
            return None if row is None else _delivery(row)

    def save(self, delivery: Delivery) -> None:
        """Record how a known delivery stands now; raises DeliveryUnknown."""
        statement = (
            update(DeliveryRow)
            .where(col(DeliveryRow.id) == delivery.id)
            .values(
                status=delivery.status,
                attempts=delivery.attempts,
                reason=delivery.reason,
                updated_at=delivery.updated_at,
                next_attempt_at=delivery.next_attempt_at,
            )
        )
        with writing(self._engine) as session:
            if changed_rows(session, statement) == 0:
                raise DeliveryUnknown(f"no delivery has the id {delivery.id}", spoken="没有这次发送的记录。")

    def unfinished(self) -> Sequence[str]:
        """Return the ids of deliveries that are neither sent nor dead, oldest first."""
        statement = (
            select(DeliveryRow.id)
            .where(col(DeliveryRow.status).not_in(_FINAL))
            .order_by(col(DeliveryRow.created_at), col(DeliveryRow.id))
        )
        with reading(self._engine) as session:
            return list(session.exec(statement))

    def between(
        self,
        since: datetime,
        until: datetime,
        *,
        statuses: Sequence[DeliveryStatus] = tuple(DeliveryStatus),
        person: str | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> Sequence[Delivery]:
        """Return deliveries asked for in [since, until), newest first; of one person when one is named."""
        statement = (
            select(DeliveryRow)
            .where(*_asked_for(since, until, statuses, person))
            .order_by(col(DeliveryRow.created_at).desc(), col(DeliveryRow.id).desc())
            .offset(offset)
            .limit(limit)
        )
        with reading(self._engine) as session:
            return [_delivery(row) for row in session.exec(statement)]

    def count(
        self,
        since: datetime,
        until: datetime,
        *,
        statuses: Sequence[DeliveryStatus] = tuple(DeliveryStatus),
        person: str | None = None,
    ) -> int:
        """Return how many deliveries `between` would return without a limit."""
        statement = select(func.count()).where(*_asked_for(since, until, statuses, person))
        with reading(self._engine) as session:
            return session.exec(statement).one()

    def change_pace(self, target: str, change: Callable[[Pace], Pace]) -> Pace:
        """Replace a target's pace by what `change` makes of it, safe against other processes; return it."""
        with writing(self._engine) as session:
            insert_once(session, PaceRow(target=target, turns_json="[]"), unique=["target"])
            row = session.exec(select(PaceRow).where(PaceRow.target == target).with_for_update()).one()
            turns = tuple(datetime.fromisoformat(turn) for turn in json.loads(row.turns_json))
            pace = change(Pace(turns=turns, blocked_until=row.blocked_until))
            row.turns_json = json.dumps([turn.isoformat() for turn in pace.turns])
            row.blocked_until = pace.blocked_until
            session.add(row)
            return pace

    def forget(self, session: Session, person_id: str) -> None:
        """Blank where reports for this person went, within the transaction that removes the person.

        What is still on its way to the person is given up.
        """
        mine = col(DeliveryRow.person) == person_id
        waiting = update(DeliveryRow).where(mine, col(DeliveryRow.status).not_in(_FINAL))
        changed_rows(session, waiting.values(status=DeliveryStatus.DEAD, reason="收件人已删除"))
        blank = update(DeliveryRow).where(mine)
        changed_rows(
            session,
            blank.values(person=None, recipients_json=json.dumps([_FORGOTTEN]), mentions_json="[]"),
        )


class SqlPreferenceStore:
    """Keeps preferences in the database; satisfies `PreferenceStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def set(self, preference: DeliveryPreference) -> None:
        """Keep a preference in the place of the person's earlier one for this channel."""
        row = PreferenceRow(
            person=preference.person,
            channel=preference.channel,
            target=preference.target,
            enabled=preference.enabled,
        )
        with writing(self._engine) as session:
            if not insert_once(session, row, unique=["person", "channel"]):
                session.merge(row)

    def of(self, person: str) -> Sequence[DeliveryPreference]:
        """Return a person's preferences by channel."""
        return [one for one in self.everybody() if one.person == person]

    def everybody(self) -> Sequence[DeliveryPreference]:
        """Return the preferences of all, by person and channel; a household's worth."""
        statement = select(PreferenceRow).order_by(col(PreferenceRow.person), col(PreferenceRow.channel))
        with reading(self._engine) as session:
            return [
                DeliveryPreference(
                    person=row.person, channel=Channel(row.channel), target=row.target, enabled=row.enabled
                )
                for row in session.exec(statement)
            ]

    def forget(self, session: Session, person_id: str) -> None:
        """Delete a person's preferences, within the transaction that removes the person."""
        changed_rows(session, delete(PreferenceRow).where(col(PreferenceRow.person) == person_id))


def _asked_for(
    since: datetime, until: datetime, statuses: Sequence[DeliveryStatus], person: str | None
) -> list[ColumnElement[bool]]:
    created_at = col(DeliveryRow.created_at)
    wanted = [created_at >= since, created_at < until, col(DeliveryRow.status).in_(list(statuses))]
    return wanted if person is None else [*wanted, col(DeliveryRow.person) == person]


def _row(delivery: Delivery) -> DeliveryRow:
    return DeliveryRow(
        id=delivery.id,
        report_reference=delivery.report.reference,
        report_json=report_to_json(delivery.report),
        channel=delivery.target.channel,
        recipients_json=json.dumps(delivery.target.recipients),
        mentions_json=json.dumps(delivery.target.mentions),
        person=delivery.person,
        status=delivery.status,
        attempts=delivery.attempts,
        reason=delivery.reason,
        created_at=delivery.created_at,
        updated_at=delivery.updated_at,
        next_attempt_at=delivery.next_attempt_at,
    )


def _delivery(row: DeliveryRow) -> Delivery:
    target = Target(
        channel=Channel(row.channel),
        recipients=tuple(json.loads(row.recipients_json)),
        mentions=tuple(json.loads(row.mentions_json)),
    )
    return Delivery(
        id=row.id,
        report=report_from_json(row.report_json),
        target=target,
        person=row.person,
        created_at=row.created_at,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        reason=row.reason,
        updated_at=row.updated_at,
        next_attempt_at=row.next_attempt_at,
    )
