"""The local cloud on one port: `POST /` is the Tencent Cloud API, `/clusters/<id>` the Kubernetes API of one.

One event loop serves everything, and every request first lets the world catch up with the clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from mcp_tencent.local_cloud.errors import ServerNotStartedError
from mcp_tencent.local_cloud.kubernetes.api.app import KubernetesApp, kubernetes_app
from mcp_tencent.local_cloud.life.access import accounts_of, bearer_token
from mcp_tencent.local_cloud.life.metric_alerts import NoMetricAlerts
from mcp_tencent.local_cloud.scenario.model import Account, Scenario
from mcp_tencent.local_cloud.scenario.reading import load_scenario
from mcp_tencent.local_cloud.simulation import Clock, WallClock
from mcp_tencent.local_cloud.tencent.api import TencentApi
from mcp_tencent.local_cloud.tencent.cls.service import cls_actions
from mcp_tencent.local_cloud.tencent.limits import RequestLimits
from mcp_tencent.local_cloud.tencent.monitor.service import monitor_actions
from mcp_tencent.local_cloud.tencent.specification import Product
from mcp_tencent.local_cloud.tencent.tke.kubeconfig import kubeconfig
from mcp_tencent.local_cloud.tencent.tke.service import tke_2018_actions, tke_2022_actions
from mcp_tencent.local_cloud.world import World, scenario_clock

_START_TIMEOUT_SECONDS = 10.0
_STOP_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ServedWorld:
    """A world's ASGI application, and what must be closed before a server can stop."""

    app: Starlette
    clusters: tuple[KubernetesApp, ...]

    def close(self) -> None:
        """End all streams."""
        for cluster in self.clusters:
            cluster.close()


