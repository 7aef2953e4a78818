"""The imitated cloud as a whole: built from a scenario, brought up to now whenever somebody looks.

All that lives (clusters, logs, metrics, alarms) hangs on one Simulation. The world's history is simulated
once, at construction, from the scenario's beginning to its start; later `catch_up` lets the rest happen.
"""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.faults.fault import Fault
from mcp_tencent.local_cloud.kubernetes_faults import RefusalRule, ScenarioRequestFaults
from mcp_tencent.local_cloud.life.access import bearer_token, cluster_user
from mcp_tencent.local_cloud.life.alarm_history import ScenarioAlarmHistory
from mcp_tencent.local_cloud.life.cls_content import fill_cls
from mcp_tencent.local_cloud.life.cluster_life import ClusterLife
from mcp_tencent.local_cloud.life.fates import Fates, FaultRun
from mcp_tencent.local_cloud.life.metrics import WorldMetrics
from mcp_tencent.local_cloud.life.nodes import WorldNodes
from mcp_tencent.local_cloud.life.tke_content import fill_tke
from mcp_tencent.local_cloud.life.workload_life import WorkloadLife
from mcp_tencent.local_cloud.logs.generation.workload import WorkloadLogSource
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.scenario.model import Scenario, TencentFault
from mcp_tencent.local_cloud.scenario.moments import Moment
from mcp_tencent.local_cloud.scenario.reading import shipped_log_profiles
from mcp_tencent.local_cloud.scenario.replication import replicated, season_of
from mcp_tencent.local_cloud.simulation import Clock, ScaledClock, Simulation
from mcp_tencent.local_cloud.tencent.api_faults import ApiFaults, FaultKind, FaultRule
from mcp_tencent.local_cloud.tencent.cls.state import ClsState
from mcp_tencent.local_cloud.tencent.identifiers import Identifiers
from mcp_tencent.local_cloud.tencent.tke.state import TkeState

_AT_ONCE = timedelta(0)


class SimulationClock:
    """The world's time as its parts see it: the simulation's, which never runs ahead of what happened."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def now(self) -> datetime:
        """Return the simulation's present."""
        return self._simulation.now


def scenario_clock(scenario: Scenario, wall_clock: Clock) -> Clock:
    """Return the clock that a scenario asks for."""
    start = scenario.clock.start
    if scenario.clock.mode == "fixed" and start is not None and start.instant is not None:
        return ScaledClock(start.instant, speed=scenario.clock.speed, reference=wall_clock)
    return wall_clock


