"""A DingTalk group robot on loopback that is as strict as the real one.

Written from the provider's description, not from our sender: it computes the signature by itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "3f1d9a70c2b84e6d9f05a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6"
SECRET = "SEC0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
MINUTE = timedelta(minutes=1)
SKEW = timedelta(hours=1)
MAX_BODY_BYTES = 20_000


@dataclass
class GroupRobot:
    """One robot: what it demands, and what it has shown to the group."""

    now: Callable[[], datetime]
    keyword: str | None = None
    shown: list[dict[str, Any]] = field(default_factory=list)
    shown_at: list[datetime] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    blocked_until: datetime | None = None
    answer: Callable[[], Response] | None = None
    """Answers instead of the robot, to play a broken provider."""

    async def receive(self, request: Request) -> Response:
        if self.answer is not None:
            return self.answer()
        code, text = self._judge(request, await request.body())
        if code:
            self.refused.append(code)
        return JSONResponse({"errcode": code, "errmsg": text})

    def _judge(self, request: Request, body: bytes) -> tuple[int, str]:
        query = request.query_params
        if query.get("access_token") != TOKEN:
            return 300001, f"token is not exist: {query.get('access_token')}"
        timestamp = query.get("timestamp", "")
        if not timestamp.isdigit():
            return 310000, "invalid timestamp"
        if abs(self.now().timestamp() - int(timestamp) / 1000) > SKEW.total_seconds():
            return 310000, "invalid timestamp, more than 1 hour from now"
        digest = hmac.new(SECRET.encode(), f"{timestamp}\n{SECRET}".encode(), hashlib.sha256).digest()
        if query.get("sign") != base64.b64encode(digest).decode():
            return 310000, "sign not match"
        if self._too_many():
            return 130101, "send too fast, exceed 20 times per minute"
        if len(body) > MAX_BODY_BYTES:
            return 460101, "message too long"
        try:
            message = json.loads(body)
        except ValueError:
            return 40035, "json is required"
        text = self._text_of(message)
        if text is None:
            return 400105, "unsupported or incomplete message"
        if self.keyword is not None and self.keyword not in text:
            return 310000, "keywords not in content"
        self.shown.append(message)
        self.shown_at.append(self.now())
        return 0, "ok"

    def _too_many(self) -> bool:
        now = self.now()
        if self.blocked_until is not None and now < self.blocked_until:
            return True
        if len([at for at in self.shown_at if at > now - MINUTE]) >= 20:
            self.blocked_until = now + 10 * MINUTE
            return True
        return False

    def _text_of(self, message: dict[str, Any]) -> str | None:
        kind = message.get("msgtype")
        part = message.get(kind) if kind in {"markdown", "actionCard"} else None
        if not isinstance(part, dict) or not part.get("title") or not part.get("text"):
            return None
        if kind == "actionCard" and not (part.get("singleURL") or part.get("btns")):
            return None
        return str(part["text"])


@contextmanager
def serving(robot: GroupRobot) -> Iterator[str]:
    """Serve the robot on a free port and yield the API's address."""
    app = Starlette(routes=[Route("/robot/send", robot.receive, methods=["POST"])])
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    )
    ready = threading.Event()
    startup = server.startup

    async def announce(*args: Any, **kwargs: Any) -> None:
        await startup(*args, **kwargs)
        ready.set()

    server.startup = announce  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
