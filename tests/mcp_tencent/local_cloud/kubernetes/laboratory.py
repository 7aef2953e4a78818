"""A cluster of one's own for a test: pods that behave as the test says, and an HTTP server."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from mcp_tencent.local_cloud.conditions import KubernetesObject, PodBehaviour
from mcp_tencent.local_cloud.kubernetes.access import AccessRule, KubernetesUser
from mcp_tencent.local_cloud.kubernetes.api.app import kubernetes_app
from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.kubernetes.kubeconfig import kubeconfig
from mcp_tencent.local_cloud.kubernetes.ports import RequestFaults
from mcp_tencent.local_cloud.simulation import Clock, ManualClock, Simulation

START = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
ADMIN = "admin-token"
READER = "reader-token"


class ScriptedBehaviours:
    """Behaves by the image's tag, or as the test's function says."""

    def __init__(self) -> None:
        self.decide: Callable[[KubernetesObject], PodBehaviour] = lambda _: PodBehaviour(
            ready_after_seconds=3
        )

    def behaviour(self, pod: KubernetesObject) -> PodBehaviour:
        image = pod["spec"]["containers"][0]["image"]
        if image.endswith(":missing"):
            return PodBehaviour(image_error="manifest unknown")
        return self.decide(pod)


class TickingLogs:
    """Every container writes a line at each full ten seconds."""

    def lines(
        self, namespace: str, pod: str, container: str, start: datetime, end: datetime
    ) -> Iterable[tuple[datetime, str]]:
        first = -(-start.timestamp() // 10) * 10
        at = datetime.fromtimestamp(first, UTC)
        while at < end:
            yield at, f"{namespace}/{pod}/{container} 心跳 {at:%H:%M:%S}"
            at += timedelta(seconds=10)


class Laboratory:
    """A cluster with its simulation."""

    def __init__(self, *, nodes: int = 3, seed: int = 1, cpu_cores: float = 8) -> None:
        self.simulation = Simulation(START)
        self.behaviours = ScriptedBehaviours()
        self.cluster = KubernetesCluster(
            cluster_id="cls-test",
            simulation=self.simulation,
            behaviours=self.behaviours,
            pod_logs=TickingLogs(),
            tokens={
                ADMIN: KubernetesUser(name="admin"),
                READER: KubernetesUser(
                    name="reader", rules=(AccessRule(verbs=("get", "list", "watch"), namespaces=("shop",)),)
                ),
            },
            seed=seed,
        )
        for number in range(nodes):
            self.cluster.add_node(f"node-{number}", cpu_cores=cpu_cores, memory_bytes=16 * 2**30)
        self.cluster.apply({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}})

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.simulation.run_until(self.simulation.now + timedelta(seconds=seconds))

    def pods(self, app: str | None = None) -> list[KubernetesObject]:
        found = self.cluster.list("Pod", "shop")
        return [pod for pod in found if app is None or pod["metadata"]["labels"].get("app") == app]

    def get(self, kind: str, name: str) -> KubernetesObject:
        found = self.cluster.get(kind, "shop", name)
        assert found is not None, f"{kind} {name} is not there"
        return found

    def reasons(self, name: str) -> list[str]:
        """The reasons of the events about an object whose name begins so."""
        return [
            event["reason"]
            for event in self.cluster.list("Event")
            if event["involvedObject"]["name"].startswith(name)
        ]


def deployment(name: str = "web", replicas: int = 3, image: str = "web:1", **spec: Any) -> KubernetesObject:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": pod_template(name, image),
            **spec,
        },
    }


def pod_template(name: str, image: str) -> KubernetesObject:
    resources = {"requests": {"cpu": "100m", "memory": "64Mi"}}
    container = {"name": name, "image": image, "resources": resources}
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}


class Served:
    """A laboratory behind HTTP on a loopback port."""

    def __init__(self, laboratory: Laboratory, clock: Clock, port: int) -> None:
        self.laboratory = laboratory
        self.clock = clock
        self.url = f"http://127.0.0.1:{port}/clusters/cls-test"

    def kubeconfig(self, token: str = ADMIN) -> KubernetesObject:
        return kubeconfig(cluster_id="cls-test", url=self.url, token=token, namespace="shop")

    def advance(self, seconds: float) -> None:
        """Move a manual clock; the cluster follows with the next request."""
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(timedelta(seconds=seconds))


@contextlib.contextmanager
def serve(
    laboratory: Laboratory, clock: Clock | None = None, faults: RequestFaults | None = None
) -> Iterator[Served]:
    """Serve a laboratory until the block ends."""
    clock = clock or ManualClock(laboratory.simulation.now)
    app = kubernetes_app(
        laboratory.cluster, lambda: laboratory.simulation.run_until(clock.now()), clock, faults
    )
    mounted = Starlette(routes=[Mount("/clusters/cls-test", app)])
    server = uvicorn.Server(uvicorn.Config(mounted, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        thread.join(0.005)
    assert server.started, "the server did not come up"
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(laboratory, clock, port)
    finally:
        app.close()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop: a stream is still open"
