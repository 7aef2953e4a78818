"""mcp-tencent-devops: alerts, diagnosis, the healing ladder and what is remembered of it."""
