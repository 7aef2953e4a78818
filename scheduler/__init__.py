"""The clock: what happens unasked, durably and at most once."""
