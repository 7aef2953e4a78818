"""The names of the four MCP servers, without their weight."""

from __future__ import annotations

from enum import StrEnum


class ServerName(StrEnum):
    """The servers, as the command line calls them."""

    BASIC = "basic"
    DEVOPS = "devops"
    PUSH = "push"
    ANALYTICS = "analytics"
