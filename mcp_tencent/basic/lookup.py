"""Where a list tool looks: the clusters and namespaces that were named."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.errors import CloudError
from mcp_tencent.models.clusters import Cluster

Scope = tuple[Cluster, str]
"""A cluster and one of its namespaces; "" means all of them."""


async def in_clusters(desk: BasicDesk, cluster: str | None, namespace: str | None) -> Sequence[Scope]:
    """Return where to look.

    Raises:
        NotFound: No cluster, or none of several clusters has such a namespace.
        Ambiguous: It is not clear which is meant.
    """
    clusters = await desk.naming.clusters(cluster)
    if not namespace:
        return [(one, "") for one in clusters]
    scopes: list[Scope] = []
    error: CloudError | None = None
    for one in clusters:
        try:
            scopes.append((one, await desk.naming.namespace(namespace, one)))
        except CloudError as exc:
            error = error or exc
    if not scopes and error is not None:
        raise error
    return scopes


def cluster_words(scopes: Sequence[Scope]) -> str:
    """Return how to speak of where was looked."""
    if len(scopes) != 1:
        return f"{len(scopes)}个集群"
    cluster, namespace = scopes[0]
    return f"{cluster.name}的{namespace}命名空间" if namespace else cluster.name
