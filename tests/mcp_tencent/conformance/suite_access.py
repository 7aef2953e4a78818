"""Serving something to the suite, which has no way to send a token: a door in front adds one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import uvicorn
from mcp.server.streamable_http import EventStore
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_tencent.gateway.call import Permission
from mcp_tencent.serving.http import HttpSettings, http_app
from mcp_tencent.serving.server import GatewayServer
from mcp_tencent.serving.tokens import TokenStore


class BearerOfTheSuite:
    """Adds the token; everything behind it is the application as it is."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._header = (b"authorization", f"Bearer {token}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], self._header]}
        await self._app(scope, receive, send)


async def serve_to_the_suite(server: GatewayServer, events: EventStore | None = None) -> None:
    """Serve on a free loopback port until SIGTERM; prints the URL when ready."""
    tokens = TokenStore(server.gateway.engine, server.gateway.clock)
    token = tokens.issue("suite", {Permission.READ}, life=timedelta(hours=1)).token
    app = BearerOfTheSuite(http_app(server, tokens, HttpSettings(events=events)), token)
    web = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(web.serve())
    while not web.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
        await asyncio.sleep(0.01)
    print(f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}/mcp", flush=True)
    await task
