"""Reads the alerts of every place: records, what they speak of, and who depends on whom.

A place that does not answer is told and the others go on; so is a cluster whose inside cannot be read, whose
alerts are then grouped by what their alarms say alone.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.devops.alerts.alert import Alert, Subject, Topology
from mcp_tencent.devops.alerts.subjects import Named, Roster, Subjects, mentioned
from mcp_tencent.devops.diagnosis.gathering import DEPENDS_ON
from mcp_tencent.devops.diagnosis.log_reading import sample_of
from mcp_tencent.devops.diagnosis.log_signs import called_by
from mcp_tencent.devops.policy.model import Policy
from mcp_tencent.devops.policy.section import names_workload
from mcp_tencent.errors import CloudError
from mcp_tencent.models.alarms import Alarm
from mcp_tencent.models.aliases import aliases_in
from mcp_tencent.models.changes import ObjectRef
from mcp_tencent.models.clusters import Cluster, Place
from mcp_tencent.models.workloads import Workload

_T = TypeVar("_T")

_EVICTIONS = frozenset({"TaintManagerEviction", "NodeNotReady", "Evicted", "NodeLost"})
_MOST_LOOKS = 40
"""Alarms whose lines, and workloads whose dependencies, are looked at, at most."""
_SIDE_BY_SIDE = 6
_LINES = 20
_AROUND = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What could not be read."""

    what: str
    """A place or cluster, as people call it."""
    spoken: str
    """Why, in Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWorkload:
    """A workload as it is now."""

    cluster: Cluster
    workload: Workload
    alias: str
    """What to call it."""

    @property
    def subject(self) -> Subject:
        """It, as alerts name it."""
        ref = self.workload.ref
        return Subject(cluster_id=self.cluster.cluster_id, namespace=ref.namespace, workload=ref.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReading:
    """What was read."""

    alerts: tuple[Alert, ...]
    topology: Topology
    workloads: Mapping[Subject, KnownWorkload]
    unread: tuple[Unread, ...]

    def name_of(self, subject: Subject) -> str:
        """Return what to call a subject; empty when it is not known."""
        known = self.workloads.get(subject)
        return known.alias if known is not None else subject.workload or subject.node


@dataclass(slots=True)
class _PlaceReading:
    place: Place
    alerts: list[Alert] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    workloads: dict[Subject, KnownWorkload] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)


class AlertReader:
    """Reads alerts.

    Args:
        desk: Clouds and names.
        policy: Who depends on whom, beside what workloads and their logs say.
    """

    def __init__(self, desk: BasicDesk, policy: Policy) -> None:
        self._desk = desk
        self._policy = policy
        self._turn = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def read(self, start: datetime, end: datetime) -> AlertReading:
        """Return the alerts raised within [start, end).

        Raises:
            CloudError: No place answered at all.
        """
        inventory = await self._desk.clouds.inventory()
        unread = [Unread(what=_place_name(one.place), spoken=one.spoken) for one in inventory.unreached]
        clusters: defaultdict[Place, list[Cluster]] = defaultdict(list)
        for cluster in inventory.clusters:
            clusters[cluster.place].append(cluster)
        places = self._desk.clouds.places
        answers = await asyncio.gather(
            *(self._place(place, clusters[place], start, end) for place in places), return_exceptions=True
        )
        readings: list[_PlaceReading] = []
        for place, answer in zip(places, answers, strict=True):
            if isinstance(answer, CloudError):
                unread.append(Unread(what=_place_name(place), spoken=answer.spoken))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                readings.append(answer)
                unread.extend(answer.unread)
        errors = [answer for answer in answers if isinstance(answer, CloudError)]
        if errors and not readings:
            raise errors[0]
        workloads = {subject: one for reading in readings for subject, one in reading.workloads.items()}
        needs: defaultdict[Subject, set[Subject]] = defaultdict(set)
        for reading in readings:
            await self._find_needs(reading, needs)
        return AlertReading(
            alerts=tuple(alert for reading in readings for alert in reading.alerts),
            topology=Topology(
                needs={subject: frozenset(needed) for subject, needed in needs.items()},
                hosts=await self._hosts(readings, inventory.clusters, start),
            ),
            workloads=workloads,
            unread=tuple({one.what: one for one in unread}.values()),
        )

    async def _place(
        self, place: Place, clusters: Sequence[Cluster], start: datetime, end: datetime
    ) -> _PlaceReading:
        logs = self._desk.logs(place)
        records, alarms, insides = await asyncio.gather(
            logs.alarm_records(start, end),
            logs.alarms(),
            asyncio.gather(*(self._inside(cluster) for cluster in clusters)),
        )
        reading = _PlaceReading(place=place, alarms=list(alarms))
        nodes: list[Subject] = []
        topics: dict[str, str] = {}
        named: list[Named] = []
        for cluster, inside in zip(clusters, insides, strict=True):
            if isinstance(inside, Unread):
                reading.unread.append(inside)
                continue
            nodes += inside.nodes
            topics |= dict.fromkeys(inside.topic_ids, cluster.cluster_id)
            for known in inside.workloads:
                reading.workloads[known.subject] = known
                named.append(Named(subject=known.subject, aliases=(*known.workload.aliases, known.alias)))
        roster = Roster(workloads=tuple(named), nodes=tuple(nodes), clusters_of_topics=topics)
        subjects = Subjects(place, roster, alarms)
        reading.alerts = [subjects.alert(record) for record in records]
        return reading

    async def _inside(self, cluster: Cluster) -> _Inside | Unread:
        inside = self._desk.inside(cluster)
        try:
            workloads, nodes, topics, spoken = await asyncio.gather(
                inside.workloads(),
                inside.nodes(),
                self._desk.service(cluster).topics(cluster.cluster_id),
                self._desk.naming.aliases_of_workloads(cluster),
            )
        except CloudError as error:
            return Unread(what=cluster.name, spoken=error.spoken)
        ids = (topics.workload_topic_id, topics.event_topic_id, topics.audit_topic_id)
        return _Inside(
            workloads=tuple(
                KnownWorkload(cluster=cluster, workload=one, alias=spoken.get(one.ref, one.ref.name))
                for one in workloads
            ),
            nodes=tuple(Subject(cluster_id=cluster.cluster_id, node=node.name) for node in nodes),
            topic_ids=tuple(one for one in ids if one),
        )

    async def _find_needs(self, reading: _PlaceReading, needs: defaultdict[Subject, set[Subject]]) -> None:
        """Find what the workloads with alerts cannot work without: by policy, annotation and log lines."""
        alerted = list(dict.fromkeys(alert.subject for alert in reading.alerts if alert.subject.workload))
        known = [reading.workloads[one] for one in alerted if one in reading.workloads][:_MOST_LOOKS]
        declared = await asyncio.gather(*(self._declared(one) for one in known))
        for subject, names in declared:
            needs[subject] |= _named(subject, names, reading.workloads)
            needs[subject] |= needed_by_policy(self._policy, subject, reading.workloads)
        first_of_each: dict[tuple[str, Subject], Alert] = {}
        for alert in sorted(reading.alerts, key=lambda one: one.raised_at):
            first_of_each.setdefault((alert.record.alarm_id, alert.subject), alert)
        alarms = {alarm.alarm_id: alarm for alarm in reading.alarms}
        looks = [alert for alert in first_of_each.values() if alert.subject.workload][:_MOST_LOOKS]
        called = await asyncio.gather(*(self._called(alert, alarms) for alert in looks))
        for alert, missed in zip(looks, called, strict=True):
            needs[alert.subject] |= _named(alert.subject, missed, reading.workloads)

    async def _declared(self, known: KnownWorkload) -> tuple[Subject, tuple[str, ...]]:
        ref = known.workload.ref
        whole = ObjectRef(api_version="apps/v1", kind=ref.kind, namespace=ref.namespace, name=ref.name)
        inside = self._desk.inside(known.cluster)
        saved = await self._or_none(inside.snapshot([whole], self._desk.now()))
        content = saved.objects[0].content_json if saved is not None else None
        annotations = json.loads(content or "{}").get("metadata", {}).get("annotations") or {}
        return known.subject, aliases_in(annotations.get(DEPENDS_ON, ""))

    async def _called(self, alert: Alert, alarms: Mapping[str, Alarm]) -> list[str]:
        """Return what the lines that raised an alarm say was called in vain."""
        alarm = alarms.get(alert.record.alarm_id)
        if alarm is None or not alarm.queries:
            return []
        query = alarm.queries[0]
        page = await self._or_none(
            self._desk.logs(alert.place).search(
                query.topic_id,
                query.query.split("|", 1)[0].strip() or "*",
                alert.raised_at - _AROUND,
                alert.raised_at + _AROUND,
                limit=_LINES,
            )
        )
        return [] if page is None else [name for line in page.lines if (name := called_by(sample_of(line)))]

    async def _hosts(
        self, readings: Iterable[_PlaceReading], clusters: Sequence[Cluster], start: datetime
    ) -> dict[Subject, frozenset[Subject]]:
        """Return which workloads had pods on the nodes that alerts speak of."""
        by_id = {cluster.cluster_id: cluster for cluster in clusters}
        hosts: dict[Subject, frozenset[Subject]] = {}
        for reading in readings:
            for node in dict.fromkeys(alert.subject for alert in reading.alerts if alert.subject.node):
                inside = self._desk.inside(by_id[node.cluster_id])
                pods = await self._or_none(inside.pods()) or ()
                events = await self._or_none(inside.events(since=start - _AROUND)) or ()
                there = [one for one in reading.workloads if one.cluster_id == node.cluster_id]
                evicted = [(one.namespace, one.object_name) for one in events if one.reason in _EVICTIONS]
                owners = {(pod.namespace, pod.owner) for pod in pods if pod.node == node.node}
                owners |= {(namespace, _owner(namespace, name, there)) for namespace, name in evicted}
                hosts[node] = frozenset(one for one in there if (one.namespace, one.workload) in owners)
        return hosts

    async def _or_none(self, look: Awaitable[_T]) -> _T | None:
        async with self._turn:
            try:
                return await look
            except CloudError:
                return None  # What is not known only makes groups smaller.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inside:
    workloads: tuple[KnownWorkload, ...]
    nodes: tuple[Subject, ...]
    topic_ids: tuple[str, ...]


def _named(
    subject: Subject, names: Iterable[str], workloads: Mapping[Subject, KnownWorkload]
) -> set[Subject]:
    """Return the workloads of the same cluster that names such as order-db or order-db.shop:5432 mean."""
    there = [one for one in workloads if one.cluster_id == subject.cluster_id and one != subject]
    text = " ".join(name.replace(".", " ").replace(":", " ") for name in names)
    found = set(mentioned(text, there))
    near = {one for one in found if one.namespace == subject.namespace}
    return near | {one for one in found if one.workload not in {same.workload for same in near}}


def needed_by_policy(policy: Policy, subject: Subject, workloads: Iterable[Subject]) -> set[Subject]:
    """Return the workloads of the same cluster that the policy says a workload needs (pure)."""
    patterns = policy.dependencies_of(subject.cluster_id, subject.namespace, subject.workload)
    return {
        one
        for one in workloads
        if one.cluster_id == subject.cluster_id
        and one != subject
        and any(names_workload(each, one.cluster_id, one.namespace, one.workload) for each in patterns)
    }


def _owner(namespace: str, pod: str, there: Iterable[Subject]) -> str:
    """Return the workload whose pod has this name; where one's name begins with another's, the longer."""
    fitting = [
        one.workload for one in there if one.namespace == namespace and pod.startswith(f"{one.workload}-")
    ]
    return max(fitting, key=len, default="")


def _place_name(place: Place) -> str:
    return f"{place.account}的{place.region}"
