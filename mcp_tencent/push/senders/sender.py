"""The port to a provider: takes one part of a report, or says precisely why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mcp_tencent.push.message import Report
from mcp_tencent.push.pacing import RateLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message to hand over now."""

    report: Report
    recipients: tuple[str, ...]
    """E-mail addresses, or the one robot's name."""
    part: int
    """Which of the report's messages, from 0."""
    key: str
    """Idempotency key, the same for every attempt."""
    at: datetime
    """When the delivery was asked for, aware, the same for every attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One recipient that the provider did not accept while it accepted others."""

    recipient: str
    reason: str
    permanent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The provider took the message, for all recipients but the refused ones."""

    refused: tuple[Refusal, ...] = ()


class Sender(Protocol):
    """One channel's way out. Stateless between calls; knows nothing of retries."""

    def limit(self) -> RateLimit | None:
        """Return the provider's limit on messages to one target, or None when there is none to keep."""
        ...

    def part_count(self, report: Report) -> int:
        """Return of how many messages the report consists on this channel; at least 1."""
        ...

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand one message over.

        Raises:
            SendRefused: it will never be taken.
            SendUnavailable: it was not taken now.
            SendBlocked: too many messages; none is taken for some minutes.
            ChannelNotConfigured: there is nothing to send it with.
        """
        ...
