"""The kubelets of all nodes: start containers, watch them, restart them, stop them.

How a pod behaves comes from the PodBehaviours port alone. Kubelets look at their pods once a second, so
what they do happens on whole seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from mcp_tencent.local_cloud.conditions import KubernetesObject, PodBehaviour, PodBehaviours
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import ControlPlane
from mcp_tencent.local_cloud.kubernetes.identifiers import fraction
from mcp_tencent.local_cloud.kubernetes.instants import to_text
from mcp_tencent.local_cloud.kubernetes.kubelet.configuration import (
    missing_configuration,
    missing_volume,
    references,
)
from mcp_tencent.local_cloud.kubernetes.kubelet.containers import (
    Container,
    PodOnNode,
    Run,
    container_id,
    pod_status,
    terminated,
    waiting,
)
from mcp_tencent.local_cloud.kubernetes.store import Change

_SIDECAR = PodBehaviour(ready_after_seconds=1.0, cpu_millicores=5.0, memory_bytes=24 * 2**20)
_PULL_SECONDS = (1.0, 2.0)
"""A pull takes the first plus up to the second."""
_PROBE_FAILED = "Readiness probe failed: HTTP probe failed with statuscode: 503"


class Kubelet:
    """Runs the pods that are bound to nodes."""

    def __init__(self, plane: ControlPlane, behaviours: PodBehaviours, silent: Mapping[str, None]) -> None:
        """`silent` are the nodes that do nothing and report nothing at present."""
        self._plane = plane
        self._behaviours = behaviours
        self._silent = silent
        self._pods: dict[str, PodOnNode] = {}
        self._images: set[tuple[str, str]] = set()
        self._held: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self._unconfigured: dict[str, None] = {}
        plane.store.observe(self._follow)

    # What others ask

    def reconsider(self, namespace: str | None) -> None:
        """Ask the behaviours again for the pods of a namespace, or of all."""
        for here in list(self._pods.values()):
            if namespace in (None, here.namespace):
                self._plane.loop.enqueue(self._reconsider, here.namespace, here.name)

    def resume(self, node: str) -> None:
        """Go on with what a silent node has missed."""
        for action in self._held.pop(node, []):
            action()
        for here in list(self._pods.values()):
            if here.node == node:
                self._publish(here)

    def run(self, uid: str, container: str, *, previous: bool) -> Run | None:
        """Return when a container's present (or previous) run began and ended; None when there was none."""
        here = self._pods.get(uid)
        found = next((item for item in here.containers if item.name == container), None) if here else None
        if found is None:
            return None
        return found.previous_run if previous else found.run

    def usage(self, pod: KubernetesObject) -> list[tuple[str, float, float]] | None:
        """Return (container, cores, bytes) for what a running pod uses now; None when it does not run."""
        here = self._pods.get(pod["metadata"]["uid"])
        if here is None or not any(container.is_running for container in here.containers):
            return None
        own = self._behaviours.behaviour(pod)
        found = []
        for container in here.containers:
            if container.is_running:
                behaviour = own if container.main else _SIDECAR
                found.append((container.name, behaviour.cpu_millicores / 1000, behaviour.memory_bytes))
        return found

    def configuration(self, uid: str) -> Mapping[tuple[str, str], KubernetesObject]:
        """Return the ConfigMaps and Secrets as a pod's main container read them at its start."""
        here = self._pods.get(uid)
        return here.config_read if here is not None else {}

    # What changes

    def _follow(self, change: Change) -> None:
        if change.kind in {"ConfigMap", "Secret"}:
            for uid in list(self._unconfigured):
                here = self._pods.get(uid)
                if here is not None and here.namespace == change.namespace:
                    self._plane.loop.enqueue(self._retry_configuration, here.namespace, here.name)
            return
        if change.kind != "Pod":
            return
        pod = change.object
        here = self._pods.get(pod["metadata"]["uid"])
        if change.type == "DELETED":
            if here is not None:
                self._forget(here)
        elif here is None:
            if pod["spec"].get("nodeName") and pod.get("status", {}).get("phase") not in {
                "Succeeded",
                "Failed",
            }:
                self._plane.loop.enqueue(self._adopt, change.namespace, change.name)
        elif "deletionTimestamp" in pod["metadata"]:
            if not here.stopping:
                self._plane.loop.enqueue(self._stop, change.namespace, change.name)
        elif change.previous is not None and change.previous["spec"] is not pod["spec"]:
            self._plane.loop.enqueue(self._change_images, change.namespace, change.name)

    def _adopt(self, namespace: str, name: str) -> None:
        """Begin to run a pod that was bound to a node."""
        pod = self._plane.store.get("Pod", namespace, name)
        if pod is None or pod["metadata"]["uid"] in self._pods:
            return
        uid, node = pod["metadata"]["uid"], pod["spec"]["nodeName"]
        here = PodOnNode(
            namespace=namespace,
            name=name,
            uid=uid,
            node=node,
            ip=self._plane.identifiers.pod_ip(),
            host_ip=self._host_ip(node),
            started_at=self._plane.simulation.now,
            containers=[
                Container(item["name"], item["image"], main=index == 0)
                for index, item in enumerate(pod["spec"]["containers"])
            ],
        )
        self._pods[uid] = here
        if "deletionTimestamp" in pod["metadata"]:
            self._stop(namespace, name)
            return
        self._publish(here)
        problem = missing_volume(pod["spec"], self._finder(namespace))
        if problem is not None:
            self._unconfigured[uid] = None
            self._tell(here, "FailedMount", problem, warning=True)
            return
        for container in here.containers:
            self._at(here, container, "start", 0.0, partial(self._pull, here, container))

    def _pull(self, here: PodOnNode, container: Container) -> None:
        pod = self._pod(here)
        if pod is None:
            return
        spec = next(item for item in pod["spec"]["containers"] if item["name"] == container.name)
        path = f"spec.containers{{{container.name}}}"
        behaviour = self._behaviours.behaviour(pod) if container.main else _SIDECAR
        present = (here.node, container.image) in self._images
        if present and spec.get("imagePullPolicy") != "Always":
            self._tell(
                here, "Pulled", f'Container image "{container.image}" already present on machine', path=path
            )
            self._create(here, container)
            return
        if behaviour.image_error is not None:
            self._fail_pull(here, container, behaviour.image_error, path)
            return
        container.pulls.reset()
        seconds = (
            0.5 if present else _PULL_SECONDS[0] + _PULL_SECONDS[1] * fraction(here.uid + container.name)
        )
        self._tell(here, "Pulling", f'Pulling image "{container.image}"', path=path)
        self._at(here, container, "start", seconds, lambda: self._pulled(here, container, seconds, path))

    def _pulled(self, here: PodOnNode, container: Container, seconds: float, path: str) -> None:
        self._images.add((here.node, container.image))
        size = 20_000_000 + int(fraction(container.image) * 200_000_000)
        message = (
            f'Successfully pulled image "{container.image}" in {seconds:.3f}s ({seconds:.3f}s '
            f"including waiting). Image size: {size} bytes."
        )
        self._tell(here, "Pulled", message, path=path)
        self._create(here, container)

    def _fail_pull(self, here: PodOnNode, container: Container, message: str, path: str) -> None:
        self._tell(here, "Pulling", f'Pulling image "{container.image}"', path=path)
        self._tell(
            here, "Failed", f'Failed to pull image "{container.image}": {message}', path=path, warning=True
        )
        self._tell(here, "Failed", "Error: ErrImagePull", path=path, warning=True)
        container.state = waiting("ErrImagePull", message)
        self._publish(here)
        delay = container.pulls.next_seconds()
        self._at(
            here, container, "start", 2.0, lambda: self._back_off_pull(here, container, delay, path, message)
        )

    def _back_off_pull(
        self, here: PodOnNode, container: Container, delay: int, path: str, message: str
    ) -> None:
        self._tell(here, "BackOff", f'Back-off pulling image "{container.image}"', path=path)
        self._tell(here, "Failed", "Error: ImagePullBackOff", path=path, warning=True)
        container.state = waiting(
            "ImagePullBackOff", f'Back-off pulling image "{container.image}": ErrImagePull: {message}'
        )
        self._publish(here)
        self._at(here, container, "start", delay - 2.0, lambda: self._pull(here, container))

    def _create(self, here: PodOnNode, container: Container) -> None:
        pod = self._pod(here)
        if pod is None:
            return
        path = f"spec.containers{{{container.name}}}"
        find = self._finder(here.namespace)
        problem = missing_configuration(pod["spec"], here.namespace, find)
        if problem is None and container.main:
            problem = self._behaviours.behaviour(pod).config_error
        if problem is not None:
            self._unconfigured[here.uid] = None
            self._tell(here, "Failed", f"Error: {problem}", path=path, warning=True)
            container.state = waiting("CreateContainerConfigError", problem)
            self._publish(here)
            return
        self._tell(here, "Created", f"Created container: {container.name}", path=path)
        self._start(here, container)
        self._tell(here, "Started", f"Started container {container.name}", path=path)

    def _start(self, here: PodOnNode, container: Container) -> None:
        now = self._plane.simulation.now
        if container.started_once:
            container.restarts += 1
        container.started_once = True
        container.run = Run(now)
        container.state = {"running": {"startedAt": to_text(now)}}
        container.ready = False
        if container.main:
            spec = (self._pod(here) or {"spec": {}})["spec"]
            find = self._finder(here.namespace)
            named = {(kind, name): find(kind, name) for kind, name, *_ in references(spec)}
            here.config_read = {key: item for key, item in named.items() if item is not None}
        self._publish(here)
        pod = self._pod(here)
        container.behaviour = (
            self._behaviours.behaviour(pod) if container.main and pod is not None else _SIDECAR
        )
        self._plan(here, container)

    def _plan(self, here: PodOnNode, container: Container) -> None:
        """Set the times at which a running container gets ready and ends, from its behaviour."""
        if container.run is None:
            return
        behaviour, start = container.behaviour, container.run.start
        container.cancel("ready", "exit", "probe")
        passed = (self._plane.simulation.now - start).total_seconds()
        if behaviour.exit is not None:
            left = max(behaviour.exit.after_seconds - passed, 0.0)
            self._at(here, container, "exit", left, lambda: self._exit(here, container))
        if behaviour.ready_after_seconds is None:
            if container.ready:
                self._set_ready(here, container, ready=False)
            else:
                self._at(here, container, "probe", 10.0, lambda: self._say_unready(here, container))
        elif behaviour.ready_after_seconds > passed or not container.ready:
            if container.ready:
                self._set_ready(here, container, ready=False)
            left = max(behaviour.ready_after_seconds - passed, 0.0 if passed == 0 else 1.0)
            self._at(here, container, "ready", left, lambda: self._set_ready(here, container, ready=True))

    def _set_ready(self, here: PodOnNode, container: Container, *, ready: bool) -> None:
        container.ready = ready
        if not ready:
            self._say_unready(here, container)
        self._publish(here)

    def _say_unready(self, here: PodOnNode, container: Container) -> None:
        self._tell(
            here, "Unhealthy", _PROBE_FAILED, path=f"spec.containers{{{container.name}}}", warning=True
        )

    def _exit(self, here: PodOnNode, container: Container) -> None:
        ending, pod = container.behaviour.exit, self._pod(here)
        if ending is None or pod is None or container.run is None:
            return
        now = self._plane.simulation.now
        delay = container.restart_delay_seconds(now)
        self._end_run(here, container, ending.code, ending.reason)
        policy = pod["spec"].get("restartPolicy", "Always")
        if policy == "Never" or (policy == "OnFailure" and ending.code == 0):
            self._publish(here)
            return
        if delay == 0:
            self._publish(here)
            self._at(here, container, "start", 1.0, lambda: self._restart(here, container))
            return
        place = f"{here.name}_{here.namespace}({here.uid})"
        message = f"back-off {_written(delay)} restarting failed container={container.name} pod={place}"
        container.last_state, container.state = container.state, waiting("CrashLoopBackOff", message)
        self._publish(here)
        told = f"Back-off restarting failed container {container.name} in pod {place}"
        self._tell(here, "BackOff", told, path=f"spec.containers{{{container.name}}}", warning=True)
        self._at(here, container, "start", float(delay), lambda: self._restart(here, container))

    def _end_run(self, here: PodOnNode, container: Container, code: int, reason: str) -> None:
        container.cancel()
        if container.run is not None:
            container.previous_run = container.run = Run(container.run.start, self._plane.simulation.now)
            container.state = terminated(container.run, code, reason, container_id(here.uid, container))
        container.ready = False

    def _restart(self, here: PodOnNode, container: Container) -> None:
        if "terminated" in container.state:
            container.last_state = container.state
        self._pull(here, container)

    def _stop(self, namespace: str, name: str) -> None:
        """Stop a pod that is being deleted; it is gone when its containers are."""
        pod = self._plane.store.get("Pod", namespace, name)
        here = self._pods.get(pod["metadata"]["uid"]) if pod is not None else None
        if pod is None or here is None or here.stopping:
            return
        here.stopping = True
        self._unconfigured.pop(here.uid, None)
        for container in here.containers:
            container.cancel()
            if container.is_running:
                self._tell(
                    here,
                    "Killing",
                    f"Stopping container {container.name}",
                    path=f"spec.containers{{{container.name}}}",
                )
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds", 30))
        running = any(container.is_running for container in here.containers)
        seconds = min(grace, 1.0 + 2.0 * fraction(here.uid)) if running else min(grace, 1.0)
        self._at(here, here.containers[0], "stop", seconds, lambda: self._stopped(here))

    def _stopped(self, here: PodOnNode) -> None:
        pod = self._pod(here)
        if pod is None:
            return
        if pod["metadata"].get("finalizers"):
            metadata = {**pod["metadata"], "deletionGracePeriodSeconds": 0}
            self._plane.store.replace("Pod", {**pod, "metadata": metadata})
            return
        self._plane.store.remove("Pod", here.namespace, here.name)

    def _forget(self, here: PodOnNode) -> None:
        for container in here.containers:
            container.cancel()
        self._pods.pop(here.uid, None)
        self._unconfigured.pop(here.uid, None)

    def _change_images(self, namespace: str, name: str) -> None:
        """Restart the containers whose image was changed in the running pod."""
        pod = self._plane.store.get("Pod", namespace, name)
        here = self._pods.get(pod["metadata"]["uid"]) if pod is not None else None
        if pod is None or here is None or here.stopping:
            return
        for container, spec in zip(here.containers, pod["spec"]["containers"], strict=True):
            if container.image == spec["image"]:
                continue
            container.image = spec["image"]
            message = f"Container {container.name} definition changed, will be restarted"
            self._tell(here, "Killing", message, path=f"spec.containers{{{container.name}}}")
            self._end_run(here, container, 0, "Completed")
            self._restart(here, container)

    def _retry_configuration(self, namespace: str, name: str) -> None:
        """Try again to create containers that lacked their configuration."""
        pod = self._plane.store.get("Pod", namespace, name)
        here = self._pods.get(pod["metadata"]["uid"]) if pod is not None else None
        if pod is None or here is None or here.uid not in self._unconfigured:
            return
        if missing_volume(pod["spec"], self._finder(namespace)) is not None:
            return
        del self._unconfigured[here.uid]
        for container in here.containers:
            if not container.is_running:
                self._at(here, container, "start", 1.0, partial(self._pull, here, container))

    def _reconsider(self, namespace: str, name: str) -> None:
        pod = self._plane.store.get("Pod", namespace, name)
        here = self._pods.get(pod["metadata"]["uid"]) if pod is not None else None
        if pod is None or here is None or here.stopping:
            return
        if here.uid in self._unconfigured:
            self._retry_configuration(namespace, name)
            return
        main = here.containers[0]
        if not main.is_running:
            return
        behaviour = self._behaviours.behaviour(pod)
        if behaviour != main.behaviour:
            main.behaviour = behaviour
            self._plan(here, main)

    # Small parts

    def _pod(self, here: PodOnNode) -> KubernetesObject | None:
        pod = self._plane.store.get("Pod", here.namespace, here.name)
        return pod if pod is not None and pod["metadata"]["uid"] == here.uid else None

    def _publish(self, here: PodOnNode) -> None:
        pod = self._pod(here)
        if pod is not None and here.node not in self._silent:
            self._plane.set_status(pod, pod_status(here, pod, self._plane.now_text))

    def _tell(
        self, here: PodOnNode, reason: str, message: str, *, path: str = "", warning: bool = False
    ) -> None:
        pod = self._pod(here)
        if pod is not None:
            self._plane.events.record(
                pod, reason, message, component="kubelet", host=here.node, field_path=path, warning=warning
            )

    def _at(
        self, here: PodOnNode, container: Container, purpose: str, seconds: float, action: Callable[[], None]
    ) -> None:
        """Do something after `seconds`, on the next whole second; later if the node is silent then."""
        container.cancel(purpose)

        def due() -> None:
            container.timers.pop(purpose, None)
            if here.node in self._silent:
                self._held[here.node].append(due)
            elif here.uid in self._pods:
                action()

        container.timers[purpose] = self._plane.simulation.schedule(
            _whole(self._plane.simulation.now, seconds), due
        )

    def _host_ip(self, node: str) -> str:
        found = self._plane.store.get("Node", "", node)
        addresses = ((found or {}).get("status") or {}).get("addresses") or ()
        return next((str(item["address"]) for item in addresses if item["type"] == "InternalIP"), "")

    def _finder(self, namespace: str) -> Callable[[str, str], KubernetesObject | None]:
        return lambda kind, name: self._plane.store.get(kind, namespace, name)


def _whole(now: datetime, seconds: float) -> datetime:
    """Return the first whole second at or after `seconds` from now."""
    try:
        at = now + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=now.tzinfo)
    return at if at.microsecond == 0 else at.replace(microsecond=0) + timedelta(seconds=1)


def _written(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
