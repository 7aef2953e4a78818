"""An MCP server whose every tool call passes the gateway, whatever the transport."""

from __future__ import annotations
