"""What the kubelet remembers of pods and containers, and how that is written into a pod's status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mcp_tencent.local_cloud.conditions import KubernetesObject, PodBehaviour
from mcp_tencent.local_cloud.kubernetes.identifiers import digest
from mcp_tencent.local_cloud.kubernetes.instants import to_text
from mcp_tencent.local_cloud.simulation import Scheduled

_FIRST_BACK_OFF_SECONDS = 10
_LONGEST_BACK_OFF_SECONDS = 300
_FORGIVEN_AFTER = timedelta(minutes=10)
"""A container that ran for so long starts again without delay."""


@dataclass(slots=True)
class BackOff:
    """Waits that double with every failure."""

    failures: int = 0

    def next_seconds(self) -> int:
        """Count a failure; return how long to wait after it: 10, 20, 40 … 300 s."""
        self.failures += 1
        return min(_FIRST_BACK_OFF_SECONDS << min(self.failures - 1, 10), _LONGEST_BACK_OFF_SECONDS)

    def reset(self) -> None:
        """Begin anew."""
        self.failures = 0


@dataclass(frozen=True, slots=True)
class Run:
    """From a container's start to its end; None while it runs."""

    start: datetime
    end: datetime | None = None


@dataclass(slots=True)
class Container:
    """One container of a pod on a node."""

    name: str
    image: str
    main: bool
    """The first container: the one whose behaviour the world decides. Others just run."""
    state: KubernetesObject = field(default_factory=lambda: waiting("ContainerCreating"))
    last_state: KubernetesObject = field(default_factory=dict)
    restarts: int = 0
    ready: bool = False
    run: Run | None = None
    previous_run: Run | None = None
    behaviour: PodBehaviour = field(default_factory=PodBehaviour)
    crashes: BackOff = field(default_factory=BackOff)
    pulls: BackOff = field(default_factory=BackOff)
    started_once: bool = False
    timers: dict[str, Scheduled] = field(default_factory=dict)
    """What is due, by what for: start, ready, exit."""

    @property
    def is_running(self) -> bool:
        """Whether it runs now."""
        return "running" in self.state

    def restart_delay_seconds(self, now: datetime) -> int:
        """Return how long to wait before it is started again after an exit now; 0 for at once."""
        if self.run is not None and now - self.run.start >= _FORGIVEN_AFTER:
            self.crashes.reset()
        if self.crashes.failures == 0 and self.restarts == 0:
            return 0
        return self.crashes.next_seconds()

    def cancel(self, *purposes: str) -> None:
        """Forget what is due; without `purposes`, everything."""
        for purpose in purposes or tuple(self.timers):
            timer = self.timers.pop(purpose, None)
            if timer is not None:
                timer.cancel()


@dataclass(slots=True)
class PodOnNode:
    """One pod on its node."""

    namespace: str
    name: str
    uid: str
    node: str
    ip: str
    host_ip: str
    started_at: datetime
    containers: list[Container]
    stopping: bool = False
    config_read: Mapping[tuple[str, str], KubernetesObject] = field(default_factory=dict)
    """ConfigMaps and Secrets by (kind, name), as they were when the main container last started."""


def waiting(reason: str, message: str = "") -> KubernetesObject:
    """Return the state of a container that waits."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def terminated(run: Run, code: int, reason: str, container_id: str) -> KubernetesObject:
    """Return the state of a container that has ended."""
    return {
        "terminated": {
            "exitCode": code,
            "reason": reason,
            "startedAt": to_text(run.start),
            "finishedAt": to_text(run.end or run.start),
            "containerID": container_id,
        }
    }


def container_id(pod_uid: str, container: Container) -> str:
    """Return the id of a container's present run."""
    return f"containerd://{digest(f'{pod_uid}/{container.name}/{container.restarts}')}"


def pod_status(here: PodOnNode, pod: KubernetesObject, now: str) -> KubernetesObject:
    """Return the status of `pod` as its kubelet reports it."""
    policy = pod["spec"].get("restartPolicy", "Always")
    old = pod.get("status") or {}
    ready = all(container.ready for container in here.containers)
    finished = policy != "Always" and all("terminated" in item.state for item in here.containers)
    if finished and policy == "OnFailure":
        finished = all(item.state["terminated"]["exitCode"] == 0 for item in here.containers)
    phase = "Running" if any(item.started_once for item in here.containers) else "Pending"
    if finished:
        failed = any(item.state["terminated"]["exitCode"] for item in here.containers)
        phase = "Failed" if failed else "Succeeded"
    status: KubernetesObject = {
        "phase": phase,
        "conditions": _conditions(here, old, ready=ready and not finished, now=now),
        "hostIP": here.host_ip,
        "startTime": to_text(here.started_at),
    }
    if phase != "Pending" or old.get("podIP"):
        status |= {"podIP": here.ip, "podIPs": [{"ip": here.ip}]}
    init = pod["spec"].get("initContainers") or ()
    if init:
        status["initContainerStatuses"] = [_finished_init(here, item) for item in init]
    status["containerStatuses"] = [_container_status(here, item) for item in here.containers]
    status["qosClass"] = old.get("qosClass", "BestEffort")
    return status


def _conditions(here: PodOnNode, old: KubernetesObject, *, ready: bool, now: str) -> list[KubernetesObject]:
    known = {item["type"]: item for item in old.get("conditions") or ()}
    lacking = [container.name for container in here.containers if not container.ready]
    found = []
    for kind, holds in (("Initialized", True), ("Ready", ready), ("ContainersReady", ready)):
        item: KubernetesObject = {"type": kind, "status": str(holds), "lastProbeTime": None}
        before = known.get(kind)
        same = before is not None and before["status"] == item["status"]
        item["lastTransitionTime"] = before["lastTransitionTime"] if before is not None and same else now
        if not holds:
            item |= {
                "reason": "ContainersNotReady",
                "message": f"containers with unready status: [{' '.join(lacking)}]",
            }
        found.append(item)
    return [*found, *([known["PodScheduled"]] if "PodScheduled" in known else [])]


def _container_status(here: PodOnNode, container: Container) -> KubernetesObject:
    status: KubernetesObject = {
        "name": container.name,
        "state": container.state,
        "lastState": container.last_state,
        "ready": container.ready,
        "restartCount": container.restarts,
        "image": container.image,
        "imageID": f"sha256:{digest(container.image)}" if container.started_once else "",
        "started": container.is_running,
    }
    if container.started_once:
        status["containerID"] = container_id(here.uid, container)
    return status


def _finished_init(here: PodOnNode, spec: KubernetesObject) -> KubernetesObject:
    run = Run(here.started_at, here.started_at)
    identity = f"containerd://{digest(here.uid + spec['name'])}"
    return {
        "name": spec["name"],
        "state": terminated(run, 0, "Completed", identity),
        "lastState": {},
        "ready": True,
        "restartCount": 0,
        "image": spec["image"],
        "imageID": f"sha256:{digest(spec['image'])}",
        "containerID": identity,
    }
