"""Answers that go on: watches and followed logs.

They end when the client leaves, when their time is up, or when the app closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from starlette.types import Receive, Send

_POLL_SECONDS = 0.05
"""How often a stream looks for something new: the world moves by requests and by its clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An answer in pieces."""

    content_type: str
    pieces: Callable[[], Iterator[bytes] | None]
    """Returns what is new since the last call; None at the end."""
    seconds: float
    """How long it may go on, in real time."""
    last: Callable[[], bytes] = lambda: b""
    """Returns what is sent when the time is up."""


async def send_stream(
    stream: Stream,
    receive: Receive,
    send: Send,
    catch_up: Callable[[], None],
    is_closing: Callable[[], bool],
) -> None:
    """Send a stream until it ends."""
    headers = [(b"content-type", stream.content_type.encode()), (b"cache-control", b"no-cache, private")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    left = asyncio.ensure_future(_until_left(receive))
    end = asyncio.get_running_loop().time() + stream.seconds
    try:
        while not left.done() and not is_closing():
            catch_up()
            pieces = stream.pieces()
            if pieces is None:
                break
            for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if asyncio.get_running_loop().time() >= end:
                await send({"type": "http.response.body", "body": stream.last(), "more_body": True})
                break
            await asyncio.wait([left], timeout=_POLL_SECONDS)
        if not left.done():
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        left.cancel()


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
