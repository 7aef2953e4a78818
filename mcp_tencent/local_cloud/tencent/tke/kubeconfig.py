"""The kubeconfig that TKE hands out: where a cluster's API server is, and the token that opens it."""

from __future__ import annotations

import yaml

from mcp_tencent.local_cloud.kubernetes import kubeconfig as kubernetes


def cluster_url(base_url: str, cluster_id: str) -> str:
    """Return where the cluster's Kubernetes API is served."""
    return f"{base_url}/clusters/{cluster_id}"


def kubeconfig(base_url: str, cluster_id: str, token: str) -> str:
    """Return a kubeconfig (YAML) with one context."""
    url = cluster_url(base_url, cluster_id)
    return yaml.safe_dump(kubernetes.kubeconfig(cluster_id=cluster_id, url=url, token=token), sort_keys=False)
