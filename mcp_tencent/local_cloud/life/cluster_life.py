"""One cluster of a scenario: builds it, lets its history happen, and follows what becomes of its pods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo

from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster, KubernetesUser
from mcp_tencent.local_cloud.life.fates import Fates
from mcp_tencent.local_cloud.life.manifests import (
    companion_manifests,
    config_manifest,
    namespace_manifest,
)
from mcp_tencent.local_cloud.life.workload_life import WorkloadLife
from mcp_tencent.local_cloud.logs.generation.workload import WorkloadLogSource
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.scenario.model import Cluster, Config, ConfigVersion
from mcp_tencent.local_cloud.scenario.moments import Moment
from mcp_tencent.local_cloud.simulation import Simulation

_RESTART_AFTER_CONFIG = timedelta(minutes=1)


class ClusterLife:
    """Owns the imitated cluster; answers for its pods (PodBehaviours) and their logs (PodLogs)."""

    def __init__(
        self,
        spec: Cluster,
        *,
        simulation: Simulation,
        seed: int,
        tokens: Mapping[str, KubernetesUser],
        lives: Mapping[WorkloadRef, WorkloadLife],
        sources: Mapping[WorkloadRef, WorkloadLogSource],
        fates: Fates,
        on_condition: Callable[[WorkloadRef], None],
    ) -> None:
        """`on_condition` is told of every workload whose pods have changed."""
        self.spec = spec
        self._simulation = simulation
        self._lives = {
            (ref.namespace, ref.name): life for ref, life in lives.items() if ref.cluster == spec.id
        }
        self._sources = sources
        self._fates = fates
        self._on_condition = on_condition
        self._configs_read: dict[tuple[str, int], Mapping[str, Mapping[str, str]]] = {}
        self._config_kinds = {(config.namespace, config.name): config.kind for config in spec.configs}
        self.kubernetes = KubernetesCluster(
            cluster_id=spec.id,
            simulation=simulation,
            behaviours=self,
            pod_logs=self,
            tokens=tokens,
            seed=seed,
        )
        self.kubernetes.on_change(self._changed)

    def build(self, start: datetime, beginning: datetime, zone: tzinfo) -> None:
        """Create what is there at the `beginning`, and schedule what changes later in the scenario."""

        def at(moment: Moment | None) -> datetime:
            return beginning if moment is None else moment.resolve(start, zone)

        for namespace in self.spec.namespaces:
            self.kubernetes.apply(namespace_manifest(namespace))
        for config in self.spec.configs:
            for version in config.versions:
                self._simulation.schedule(at(version.at), lambda c=config, v=version: self._configure(c, v))
        for life in self._lives.values():
            life.replicas = life.spec.replicas
            for manifest in companion_manifests(life.spec):
                self.kubernetes.apply(manifest)
            for revision in life.spec.revisions:
                self._simulation.schedule(at(revision.at), lambda w=life, r=revision: self._release(w, r))

    def _configure(self, config: Config, version: ConfigVersion) -> None:
        self.kubernetes.apply(config_manifest(config, version))
        for name in version.restarts:
            life = self._lives[config.namespace, name]
            self._simulation.after(_RESTART_AFTER_CONFIG, lambda w=life: self._restart(w))
