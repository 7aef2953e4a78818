"""The hands: MCP servers over Tencent Cloud and Kubernetes, their policy gateway, and the local cloud."""
