"""The Kubernetes Engine (TKE): clusters, nodes, node pools, credentials, log switches."""
