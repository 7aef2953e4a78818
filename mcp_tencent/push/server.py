"""mcp-notification-push: the push tools behind the gateway."""

from __future__ import annotations

from mcp_tencent.gateway.call import Caller
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.push.desk import PushDesk
from mcp_tencent.push.tools import push_tools
from mcp_tencent.serving.server import GatewayServer

NAME = "mcp-notification-push"
INSTRUCTIONS = (
    "Sends reports (the daily digest, the last answer, an incident) to people by e-mail and to DingTalk "
    "groups, keeps where each person gets them, and tells what became of each delivery. Deliveries are "
    "durable: an accepted report arrives even after an outage, or is listed as failed with the reason."
)


def push_server(desk: PushDesk, gateway: Gateway, *, otherwise: Caller | None = None) -> GatewayServer:
    """Return the server.

    Args:
        desk: What the tools work with.
        gateway: The policy around them.
        otherwise: Who calls when nobody is named.
    """
    tools = push_tools(desk, otherwise=otherwise)
    return GatewayServer(NAME, tools, gateway, otherwise=otherwise, instructions=INSTRUCTIONS)
