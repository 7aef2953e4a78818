"""Offering tools over MCP: how a tool is declared, who is calling, and the transports."""
