"""Persons: who they are, what they may do, when they hear the digest, and their voiceprints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from mcp_tencent.gateway.call import Caller, CallerKind, Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One permission of a person."""

    permission: Permission
    namespaces: frozenset[str] | None = None
    """Where it holds; None = everywhere. Only ROLLBACK may be limited."""

    def __post_init__(self) -> None:
        if self.namespaces is not None and self.permission is not Permission.ROLLBACK:
            raise ValueError(f"only rollback can be limited to namespaces, not {self.permission}")
        if self.namespaces is not None and not self.namespaces:
            raise ValueError("a limit to no namespace at all is no grant: revoke it instead")

    def covers(self, namespace: str) -> bool:
        """Tell whether the permission holds in this namespace."""
        return self.namespaces is None or namespace in self.namespaces


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPreferences:
    """When and how long somebody wants to hear the digest; None = as the device is set."""

    window_start: time | None = None
    window_end: time | None = None
    max_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody the device knows."""

    id: str
    name: str
    created_at: datetime
    grants: tuple[Grant, ...] = ()
    preferences: DigestPreferences = DigestPreferences()

    def may(self, permission: Permission, *, namespace: str | None = None) -> bool:
        """Tell whether this person has the permission, in this namespace where one is given.

        A limited permission is not had where no namespace is given.
        """
        for grant in self.grants:
            if grant.permission is permission:
                return grant.namespaces is None or (namespace is not None and grant.covers(namespace))
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Voiceprint:
    """One enrolled sample of a person's voice, as an embedding."""

    id: str
    person_id: str
    model: str
    """The embedder it was made with; embeddings of different models cannot be compared."""
    created_at: datetime
    embedding: bytes
    """The vector as the embedder's adapter encodes it."""

    def __repr__(self) -> str:
        return f"Voiceprint(id={self.id!r}, person_id={self.person_id!r}, model={self.model!r})"


def sorted_grants(grants: Sequence[Grant]) -> tuple[Grant, ...]:
    """Return grants in the order in which permissions are declared."""
    order = list(Permission)
    return tuple(sorted(grants, key=lambda grant: order.index(grant.permission)))


def caller_of(person: Person) -> Caller:
    """Return the person as the gateway knows callers: by name, with what they may do now."""
    limits = next(
        (grant.namespaces for grant in person.grants if grant.permission is Permission.ROLLBACK), None
    )
    return Caller(
        name=person.name,
        kind=CallerKind.PERSON,
        permissions=frozenset(grant.permission for grant in person.grants),
        namespaces=limits,
    )
