"""Bearer tokens of persons: shown once, kept as a hash, with an end, revocable at once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, update
from sqlmodel import col, select

from mcp_tencent.gateway.call import Caller, CallerKind, Clock, Permission
from mcp_tencent.gateway.records import TokenRow
from mcp_tencent.tables import changed_rows, reading, writing

PREFIX = "xz_"
LONGEST_LIFE = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A fresh token; `token` is never to be had again."""

    id: str
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownToken:
    """A good token: its id, and whom it stands for."""

    id: str
    caller: Caller


class TokenStore:
    """Issues, checks and revokes bearer tokens.

    Args:
        engine: Where their hashes are kept; plain SHA-256, for a token is 256 random bits and no password.
        clock: Decides about their end.
        grants: What a person may do today; a token never gives more than that. None leaves it to the token.
    """

    def __init__(
        self, engine: Engine, clock: Clock, *, grants: Callable[[str], frozenset[Permission]] | None = None
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._grants = grants

    def issue(
        self,
        person: str,
        permissions: Iterable[Permission],
        *,
        life: timedelta,
        namespaces: Iterable[str] | None = None,
        kind: CallerKind = CallerKind.THIRD_PARTY,
        label: str = "",
    ) -> IssuedToken:
        """Make a token for `person`.

        Args:
            person: Whom it stands for.
            permissions: What its holder may do.
            life: For how long, at most a year.
            namespaces: Where `rollback` holds; None means everywhere.
            kind: Another MCP host acts for the person, unless said otherwise; never a service job.
            label: What the person calls it, e.g. "IDE".

        Raises:
            ValueError: A life that is not one, or a kind that cannot hold tokens.
        """
        if not timedelta(0) < life <= LONGEST_LIFE:
            raise ValueError(f"a token lives for more than nothing and at most {LONGEST_LIFE.days} days")
        if kind is CallerKind.SERVICE_JOB:
            raise ValueError("service jobs call from inside the process and hold no tokens")
        token = f"{PREFIX}{secrets.token_urlsafe(32)}"
        now = self._clock.now()
        row = TokenRow(
            id=secrets.token_hex(6),
            token_hash=_hash(token),
            person=person,
            kind=kind.value,
            permissions=",".join(sorted(permissions)),
            namespaces=None if namespaces is None else ",".join(sorted(namespaces)),
            label=label,
            created_at=now,
            expires_at=now + life,
        )
        with writing(self._engine) as session:
            session.add(row)
        return IssuedToken(id=row.id, token=token, expires_at=row.expires_at)

    def check(self, token: str) -> KnownToken | None:
        """Return whom `token` stands for; None when it is unknown, over or revoked."""
        if not token.startswith(PREFIX) or len(token) > 200:
            return None
        with reading(self._engine) as session:
            row = session.exec(select(TokenRow).where(col(TokenRow.token_hash) == _hash(token))).first()
        if row is None or row.revoked_at is not None or row.expires_at <= self._clock.now():
            return None
        permissions = frozenset(Permission(name) for name in row.permissions.split(",") if name)
        if self._grants is not None:
            permissions &= self._grants(row.person)
        caller = Caller(
            name=row.person,
            kind=CallerKind(row.kind),
            permissions=permissions,
            namespaces=None if row.namespaces is None else frozenset(row.namespaces.split(",")),
        )
        return KnownToken(id=row.id, caller=caller)

    def revoke(self, token_id: str) -> bool:
        """End a token now; tell whether there was one to end."""
        over = (
            update(TokenRow)
            .where(col(TokenRow.id) == token_id, col(TokenRow.revoked_at).is_(None))
            .values(revoked_at=self._clock.now())
        )
        with writing(self._engine) as session:
            return changed_rows(session, over) == 1

    def of(self, person: str) -> Sequence[TokenRow]:
        """Return a person's tokens, newest first."""
        wanted = (
            select(TokenRow).where(col(TokenRow.person) == person).order_by(col(TokenRow.created_at).desc())
        )
        with reading(self._engine) as session:
            return session.exec(wanted).all()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
