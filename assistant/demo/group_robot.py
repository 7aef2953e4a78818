"""A DingTalk group of our own: takes what the real one would take, and checks the signature by itself."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mcp_tencent.gateway.call import Clock

_SKEW = timedelta(hours=1)
_WRONG, _UNREADABLE = 310000, 40035


@dataclass(slots=True)
class GroupRobot:
    """A group's robot.

    Args:
        clock: Signatures must be of its present, an hour more or less.
    """

    clock: Clock
    token: str = field(default_factory=lambda: token_hex(32))
    secret: str = field(default_factory=lambda: f"SEC{token_hex(32)}")
    shown: list[Mapping[str, str]] = field(default_factory=list)
    """Title and text of each message that was taken."""
    refused: list[str] = field(default_factory=list)

    async def receive(self, request: Request) -> JSONResponse:
        """Answer as the service does: always 200, with a code."""
        reason = self._refusal(request.query_params)
        if reason:
            self.refused.append(reason)
            return JSONResponse({"errcode": _WRONG, "errmsg": reason})
        try:
            message = json.loads(await request.body())
            part = message[message["msgtype"]]
            self.shown.append({"title": str(part["title"]), "text": str(part["text"])})
        except (ValueError, KeyError, TypeError):
            self.refused.append("unreadable")
            return JSONResponse({"errcode": _UNREADABLE, "errmsg": "unreadable"})
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    def _refusal(self, query: Mapping[str, str]) -> str:
        stamp = query.get("timestamp", "")
        if query.get("access_token") != self.token:
            return "token is not exist"
        if (
            not stamp.isdigit()
            or abs(self.clock.now().timestamp() - int(stamp) / 1000) > _SKEW.total_seconds()
        ):
            return "invalid timestamp"
        wanted = hmac.new(self.secret.encode(), f"{stamp}\n{self.secret}".encode(), hashlib.sha256).digest()
        given = query.get("sign", "")
        return "" if hmac.compare_digest(given, base64.b64encode(wanted).decode()) else "sign not match"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program."""
        yield


@asynccontextmanager
async def served(robot: GroupRobot) -> AsyncIterator[str]:
    """Serve the robot on a free port of this machine, and yield its address."""
    app = Starlette(routes=[Route("/robot/send", robot.receive, methods=["POST"])])
    server = _Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
