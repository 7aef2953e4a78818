"""From what somebody said to the one thing that is meant: the resolver that all tools share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from mcp_tencent.errors import Ambiguous, CloudError, NotFound, ResourceError
from mcp_tencent.models.clusters import Cluster, Place
from mcp_tencent.models.logs import Topic
from mcp_tencent.models.workloads import ConfigKind, Pod, Workload, WorkloadRef
from mcp_tencent.naming.inventory import Inventory
from mcp_tencent.naming.located import (
    Located,
    LocatedAlarm,
    LocatedConfig,
    LocatedDashboard,
    LocatedLogset,
    LocatedPod,
    LocatedPool,
    LocatedTopic,
)
from mcp_tencent.naming.matching import MOST_CANDIDATES, Directory, Match, Named, Scope, choose, shown
from mcp_tencent.ports import Clouds

T = TypeVar("T")
_CONFIG_WORDS = {ConfigKind.CONFIG_MAP: "配置", ConfigKind.SECRET: "密钥配置"}
Look = Callable[[bool], Awaitable[Scope[T]]]
"""Looks where a thing may be; True: afresh."""


class Naming:
    """Resolves names by id, exact name, alias and sound.

    With `certain=True`, for everything that acts, nothing is taken that only sounds like what was said. All
    methods raise NotFound or Ambiguous (with candidates, each of which can be said back), or the error of a
    cloud that did not answer.

    Args:
        clouds: Where the things are.
        inventory: What there is, by name.
        default_cluster: Id, name or alias of the cluster meant when none is named; empty: there is none.
        default_topic: Likewise of the log topic.
    """

    def __init__(
        self, clouds: Clouds, inventory: Inventory, *, default_cluster: str = "", default_topic: str = ""
    ) -> None:
        self._clouds = clouds
        self._inventory = inventory
        self._default_cluster = default_cluster
        self._default_topic = default_topic

    async def cluster(self, said: str | None, *, certain: bool = False) -> Cluster:
        """Return the cluster; None: the default one, or the only one there is."""
        if said:
            return (await _resolve(said, [self._clusters], kind="集群", certain=certain)).thing
        if self._default_cluster:
            return (await _resolve(self._default_cluster, [self._clusters], kind="集群", certain=True)).thing
        return _only((await self._inventory.clusters()).entries, "cluster", "集群")

    async def clusters(self, said: str | None = None) -> Sequence[Cluster]:
        """Return the one cluster that was named; None: the default one, else all."""
        if said or self._default_cluster:
            return [await self.cluster(said)]
        return await self.all_clusters()

    async def all_clusters(self) -> Sequence[Cluster]:
        """Return every cluster of every place.

        Raises:
            CloudError: When a place did not answer, so that clusters are missing.
        """
        directory = await self._inventory.clusters()
        if directory.missing is not None:
            raise directory.missing
        return [named.thing for named in directory.entries]

    async def namespace(self, said: str, cluster: Cluster, *, certain: bool = False) -> str:
        """Return the name of a namespace of `cluster`."""

        async def look(again: bool) -> Scope[str]:
            return Scope([await self._inventory.namespaces(cluster, again=again)])

        among = f" in {cluster.cluster_id}"
        return (await _resolve(said, [look], kind="命名空间", certain=certain, among=among)).thing

    async def workload(
        self, said: str, *, namespace: str | None = None, cluster: str | None = None, certain: bool = False
    ) -> Located:
        """Return a workload. Without a cluster, the default one is looked at first, and then all others."""
        looks = [
            self._workloads_in(clusters, namespace, certain)
            for clusters in await self._rounds(cluster, certain)
        ]
        among = f" in namespace {shown(namespace)!r}" if namespace else ""
        match = await _resolve(said, looks, kind="工作负载", certain=certain, among=among)
        found_in, workload = match.thing
        return Located(cluster=found_in, workload=workload, alias=match.alias, by_sound=match.by_sound)

    async def node_pool(self, said: str, cluster: str | None = None, *, certain: bool = False) -> LocatedPool:
        """Return a node pool. Without a cluster, the default one is looked at first, and then all others."""
        looks = [
            self._within(clusters, None, certain, self._inventory.node_pools, lambda thing: (thing[0], ""))
            for clusters in await self._rounds(cluster, certain)
        ]
        match = await _resolve(said, looks, kind="节点池", certain=certain)
        found_in, pool = match.thing
        return LocatedPool(cluster=found_in, pool=pool, alias=match.alias, by_sound=match.by_sound)

    async def config(
        self,
        said: str,
        kind: ConfigKind,
        *,
        namespace: str | None = None,
        cluster: str | None = None,
        certain: bool = False,
    ) -> LocatedConfig:
        """Return where a ConfigMap or Secret is."""
        looks = [
            self._configs_in(kind, clusters, namespace, certain)
            for clusters in await self._rounds(cluster, certain)
        ]
        match = await _resolve(said, looks, kind=_CONFIG_WORDS[kind], certain=certain)
        found_in, place, name = match.thing
        return LocatedConfig(
            cluster=found_in, kind=kind, namespace=place, name=name, alias=name, by_sound=match.by_sound
        )

    async def pod(
        self, said: str, *, namespace: str | None = None, cluster: str | None = None, certain: bool = False
    ) -> LocatedPod:
        """Return a pod by its exact name; for reads also by the last part of it, when only one ends so."""
        for clusters in await self._rounds(cluster, certain):
            found = [
                (one, pod)
                for one, pods in zip(
                    clusters,
                    await asyncio.gather(
                        *(self._pods_named(said, one, namespace, certain) for one in clusters)
                    ),
                    strict=True,
                )
                for pod in pods
            ]
            if len(found) == 1:
                (one, pod) = found[0]
                return LocatedPod(cluster=one, pod=pod, alias=pod.name, by_sound=pod.name != said.strip())
            if found:
                names = [f"{pod.namespace}/{pod.name}" for _, pod in found[:MOST_CANDIDATES]]
                raise Ambiguous(f"{len(found)} pods are called {shown(said)!r}", candidates=names)
        raise NotFound(f"no pod is called {shown(said)!r}", wanted=f"叫“{shown(said)}”的 Pod")

    async def topic(self, said: str | None, *, certain: bool = False) -> LocatedTopic:
        """Return the log topic; None: the default one, or the only one there is."""
        wanted = said or self._default_topic
        if not wanted:
            place, topic = _only((await self._inventory.topics()).entries, "topic", "日志主题")
            return LocatedTopic(place=place, topic=topic, alias=topic.name)
        match = await _resolve(wanted, [self._topics], kind="日志主题", certain=certain or not said)
        return _located_topic(match)

    async def topics(self, said: str | None = None) -> Sequence[LocatedTopic]:
        """Return the one topic that was named; None: the default one, else all."""
        if said or self._default_topic:
            return [await self.topic(said)]
        directory = await self._inventory.topics()
        if directory.missing is not None:
            raise directory.missing
        return [
            LocatedTopic(place=named.thing[0], topic=named.thing[1], alias=named.spoken)
            for named in directory.entries
        ]

    async def logset(self, said: str, *, certain: bool = False) -> LocatedLogset:
        """Return a logset."""
        match = await _resolve(said, [_in(self._inventory.logsets)], kind="日志集", certain=certain)
        place, logset = match.thing
        return LocatedLogset(place=place, logset=logset, alias=match.alias, by_sound=match.by_sound)

    async def alarm(self, said: str, *, certain: bool = False) -> LocatedAlarm:
        """Return an alarm policy."""
        match = await _resolve(said, [_in(self._inventory.alarms)], kind="告警策略", certain=certain)
        place, alarm = match.thing
        return LocatedAlarm(place=place, alarm=alarm, alias=match.alias, by_sound=match.by_sound)

    async def dashboard(self, said: str, *, certain: bool = False) -> LocatedDashboard:
        """Return a dashboard."""
        match = await _resolve(said, [_in(self._inventory.dashboards)], kind="仪表盘", certain=certain)
        place, dashboard = match.thing
        return LocatedDashboard(place=place, dashboard=dashboard, alias=match.alias, by_sound=match.by_sound)

    async def aliases_of_workloads(self, cluster: Cluster) -> dict[WorkloadRef, str]:
        """Return how to call each workload of a cluster when speaking of it."""
        directory = await self._inventory.workloads(cluster)
        return {named.thing[1].ref: named.spoken for named in directory.entries}

    async def _clusters(self, again: bool) -> Scope[Cluster]:
        return Scope([await self._inventory.clusters(again=again)])

    async def _topics(self, again: bool) -> Scope[tuple[Place, Topic]]:
        return Scope([await self._inventory.topics(again=again)])

    async def _rounds(self, said: str | None, certain: bool) -> list[Sequence[Cluster]]:
        """Return in which clusters to look, one round after the other."""
        if said:
            return [[await self.cluster(said, certain=certain)]]
        everything = (await self._inventory.clusters()).entries
        if not self._default_cluster:
            return [[named.thing for named in everything]]
        first = await self.cluster(None)
        others = [named.thing for named in everything if named.thing.cluster_id != first.cluster_id]
        return [[first], others] if others else [[first]]

    def _workloads_in(
        self, clusters: Sequence[Cluster], namespace: str | None, certain: bool
    ) -> Look[tuple[Cluster, Workload]]:
        return self._within(
            clusters,
            namespace,
            certain,
            self._inventory.workloads,
            lambda thing: (thing[0], thing[1].ref.namespace),
        )

    def _configs_in(
        self, kind: ConfigKind, clusters: Sequence[Cluster], namespace: str | None, certain: bool
    ) -> Look[tuple[Cluster, str, str]]:
        ask = partial(self._inventory.configs, kind)
        return self._within(clusters, namespace, certain, ask, lambda thing: (thing[0], thing[1]))

    def _within(
        self,
        clusters: Sequence[Cluster],
        namespace: str | None,
        certain: bool,
        ask: Callable[..., Awaitable[Directory[T]]],
        place_of: Callable[[T], tuple[Cluster, str]],
    ) -> Look[T]:
        """Return how to look into clusters, or into the namespace of each that is meant."""

        async def look(again: bool) -> Scope[T]:
            directories = await asyncio.gather(
                *(_or_missing(ask(cluster, again=again)) for cluster in clusters)
            )
            if not namespace:
                return Scope(directories)
            meant = await self._namespaces_meant(namespace, clusters, certain)

            def keep(thing: T) -> bool:
                cluster, place = place_of(thing)
                return (cluster.cluster_id, place) in meant

            return Scope(directories, keep)

        return look

    async def _namespaces_meant(
        self, said: str, clusters: Sequence[Cluster], certain: bool
    ) -> set[tuple[str, str]]:
        """Return in which clusters there is such a namespace, and its name there."""
        meant: set[tuple[str, str]] = set()
        error: ResourceError | None = None
        for cluster in clusters:
            try:
                meant.add((cluster.cluster_id, await self.namespace(said, cluster, certain=certain)))
            except ResourceError as exc:
                error = error or exc
        if not meant and error is not None:
            raise error
        return meant

    async def _pods_named(
        self, said: str, cluster: Cluster, namespace: str | None, certain: bool
    ) -> Sequence[Pod]:
        name = said.strip()
        place, _, bare = name.rpartition("/")
        where = place or (await self.namespace(namespace, cluster, certain=certain) if namespace else "")
        inside = self._clouds.workloads(cluster.place, cluster.cluster_id)
        for named in (await self._inventory.workloads(cluster)).entries:
            ref = named.thing[1].ref
            # A pod is named after its workload: asking for that one's pods spares asking for all.
            if bare.startswith(f"{ref.name}-") and where in ("", ref.namespace):
                found = [pod for pod in await inside.pods(workload=ref) if pod.name == bare]
                if found:
                    return found
        pods = await inside.pods(namespace=where)
        exact = [pod for pod in pods if pod.name == bare]
        if exact or certain or len(bare) < 4:
            return exact
        return [pod for pod in pods if pod.name.endswith(bare)]


async def _resolve(
    said: str, looks: Sequence[Look[T]], *, kind: str, certain: bool, among: str = ""
) -> Match[T]:
    """Look for an exact name round by round; without one look afresh everywhere, and listen to the sound."""
    for look in looks:
        scope = await look(False)
        if scope.exact(said):
            return choose(said, [scope], kind=kind, certain=certain, among=among)
    scopes = [await look(True) for look in looks]
    return choose(said, scopes, kind=kind, certain=certain, among=among)


def _in(ask: Callable[..., Awaitable[Directory[T]]]) -> Look[T]:
    async def look(again: bool) -> Scope[T]:
        return Scope([await ask(again=again)])

    return look


async def _or_missing(directory: Awaitable[Directory[T]]) -> Directory[T]:
    try:
        return await directory
    except CloudError as error:
        return Directory((), error)


def _only(entries: Sequence[Named[T]], what: str, kind: str) -> T:
    if len(entries) == 1:
        return entries[0].thing
    if not entries:
        raise NotFound(f"there is no {what}", wanted=kind)
    labels = [named.spoken for named in entries[:MOST_CANDIDATES]]
    raise Ambiguous(f"there are {len(entries)} of this kind ({what}): name one", candidates=labels)


def _located_topic(match: Match[tuple[Place, Topic]]) -> LocatedTopic:
    place, topic = match.thing
    return LocatedTopic(place=place, topic=topic, alias=match.alias, by_sound=match.by_sound)
