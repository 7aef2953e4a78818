"""Cloud Monitor: metrics of the clusters and the history of metric alarms."""
