"""The kubeconfig that TKE hands out: where a cluster's API server is, and the token that opens it."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

import yaml


def cluster_url(base_url: str, cluster_id: str) -> str:
    """Return where the cluster's Kubernetes API is served."""
    return f"{base_url}/clusters/{cluster_id}"


def kubeconfig(base_url: str, cluster_id: str, token: str) -> str:
    """Return a kubeconfig (YAML) with one context, named as TKE names it.

    kubectl sends a user's token over TLS only. Over plain HTTP the token therefore stands in the address as
    well, as the password of basic authentication, which the imitated API takes for the bearer token.
    """
    server = urlsplit(cluster_url(base_url, cluster_id))
    if server.scheme == "http":
        server = server._replace(netloc=f"token:{quote(token, safe='')}@{server.netloc}")
    user = "100000000001"
    context = f"{cluster_id}-{user}-context-default"
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster_id, "cluster": {"server": urlunsplit(server)}}],
            "contexts": [{"name": context, "context": {"cluster": cluster_id, "user": user}}],
            "current-context": context,
            "preferences": {},
            "users": [{"name": user, "user": {"token": token}}],
        },
        sort_keys=False,
    )
