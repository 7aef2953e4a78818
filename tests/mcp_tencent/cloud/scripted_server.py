"""A real HTTP server that answers what a test tells it to, with all the ways in which a cloud can fail."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def action(self) -> str:
        return self.headers.get("x-tc-action", "")

    @property
    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body or b"{}")
        return found


@dataclass(frozen=True, slots=True)
class Reply:
    """A proper answer."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is cut after `after_bytes` of a longer answer; 0 for none at all."""

    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Drip:
    """A byte every so often, for ever: no single read times out, and nothing ever ends."""

    every_seconds: float = 0.02


Answer = Reply | Reset | Drip
Script = Callable[[Asked], Answer]


@dataclass(slots=True)
class ScriptedServer:
    """Where it listens and what was asked of it."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    first_asked: asyncio.Event = field(default_factory=asyncio.Event)
    cut_by_client: asyncio.Event = field(default_factory=asyncio.Event)

    def actions(self) -> list[str]:
        return [asked.action for asked in self.asked]


def ok(**fields: object) -> Reply:
    """A proper answer of Tencent Cloud API 3.0."""
    return Reply(json.dumps({"Response": {"RequestId": "r-1", **fields}}).encode())


def failed(code: str, message: str = "no") -> Reply:
    """An error as Tencent Cloud API 3.0 gives it: with HTTP 200."""
    return ok(Error={"Code": code, "Message": message})


def status_object(code: int, reason: str, message: str = "no") -> Reply:
    """An error as the Kubernetes API gives it."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }
    return Reply(json.dumps(body).encode(), status=code)


def in_turn(*answers: Answer) -> Script:
    """Give the answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@asynccontextmanager
async def scripted(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedServer]:
    """Serve on a free loopback port while the block runs."""
    told = ScriptedServer()
    handlers: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        told.connections += 1
        handlers.add(task)
        try:
            while (asked := await _read(reader)) is not None:
                told.asked.append(asked)
                told.first_asked.set()
                if not await _answer(script(asked), writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            told.cut_by_client.set()
        finally:
            handlers.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    told.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield told
    finally:
        server.close()
        running = [task for task in handlers if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = head[0].split(" ")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)


async def _answer(answer: Answer, writer: asyncio.StreamWriter) -> bool:
    match answer:
        case Reply():
            head = f"HTTP/1.1 {answer.status} X\r\nContent-Length: {len(answer.body)}\r\n"
            head += f"Content-Type: {answer.content_type}\r\n" if answer.content_type else ""
            writer.write(head.encode() + b"\r\n" + answer.body)
            await writer.drain()
            return True
        case Reset():
            if answer.after_bytes:
                start = b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
                writer.write(start + b"{" * answer.after_bytes)
                await writer.drain()
            writer.transport.abort()
            return False
        case Drip():
            writer.write(
                b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n\r\n"
            )
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(answer.every_seconds)


class InstantTiming:
    """Sleeps without waiting and remembers for how long."""

    def __init__(self, on_sleep: Callable[[float], Awaitable[None] | None] | None = None) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._on_sleep = on_sleep

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        if self._on_sleep is not None:
            awaited = self._on_sleep(seconds)
            if awaited is not None:
                await awaited
