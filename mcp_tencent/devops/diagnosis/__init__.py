"""From what a cluster, its logs and its metrics show to the likely causes of a trouble, and what helps."""
