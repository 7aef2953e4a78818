"""What the gateway costs: a call through it against a bare call of the same tool in memory.

Budget: at most 2 ms a call over the bare call. An act with a key is written down four times, each durably, so
that a power cut at any moment leaves the truth; what that costs is shown beside the cost of one such record.
Also: how fast secrets are masked, and that no text makes masking take more than linear time.
Run: `python benchmarks/gateway.py`.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from mcp.client import Client
from mcp.server import MCPServer
from pydantic import BaseModel

from assistant.database import open_database
from mcp_tencent.gateway.audit_trail import Entry
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.gateway.redact import STRICT
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.local_cloud.simulation import WallClock
from mcp_tencent.serving.declare import ToolSet
from mcp_tencent.serving.identity import acting_as
from mcp_tencent.serving.server import GatewayServer

BUDGET_MS = 2.0
CALLS = 400
LINE = "2026-11-20T08:00:00.12+08:00 INFO [orders-7d9f8b6c5d-x2x9z] trace=4bf92f3577b34da6a3ce929d0e0e4736 ok"
OWNER = Caller(name="owner", kind=CallerKind.PERSON, permissions=frozenset(Permission))
JOB = Caller(
    name="job",
    kind=CallerKind.SERVICE_JOB,
    permissions=frozenset(Permission),
    standing_writes=frozenset({"note"}),
)


RECORD = Entry(
    at=datetime(2026, 11, 20, tzinfo=UTC),
    trace_id="0" * 32,
    person="owner",
    kind="person",
    tool="note",
    risk="W",
    arguments="{}",
    outcome="done",
)


class Answer(BaseModel):
    """As large as answers may be: about 4 kB."""

    summary: str
    lines: list[str]


def answer() -> Answer:
    return Answer(summary="最近一小时有 36 行日志", lines=[LINE] * 36)


tools = ToolSet(outside="kubernetes")


@tools.read("读", per_minute=10**6)
async def read_lines(query: str = "*") -> Answer:
    """Read."""
    return answer()


@tools.read("读缓存", per_minute=10**6, cache_s=3600)
async def read_cached(query: str = "*") -> Answer:
    """Read what was read before."""
    return answer()


@tools.write("写", per_minute=10**6)
async def note(text: str, dry_run: bool = False) -> Answer:
    """Write."""
    return answer()


async def median_ms(call: Callable[[int], Awaitable[object]]) -> float:
    """Return the median time of one call, in milliseconds."""
    for number in range(30):
        await call(-number - 1)
    times = []
    for number in range(CALLS):
        begun = time.perf_counter()
        await call(number)
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


async def calls(folder: Path) -> bool:
    """Measure calls; tell whether they are within the budget."""
    bare = MCPServer("bare")
    bare.add_tool(read_lines)
    with open_database(f"sqlite:///{folder / 'gateway.db'}") as database:
        gateway = Gateway(database.engine, WallClock(), anchor=folder / "anchor")
        server = GatewayServer("gated", tools.tools, gateway)
        async with Client(bare) as plain, Client(server) as gated:
            base = await median_ms(lambda n: plain.call_tool("read_lines", {"query": str(n)}))
            print(f"bare call of a read of 4 kB        {base:7.3f} ms")
            with acting_as(OWNER):
                read = await median_ms(lambda n: gated.call_tool("read_lines", {"query": str(n)}))
                cached = await median_ms(lambda n: gated.call_tool("read_cached", {}))
            record = await median_ms(lambda n: in_store(lambda: gateway.trail.append(RECORD)))
            with acting_as(JOB):
                write = await median_ms(
                    lambda n: gated.call_tool("note", {"text": "x", "idempotency_key": f"benchmark-{n}"})
                )
    within = True
    for name, total in (("read", read), ("cached read", cached), ("write with key, two audit lines", write)):
        over = total - base
        print(f"{name:34s} {total:7.3f} ms, {over:6.3f} ms over the bare call ({total / base:.1f} x)")
        within &= name.startswith("write") or over <= BUDGET_MS
    print(f"{'one durable record':34s} {record:7.3f} ms; a write with a key makes four")
    print(f"budget: {BUDGET_MS} ms over the bare call for reads: {'kept' if within else 'BROKEN'}")
    return within


HOSTILE = {
    "ordinary log": f"{LINE}\n",
    "names without values": "password",
    "open quotes": 'password="',
    "nested escapes": '\\"password\\":\\"',
    "dashes": "a-",
    "dots": "a.b.",
    "JWT heads": "eyJhbGciOi",
    "PEM heads": "-----BEGIN PRIVATE KEY-----",
    "digits": "6222",
    "at signs": "a@a.",
    "URLs": "http://a:",
    "blocks": "token: |\n  ",
    "brackets": "[",
}


def masking() -> bool:
    """Measure masking; tell whether no text takes more than linear time."""
    linear = True
    for name, unit in HOSTILE.items():
        times = []
        for size in (50_000, 200_000):
            text = unit * (size // len(unit))
            begun = time.perf_counter()
            STRICT.text(text)
            times.append(time.perf_counter() - begun)
        growth = times[1] / times[0]
        linear &= growth < 8  # four times the text: 4 is linear, 16 is quadratic
        print(f"masking {name:22s} {0.2 / times[1]:8.2f} MB/s; 4 x the text takes {growth:4.1f} x as long")
    return linear


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        good = asyncio.run(calls(Path(temporary)))
    good &= masking()
    sys.exit(0 if good else 1)
