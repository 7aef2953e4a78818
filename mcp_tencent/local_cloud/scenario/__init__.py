"""Scenario files: what may stand in them, how they are read, and every finding when one is wrong."""
