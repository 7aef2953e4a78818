"""The shop of the serving tests over HTTP: `python -m … DATABASE_URL`."""

from __future__ import annotations

import asyncio
import sys

from assistant.database import open_database
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.serving.server import GatewayServer
from tests.mcp_tencent.conformance.suite_access import serve_to_the_suite
from tests.mcp_tencent.gateway.test_idempotency import WallClock
from tests.mcp_tencent.serving.shop_tools import Shop, shop_tools

if __name__ == "__main__":
    with open_database(sys.argv[1]) as database:
        shop = GatewayServer("shop", shop_tools(Shop()).tools, Gateway(database.engine, WallClock()))
        asyncio.run(serve_to_the_suite(shop))
