"""The basic tools in front of the local cloud, and callers who use them through the protocol."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mcp.client import Client
from mcp_types import CallToolResult
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from mcp_tencent.basic.desk import BasicDesk, Bounds, Patience
from mcp_tencent.basic.server import NAME, basic_tools
from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.gateway.answer import META_CONFIRMATION
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.gateway.records import TABLES
from mcp_tencent.local_cloud.scenario.model import Scenario
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ManualClock, ScaledClock, WallClock
from mcp_tencent.naming.aliases import Aliases
from mcp_tencent.naming.inventory import Inventory
from mcp_tencent.naming.naming import Naming
from mcp_tencent.serving.identity import acting_as
from mcp_tencent.serving.server import GatewayServer

MORNING = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
"""Five o'clock in Beijing."""
ZONE = ZoneInfo("Asia/Shanghai")
OWNER = Caller(name="负责人", kind=CallerKind.PERSON, permissions=frozenset(Permission))
WATCH = Caller(name="值班员", kind=CallerKind.PERSON, permissions=frozenset({Permission.READ}))
TRADER = Caller(
    name="交易负责人",
    kind=CallerKind.PERSON,
    permissions=frozenset({Permission.READ, Permission.ROLLBACK}),
    namespaces=frozenset({"shop"}),
)
ANSWER_BYTES = 4096


class SteppingClock:
    """A clock that goes on a little with each look, so that no limit per minute is in the way."""

    def __init__(self) -> None:
        self._now = MORNING

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=200)
        return self._now


def standing(scenario: Scenario | str) -> LocalCloud:
    """A cloud in which time stands still: for looking."""
    return LocalCloud(scenario, clock=ManualClock(MORNING))


def fast(scenario: Scenario | str, speed: float = 60.0) -> LocalCloud:
    """A cloud in which a minute takes a second: for acting and waiting."""
    return LocalCloud(scenario, clock=ScaledClock(MORNING, speed=speed, reference=WallClock()))


@dataclass
class Office:
    """Somebody at the tools."""

    cloud: LocalCloud
    clouds: TencentClouds
    desk: BasicDesk
    server: GatewayServer
    caller: Caller = OWNER
    progress: list[str] | None = None
    """What was told while waiting, when somebody listens."""
    waiting: asyncio.Event | None = None
    """Is set when the first of it is told."""

    def as_caller(self, caller: Caller) -> Office:
        return replace(self, caller=caller)

    async def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        """Call a tool that must succeed; its structured content."""
        result = await self.result(tool, arguments)
        assert not result.is_error, result.structured_content
        assert isinstance(result.structured_content, dict)
        return result.structured_content

    async def refused(self, tool: str, **arguments: object) -> dict[str, Any]:
        """Call a tool that must fail; its error."""
        return error_of(await self.result(tool, arguments))

    async def act(self, tool: str, **arguments: object) -> dict[str, Any]:
        """Call a dangerous tool, say yes, and return what came of it."""
        result = await self.confirmed(tool, **arguments)
        assert not result.is_error, result.structured_content
        assert isinstance(result.structured_content, dict)
        return result.structured_content

    async def confirmed(self, tool: str, **arguments: object) -> CallToolResult:
        asked = await self.result(tool, arguments)
        assert error_of(asked)["code"] == "confirmation_required", asked.structured_content
        assert asked.meta is not None
        token = asked.meta[META_CONFIRMATION]["token"]
        return await self.result(tool, arguments, {META_CONFIRMATION: token})

    async def result(
        self, tool: str, arguments: dict[str, object], meta: dict[str, Any] | None = None
    ) -> CallToolResult:
        async def told(progress: float, total: float | None, message: str | None) -> None:
            if self.progress is not None:
                self.progress.append(message or "")
            if self.waiting is not None:
                self.waiting.set()

        with acting_as(self.caller):
            async with Client(self.server) as client:
                result = await client.call_tool(
                    tool,
                    arguments,
                    progress_callback=told,
                    meta=meta,  # type: ignore[arg-type]
                )
        assert isinstance(result, CallToolResult)
        return result


def error_of(result: CallToolResult) -> dict[str, Any]:
    assert result.is_error, result.structured_content
    assert isinstance(result.structured_content, dict)
    return dict(result.structured_content["error"])


@contextlib.asynccontextmanager
async def office_at(
    cloud: LocalCloud,
    folder: Path,
    *,
    default_cluster: str = "",
    bounds: Bounds | None = None,
    patience: Patience | None = None,
    aliases: Aliases | None = None,
) -> AsyncIterator[Office]:
    """Open the tools onto `cloud`; the gateway keeps its records in `folder`."""
    engine = create_engine(f"sqlite:///{folder / 'gateway.db'}")
    SQLModel.metadata.create_all(
        engine, tables=[SQLModel.metadata.tables[str(row.__tablename__)] for row in TABLES]
    )
    key = cloud.credentials
    regions = tuple(dict.fromkeys(cluster.region for cluster in cloud.scenario.clusters))
    account = Account(
        name=key.name,
        secret_id=key.secret_id,
        secret_key=key.secret_key,
        regions=regions,
        endpoint=cloud.url,
    )
    async with TencentClouds([account], Calling()) as clouds:
        inventory = Inventory(clouds, cloud.clock, aliases)
        desk = BasicDesk(
            clouds=clouds,
            naming=Naming(clouds, inventory, default_cluster=default_cluster),
            clock=cloud.clock,
            zone=ZONE,
            bounds=bounds or Bounds(),
            patience=patience
            or Patience(
                rollout=timedelta(seconds=20),
                stay_ready=timedelta(0),
                machines=timedelta(seconds=20),
                look_every=timedelta(seconds=0.2),
            ),
        )
        server = GatewayServer(NAME, basic_tools(desk), Gateway(engine, SteppingClock()))
        yield Office(cloud, clouds, desk, server)
    engine.dispose()
