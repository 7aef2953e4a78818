"""The Kubernetes API of an imitated cluster, and everything that lives behind it."""
