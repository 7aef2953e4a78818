"""Talking with people: one turn from what was heard to what is said."""
