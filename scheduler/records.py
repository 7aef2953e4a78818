"""Tables of job runs and digests, and the store upon them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Column, Engine, Index, Text, update
from sqlmodel import Field, SQLModel, col, select

from mcp_tencent.tables import UtcDateTime, changed_rows, insert_once, reading, writing
from scheduler.errors import JobFinished, JobUnknown


class JobOutcome(StrEnum):
    """How a run of a job ended."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    """Done as far as possible: something, such as one cluster, could not be read, and is reported."""
    FAILED = "failed"
    MISSED = "missed"
    """The time in which it may start had passed, for example because the device was off."""
    ABANDONED = "abandoned"
    """It was begun, and nobody will go on with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """One run of a job for one date."""

    id: str
    """The workflow id, such as `night-2026-11-20`; a job runs at most once under it."""
    job: str
    for_date: date
    started_at: datetime
    finished_at: datetime | None = None
    outcome: JobOutcome | None = None
    detail: str = ""
    """Why it ended so, in Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDigest:
    """The digest of one date in its three renderings."""

    date: date
    """The day on which it is spoken; it tells of the day before."""
    written_at: datetime
    content_json: str
    spoken: str
    html: str


class JobRunStore(Protocol):
    """The memory of jobs. Calls block; they are made off the event loop."""

    def start(self, run: JobRun) -> bool:
        """Record that a run begins; False, and nothing changed, when one with this id has begun before."""
        ...

    def finish(self, run_id: str, outcome: JobOutcome, *, at: datetime, detail: str = "") -> JobRun:
        """Record how a run ended, once; the same outcome again changes nothing.

        Raises:
            JobUnknown: it never began.
            JobFinished: it ended with another outcome.
        """
        ...

    def get(self, run_id: str) -> JobRun:
        """Return a run; raises JobUnknown."""
        ...

    def unfinished(self) -> Sequence[JobRun]:
        """Return runs without an outcome, oldest first."""
        ...

    def latest(self, job: str, *, limit: int = 10) -> Sequence[JobRun]:
        """Return the runs of a job, latest date first."""
        ...


class DigestStore(Protocol):
    """The digests, one a date. Calls block; they are made off the event loop."""

    def write(self, digest: StoredDigest) -> bool:
        """Keep a digest; False, and nothing changed, when there is one for its date."""
        ...

    def get(self, on: date) -> StoredDigest | None:
        """Return the digest of a date, or None."""
        ...

    def latest(self, *, limit: int = 1) -> Sequence[StoredDigest]:
        """Return the last digests, latest date first."""
        ...


class JobRunRow(SQLModel, table=True):
    """One run of a job."""

    __tablename__ = "job_runs"
    __table_args__ = (Index(None, "job", "for_date"),)

    id: str = Field(primary_key=True, max_length=100)
    job: str = Field(max_length=32)
    for_date: date
    started_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    outcome: str | None = Field(default=None, max_length=16)
    detail: str = Field(sa_column=Column(Text, nullable=False))


class DigestRow(SQLModel, table=True):
    """The digest of one date."""

    __tablename__ = "digests"

    on_date: date = Field(primary_key=True)
    written_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    content_json: str = Field(sa_column=Column(Text, nullable=False))
    spoken: str = Field(sa_column=Column(Text, nullable=False))
    html: str = Field(sa_column=Column(Text, nullable=False))


class SqlJobRunStore:
    """Keeps job runs in the database; satisfies `JobRunStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self, run: JobRun) -> bool:
        """Record that a run begins; False, and nothing changed, when one with this id has begun before."""
        with writing(self._engine) as session:
            return insert_once(session, JobRunRow(**asdict(run)), unique=["id"])

    def finish(self, run_id: str, outcome: JobOutcome, *, at: datetime, detail: str = "") -> JobRun:
        """Record how a run ended, once; raises JobUnknown and JobFinished."""
        statement = (
            update(JobRunRow)
            .where(col(JobRunRow.id) == run_id, col(JobRunRow.outcome).is_(None))
            .values(outcome=outcome, finished_at=at, detail=detail)
        )
        with writing(self._engine) as session:
            changed_rows(session, statement)
            row = session.get(JobRunRow, run_id)
            if row is None:
                raise JobUnknown(f"no run has the id {run_id}")
            if row.outcome != outcome:
                raise JobFinished(f"run {run_id} ended as {row.outcome}, not as {outcome}")
            return _run(row)

    def get(self, run_id: str) -> JobRun:
        """Return a run; raises JobUnknown."""
        with reading(self._engine) as session:
            row = session.get(JobRunRow, run_id)
            if row is None:
                raise JobUnknown(f"no run has the id {run_id}")
            return _run(row)

    def unfinished(self) -> Sequence[JobRun]:
        """Return runs without an outcome, oldest first."""
        statement = (
            select(JobRunRow)
            .where(col(JobRunRow.outcome).is_(None))
            .order_by(col(JobRunRow.started_at), col(JobRunRow.id))
        )
        with reading(self._engine) as session:
            return [_run(row) for row in session.exec(statement)]

    def latest(self, job: str, *, limit: int = 10) -> Sequence[JobRun]:
        """Return the runs of a job, latest date first."""
        statement = (
            select(JobRunRow)
            .where(JobRunRow.job == job)
            .order_by(col(JobRunRow.for_date).desc(), col(JobRunRow.id).desc())
            .limit(limit)
        )
        with reading(self._engine) as session:
            return [_run(row) for row in session.exec(statement)]


class SqlDigestStore:
    """Keeps digests in the database; satisfies `DigestStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, digest: StoredDigest) -> bool:
        """Keep a digest; False, and nothing changed, when there is one for its date."""
        row = DigestRow(
            on_date=digest.date,
            written_at=digest.written_at,
            content_json=digest.content_json,
            spoken=digest.spoken,
            html=digest.html,
        )
        with writing(self._engine) as session:
            return insert_once(session, row, unique=["on_date"])

    def get(self, on: date) -> StoredDigest | None:
        """Return the digest of a date, or None."""
        with reading(self._engine) as session:
            row = session.get(DigestRow, on)
            return None if row is None else _digest(row)

    def latest(self, *, limit: int = 1) -> Sequence[StoredDigest]:
        """Return the last digests, latest date first."""
        statement = select(DigestRow).order_by(col(DigestRow.on_date).desc()).limit(limit)
        with reading(self._engine) as session:
            return [_digest(row) for row in session.exec(statement)]


def _run(row: JobRunRow) -> JobRun:
    outcome = None if row.outcome is None else JobOutcome(row.outcome)
    return JobRun(**row.model_dump(exclude={"outcome"}), outcome=outcome)


def _digest(row: DigestRow) -> StoredDigest:
    return StoredDigest(
        date=row.on_date,
        written_at=row.written_at,
        content_json=row.content_json,
        spoken=row.spoken,
        html=row.html,
    )
