"""Log lines made up from templates, a workload's fate and the time of day; the same seed, the same bytes."""
