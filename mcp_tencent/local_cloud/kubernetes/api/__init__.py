"""The HTTP interface of the cluster as kubectl and client libraries speak it."""
