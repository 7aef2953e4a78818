"""mcp-tencent-analytics: what many log lines say together."""
