"""The inside of a cluster through lightkube."""
