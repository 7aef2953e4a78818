"""What all tables share: instants in UTC, constraint names, transactions, and claiming a row exactly once.

Records of every package live in one database, SQLite or PostgreSQL. This module knows both dialects, so that
the stores need not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Delete, Dialect, Engine, Update, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

# Named constraints can be altered and dropped by a later migration on both databases.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

SQLITE_BEGIN = "sqlite_begin"
"""Execution option: how a transaction begins on SQLite, `DEFERRED` (default) or `IMMEDIATE`."""


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware instant: kept as UTC, read back aware (UTC) on SQLite and on PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` in UTC for the driver.

        Raises:
            ValueError: `value` has no UTC offset, so that nobody can tell which instant it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"only timezone-aware instants are stored, got {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what the driver read as an aware instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Open a session that only reads; it never waits for a writer on SQLite."""
    with Session(engine, expire_on_commit=False) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Open a session that writes: commits at the end, rolls back on any exception.

    On SQLite the write lock is taken at once. A transaction that reads first and asks for the lock later
    would be refused without waiting when somebody else has written in between.
    """
    write_engine = engine.execution_options(**{SQLITE_BEGIN: "IMMEDIATE"})
    with Session(write_engine, expire_on_commit=False) as session, session.begin():
        yield session


def insert_once(session: Session, row: SQLModel, *, unique: Sequence[str]) -> bool:
    """Insert `row` unless a row with the same values in the `unique` columns stands already.

    Returns:
        Whether this call inserted it. Of any number of concurrent callers exactly one gets True.
    """
    values: dict[str, Any] = row.model_dump(exclude_none=True)
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(type(row)).values(**values).on_conflict_do_nothing(index_elements=list(unique))
    # Not the row count: some drivers do not know it for an INSERT that found a conflict.
    return session.connection().execute(statement.returning(literal(1))).first() is not None


def changed_rows(session: Session, statement: Update | Delete) -> int:
    """Execute an UPDATE or DELETE and return how many rows it changed."""
    return session.connection().execute(statement).rowcount


def stable_id(prefix: str, key: str) -> str:
    """Return a short id that is the same for the same key, such as `inc-3f9a0c1d2b4e`."""
    return f"{prefix}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
