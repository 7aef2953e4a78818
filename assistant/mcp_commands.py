"""`xiaozhi mcp`: one MCP server alone, for an IDE, say. `xiaozhi tokens`: who may reach it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption, require_local_cloud
from assistant.server_name import ServerName

if TYPE_CHECKING:
    from assistant.servers import Installation
    from mcp_tencent.gateway.call import Caller
    from mcp_tencent.serving.tokens import TokenStore

tokens_app = typer.Typer(
    name="tokens", help="Bearer tokens for MCP hosts that come over HTTP.", no_args_is_help=True
)


class Transport(StrEnum):
    """How hosts reach a server."""

    STDIO = "stdio"
    HTTP = "http"


TransportOption = Annotated[Transport, typer.Option("--transport", help="How hosts reach it.")]
ScenarioOption = Annotated[
    str | None,
    typer.Option("--scenario", metavar="NAME|FILE", help="An embedded local cloud, not the configured one."),
]
PermissionOption = Annotated[
    list[str], typer.Option("--permission", help="read, operate, rollback, configure or admin; repeatable.")
]


def mcp(
    server: Annotated[ServerName, typer.Argument(help="Which server.")],
    transport: TransportOption = Transport.STDIO,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="With http.")] = 8751,
    scenario: ScenarioOption = None,
    home: HomeOption = None,
) -> None:
    """Serve one MCP server: on standard input and output, or over HTTP behind bearer tokens.

    Over standard input and output the one who starts it acts, with every permission: whoever may start it on
    the device may configure the device. What is dangerous asks for a confirmation all the same.
    """
    from mcp_tencent.serving.masking import log_to_stderr

    log_to_stderr()
    for chatty in ("httpx", "httpx2", "drain3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    with _installation(home, scenario) as installation:
        served = (
            _serve_stdio(server, installation)
            if transport is Transport.STDIO
            else _serve_http(server, installation, port)
        )
        asyncio.run(served)


@contextmanager
def _installation(home: Path | None, scenario: str | None) -> Iterator[Installation]:
    from assistant.home import find_home
    from assistant.servers import configured, on_local_cloud
    from assistant.settings_loading import load_settings

    place = find_home(home, os.environ)
    settings, _ = load_settings(place, os.environ)
    if scenario is None:
        yield configured(place, settings, os.environ)
        return
    require_local_cloud()
    from mcp_tencent.local_cloud.server import LocalCloud

    with LocalCloud(scenario) as cloud:
        yield on_local_cloud(place, settings, os.environ, cloud)


async def _serve_stdio(name: ServerName, installation: Installation) -> None:
    from assistant.servers import open_server
    from mcp_tencent.serving.stdio import serve_stdio

    async with open_server(name, installation, otherwise=_console()) as server:
        await serve_stdio(server)


async def _serve_http(name: ServerName, installation: Installation, port: int) -> None:
    from assistant.servers import open_server
    from mcp_tencent.serving.http import http_app, serve_http
    from mcp_tencent.serving.tokens import TokenStore

    host = installation.settings.http.host
    async with open_server(name, installation) as server:
        tokens = TokenStore(server.gateway.engine, server.gateway.clock)
        typer.echo(f"{server.name}: http://{host}:{port}/mcp", err=True)
        await serve_http(http_app(server, tokens), host=host, port=port)


def _console() -> Caller:
    from mcp_tencent.gateway.call import Caller, CallerKind, Permission

    return Caller(name="console", kind=CallerKind.PERSON, permissions=frozenset(Permission))


@tokens_app.command("issue")
def issue_token(
    person: Annotated[str, typer.Argument(help="Whom it stands for; the audit names them.")],
    permission: PermissionOption,
    label: Annotated[str, typer.Option("--label", help="What it is for, such as IDE.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How long it holds.")] = 90,
    home: HomeOption = None,
) -> None:
    """Make a token and print it: it is shown this once, and kept as a hash only."""
    from mcp_tencent.gateway.call import Permission

    known = [one.value for one in Permission]
    if unknown := [one for one in permission if one not in known]:
        raise typer.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(known)}")
    with _tokens(home) as store:
        issued = store.issue(
            person, [Permission(one) for one in permission], life=timedelta(days=days), label=label
        )
    typer.echo(issued.token)
    typer.echo(f"Token {issued.id} of {person}, until {issued.expires_at:%Y-%m-%d}.", err=True)


@tokens_app.command("list")
def list_tokens(
    person: Annotated[str, typer.Argument(help="Whose tokens.")], home: HomeOption = None
) -> None:
    """List somebody's tokens."""
    with _tokens(home) as store:
        for row in store.of(person):
            state = "revoked" if row.revoked_at else f"until {row.expires_at:%Y-%m-%d}"
            typer.echo(f"{row.id}  {row.permissions}  {state}  {row.label}")


@tokens_app.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    home: HomeOption = None,
) -> None:
    """End a token at once."""
    with _tokens(home) as store:
        revoked = store.revoke(token_id)
    if not revoked:
        typer.echo(f"error: there is no valid token {token_id}", err=True)
        raise typer.Exit(1)
    typer.echo(f"Revoked {token_id}.")


@contextmanager
def _tokens(home: Path | None) -> Iterator[TokenStore]:
    from assistant.app import open_records
    from assistant.clock import SystemClock
    from assistant.home import find_home
    from assistant.settings_loading import load_settings
    from mcp_tencent.serving.tokens import TokenStore

    place = find_home(home, os.environ)
    settings, _ = load_settings(place, os.environ)
    with open_records(place, settings) as database:
        yield TokenStore(database.engine, SystemClock())
