"""What can be named, as it is now: clusters, workloads, topics, alarms of the cloud, and the people known."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from assistant.conversation.placing import full_id
from assistant.people import Person
from assistant.planner.inventory import Inventory, Kind, Thing, inventory_of
from mcp_tencent.errors import AccountMissing, CloudError
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.models.clusters import Cluster
from mcp_tencent.naming.inventory import Inventory as Directories
from mcp_tencent.naming.matching import Directory, Named

T = TypeVar("T")
_CHINESE = re.compile(r"[\u4e00-\u9fff]{2,}")
_log = logging.getLogger(__name__)


class LiveNames:
    """Satisfies the conversation's `Names`.

    What a cloud does not tell just now is left out: the tools say themselves that it does not answer. While
    nothing has changed the same object is returned, so that the planner's index of it lives on.

    Args:
        directories: What the clouds have, kept for seconds.
        everybody: Whom the device knows; blocks.
        default_cluster: Id or name of the cluster that is meant when none is named; empty: there is none.
    """

    def __init__(
        self,
        directories: Directories,
        everybody: Callable[[], Sequence[Person]],
        *,
        default_cluster: str = "",
    ) -> None:
        self._directories = directories
        self._everybody = everybody
        self._default_cluster = default_cluster
        self._known = Inventory()

    async def inventory(self) -> Inventory:
        """Return everything with a name."""
        directories = self._directories
        clusters = await _told(directories.clusters())
        found = [_thing("cluster", named, named.thing.cluster_id) for named in clusters]
        default = self._default(found)
        things = await asyncio.gather(
            self._workloads([named.thing for named in clusters], default),
            *(self._inside(named.thing) for named in clusters),
            self._of("topic", directories.topics()),
            self._of("logset", directories.logsets()),
            self._of("alarm", directories.alarms()),
            self._of("dashboard", directories.dashboards()),
            self._people(),
        )
        known = inventory_of(
            (*found, *(thing for group in things for thing in group)), default_cluster=default
        )
        if known != self._known:
            self._known = known
        return self._known

    async def _workloads(self, clusters: Sequence[Cluster], default: str) -> list[Thing]:
        """Return all workloads; of several with one name, those outside the default cluster by full id."""
        found = await asyncio.gather(*(_told(self._directories.workloads(one)) for one in clusters))
        named = [one for of_cluster in found for one in of_cluster]
        everywhere = Counter(one.name for one in named)
        at_default = Counter(one.name for one in named if one.thing[0].cluster_id == default)
        things = []
        for one in named:
            cluster, workload = one.thing
            namespace = workload.ref.namespace
            meant = cluster.cluster_id == default and at_default[one.name] == 1
            if meant or everywhere[one.name] == 1:
                things.append(_thing("workload", one, one.name, place=namespace))
                continue
            canonical = full_id(cluster.cluster_id, namespace, one.name)
            thing = _thing("workload", one, canonical, place=f"{namespace}，{cluster.name}")
            if at_default[one.name] == 1:  # its bare name means the one of the default cluster
                thing = replace(thing, names=tuple(name for name in thing.names if name != one.name))
            things.append(thing)
        return things

    async def _inside(self, cluster: Cluster) -> list[Thing]:
        directories = self._directories
        namespaces, pools = await asyncio.gather(
            _told(directories.namespaces(cluster)), _told(directories.node_pools(cluster))
        )
        return [
            *(_thing("namespace", one, one.thing) for one in namespaces),
            *(_thing("node_pool", one, pool.pool_id) for one in pools for _, pool in (one.thing,)),
        ]

    async def _of(self, kind: Kind, directory: Awaitable[Directory[T]]) -> list[Thing]:
        return [_thing(kind, named, named.name) for named in await _told(directory)]

    async def _people(self) -> list[Thing]:
        return [Thing(kind="person", id=one.name) for one in await in_store(self._everybody)]

    def _default(self, clusters: Sequence[Thing]) -> str:
        """Return the id of the default cluster, or of the only one there is."""
        wanted = self._default_cluster
        named = [one.id for one in clusters if wanted and wanted in (one.id, *one.names)]
        if named:
            return named[0]
        return clusters[0].id if len(clusters) == 1 else ""


class NoNames:
    """Nothing can be named, for there is no cloud; satisfies `Names`."""

    async def inventory(self) -> Inventory:
        """Return nothing."""
        return Inventory()


async def _told(directory: Awaitable[Directory[T]]) -> Sequence[Named[T]]:
    try:
        return (await directory).entries
    except AccountMissing:  # said at the start
        return ()
    except CloudError as error:
        _log.warning("names are missing, because a cloud does not tell them: %s", error)
        return ()


def _thing(kind: Kind, named: Named[T], canonical: str, *, place: str = "") -> Thing:
    names: Iterable[str] = (*named.aliases, named.name)
    return Thing(
        kind=kind,
        id=canonical,
        names=tuple(name for name in dict.fromkeys(names) if name and name != canonical),
        place=place,
    )


def spoken_names(inventory: Inventory) -> tuple[str, ...]:
    """Return every Chinese name, for the recogniser to prefer."""
    names = (name for thing in inventory.things for name in (*thing.names, thing.id))
    return tuple(name for name in dict.fromkeys(names) if _CHINESE.fullmatch(name))
