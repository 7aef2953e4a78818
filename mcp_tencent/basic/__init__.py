"""mcp-tencent-cloud-basic: clusters, workloads, logs and alarms, looked at and acted upon."""
