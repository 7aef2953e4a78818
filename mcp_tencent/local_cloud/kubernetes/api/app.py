"""The ASGI application of one cluster's API."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.kubernetes.ports import NoFaults, RequestFaults
from mcp_tencent.local_cloud.simulation import Clock


class KubernetesApp:
    """Serves the API under the path at which it is mounted (`root_path`)."""

    def __init__(
        self, cluster: KubernetesCluster, catch_up: Callable[[], None], clock: Clock, faults: RequestFaults
    ) -> None:
        self._cluster = cluster
        self._catch_up = catch_up
        self._clock = clock
        self._faults = faults

    def close(self) -> None:
        """End all watch and log streams, so that the server can stop at once."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        raise NotImplementedError


def kubernetes_app(
    cluster: KubernetesCluster,
    catch_up: Callable[[], None],
    clock: Clock,
    faults: RequestFaults | None = None,
) -> KubernetesApp:
    """Return the application for `cluster`.

    Args:
        cluster: what is served.
        catch_up: brings the world up to now; called before every request and while streams are open.
        clock: the world clock.
        faults: faults of the API itself.
    """
    return KubernetesApp(cluster, catch_up, clock, faults or NoFaults())
