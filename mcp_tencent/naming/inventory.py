"""What there is, by name: looked up once and kept for seconds, so that a conversation costs few requests."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from mcp_tencent.errors import CloudError
from mcp_tencent.gateway.call import Clock
from mcp_tencent.models.alarms import Alarm
from mcp_tencent.models.aliases import ALIAS_KEY, aliases_in
from mcp_tencent.models.clusters import Cluster, NodePool, Place
from mcp_tencent.models.logs import Dashboard, Logset, Topic
from mcp_tencent.models.workloads import ConfigKind, Namespace, Workload
from mcp_tencent.naming.aliases import Aliases, Names, aliases_for
from mcp_tencent.naming.matching import Directory, Named
from mcp_tencent.ports import Clouds, LogService

T = TypeVar("T")
U = TypeVar("U")

KEPT_FOR = timedelta(seconds=30)
LOOKED_AGAIN_AFTER = timedelta(seconds=2)
"""A name that is not known makes us look again, unless we did so just now."""

_CLUSTER_NOUNS = ("集群",)
_POOL_NOUNS = ("节点池",)
_NAMESPACE_NOUNS = ("命名空间", "空间")
_TOPIC_NOUNS = ("日志主题", "主题")
_LOGSET_NOUNS = ("日志集",)
_ALARM_NOUNS = ("告警", "报警", "告警策略")
_DASHBOARD_NOUNS = ("仪表盘", "大盘", "看板")


@dataclass(frozen=True, slots=True)
class _Kept:
    at: datetime
    directory: Directory[Any]


@dataclass(frozen=True, slots=True)
class _Names:
    """How a thing of the log service is named by itself."""

    thing_id: str
    name: str
    aliases: tuple[str, ...] = ()


class Inventory:
    """Directories of everything that can be named. Use it within one event loop.

    Args:
        clouds: Where to look.
        clock: Tells how old what is known is.
        aliases: What the house calls its things.
        kept_for: How long a directory is good.
    """

    def __init__(
        self, clouds: Clouds, clock: Clock, aliases: Aliases | None = None, *, kept_for: timedelta = KEPT_FOR
    ) -> None:
        self._clouds = clouds
        self._clock = clock
        self._aliases = aliases or Aliases()
        self._kept_for = kept_for
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def clusters(self, *, again: bool = False) -> Directory[Cluster]:
        """Return the clusters of all places; `again`: looked up afresh, unless that was just now."""

        async def look() -> Directory[Cluster]:
            found, missing = await self._everywhere(
                lambda place: self._clouds.cluster_service(place).clusters()
            )
            return Directory((self._cluster(cluster) for _, cluster in found), missing)

        return await self._keep("clusters", "", look, again=again)

    async def node_pools(
        self, cluster: Cluster, *, again: bool = False
    ) -> Directory[tuple[Cluster, NodePool]]:
        """Return a cluster's node pools."""

        async def look() -> Directory[tuple[Cluster, NodePool]]:
            pools = await self._clouds.cluster_service(cluster.place).node_pools(cluster.cluster_id)
            return Directory(self._pool(pool, cluster) for pool in pools)

        return await self._keep("node_pools", cluster.cluster_id, look, again=again)

    async def namespaces(self, cluster: Cluster, *, again: bool = False) -> Directory[str]:
        """Return a cluster's namespaces."""

        async def look() -> Directory[str]:
            found = await self._clouds.workloads(cluster.place, cluster.cluster_id).namespaces()
            return Directory(self._namespace(namespace) for namespace in found)

        return await self._keep("namespaces", cluster.cluster_id, look, again=again)

    async def workloads(
        self, cluster: Cluster, *, again: bool = False
    ) -> Directory[tuple[Cluster, Workload]]:
        """Return a cluster's workloads."""

        async def look() -> Directory[tuple[Cluster, Workload]]:
            found = await self._clouds.workloads(cluster.place, cluster.cluster_id).workloads()
            return Directory(self._workload(workload, cluster) for workload in found)

        return await self._keep("workloads", cluster.cluster_id, look, again=again)

    async def configs(
        self, kind: ConfigKind, cluster: Cluster, *, again: bool = False
    ) -> Directory[tuple[Cluster, str, str]]:
        """Return cluster, namespace and name of a cluster's ConfigMaps or Secrets; never their content."""

        async def look() -> Directory[tuple[Cluster, str, str]]:
            found = await self._clouds.workloads(cluster.place, cluster.cluster_id).configs(kind)
            return Directory(
                Named(
                    thing=(cluster, config.namespace, config.name),
                    ids=(f"{config.namespace}/{config.name}",),
                    name=config.name,
                    place=f"{config.namespace}，{cluster.name}",
                )
                for config in found
            )

        return await self._keep(kind.value, cluster.cluster_id, look, again=again)

    async def topics(self, *, again: bool = False) -> Directory[tuple[Place, Topic]]:
        """Return the log topics of all places."""

        def named(topic: Topic) -> _Names:
            return _Names(topic.topic_id, topic.name, _tagged(topic.tags))

        return await self._of_logs(
            "topics", lambda logs: logs.topics(), named, self._aliases.topics, _TOPIC_NOUNS, again
        )

    async def logsets(self, *, again: bool = False) -> Directory[tuple[Place, Logset]]:
        """Return the logsets of all places."""

        def named(logset: Logset) -> _Names:
            return _Names(logset.logset_id, logset.name, _tagged(logset.tags))

        return await self._of_logs(
            "logsets", lambda logs: logs.logsets(), named, self._aliases.logsets, _LOGSET_NOUNS, again
        )

    async def alarms(self, *, again: bool = False) -> Directory[tuple[Place, Alarm]]:
        """Return the alarm policies of all places."""

        def named(alarm: Alarm) -> _Names:
            return _Names(alarm.alarm_id, alarm.name)

        return await self._of_logs(
            "alarms", lambda logs: logs.alarms(), named, self._aliases.alarms, _ALARM_NOUNS, again
        )

    async def dashboards(self, *, again: bool = False) -> Directory[tuple[Place, Dashboard]]:
        """Return the dashboards of all places."""

        def named(dashboard: Dashboard) -> _Names:
            return _Names(dashboard.dashboard_id, dashboard.name)

        return await self._of_logs(
            "dashboards",
            lambda logs: logs.dashboards(),
            named,
            self._aliases.dashboards,
            _DASHBOARD_NOUNS,
            again,
        )

    async def _of_logs(
        self,
        kind: str,
        ask: Callable[[LogService], Awaitable[Sequence[U]]],
        named: Callable[[U], _Names],
        given: Names,
        nouns: tuple[str, ...],
        again: bool,
    ) -> Directory[tuple[Place, U]]:
        async def look() -> Directory[tuple[Place, U]]:
            found, missing = await self._everywhere(lambda place: ask(self._clouds.logs(place)))
            return Directory(
                (_placed(place, thing, named(thing), given, nouns) for place, thing in found), missing
            )

        return await self._keep(kind, "", look, again=again)

    async def _keep(
        self, kind: str, where: str, look: Callable[[], Awaitable[Directory[T]]], *, again: bool
    ) -> Directory[T]:
        # The lock lets those who ask meanwhile wait for the one answer.
        async with self._locks[kind, where]:
            kept = self._kept.get((kind, where))
            good_for = LOOKED_AGAIN_AFTER if again or (kept and kept.directory.missing) else self._kept_for
            now = self._clock.now()
            if kept is None or not timedelta(0) <= now - kept.at < good_for:
                kept = _Kept(now, await look())
                self._kept[kind, where] = kept
            return kept.directory

    async def _everywhere(
        self, ask: Callable[[Place], Awaitable[Sequence[U]]]
    ) -> tuple[list[tuple[Place, U]], CloudError | None]:
        """Ask every place side by side; returns what was found, and why some did not answer.

        Raises:
            CloudError: When no place answered.
        """
        places = self._clouds.places
        answers = await asyncio.gather(*(_or_error(ask(place)) for place in places))
        errors = [answer for answer in answers if isinstance(answer, CloudError)]
        if errors and len(errors) == len(places):
            raise errors[0]
        found = [
            (place, item)
            for place, answer in zip(places, answers, strict=True)
            if not isinstance(answer, CloudError)
            for item in answer
        ]
        return found, errors[0] if errors else None

    def _cluster(self, cluster: Cluster) -> Named[Cluster]:
        return Named(
            thing=cluster,
            ids=(cluster.cluster_id,),
            name=cluster.name,
            aliases=aliases_for(cluster.aliases, self._aliases.clusters, cluster.cluster_id, cluster.name),
            place=cluster.cluster_id,
            nouns=_CLUSTER_NOUNS,
        )

    def _pool(self, pool: NodePool, cluster: Cluster) -> Named[tuple[Cluster, NodePool]]:
        return Named(
            thing=(cluster, pool),
            ids=(pool.pool_id,),
            name=pool.name,
            aliases=aliases_for(pool.aliases, self._aliases.node_pools, pool.pool_id, pool.name),
            place=cluster.name,
            nouns=_POOL_NOUNS,
        )

    def _namespace(self, namespace: Namespace) -> Named[str]:
        return Named(
            thing=namespace.name,
            ids=(),
            name=namespace.name,
            aliases=aliases_for(namespace.aliases, self._aliases.namespaces, namespace.name),
            nouns=_NAMESPACE_NOUNS,
        )

    def _workload(self, workload: Workload, cluster: Cluster) -> Named[tuple[Cluster, Workload]]:
        ref = workload.ref
        full = (f"{cluster.cluster_id}/{ref.namespace}/{ref.name}", f"{ref.namespace}/{ref.name}")
        return Named(
            thing=(cluster, workload),
            ids=(*full, str(ref)),
            name=ref.name,
            aliases=aliases_for(workload.aliases, self._aliases.workloads, *full, ref.name),
            place=f"{ref.namespace}，{cluster.name}",
        )


def _placed(
    place: Place, thing: U, names: _Names, given: Names, nouns: tuple[str, ...]
) -> Named[tuple[Place, U]]:
    return Named(
        thing=(place, thing),
        ids=(names.thing_id,),
        name=names.name,
        aliases=aliases_for(names.aliases, given, names.thing_id, names.name),
        place=f"{place.account}，{place.region}",
        nouns=nouns,
    )


def _tagged(tags: Mapping[str, str]) -> tuple[str, ...]:
    return aliases_in(tags.get(ALIAS_KEY, ""))


async def _or_error(answer: Awaitable[Sequence[U]]) -> Sequence[U] | CloudError:
    try:
        return await answer
    except CloudError as error:
        return error
