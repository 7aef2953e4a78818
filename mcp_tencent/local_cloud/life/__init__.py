"""How workloads of the local cloud fare over time, and the metrics and alarm records derived from it."""
