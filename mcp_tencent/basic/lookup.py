"""Where a list tool looks: the clusters and namespaces that were named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.wording import some
from mcp_tencent.errors import CloudError, ResourceError
from mcp_tencent.models.clusters import Cluster

T = TypeVar("T")
Scope = tuple[Cluster, str]
"""A cluster and one of its namespaces; "" means all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered(Generic[T]):
    """What several clusters answered.

    Args:
        found: Each thing with its cluster, in the clusters' order.
        silent: Names of clusters that did not answer.
    """

    found: list[tuple[Cluster, T]]
    silent: list[str]

    def told(self, summary: str) -> str:
        """Return `summary`, with the clusters that did not answer."""
        if not self.silent:
            return summary
        return f"{summary.removesuffix('。')}；{some(self.silent)}现在查不到。"


async def gathered(
    scopes: Sequence[Scope], ask: Callable[[Cluster, str], Awaitable[Sequence[T]]]
) -> Gathered[T]:
    """Ask several clusters side by side; those that do not answer are named, as long as one does.

    Args:
        scopes: Clusters and namespaces.
        ask: Asks one cluster about one namespace.

    Raises:
        CloudError: When none answered.
    """
    answers = await asyncio.gather(*(_or_error(ask(cluster, place)) for cluster, place in scopes))
    errors = [answer for answer in answers if isinstance(answer, CloudError)]
    if errors and len(errors) == len(answers):
        raise errors[0]
    pairs = list(zip((cluster for cluster, _ in scopes), answers, strict=True))
    return Gathered(
        found=[
            (cluster, item)
            for cluster, answer in pairs
            if not isinstance(answer, CloudError)
            for item in answer
        ],
        silent=[cluster.name for cluster, answer in pairs if isinstance(answer, CloudError)],
    )


async def _or_error(answer: Awaitable[Sequence[T]]) -> Sequence[T] | CloudError:
    try:
        return await answer
    except CloudError as error:
        return error


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
    error: ResourceError | None = None
    for one in clusters:
        try:
            scopes.append((one, await desk.naming.namespace(namespace, one)))
        except ResourceError as exc:
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
