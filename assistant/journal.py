"""The journal of turns: what was heard, planned and said, how long each part took; kept for some days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Column, Engine, Text, delete
from sqlmodel import Field, Session, SQLModel, col, select

from mcp_tencent.tables import UtcDateTime, changed_rows, insert_once, reading, writing


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnLatencies:
    """How long the parts of a turn took, in milliseconds; None = the part did not occur."""

    endpointing_ms: int | None = None
    recognition_ms: int | None = None
    speaker_ms: int | None = None
    planning_ms: int | None = None
    tools_ms: int | None = None
    first_word_ms: int | None = None
    """From the end of the question to the first spoken word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question and its answer."""

    id: str
    started_at: datetime
    person_id: str | None
    """Who was recognised, or None."""
    heard: str
    plan_json: str
    """The tool calls as a JSON array, arguments redacted."""
    spoken: str
    outcome: str
    """Short word in snake case: answered, refused, clarified, failed, stopped."""
    latencies: TurnLatencies = TurnLatencies()


class Journal(Protocol):
    """The memory of turns. Calls block; they are made off the event loop."""

    def write(self, turn: Turn) -> bool:
        """Keep a turn; False, and nothing changed, when its id is known."""
        ...

    def latest(self, *, limit: int = 20, person_id: str | None = None) -> Sequence[Turn]:
        """Return the last turns, newest first."""
        ...

    def forget_older(self, *, keep_days: int, now: datetime) -> int:
        """Delete turns that began more than `keep_days` days ago; returns how many."""
        ...


class TurnRow(SQLModel, table=True):
    """One turn."""

    __tablename__ = "turns"

    id: str = Field(primary_key=True, max_length=64)
    started_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    person_id: str | None = Field(default=None, max_length=64, index=True)
    heard: str = Field(sa_column=Column(Text, nullable=False))
    plan_json: str = Field(sa_column=Column(Text, nullable=False))
    spoken: str = Field(sa_column=Column(Text, nullable=False))
    outcome: str = Field(max_length=32)
    endpointing_ms: int | None = None
    recognition_ms: int | None = None
    speaker_ms: int | None = None
    planning_ms: int | None = None
    tools_ms: int | None = None
    first_word_ms: int | None = None


class SqlJournal:
    """Keeps turns in the database; satisfies `Journal`, and forgets the turns of a person who is removed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, turn: Turn) -> bool:
        """Keep a turn; False, and nothing changed, when its id is known."""
        values = asdict(turn)
        latencies = values.pop("latencies")
        with writing(self._engine) as session:
            return insert_once(session, TurnRow(**values, **latencies), unique=["id"])

    def latest(self, *, limit: int = 20, person_id: str | None = None) -> Sequence[Turn]:
        """Return the last turns, newest first."""
        statement = select(TurnRow)
        if person_id is not None:
            statement = statement.where(TurnRow.person_id == person_id)
        ordered = statement.order_by(col(TurnRow.started_at).desc(), col(TurnRow.id).desc()).limit(limit)
        with reading(self._engine) as session:
            return [_turn(row) for row in session.exec(ordered)]

    def forget_older(self, *, keep_days: int, now: datetime) -> int:
        """Delete turns that began more than `keep_days` days ago; returns how many."""
        border = now - timedelta(days=keep_days)
        with writing(self._engine) as session:
            return changed_rows(session, delete(TurnRow).where(col(TurnRow.started_at) < border))

    def forget(self, session: Session, person_id: str) -> None:
        """Delete the turns of a person, within the transaction that removes the person."""
        changed_rows(session, delete(TurnRow).where(col(TurnRow.person_id) == person_id))


def _turn(row: TurnRow) -> Turn:
    parts = {name: getattr(row, name) for name in TurnLatencies.__slots__}
    rest = row.model_dump(exclude=set(parts))
    return Turn(**rest, latencies=TurnLatencies(**parts))
