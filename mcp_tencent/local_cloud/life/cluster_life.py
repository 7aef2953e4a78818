"""One cluster of a scenario: builds it, lets its history happen, and follows what becomes of its pods."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from mcp_tencent.local_cloud.conditions import KubernetesObject, PodBehaviour
from mcp_tencent.local_cloud.kubernetes.access import KubernetesUser
from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.life.event_source import EventLogSource
from mcp_tencent.local_cloud.life.fates import Fates
from mcp_tencent.local_cloud.life.manifests import (
    companion_manifests,
    config_manifest,
    namespace_manifest,
    workload_manifest,
)
from mcp_tencent.local_cloud.life.pods import config_names, is_isolated, pod_facts, restart_count
from mcp_tencent.local_cloud.life.workload_life import WorkloadLife
from mcp_tencent.local_cloud.logs.generation.workload import WorkloadLogSource
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.scenario.model import Cluster, Config, ConfigVersion, Revision
from mcp_tencent.local_cloud.scenario.moments import Moment
from mcp_tencent.local_cloud.simulation import Simulation

_RESTART_AFTER_CONFIG = timedelta(minutes=1)
_WORKLOAD_KINDS = ("Deployment", "StatefulSet")

ConfigData = Mapping[str, Mapping[str, str]]
"""Content by the name of the ConfigMap or Secret."""


@dataclass(slots=True)
class _Rollout:
    """What the scenario last rolled out of a workload."""

    revision: Revision
    restarted_at: datetime | None = None


class ClusterLife:
    """Owns one imitated cluster; answers for its pods (PodBehaviours) and their logs (PodLogs)."""

    def __init__(
        self,
        spec: Cluster,
        *,
        simulation: Simulation,
        seed: int,
        tokens: Mapping[str, KubernetesUser],
        lives: Mapping[WorkloadRef, WorkloadLife],
        fates: Fates,
        on_pods: Callable[[WorkloadRef], None],
    ) -> None:
        """`lives` are those of all clusters; `on_pods` is told of every workload whose pods have changed."""
        self.spec = spec
        self.events = EventLogSource(spec.id)
        self._simulation = simulation
        self._lives = {
            (ref.namespace, ref.name): life for ref, life in lives.items() if ref.cluster == spec.id
        }
        self._fates = fates
        self._on_pods = on_pods
        self._rollouts: dict[tuple[str, str], _Rollout] = {}
        self._configs_read: dict[str, tuple[int, ConfigData]] = {}
        self._config_kinds = {(config.namespace, config.name): config.kind for config in spec.configs}
        self._sources: Mapping[WorkloadRef, WorkloadLogSource] = {}
        self.kubernetes = KubernetesCluster(
            cluster_id=spec.id,
            simulation=simulation,
            behaviours=self,
            pod_logs=self,
            tokens=tokens,
            seed=seed,
        )
        self.kubernetes.on_change(self._changed)

    def read_logs_from(self, sources: Mapping[WorkloadRef, WorkloadLogSource]) -> None:
        """Answer for pod logs out of `sources` from now on."""
        self._sources = sources

    # What the scenario makes of it.

    def build(self, instant: Callable[[Moment | None], datetime]) -> None:
        """Create what is there at the beginning, and schedule what changes later in the scenario.

        `instant` tells when a moment of the scenario is; None is the beginning.
        """
        for namespace in self.spec.namespaces:
            self.kubernetes.apply(namespace_manifest(namespace))
        for config in self.spec.configs:
            for version in config.versions:
                self._at(instant(version.at), partial(self._configure, config, version))
        for life in self._lives.values():
            for revision in life.spec.revisions:
                self._at(instant(revision.at), partial(self._release, life, revision))
            for manifest in companion_manifests(life.spec):
                self._apply(manifest)

    def _at(self, instant: datetime, action: Callable[[], None]) -> None:
        """Do it now if it is time, so that objects of the beginning exist in the order of the scenario."""
        if instant <= self._simulation.now:
            action()
        else:
            self._simulation.schedule(instant, action)

    def _apply(self, manifest: KubernetesObject) -> None:
        self.kubernetes.apply(manifest)

    def _configure(self, config: Config, version: ConfigVersion) -> None:
        self._apply(config_manifest(config, version))
        for name in version.restarts:
            self._simulation.after(_RESTART_AFTER_CONFIG, partial(self._restart, (config.namespace, name)))

    def _release(self, life: WorkloadLife, revision: Revision) -> None:
        key = (life.ref.namespace, life.ref.name)
        known = key in self._rollouts
        self._rollouts[key] = _Rollout(revision)
        self._roll_out(life, life.replicas if known else life.spec.replicas)

    def _restart(self, key: tuple[str, str]) -> None:
        self._rollouts[key].restarted_at = self._simulation.now
        self._roll_out(self._lives[key], self._lives[key].replicas)

    def _roll_out(self, life: WorkloadLife, replicas: int) -> None:
        rollout = self._rollouts[life.ref.namespace, life.ref.name]
        kinds = {
            name: kind
            for (namespace, name), kind in self._config_kinds.items()
            if namespace == life.ref.namespace
        }
        self._apply(
            workload_manifest(
                life.spec,
                rollout.revision,
                config_kinds=kinds,
                replicas=replicas,
                restarted_at=rollout.restarted_at,
            )
        )

    # What the cluster asks.

    def behaviour(self, pod: KubernetesObject) -> PodBehaviour:
        """Return how a pod behaves now; one that no scenario knows just runs."""
        life = self._life_of(pod)
        if life is None:
            return PodBehaviour()
        return self._fates.behaviour(life.ref, pod_facts(pod, self._config_of(pod)))

    def lines(
        self, namespace: str, pod: str, container: str, start: datetime, end: datetime
    ) -> Iterable[tuple[datetime, str]]:
        """Return what a pod wrote within [start, end), the same lines as its topic has."""
        for life in self._lives.values():
            if life.ref.namespace == namespace and pod in life.node_of:
                for line in self._sources[life.ref].pod_lines(pod, start, end):
                    yield datetime.fromtimestamp(line.timestamp_ms / 1000, start.tzinfo), line.text
                return

    # What the cluster tells.

    def _changed(self, kind: str, namespace: str, name: str) -> None:
        if kind == "Pod":
            self._pod_changed(namespace, name)
        elif kind in _WORKLOAD_KINDS:
            life = self._lives.get((namespace, name))
            found = self.kubernetes.get(kind, namespace, name)
            if life is not None and life.spec.kind == kind:
                life.replicas = 0 if found is None else int(found["spec"].get("replicas", 1))
                self._on_pods(life.ref)
        elif kind == "NetworkPolicy":
            self._isolation_changed(namespace)
        elif kind == "Event":
            event = self.kubernetes.get(kind, namespace, name)
            if event is not None:
                self.events.remember(event, self._simulation.now)

    def _pod_changed(self, namespace: str, name: str) -> None:
        pod = self.kubernetes.get("Pod", namespace, name)
        if pod is None:
            for life in self._lives.values():
                if life.ref.namespace == namespace and life.pods.pop(name, None) is not None:
                    self._configs_read.pop(name, None)
                    self._on_pods(life.ref)
            return
        owner = self._life_of(pod)
        if owner is not None:
            owner.keep_pod(pod_facts(pod, self._config_of(pod)), self._simulation.now)
            self._on_pods(owner.ref)

    def _isolation_changed(self, namespace: str) -> None:
        policies = self.kubernetes.list("NetworkPolicy", namespace)
        for life in self._lives.values():
            if life.ref.namespace == namespace:
                life.isolated = is_isolated({"app": life.ref.name}, policies)
                self._on_pods(life.ref)

    def _life_of(self, pod: KubernetesObject) -> WorkloadLife | None:
        metadata = pod["metadata"]
        app = metadata.get("labels", {}).get("app", "")
        return self._lives.get((metadata["namespace"], app))

    def _config_of(self, pod: KubernetesObject) -> ConfigData:
        """Return the configuration that the pod's container read when it started, which it does once."""
        name, restarts = pod["metadata"]["name"], restart_count(pod)
        known = self._configs_read.get(name)
        if known is not None and known[0] == restarts:
            return known[1]
        namespace = pod["metadata"]["namespace"]
        config = {other: self._data(kind, namespace, other) for kind, other in config_names(pod)}
        self._configs_read[name] = (restarts, config)
        return config

    def _data(self, kind: str, namespace: str, name: str) -> Mapping[str, str]:
        found = self.kubernetes.get(kind, namespace, name)
        data: Mapping[str, str] = {} if found is None else found.get("data") or {}
        if kind == "Secret":
            return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
        return dict(data)
