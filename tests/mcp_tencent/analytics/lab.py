"""The analytics tools in front of the local cloud."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from sqlalchemy import create_engine
from sqlmodel import SQLModel

from mcp_tencent.analytics.desk import AnalyticsDesk
from mcp_tencent.analytics.server import NAME, analytics_tools
from mcp_tencent.devops.checkpoint_records import CheckpointRow
from mcp_tencent.devops.records import AttemptRow, IncidentEventRow, IncidentRow, SqlIncidentStore
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.gateway.records import TABLES
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.serving.server import GatewayServer
from tests.mcp_tencent.basic.office import Office, SteppingClock, office_at

_ROWS = (*TABLES, CheckpointRow, IncidentRow, IncidentEventRow, AttemptRow)


@contextlib.asynccontextmanager
async def lab_at(cloud: LocalCloud, folder: Path) -> AsyncIterator[tuple[Office, SqlIncidentStore]]:
    """Open the tools onto `cloud`, and the store of incidents behind them."""
    engine = create_engine(f"sqlite:///{folder / 'analytics.db'}")
    SQLModel.metadata.create_all(
        engine, tables=[SQLModel.metadata.tables[str(row.__tablename__)] for row in _ROWS]
    )
    store = SqlIncidentStore(engine)
    async with office_at(cloud, folder) as office:
        desk = AnalyticsDesk(
            clouds=office.clouds,
            naming=office.desk.naming,
            incidents=store,
            clock=cloud.clock,
            zone=office.desk.zone,
        )
        server = GatewayServer(NAME, analytics_tools(desk), Gateway(engine, SteppingClock()))
        yield replace(office, server=server), store
    engine.dispose()
