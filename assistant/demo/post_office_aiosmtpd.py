"""A mail server of our own on this machine: keeps what it is handed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail as it came in.

    Args:
        recipients: Of the envelope.
        content: The whole mail.
    """

    recipients: tuple[str, ...]
    content: bytes


@dataclass(slots=True)
class PostOffice:
    """What has come in."""

    letters: list[Letter] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a mail."""
        content = envelope.content or b""
        whole = content if isinstance(content, bytes) else content.encode()
        self.letters.append(Letter(recipients=tuple(envelope.rcpt_tos), content=whole))
        return "250 OK"


@asynccontextmanager
async def open_post_office(office: PostOffice) -> AsyncIterator[int]:
    """Serve SMTP on a free port of this machine, and yield the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(office, hostname="localhost", loop=loop), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
