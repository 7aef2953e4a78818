"""The gateway's tables: confirmations, idempotency keys, the audit chain and its head, bearer tokens."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Text
from sqlmodel import Field, SQLModel

from mcp_tencent.tables import UtcDateTime


class ConfirmationRow(SQLModel, table=True):
    """A question that was read back to a person and waits for a yes."""

    __tablename__ = "gateway_confirmations"

    token_hash: str = Field(primary_key=True, max_length=64)
    digest: str = Field(max_length=64)
    person: str
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    used_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class KeyState(StrEnum):
    """How far the act behind an idempotency key has come."""

    STARTED = "started"
    DONE = "done"
    UNKNOWN = "unknown"
    """It ended without telling how."""


class KeyRow(SQLModel, table=True):
    """One intent, named by its idempotency key, and what came of it."""

    __tablename__ = "gateway_keys"

    key: str = Field(primary_key=True, max_length=200)
    tool: str
    digest: str = Field(max_length=64)
    person: str
    attempt: str = Field(max_length=32)
    state: str = Field(max_length=8)
    started_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    lease_until: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    result: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class AuditRow(SQLModel, table=True):
    """One line of the audit: what was asked for, by whom, and what came of it."""

    __tablename__ = "gateway_audit"

    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    trace_id: str = Field(max_length=64, index=True)
    person: str
    kind: str = Field(max_length=16)
    tool: str
    risk: str = Field(max_length=1)
    arguments: str = Field(sa_column=Column(Text, nullable=False))
    outcome: str = Field(max_length=64)
    origin: str = Field(max_length=16)
    result_digest: str = Field(max_length=64)
    duration_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    previous: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class AuditHeadRow(SQLModel, table=True):
    """Where the audit chain ends; the single row is also the lock that keeps writers in line."""

    __tablename__ = "gateway_audit_head"

    id: int = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: str = Field(max_length=64)


class TokenRow(SQLModel, table=True):
    """A bearer token of a person, by its hash."""

    __tablename__ = "gateway_tokens"

    id: str = Field(primary_key=True, max_length=32)
    token_hash: str = Field(max_length=64, unique=True)
    person: str = Field(index=True)
    kind: str = Field(max_length=16)
    permissions: str
    namespaces: str | None = None
    label: str = ""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


TABLES = (ConfirmationRow, KeyRow, AuditRow, AuditHeadRow, TokenRow)
