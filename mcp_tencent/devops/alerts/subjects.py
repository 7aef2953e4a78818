"""Which workload or node an alarm speaks of (pure).

An alert record names its alarm and, where the alarm parts lines by fields, the group that raised it. What it
is about stands in that group, else in the alarm's query (workload:"order-service"), else in the alarm's name
(订单服务错误率过高). Where two workloads fit equally well none is taken: a wrong subject would heal the
wrong one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mcp_tencent.devops.alerts.alert import Alert, Subject
from mcp_tencent.models.alarms import Alarm, AlarmRecord
from mcp_tencent.models.clusters import Place

_WORKLOAD_KEYS = (
    "workload", "workload_name", "deployment", "statefulset", "daemonset", "app", "service", "service_name",
    "container_name", "pod_name", "pod", "object", "object_name",
)  # fmt: skip
_NODE_KEYS = ("node", "node_name", "host", "hostname", "object", "object_name")
_NAMESPACE_KEYS = ("namespace", "namespace_name", "pod_namespace")
_TERM = re.compile(r"([A-Za-z_][\w.]*)\s*:\s*(?:\"([^\"]+)\"|([^\s\"()]+))")
_POD_SUFFIX = re.compile(r"(?:-[a-z0-9]{6,10})?-[a-z0-9]{5}|-\d{1,4}")
_SHORTEST_SPOKEN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A workload and what it is called."""

    subject: Subject
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """What there is in one place, by name."""

    workloads: tuple[Named, ...] = ()
    nodes: tuple[Subject, ...] = ()
    clusters_of_topics: Mapping[str, str] = field(default_factory=dict)
    """Topic id → id of the cluster that writes there, where that is known."""


class Subjects:
    """Finds the subject of each alert record of one place.

    Args:
        place: the account and region.
        roster: what there is.
        alarms: the alarm policies, for their queries.
    """

    def __init__(self, place: Place, roster: Roster, alarms: Iterable[Alarm]) -> None:
        self._place = place
        self._roster = roster
        self._alarms = {alarm.alarm_id: alarm for alarm in alarms}
        self._by_name: defaultdict[str, list[Subject]] = defaultdict(list)
        self._spoken: defaultdict[str, list[Subject]] = defaultdict(list)
        for named in roster.workloads:
            self._by_name[named.subject.workload].append(named.subject)
            for word in (named.subject.workload, *named.aliases):
                if len(word) >= _SHORTEST_SPOKEN:
                    self._spoken[word.lower()].append(named.subject)
        self._nodes = {node.node: node for node in roster.nodes}
        self._found: dict[tuple[object, ...], Subject] = {}

    def alert(self, record: AlarmRecord) -> Alert:
        """Return the record as an alert."""
        # Records of one alarm are many; what they speak of is found once.
        known_by = (record.alarm_id, record.alarm_name, record.topic_id, record.group)
        if known_by not in self._found:
            self._found[known_by] = self._subject(record)
        told = [f"{key}={value}" for key, value in record.group if _bare(key) not in _WORKLOAD_KEYS]
        return Alert(
            record=record,
            place=self._place,
            subject=self._found[known_by],
            message=" ".join((record.trigger, *told)),
        )

    def _subject(self, record: AlarmRecord) -> Subject:
        alarm = self._alarms.get(record.alarm_id)
        query = " ".join(one.query.split("|", 1)[0] for one in alarm.queries) if alarm else ""
        terms = [*record.group, *_terms(query)]
        found = self._of_terms(terms, record.topic_id) or self._of_words(record, query, terms)
        return found or Subject()

    def _of_terms(self, terms: Sequence[tuple[str, str]], topic_id: str) -> Subject | None:
        for wanted in _WORKLOAD_KEYS:
            for key, value in terms:
                if _bare(key) == wanted and (found := self._one_of(self._called(value), terms, topic_id)):
                    return found
        for key, value in terms:
            if _bare(key) in _NODE_KEYS and value in self._nodes:
                return self._nodes[value]
        return None

    def _called(self, value: str) -> Sequence[Subject]:
        """Return the workloads of this name, or whose pod has this name."""
        name = value.strip("*").rpartition("/")[2]
        if name in self._by_name:
            return self._by_name[name]
        owners = [
            owner
            for owner in self._by_name
            if name.startswith(f"{owner}-") and _POD_SUFFIX.fullmatch(name[len(owner) :])
        ]
        return self._by_name[max(owners, key=len)] if owners else ()

    def _of_words(self, record: AlarmRecord, query: str, terms: Sequence[tuple[str, str]]) -> Subject | None:
        """Return what the alarm's name, else its query, mentions; the longest name wins."""
        for text in (record.alarm_name.lower(), query.lower()):
            for node in self._nodes.values():
                if _stands_in(node.node, text):
                    return node
            words = sorted((word for word in self._spoken if _stands_in(word, text)), key=len, reverse=True)
            for word in words:
                if found := self._one_of(self._spoken[word], terms, record.topic_id):
                    return found
        return None

    def _one_of(
        self, found: Sequence[Subject], terms: Sequence[tuple[str, str]], topic_id: str
    ) -> Subject | None:
        """Return the only one that also fits namespace and cluster; None when several do."""
        namespaces = {value for key, value in terms if _bare(key) in _NAMESPACE_KEYS}
        cluster = self._roster.clusters_of_topics.get(topic_id)
        fitting = {
            subject
            for subject in found
            if (not namespaces or subject.namespace in namespaces)
            and (cluster is None or subject.cluster_id == cluster)
        }
        return fitting.pop() if len(fitting) == 1 else None


def mentioned(text: str, subjects: Iterable[Subject]) -> Iterator[Subject]:
    """Yield the workloads and nodes whose name stands in a log line."""
    low = text.lower()
    for subject in subjects:
        if _stands_in(subject.workload or subject.node, low):
            yield subject


def _terms(query: str) -> list[tuple[str, str]]:
    return [(match[1], match[2] or match[3]) for match in _TERM.finditer(query)]


def _bare(key: str) -> str:
    """Return a field's name without __TAG__ and the like."""
    return key.lower().removeprefix("__tag__.").rpartition(".")[2]


def _stands_in(word: str, text: str) -> bool:
    """Tell whether a name stands in a text; one of letters must not be a part of a longer one."""
    if not word:
        return False
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![a-z0-9-]){re.escape(word.lower())}(?![a-z0-9-])", text) is not None
