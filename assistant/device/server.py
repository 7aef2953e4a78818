"""xiaozhi-device: its tools, put together."""

from __future__ import annotations

from assistant.device.desk import DeviceDesk
from assistant.device.people_tools import people_tools
from assistant.device.setting_tools import setting_tools
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.serving.server import GatewayServer

NAME = "xiaozhi-device"
INSTRUCTIONS = (
    "The voice appliance itself: its name, wake phrase, volume, digest, health, and the people it knows. "
    "Nothing about the cloud."
)


def device_server(desk: DeviceDesk, gateway: Gateway) -> GatewayServer:
    """Return the server."""
    tools = [*setting_tools(desk), *people_tools(desk)]
    return GatewayServer(NAME, tools, gateway, otherwise=desk.otherwise, instructions=INSTRUCTIONS)
