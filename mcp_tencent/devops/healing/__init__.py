"""Acting on a workload in trouble so that it can be taken back, and telling whether it helped."""
