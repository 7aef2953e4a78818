from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.database import Database, open_database
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.serving.server import GatewayServer
from tests.mcp_tencent.gateway.calls import HandClock
from tests.mcp_tencent.serving.shop_tools import Shop, shop_tools


@pytest.fixture
def file_database(tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database; what differs between databases is tested with the stores."""
    with open_database(f"sqlite:///{tmp_path / 'serving.db'}") as opened:
        yield opened


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def gateway(file_database: Database, clock: HandClock, tmp_path: Path) -> Gateway:
    return Gateway(file_database.engine, clock, anchor=tmp_path / "audit.anchor")


@pytest.fixture
def server(gateway: Gateway, shop: Shop) -> GatewayServer:
    return GatewayServer("shop", shop_tools(shop).tools, gateway)
