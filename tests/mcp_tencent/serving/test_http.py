"""Streamable HTTP over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from sqlalchemy import text

from mcp_tencent.gateway.call import Permission
from mcp_tencent.serving.http import HttpSettings, http_app
from mcp_tencent.serving.identity import acting_as
from mcp_tencent.serving.tokens import TokenStore
from tests.mcp_tencent.gateway.calls import OWNER
from tests.mcp_tencent.serving.answers import body, error_of, yes_to
from tests.mcp_tencent.serving.web import serving

DAY = timedelta(days=1)
ME = {"name": "t", "version": "1"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture
def tokens(file_database, clock):
    return TokenStore(file_database.engine, clock)


@pytest.fixture
def reader(tokens):
    return tokens.issue("值班员", {Permission.READ}, life=DAY)


@pytest.fixture
def owner(tokens):
    return tokens.issue("负责人", {Permission.READ, Permission.ROLLBACK}, life=DAY)


@pytest.fixture
def app(server, tokens):
    return http_app(server, tokens, HttpSettings(origins=["https://console.example"], most_body_bytes=10_000))


@asynccontextmanager
async def connected(url: str, token: str, mode: str = "auto") -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers) as web,
        Client(streamable_http_client(f"{url}/mcp", http_client=web), mode=mode) as client,
    ):
        yield client


async def post(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as web:
        return await web.post(f"{url}/mcp", json=HELLO, headers={**ACCEPT, **headers})


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_token_decides_who_calls_and_what_they_may(app, gateway, reader, owner, shop, mode):
    async with serving(app) as url:
        async with connected(url, reader.token, mode) as client:
            seen = await client.call_tool("list_pods", {"workload": "orders"})
            refused = await client.call_tool("restart_workload", {"workload": "orders"})
        async with connected(url, owner.token, mode) as client:
            asked = await client.call_tool("restart_workload", {"workload": "orders"})
            yes = yes_to(asked)
            done = await client.call_tool("restart_workload", {"workload": "orders"}, meta=yes)
    assert body(seen)["pods"] == ["orders-7d9f8b6c5d-x2x9z"]
    assert error_of(refused)["code"] == "not_permitted"
    assert not done.is_error
    assert shop.restarts == ["orders"]
    assert {row.person for row in gateway.trail.lines()} == {"值班员", "负责人"}


async def test_one_persons_confirmation_is_no_use_to_another(app, tokens, owner, shop):
    other = tokens.issue("另一位", {Permission.ROLLBACK}, life=DAY)
    async with serving(app) as url:
        async with connected(url, owner.token) as client:
            asked = await client.call_tool("restart_workload", {"workload": "orders"})
        yes = yes_to(asked)
        async with connected(url, other.token) as client:
            stolen = await client.call_tool("restart_workload", {"workload": "orders"}, meta=yes)
    assert error_of(stolen)["code"] == "confirmation_refused"
    assert shop.restarts == []


async def test_whoever_acts_in_the_process_lends_nothing_to_http(app, reader, shop):
    with acting_as(OWNER):
        async with serving(app) as url, connected(url, reader.token) as client:
            refused = await client.call_tool("restart_workload", {"workload": "orders"})
    assert error_of(refused)["code"] == "not_permitted"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic eHo6eHo=", "Bearer xz_" + "a" * 43, "xz_" + "a" * 43]
)
async def test_without_a_good_token_nobody_reaches_the_protocol(app, header):
    async with serving(app) as url:
        answer = await post(url, **({"Authorization": header} if header else {}))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_revoked_token_ends_a_session_under_way(app, tokens, reader):
    good = {"Authorization": f"Bearer {reader.token}"}
    async with serving(app) as url:
        first = await post(url, **good)
        assert first.status_code == 200
        tokens.revoke(reader.id)
        after = await post(url, **good, **{"mcp-session-id": first.headers["mcp-session-id"]})
    assert after.status_code == 401


async def test_an_expired_token_is_over(app, clock, reader):
    clock.advance(DAY.total_seconds())
    async with serving(app) as url:
        assert (await post(url, Authorization=f"Bearer {reader.token}")).status_code == 401


async def test_another_person_cannot_use_my_session(app, reader, owner):
    async with serving(app) as url:
        mine = await post(url, Authorization=f"Bearer {reader.token}")
        session = {"mcp-session-id": mine.headers["mcp-session-id"]}
        theirs = await post(url, Authorization=f"Bearer {owner.token}", **session)
    assert theirs.status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80"])
@pytest.mark.parametrize("path", ["/mcp", "/healthz", "/metrics"])
async def test_a_foreign_host_is_refused_whatever_the_path(app, reader, host, path):
    async with serving(app) as url, httpx.AsyncClient() as web:
        answer = await web.get(
            f"{url}{path}", headers={"Host": host, "Authorization": f"Bearer {reader.token}"}
        )
    assert answer.status_code == 421


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1.evil.example", 403),
        ("https://console.example", 200),
        ("http://localhost:3000", 200),
    ],
)
async def test_pages_of_other_sites_are_refused(app, reader, origin, status):
    async with serving(app) as url:
        answer = await post(url, Authorization=f"Bearer {reader.token}", Origin=origin)
    assert answer.status_code == status


async def test_a_body_that_is_too_large_is_refused(app, reader):
    async with serving(app) as url, httpx.AsyncClient() as web:
        answer = await web.post(
            f"{url}/mcp",
            content=b'{"a":"' + b"x" * 20_000 + b'"}',
            headers={**ACCEPT, "Content-Type": "application/json", "Authorization": f"Bearer {reader.token}"},
        )
    assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 5_000, b"\xff\xfe", b"null", b'{"jsonrpc":"1.0"}'])
async def test_nonsense_is_refused_and_breaks_nothing(app, reader, body):
    good = {**ACCEPT, "Content-Type": "application/json", "Authorization": f"Bearer {reader.token}"}
    async with serving(app) as url, httpx.AsyncClient() as web:
        answer = await web.post(f"{url}/mcp", content=body, headers=good)
        assert 400 <= answer.status_code < 500
        assert (await web.get(f"{url}/healthz")).text == "ok\n"


async def test_the_probes_tell_health_readiness_and_counts(app, reader):
    async with serving(app) as url, httpx.AsyncClient() as web:
        async with connected(url, reader.token) as client:
            await client.call_tool("list_pods", {})
        ready = await web.get(f"{url}/readyz")
        metrics = await web.get(f"{url}/metrics")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "checks": {"store": True}, "systems_down": []}
    assert (
        'xiaozhi_tool_calls_total{origin="fresh",outcome="done",risk="R",tool="list_pods"} 1.0'
        in metrics.text
    )
    assert "值班员" not in metrics.text


async def test_without_its_store_a_server_is_alive_but_not_ready(app, file_database):
    with file_database.engine.begin() as connection:
        connection.execute(text("DROP TABLE gateway_audit_head"))
    async with serving(app) as url, httpx.AsyncClient() as web:
        assert (await web.get(f"{url}/healthz")).status_code == 200
        ready = await web.get(f"{url}/readyz")
    assert (ready.status_code, ready.json()["checks"]) == (503, {"store": False})
