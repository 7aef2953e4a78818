"""What the imitated cluster asks of its surroundings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class PodLogs(Protocol):
    """Gives what a container wrote."""

    def lines(
        self, namespace: str, pod: str, container: str, start: datetime, end: datetime
    ) -> Iterable[tuple[datetime, str]]:
        """Return what the container wrote within [start, end), oldest first.

        The kubelet knows when each run of a container began and ended; `start` and `end` are cut to one run.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """What a request wants, before anything is done about it."""

    method: str
    """GET, POST, PUT, PATCH or DELETE."""
    verb: str
    """As RBAC calls it: get, list, watch, create, update, patch, delete, deletecollection."""
    namespace: str
    """Empty for the whole cluster."""
    resource: str
    """Plural: deployments. With its subresource where one is meant: deployments/scale."""
    name: str
    """Empty for a collection."""
    dry_run: bool = False
    """Whether a write is only tried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How a fault of the API answers instead of the API."""

    status: int
    """HTTP status."""
    reason: str
    """As in a Status object: InternalError, ServiceUnavailable, TooManyRequests."""
    message: str


class RequestFaults(Protocol):
    """Faults of the API itself, asked once per authenticated request."""

    def refusal(self, call: ApiCall) -> Refusal | None:
        """Return how to refuse `call`, or None to let it through."""
        ...


class NoFaults:
    """An API in good health."""

    def refusal(self, call: ApiCall) -> Refusal | None:
        """Return None: every call is let through."""
