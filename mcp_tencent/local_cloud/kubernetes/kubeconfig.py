"""The kubeconfig of an imitated cluster. Pure."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

from mcp_tencent.local_cloud.conditions import KubernetesObject


def kubeconfig(*, cluster_id: str, url: str, token: str, namespace: str = "default") -> KubernetesObject:
    """Return a kubeconfig as an object, to be written as YAML.

    kubectl sends the token of a user over TLS only. Over plain HTTP the token stands in the server's address
    as well, as the password of basic authentication, which the imitated API takes for the bearer token.

    Args:
        cluster_id: names cluster, user and context.
        url: where the cluster's API is: http://127.0.0.1:8080/clusters/cls-12345678.
        token: a bearer token that the cluster knows.
        namespace: the context's own.
    """
    parts = urlsplit(url)
    server = url
    if parts.scheme == "http":
        server = urlunsplit(parts._replace(netloc=f"token:{quote(token, safe='')}@{parts.netloc}"))
    user = f"{cluster_id}-user"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster_id, "cluster": {"server": server}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [
            {"name": cluster_id, "context": {"cluster": cluster_id, "user": user, "namespace": namespace}}
        ],
        "current-context": cluster_id,
    }
