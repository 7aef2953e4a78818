"""The typed client in front of real servers: in memory and over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic import BaseModel

from assistant.database import open_database
from mcp_tencent.basic.cluster_answers import ClusterLine, ClustersAnswer
from mcp_tencent.client import LONGEST_PAUSE_S, MOST_TRIES, CloudTools, Warrant
from mcp_tencent.errors import NetworkFault, NotFound, ToolFailed, UnexpectedAnswer
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.serving.declare import DryRun, ToolSet
from mcp_tencent.serving.http import HttpSettings, http_app
from mcp_tencent.serving.server import GatewayServer
from mcp_tencent.serving.tokens import TokenStore
from tests.mcp_tencent.gateway.calls import HandClock
from tests.mcp_tencent.serving.web import serving

READS = frozenset({Permission.READ, Permission.OPERATE})
NIGHT = Caller(
    name="night", kind=CallerKind.SERVICE_JOB, permissions=READS, standing_writes=frozenset({"note"})
)


class Noted(BaseModel):
    """What was noted."""

    summary: str
    notes: int


@dataclass
class Ledger:
    """What the tools look at and write into, and how they misbehave."""

    faults: int = 0
    looks: int = 0
    notes: list[str] = field(default_factory=list)


def ledger_tools(ledger: Ledger) -> ToolSet:
    tools = ToolSet(outside="cloud")

    @tools.read("列出集群")
    async def list_clusters(cursor: str | None = None) -> ClustersAnswer:
        """List clusters, one a page."""
        page = int(cursor or 0)
        line = ClusterLine(
            id=f"cls-{page}",
            name=f"集群{page}",
            aliases=[],
            region="ap-guangzhou",
            account="main",
            status="running",
            kubernetes_version="1.30",
            nodes=3,
        )
        return ClustersAnswer(
            summary="三个集群",
            clusters=[line],
            unreached=[],
            left_out=2 - page,
            cursor=str(page + 1) if page < 2 else None,
        )

    @tools.read("看一眼")
    async def look(missing: bool = False) -> Noted:
        """Look; as often as was arranged the network is away first."""
        ledger.looks += 1
        if missing:
            raise NotFound("no such thing")
        if ledger.faults:
            ledger.faults -= 1
            raise NetworkFault("no route to host")
        return Noted(summary="看到了", notes=len(ledger.notes))

    @tools.write("记一笔")
    async def note(text: str, dry_run: DryRun = False) -> Noted:
        """Write something down, and lose the line right after."""
        ledger.notes.append(text)
        if ledger.faults:
            ledger.faults -= 1
            raise NetworkFault("no route to host")
        return Noted(summary="记下了", notes=len(ledger.notes))

    return tools


@dataclass
class Line:
    """A client, the ledger at the other end, and how long it has paused."""

    tools: CloudTools
    ledger: Ledger
    pauses: list[float]


Dial = Callable[[], AbstractAsyncContextManager[Line]]


@asynccontextmanager
async def client_of(server: GatewayServer, way: str, tokens: TokenStore) -> AsyncIterator[Client]:
    if way == "in memory":
        async with Client(server) as client:
            yield client
        return
    token = tokens.issue("值班员", READS, life=timedelta(days=1)).token
    async with serving(http_app(server, tokens, HttpSettings())) as url:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers) as web,
            Client(streamable_http_client(f"{url}/mcp", http_client=web)) as client,
        ):
            yield client


@pytest.fixture(params=["in memory", "over HTTP"])
def dial(request: pytest.FixtureRequest, tmp_path: Path) -> Dial:
    """Opens a line; a client must be closed by the task that opened it, so that no fixture can hold one."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Line]:
        clock, ledger, pauses = HandClock(), Ledger(), []

        async def pause(seconds: float) -> None:
            pauses.append(seconds)
            clock.advance(seconds)

        with open_database(f"sqlite:///{tmp_path / 'client.db'}") as database:
            gateway = Gateway(database.engine, clock)
            server = GatewayServer("ledger", ledger_tools(ledger).tools, gateway, otherwise=NIGHT)
            async with client_of(server, request.param, TokenStore(database.engine, clock)) as client:
                sessions = {tool.name: client for tool in (await client.list_tools()).tools}
                yield Line(CloudTools(sessions, pause=pause), ledger, pauses)

    return opened


async def test_a_list_is_read_to_its_end_however_many_pages_it_has(dial: Dial) -> None:
    async with dial() as line:
        answer = await line.tools.clusters()
        assert [one.id for one in answer.clusters] == ["cls-0", "cls-1", "cls-2"]
        assert answer.left_out == 0


async def test_a_read_is_tried_again_a_little_later(dial: Dial) -> None:
    async with dial() as line:
        line.ledger.faults = 2
        assert (await line.tools.call("look", {}, Noted)).summary == "看到了"
        assert line.ledger.looks == 3
        assert line.pauses == sorted(line.pauses)


async def test_a_read_is_given_up_after_three_tries_with_the_sentence_of_the_error(dial: Dial) -> None:
    async with dial() as line:
        line.ledger.faults = 99
        with pytest.raises(ToolFailed) as failed:
            await line.tools.call("look", {}, Noted)
        assert line.ledger.looks == 3
        assert failed.value.code == "network_fault"
        assert failed.value.spoken == NetworkFault("").spoken
        assert failed.value.retryable


async def test_what_is_not_there_is_not_looked_for_twice(dial: Dial) -> None:
    async with dial() as line:
        with pytest.raises(ToolFailed, match="no such thing"):
            await line.tools.call("look", {"missing": True}, Noted)
        assert (line.ledger.looks, line.pauses) == (1, [])


async def test_a_write_whose_answer_was_lost_is_not_made_again(dial: Dial) -> None:
    async with dial() as line:
        line.ledger.faults = 1
        warrant = Warrant(key="night-2026-11-21-note")
        with pytest.raises(ToolFailed):
            await line.tools.call("note", {"text": "一"}, Noted, warrant=warrant)
        assert (line.ledger.notes, line.pauses) == (["一"], [])


async def test_a_write_with_the_same_key_is_done_once(dial: Dial) -> None:
    async with dial() as line:
        warrant = Warrant(key="night-2026-11-21-note")
        first = await line.tools.call("note", {"text": "一"}, Noted, warrant=warrant)
        assert await line.tools.call("note", {"text": "一"}, Noted, warrant=warrant) == first
        assert line.ledger.notes == ["一"]


async def test_whoever_calls_too_often_waits_for_a_turn_and_gets_it(dial: Dial) -> None:
    async with dial() as line:
        for _ in range(300):
            await line.tools.call("look", {}, Noted)
            if line.pauses:
                break
        else:
            pytest.fail("nobody was told to wait")
        assert 0 < max(line.pauses) <= LONGEST_PAUSE_S
        assert len(line.pauses) < MOST_TRIES


async def test_a_tool_that_is_not_offered_here_is_said_so(dial: Dial) -> None:
    async with dial() as line:
        with pytest.raises(ToolFailed) as failed:
            await line.tools.summarize_logs("yesterday")
        assert failed.value.code == "no_such_tool"


async def test_an_answer_of_another_kind_is_not_taken_for_the_one_agreed(dial: Dial) -> None:
    async with dial() as line:
        with pytest.raises(UnexpectedAnswer):
            await line.tools.call("look", {}, ClustersAnswer)