def serve_world(world: World, *, wall_clock: Clock, limits: RequestLimits | None = None) -> ServedWorld:
    """Put all APIs of `world` under one application.

    Args:
        world: what is served.
        wall_clock: the age of signatures and the rate of requests are told by it, never by scenario time.
        limits: requests a second; the service's own by default.
    """
    tencent = TencentApi(
        credentials={account.secret_id: account.secret_key for account in accounts_of(world.scenario)},
        services={
            Product("cls", "2020-10-16"): cls_actions(world.cls, world.logs, world.alarms),
            Product("tke", "2018-05-25"): tke_2018_actions(world.tke, world.nodes, world.cls, world.logs),
            Product("tke", "2022-05-01"): tke_2022_actions(world.tke, world.nodes),
            Product("monitor", "2018-07-24"): monitor_actions(
                world.world_clock, world.metrics, NoMetricAlerts()
            ),
        },
        wall_clock=wall_clock,
        world_clock=world.world_clock,
        faults=world.tencent_faults,
        limits=limits,
        seed=world.scenario.seed,
    )

    async def tencent_api(request: Request) -> Response:
        world.catch_up()
        return await tencent.handle(request)

    async def healthy(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    routes: list[BaseRoute] = [
        Route("/healthz", healthy, methods=["GET"]),
        Route("/", tencent_api, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
    ]
    clusters: list[KubernetesApp] = []
    for cluster_id, cluster in world.clusters.items():
        api = kubernetes_app(
            cluster.kubernetes,
            catch_up=world.catch_up,
            clock=world.world_clock,
            faults=world.request_faults[cluster_id],
        )
        clusters.append(api)
        routes.append(Mount(f"/clusters/{cluster_id}", app=api))
    return ServedWorld(Starlette(routes=routes), tuple(clusters))


class LocalCloud:
    """A local cloud in a thread of this process, on a free loopback port: for tests and for `--scenario`.

    With `ManualClock`, time stands still between requests unless the caller moves it.
    """

    def __init__(
        self,
        scenario: Scenario | str = "quiet",
        *,
        clock: Clock | None = None,
        port: int = 0,
        limits: RequestLimits | None = None,
    ) -> None:
        """Build the world; nothing listens until the context is entered.

        Args:
            scenario: a scenario, or the name or file of one.
            clock: scenario time; by default what the scenario asks for.
            port: 0 for any free one.
            limits: requests a second of the Tencent Cloud API.

        Raises:
            ScenarioError: the scenario cannot be played.
            ScenarioNotFoundError: there is no such scenario.
        """
        self.scenario = load_scenario(scenario) if isinstance(scenario, str) else scenario
        wall_clock = WallClock()
        self.clock = clock or scenario_clock(self.scenario, wall_clock)
        self.world = World(self.scenario, self.clock)
        self._served = serve_world(self.world, wall_clock=wall_clock, limits=limits)
        self._port = port
        self._stack = contextlib.ExitStack()
        self._address = ("127.0.0.1", 0)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            listening = stack.enter_context(_listening(self._port))
            self._address = listening.getsockname()
            stack.enter_context(_serving(self._served, listening))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()
        self.world.close()

    @property
    def url(self) -> str:
        """Where it is, without a trailing slash."""
        host, port = self._address
        return f"http://{host}:{port}"

    @property
    def endpoint(self) -> str:
        """Host and port, as the SDK's HttpProfile takes it."""
        return self.url.removeprefix("http://")

    @property
    def credentials(self) -> Account:
        """The first account: `secret_id` and `secret_key`."""
        return accounts_of(self.scenario)[0]

    @property
    def region(self) -> str:
        """The region of the first cluster."""
        return self.scenario.clusters[0].region

    @property
    def cluster_ids(self) -> list[str]:
        """The clusters, in the order of the scenario."""
        return [cluster.id for cluster in self.scenario.clusters]

    def kubeconfig(self, cluster_id: str | None = None) -> str:
        """Return the kubeconfig (YAML) of a cluster, by default the first, as TKE hands it out."""
        chosen = cluster_id or self.cluster_ids[0]
        return kubeconfig(self.url, chosen, bearer_token(self.scenario, chosen))


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen(128)
        except OSError as error:
            message = f"cannot listen on 127.0.0.1:{port}: {error.strerror}; choose another --port"
            raise ServerNotStartedError(message) from error
        yield listening
    finally:
        listening.close()


@contextlib.contextmanager
def _serving(served: ServedWorld, listening: socket.socket) -> Iterator[None]:
    """Serve in a thread of its own until the context ends."""
    server = _Server(_uvicorn_config(served.app))
    thread = threading.Thread(target=server.run, args=([listening],), name="local-cloud", daemon=True)
    thread.start()
    if not server.ready.wait(_START_TIMEOUT_SECONDS):
        raise ServerNotStartedError(f"the local cloud was not up after {_START_TIMEOUT_SECONDS:.0f} s")
    try:
        yield
    finally:
        # Streams wait on events of the server's own loop, so they are ended there.
        server.call_soon(served.close)
        server.should_exit = True
        thread.join(_STOP_TIMEOUT_SECONDS)
        if thread.is_alive():
            server.force_exit = True
            thread.join(_STOP_TIMEOUT_SECONDS)


def _uvicorn_config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Watches are open without end: a stop does not wait for them.
        timeout_graceful_shutdown=1,
        ws="none",
    )


class _Server(uvicorn.Server):
    """A server that says when it is up, and leaves signals to the main thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.ready.set()

    def call_soon(self, action: Callable[[], None]) -> None:
        """Have the server's own loop do something, from another thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing: this is not the main thread."""
        yield


def merged_kubeconfig(cloud: LocalCloud) -> str:
    """Return one kubeconfig (YAML) with a context for each cluster; the first is current."""
    single = [yaml.safe_load(cloud.kubeconfig(cluster_id)) for cluster_id in cloud.cluster_ids]
    users = [
        {"name": f"{cluster_id}-user", "user": part["users"][0]["user"]}
        for cluster_id, part in zip(cloud.cluster_ids, single, strict=True)
    ]
    contexts = [
        {"name": cluster_id, "context": {"cluster": cluster_id, "user": f"{cluster_id}-user"}}
        for cluster_id in cloud.cluster_ids
    ]
    merged = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [part["clusters"][0] for part in single],
        "contexts": contexts,
        "current-context": cloud.cluster_ids[0],
        "users": users,
    }
    return yaml.safe_dump(merged, sort_keys=False, allow_unicode=True)


@contextlib.contextmanager
def kubeconfig_file(cloud: LocalCloud) -> Iterator[Path]:
    """Keep the merged kubeconfig in a private file as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="xiaozhi-local-cloud-") as folder:
        path = Path(folder) / "kubeconfig"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(merged_kubeconfig(cloud))
        yield path
