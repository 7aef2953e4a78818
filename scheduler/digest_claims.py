"""Who has heard which digest: each person once a date, whatever greets at the same time or loses power.

A claim begins `speaking`. The speaker reports its progress; from the first minute on, the digest counts as
delivered even if nobody can say so any more. A speaker that has not reported for `STALE_AFTER` is taken to be
dead: its claim is settled by what it had reported last, and may then be taken over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Column, Engine, delete, update
from sqlmodel import Field, Session, SQLModel, col, select

from mcp_tencent.tables import UtcDateTime, changed_rows, insert_once, reading, writing
from scheduler.errors import DigestClaimLost

ENOUGH_SECONDS = 60.0
"""A digest that was cut off before this was not delivered."""

STALE_AFTER = timedelta(seconds=30)
"""A speaker reports at least every few seconds; after this long without a word it is dead."""


class ClaimState(StrEnum):
    """What came of speaking a digest to a person."""

    SPEAKING = "speaking"
    DELIVERED = "delivered"
    """Spoken to its end, stopped by the listener, or cut off after the first minute."""
    CUT_OFF = "cut_off"
    """Not delivered: cut off before its first minute. The next greeting gets it."""


class Ending(StrEnum):
    """Why the speaking ended."""

    FINISHED = "finished"
    STOPPED_BY_LISTENER = "stopped_by_listener"
    CUT_OFF = "cut_off"
    """Power or loudspeaker failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestClaim:
    """The right to speak one digest to one person."""

    person_id: str
    date: date
    turn: int
    """Counts how often it was claimed; an older turn has lost the right."""
    device: str
    state: ClaimState
    claimed_at: datetime
    reported_at: datetime
    spoken_seconds: float


def state_after(ending: Ending, *, spoken_seconds: float) -> ClaimState:
    """Decide what counts as delivered (pure)."""
    if ending is Ending.CUT_OFF and spoken_seconds < ENOUGH_SECONDS:
        return ClaimState.CUT_OFF
    return ClaimState.DELIVERED


class DigestClaimStore(Protocol):
    """The claims. Calls block; they are made off the event loop."""

    def claim(self, person_id: str, on: date, *, device: str, now: datetime) -> DigestClaim | None:
        """Return the right to speak now, or None when it was delivered or somebody speaks it.

        Of any number of concurrent callers exactly one gets it.
        """
        ...

    def report(self, claim: DigestClaim, *, spoken_seconds: float, now: datetime) -> None:
        """Record how much has been spoken; raises DigestClaimLost when somebody else has taken over."""
        ...

    def end(self, claim: DigestClaim, ending: Ending, *, spoken_seconds: float, now: datetime) -> ClaimState:
        """Record the end and return what counts; raises DigestClaimLost as `report` does."""
        ...

    def settle(self, device: str, *, now: datetime) -> int:
        """Settle what this device was speaking when it died, at its start; returns how many claims."""
        ...

    def get(self, person_id: str, on: date) -> DigestClaim | None:
        """Return the claim of a person and date, or None."""
        ...


class DigestClaimRow(SQLModel, table=True):
    """The claim of one person upon the digest of one date."""

    __tablename__ = "digest_claims"

    person_id: str = Field(primary_key=True, max_length=64)
    on_date: date = Field(primary_key=True)
    turn: int
    device: str = Field(max_length=128)
    state: str = Field(max_length=16)
    claimed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    reported_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    spoken_seconds: float


class SqlDigestClaimStore:
    """Keeps the claims in the database; satisfies `DigestClaimStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, person_id: str, on: date, *, device: str, now: datetime) -> DigestClaim | None:
        """Return the right to speak now, or None when it was delivered or somebody speaks it."""
        first = DigestClaimRow(
            person_id=person_id,
            on_date=on,
            turn=1,
            device=device,
            state=ClaimState.SPEAKING,
            claimed_at=now,
            reported_at=now,
            spoken_seconds=0.0,
        )
        with writing(self._engine) as session:
            if insert_once(session, first, unique=["person_id", "on_date"]):
                return _claim(first)
            row = _locked(session, person_id, on)
            if ClaimState(row.state) is ClaimState.SPEAKING and row.reported_at + STALE_AFTER <= now:
                row.state = state_after(Ending.CUT_OFF, spoken_seconds=row.spoken_seconds)
            if ClaimState(row.state) is ClaimState.CUT_OFF:
                row.turn += 1
                row.device, row.state = device, ClaimState.SPEAKING
                row.claimed_at = row.reported_at = now
                row.spoken_seconds = 0.0
                session.add(row)
                return _claim(row)
            session.add(row)
            return None

    def report(self, claim: DigestClaim, *, spoken_seconds: float, now: datetime) -> None:
        """Record how much has been spoken; raises DigestClaimLost when somebody else has taken over."""
        self._change(claim, state=ClaimState.SPEAKING, spoken_seconds=spoken_seconds, now=now)

    def end(self, claim: DigestClaim, ending: Ending, *, spoken_seconds: float, now: datetime) -> ClaimState:
        """Record the end and return what counts; raises DigestClaimLost as `report` does."""
        state = state_after(ending, spoken_seconds=spoken_seconds)
        self._change(claim, state=state, spoken_seconds=spoken_seconds, now=now)
        return state

    def settle(self, device: str, *, now: datetime) -> int:
        """Settle what this device was speaking when it died, at its start; returns how many claims."""
        statement = (
            select(DigestClaimRow)
            .where(DigestClaimRow.device == device, DigestClaimRow.state == ClaimState.SPEAKING)
            .with_for_update()
        )
        with writing(self._engine) as session:
            rows = session.exec(statement).all()
            for row in rows:
                row.state = state_after(Ending.CUT_OFF, spoken_seconds=row.spoken_seconds)
                row.reported_at = now
                session.add(row)
            return len(rows)

    def get(self, person_id: str, on: date) -> DigestClaim | None:
        """Return the claim of a person and date, or None."""
        with reading(self._engine) as session:
            row = session.get(DigestClaimRow, (person_id, on))
            return None if row is None else _claim(row)

    def forget(self, session: Session, person_id: str) -> None:
        """Delete a person's claims, within the transaction that removes the person."""
        changed_rows(session, delete(DigestClaimRow).where(col(DigestClaimRow.person_id) == person_id))

    def _change(self, claim: DigestClaim, *, state: ClaimState, spoken_seconds: float, now: datetime) -> None:
        statement = (
            update(DigestClaimRow)
            .where(
                col(DigestClaimRow.person_id) == claim.person_id,
                col(DigestClaimRow.on_date) == claim.date,
                col(DigestClaimRow.turn) == claim.turn,
                col(DigestClaimRow.state) == ClaimState.SPEAKING,
            )
            .values(state=state, spoken_seconds=spoken_seconds, reported_at=now)
        )
        with writing(self._engine) as session:
            if changed_rows(session, statement) == 0:
                raise DigestClaimLost(
                    f"turn {claim.turn} of the digest {claim.date} for {claim.person_id} has ended already"
                )


def _locked(session: Session, person_id: str, on: date) -> DigestClaimRow:
    statement = (
        select(DigestClaimRow)
        .where(DigestClaimRow.person_id == person_id, DigestClaimRow.on_date == on)
        .with_for_update()
    )
    return session.exec(statement).one()


def _claim(row: DigestClaimRow) -> DigestClaim:
    return DigestClaim(
        **row.model_dump(exclude={"on_date", "state"}), date=row.on_date, state=ClaimState(row.state)
    )
