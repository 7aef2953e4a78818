"""Streamable HTTP: the protocol behind bearer tokens, probes, metrics; foreign hosts and origins refused."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import uvicorn
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from mcp.server.streamable_http import EventStore
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Engine
from sqlmodel import select
from starlette.applications import Starlette
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_tencent.gateway.breaker import CircuitState
from mcp_tencent.gateway.errors import StoreUnavailable
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.gateway.records import AuditHeadRow
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.serving.identity import StoredTokens
from mcp_tencent.serving.server import GatewayServer
from mcp_tencent.serving.tokens import TokenStore
from mcp_tencent.tables import reading

_log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
Check = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """How a server is offered over HTTP.

    Args:
        path: Where the protocol is spoken.
        hosts: Names under which clients may address it (without port); anything else is a DNS rebinding.
        origins: Web origins that may call it, e.g. "https://console.example"; pages of other sites may not.
        most_body_bytes: The largest request.
        events: Keeps what was sent, for clients that lost their connection; None keeps nothing.
    """

    path: str = "/mcp"
    hosts: Sequence[str] = LOOPBACK
    origins: Sequence[str] = ()
    most_body_bytes: int = 1_000_000
    events: EventStore | None = None

    def security(self) -> TransportSecuritySettings:
        """Return the SDK's form of it."""
        own = [f"{scheme}://{host}" for host in self.hosts for scheme in ("http", "https")]
        origins = [*own, *(f"{origin}:*" for origin in own), *self.origins]
        hosts = [*self.hosts, *(f"{host}:*" for host in self.hosts)]
        return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)


def http_app(
    server: GatewayServer,
    tokens: TokenStore,
    settings: HttpSettings | None = None,
    *,
    checks: Mapping[str, Check] | None = None,
) -> Starlette:
    """Return the web application for `server`.

    Args:
        server: What is offered.
        tokens: Tells whom a bearer token stands for; without a good one nobody reaches the protocol.
        settings: Where and to whom.
        checks: Further conditions of being ready, by name.
    """
    settings = settings or HttpSettings()
    app = server.streamable_http_app(
        streamable_http_path=settings.path,
        transport_security=settings.security(),
        max_request_body_size=settings.most_body_bytes,
        event_store=settings.events,
    )
    _add_probes(app, server.gateway, {"store": _store_check(server.gateway.engine), **(checks or {})})
    app.add_middleware(_TokenNeeded)
    app.add_middleware(AuthContextMiddleware)
    app.add_middleware(AuthenticationMiddleware, backend=BearerAuthBackend(StoredTokens(tokens)))
    app.add_middleware(_KnownHost, settings=settings.security())
    return app


class _TokenNeeded:
    """Lets nobody without a good token to the protocol; the probes say nothing that matters."""

    def __init__(self, app: ASGIApp) -> None:
        self._open = app
        self._guarded = RequireAuthMiddleware(app, required_scopes=[])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        probe = scope["type"] == "lifespan" or scope.get("path") in PROBES
        await (self._open if probe else self._guarded)(scope, receive, send)


class _KnownHost:
    """Refuses requests that name a foreign host or come from a foreign page, whatever their path."""

    def __init__(self, app: ASGIApp, settings: TransportSecuritySettings) -> None:
        self._app = app
        self._security = TransportSecurityMiddleware(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = await self._security.validate_request(Request(scope))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


def _add_probes(app: Starlette, gateway: Gateway, checks: Mapping[str, Check]) -> None:
    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        found = {name: await check() for name, check in checks.items()}
        down = [n for n, circuit in gateway.breaker.circuits.items() if circuit.state is CircuitState.OPEN]
        body = {"ready": all(found.values()), "checks": found, "systems_down": down}
        return JSONResponse(body, status_code=200 if body["ready"] else 503)

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(gateway.metrics), media_type=CONTENT_TYPE_LATEST)

    for probe in (healthz, readyz, metrics):
        app.add_route(f"/{probe.__name__}", probe, methods=["GET"])


def _store_check(engine: Engine) -> Check:
    def look() -> None:
        with reading(engine) as session:
            session.exec(select(AuditHeadRow)).first()

    async def check() -> bool:
        try:
            await in_store(look)
        except StoreUnavailable:
            return False
        return True

    return check


async def serve_http(app: Starlette, *, host: str, port: int) -> None:
    """Serve `app` until the process is told to stop; running calls get ten seconds to end.

    Logs go to where the process's logs go, so that they are masked; there is no access log of URLs.
    """
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=10
    )
    await uvicorn.Server(config).serve()
