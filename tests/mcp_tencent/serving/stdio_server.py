"""The shop over standard input and output, as a host would start it: `python -m … DATABASE_URL`."""

from __future__ import annotations

import asyncio
import sys

from assistant.database import open_database
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.serving.server import GatewayServer
from mcp_tencent.serving.stdio import serve_stdio
from tests.mcp_tencent.gateway.calls import OWNER
from tests.mcp_tencent.gateway.test_idempotency import WallClock
from tests.mcp_tencent.serving.shop_tools import Shop, shop_tools

if __name__ == "__main__":
    with open_database(sys.argv[1]) as database:
        gateway = Gateway(database.engine, WallClock())
        server = GatewayServer("shop", shop_tools(Shop()).tools, gateway, otherwise=OWNER)
        asyncio.run(serve_stdio(server))
