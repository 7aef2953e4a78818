"""What breaks in the local cloud: one class per kind, each a pure function of the live state."""
