"""mcp-notification-push: reports on their way to people, by mail and by group robot."""