class World:
    """A scenario that is being played. Not thread-safe: one event loop asks, one question at a time."""

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        """Build the world and let its history happen, up to the clock's present."""
        self.scenario = scenario
        self.clock = clock
        self.start = clock.now()
        self.beginning = self.start - scenario.history
        self.simulation = Simulation(self.beginning)
        self.world_clock = SimulationClock(self.simulation)
        self._zone = ZoneInfo(scenario.timezone)
        self._dirty: dict[WorkloadRef, None] = {}
        self.lives = self._make_lives()
        self.runs = [self._run_of(fault) for fault in scenario.faults]
        self.fates = Fates(lives=self.lives, runs=self.runs, now=self.world_clock.now)
        self.nodes = WorldNodes(self.simulation, seed=scenario.seed)
        self.clusters = self._make_clusters()
        self._seasons = {ref: season_of(life.spec, scenario.timezone) for ref, life in self.lives.items()}
        self.log_sources = self._make_log_sources()
        self._make_services()
        self._schedule_faults()
        self.simulation.run_until(self.start)

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""
        self.simulation.run_until(self.clock.now())

    def close(self) -> None:
        """Give memory back; nothing can be asked afterwards."""
        self.logs.close()

    def instant(self, moment: Moment | None) -> datetime:
        """Return when a moment of the scenario is; None is the beginning of its history."""
        return self.beginning if moment is None else moment.resolve(self.start, self._zone)

    # Construction.

    def _make_lives(self) -> dict[WorkloadRef, WorkloadLife]:
        profiles = {**shipped_log_profiles(), **self.scenario.log_profiles}
        return {
            ref: WorkloadLife(
                ref=ref,
                spec=workload,
                profile=profiles[workload.logs.profile],
                lines_per_minute=workload.logs.per_minute,
                replicas=workload.replicas,
            )
            for ref, workload in replicated(self.scenario)
        }

    def _run_of(self, fault: Fault) -> FaultRun:
        ends = None if fault.end is None else self.instant(fault.end)
        return FaultRun(fault=fault, begins=self.instant(fault.start), ends=ends)

    def _make_clusters(self) -> dict[str, ClusterLife]:
        clusters: dict[str, ClusterLife] = {}
        for spec in self.scenario.clusters:
            token = bearer_token(self.scenario, spec.id)
            cluster = ClusterLife(
                spec,
                simulation=self.simulation,
                seed=self._seed_for(spec.id),
                tokens={token: cluster_user(self.scenario)},
                lives=self.lives,
                fates=self.fates,
                on_pods=self._pods_changed,
            )
            clusters[spec.id] = cluster
            self.nodes.add_cluster(spec, cluster.kubernetes)
            cluster.build(self.instant)
        return clusters

    def _seed_for(self, name: str) -> int:
        return zlib.crc32(f"{self.scenario.seed}/{name}".encode())

    def _make_log_sources(self) -> dict[WorkloadRef, WorkloadLogSource]:
        sources = {ref: self._log_source(ref, life) for ref, life in self.lives.items()}
        for cluster in self.clusters.values():
            cluster.read_logs_from(sources)
        return sources

    def _log_source(self, ref: WorkloadRef, life: WorkloadLife) -> WorkloadLogSource:
        def node_of(pod: str) -> tuple[str, str]:
            node = life.node_of.get(pod, "")
            return node, self.nodes.address_of(ref.cluster, node)

        return WorkloadLogSource(
            seed=self.scenario.seed,
            cluster_id=ref.cluster,
            namespace=ref.namespace,
            workload=ref.name,
            container=ref.name,
            timeline=life.timeline,
            patterns=life.usual_patterns(),
            season=self._seasons[ref],
            node_of=node_of,
        )

    def _make_services(self) -> None:
        scenario, seed = self.scenario, self.scenario.seed
        self.logs = LogStore(clock=self.world_clock)
        self.cls = ClsState(clock=self.world_clock, identifiers=Identifiers(seed))
        self.tke = TkeState(clock=self.world_clock, identifiers=Identifiers(seed + 1))
        content = fill_cls(
            scenario,
            self.cls,
            self.logs,
            workloads={ref: life.spec for ref, life in self.lives.items()},
            sources=self.log_sources,
            event_sources={cluster_id: cluster.events for cluster_id, cluster in self.clusters.items()},
            beginning=self.beginning,
            instant=self.instant,
        )
        fill_tke(scenario, self.tke, content, self.beginning)
        self.alarms = ScenarioAlarmHistory(
            alarms=content.alarms,
            timelines={ref: life.timeline for ref, life in self.lives.items()},
            memory_shares={ref: _memory_share(life) for ref, life in self.lives.items()},
            policies=self.cls,
            beginning=self.beginning,
            now=self.world_clock.now,
        )
        self.metrics = WorldMetrics(
            seed=seed,
            lives=self.lives,
            seasons=self._seasons,
            nodes=self.nodes.metered,
            now=self.world_clock.now,
        )
        self.tencent_faults = ApiFaults(
            [self._tencent_rule(fault) for fault in scenario.api_faults.tencent], seed=seed
        )
        self.request_faults = {
            cluster_id: ScenarioRequestFaults(self._refusals(cluster_id), self.world_clock)
            for cluster_id in self.clusters
        }

    def _tencent_rule(self, fault: TencentFault) -> FaultRule:
        delay = fault.delay.total_seconds() if fault.effect == "delay" else 0.0
        return FaultRule(
            kind=FaultKind(fault.effect),
            actions=fault.actions,
            probability=fault.share,
            count=fault.count,
            start=None if fault.start is None else self.instant(fault.start),
            end=None if fault.end is None else self.instant(fault.end),
            delay_seconds=delay,
            code=fault.code,
            message=fault.message,
        )

    def _refusals(self, cluster_id: str) -> list[RefusalRule]:
        return [
            RefusalRule(
                fault=fault,
                begins=None if fault.start is None else self.instant(fault.start),
                ends=None if fault.end is None else self.instant(fault.end),
            )
            for fault in self.scenario.api_faults.kubernetes
            if fault.cluster in ("*", cluster_id)
        ]

    # Faults come and go.

    def _schedule_faults(self) -> None:
        for run in self.runs:
            self.simulation.schedule(run.begins, partial(self._begin, run))
            if run.ends is not None:
                self.simulation.schedule(run.ends, partial(self._finish, run))

    def _begin(self, run: FaultRun) -> None:
        run.fault.begin(self)
        self._reconsider(run)
        self._schedule_tick(run)

    def _finish(self, run: FaultRun) -> None:
        run.fault.finish(self)
        self._reconsider(run)

    def _schedule_tick(self, run: FaultRun) -> None:
        tick = run.fault.tick()
        if tick is not None:
            self.simulation.after(tick, lambda: self._tick(run))

    def _tick(self, run: FaultRun) -> None:
        if not run.active(self.simulation.now):
            return
        if run.fault.TICKS_IN_PODS:
            self._reconsider(run)
        else:
            self._conditions_changed(run)
        self._schedule_tick(run)

    def _reconsider(self, run: FaultRun) -> None:
        """Have pods and condition of the workloads that a fault concerns decided anew."""
        refs = run.fault.concerns()
        for cluster, namespace in dict.fromkeys((ref.cluster, ref.namespace) for ref in refs):
            self.clusters[cluster].kubernetes.reconsider(namespace)
        self._conditions_changed(run)

    def _conditions_changed(self, run: FaultRun) -> None:
        for ref in run.fault.concerns():
            self._pods_changed(ref)

    # Levers of faults.

    def apply(self, cluster: str, manifest: KubernetesObject) -> None:
        """Create or update an object of a cluster."""
        self.clusters[cluster].kubernetes.apply(manifest)

    def delete(self, cluster: str, kind: str, namespace: str, name: str) -> None:
        """Delete an object of a cluster; harmless when it is gone."""
        kubernetes = self.clusters[cluster].kubernetes
        if kubernetes.get(kind, namespace, name) is not None:
            kubernetes.delete(kind, namespace, name)

    def set_node_ready(self, cluster: str, node: int, *, ready: bool) -> None:
        """Cut a node (counted from 0) off, or let it come back."""
        names = [view.name for view in self.nodes.nodes(cluster)]
        if node < len(names):
            self.clusters[cluster].kubernetes.set_node_ready(names[node], ready=ready)

    # Conditions follow pods.

    def _pods_changed(self, ref: WorkloadRef) -> None:
        """Note that a workload's condition must be recorded anew, once everything of this instant is done."""
        if not self._dirty:
            self.simulation.after(_AT_ONCE, self._record_conditions)
        self._dirty[ref] = None

    def _record_conditions(self) -> None:
        dirty, self._dirty = self._dirty, {}
        related = (other for changed in dirty for other in sorted(self.fates.related(changed)))
        for ref in dict.fromkeys(related):
            self.lives[ref].timeline.record(self.simulation.now, self.fates.condition(ref))


def _memory_share(life: WorkloadLife) -> float:
    """Return what share of its memory limit a workload's pods normally use; 0 without a limit."""
    limit = life.spec.memory_limit_mib
    return life.spec.memory_mib / limit if limit else 0.0
