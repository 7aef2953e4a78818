"""Spoken names: from what somebody said to the one thing that is meant, or the question which one."""
