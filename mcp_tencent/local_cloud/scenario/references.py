"""Checks what a scenario's parts say about each other: every name that is used must be defined."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mcp_tencent.local_cloud.faults.bad_releases import BadConfig, BadImage, BadRevision
from mcp_tencent.local_cloud.faults.exhaustion import MemoryLeak
from mcp_tencent.local_cloud.faults.surroundings import NodeDown
from mcp_tencent.local_cloud.logs.errors import TemplateError
from mcp_tencent.local_cloud.logs.generation.slots import check_pattern
from mcp_tencent.local_cloud.scenario.fields import LogLineTemplate
from mcp_tencent.local_cloud.scenario.model import Cluster, Scenario

_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenReference:
    """A place that names something that is not there."""

    path: _Path
    value: str
    problem: str
    remedy: str


def broken_references(scenario: Scenario, shipped_profiles: frozenset[str]) -> list[BrokenReference]:
    """Return every reference of `scenario` that leads nowhere, in the order of the file's sections."""
    return [
        *_clock(scenario),
        *_doubles(scenario),
        *_clusters(scenario, shipped_profiles),
        *_logsets(scenario),
        *_alarms(scenario),
        *_faults(scenario),
        *_templates(scenario),
        *_api_faults(scenario),
        *_truth(scenario),
    ]


def _missing(path: _Path, what: str, value: object, known: Iterable[object]) -> BrokenReference:
    names = sorted(str(name) for name in known)
    near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
    remedy = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(names[:8]) or 'none'}."
    return BrokenReference(
        path=path, value=str(value), problem=f"there is no {what} of this name", remedy=remedy
    )


def _unless_known(
    path: _Path, what: str, value: object, known: Iterable[object]
) -> Iterator[BrokenReference]:
    known = set(known)
    if value not in known:
        yield _missing(path, what, value, known)


def _clock(scenario: Scenario) -> Iterator[BrokenReference]:
    try:
        ZoneInfo(scenario.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield BrokenReference(
            path=("timezone",), value=scenario.timezone, problem="no such time zone",
            remedy="Use a name such as Asia/Shanghai.",
        )  # fmt: skip
    start = scenario.clock.start
    if scenario.clock.mode == "fixed" and (start is None or start.instant is None):
        yield BrokenReference(
            path=("clock", "start"), value=start.text if start else "",
            problem="a fixed clock needs its start",
            remedy="Give an absolute time with an offset, e.g. 2026-11-21T05:00:00+08:00.",
        )  # fmt: skip


def _doubles(scenario: Scenario) -> Iterator[BrokenReference]:
    groups: list[tuple[str, list[str]]] = [
        ("clusters", [cluster.id for cluster in scenario.clusters]),
        ("logsets", [logset.name for logset in scenario.logsets]),
        ("alarms", [alarm.name for alarm in scenario.alarms]),
        ("dashboards", [dashboard.name for dashboard in scenario.dashboards]),
        ("accounts", [account.secret_id for account in scenario.accounts]),
        ("truth", [truth.id for truth in scenario.truth]),
    ]
    for index, cluster in enumerate(scenario.clusters):
        names = [f"{workload.namespace}/{workload.name}" for workload in cluster.workloads]
        for name in _twice(names):
            yield BrokenReference(
                path=("clusters", index, "workloads", names.index(name)), value=name,
                problem="two workloads have this name", remedy="Rename one.",
            )  # fmt: skip
    topics = [topic.name for logset in scenario.logsets for topic in logset.topics]
    groups.append(("logsets", topics))
    for section, names in groups:
        for name in _twice(names):
            yield BrokenReference(path=(section,), value=name, problem="stands twice", remedy="Rename one.")


def _twice(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _clusters(scenario: Scenario, shipped_profiles: frozenset[str]) -> Iterator[BrokenReference]:
    topics = {topic.name for logset in scenario.logsets for topic in logset.topics}
    profiles = {*shipped_profiles, *scenario.log_profiles}
    for index, cluster in enumerate(scenario.clusters):
        here: _Path = ("clusters", index)
        yield from _workloads(cluster, here, topics, profiles)
        names = {workload.name for workload in cluster.workloads}
        for number, config in enumerate(cluster.configs):
            for version_number, version in enumerate(config.versions):
                for name in version.restarts:
                    place = (*here, "configs", number, "versions", version_number, "restarts")
                    yield from _unless_known(place, "workload", name, names)


def _workloads(
    cluster: Cluster, here: _Path, topics: set[str], profiles: set[str]
) -> Iterator[BrokenReference]:
    configs = {(config.namespace, config.name) for config in cluster.configs}
    for number, workload in enumerate(cluster.workloads):
        place: _Path = (*here, "workloads", number)
        if workload.logs.topic is not None:
            yield from _unless_known((*place, "logs", "topic"), "topic", workload.logs.topic, topics)
        yield from _unless_known((*place, "logs", "profile"), "log profile", workload.logs.profile, profiles)
        if workload.pool is not None:
            pools = {pool.id for pool in cluster.node_pools}
            yield from _unless_known((*place, "pool"), "node pool", workload.pool, pools)
        for name in workload.configs:
            if (workload.namespace, name) not in configs:
                known = [other for namespace, other in configs if namespace == workload.namespace]
                yield _missing((*place, "configs"), "ConfigMap or Secret", name, known)
        for revision_number, revision in enumerate(workload.revisions[1:], start=1):
            if revision.at is None:
                yield BrokenReference(
                    path=(*place, "revisions", revision_number), value=revision.image,
                    problem="only the first revision may be there from the beginning", remedy="Add `at:`.",
                )  # fmt: skip


def _logsets(scenario: Scenario) -> Iterator[BrokenReference]:
    ids = {cluster.id for cluster in scenario.clusters}
    for index, logset in enumerate(scenario.logsets):
        if logset.cluster is not None:
            yield from _unless_known(("logsets", index, "cluster"), "cluster", logset.cluster, ids)


def _alarms(scenario: Scenario) -> Iterator[BrokenReference]:
    topics = {topic.name for logset in scenario.logsets for topic in logset.topics}
    notices = {notice.name for notice in scenario.notices}
    workloads = scenario.workloads()
    for index, dashboard in enumerate(scenario.dashboards):
        yield from _unless_known(("dashboards", index, "topic"), "topic", dashboard.topic, topics)
    for index, alarm in enumerate(scenario.alarms):
        yield from _unless_known(("alarms", index, "topic"), "topic", alarm.topic, topics)
        if alarm.notice is not None:
            yield from _unless_known(("alarms", index, "notice"), "notice", alarm.notice, notices)
        for number, watch in enumerate(alarm.watches):
            place = ("alarms", index, "watches", number, "workload")
            yield from _unless_known(place, "workload", watch.workload, workloads)


def _faults(scenario: Scenario) -> Iterator[BrokenReference]:
    workloads = scenario.workloads()
    clusters = {cluster.id: cluster for cluster in scenario.clusters}
    for index, fault in enumerate(scenario.faults):
        here: _Path = ("faults", index)
        for ref in fault.concerns():
            yield from _unless_known((*here, "workload"), "workload", ref, workloads)
        if isinstance(fault, BadImage | BadRevision | MemoryLeak) and fault.workload in workloads:
            images = {revision.image for revision in workloads[fault.workload].revisions}
            if fault.image is not None:
                yield from _unless_known((*here, "image"), "revision with this image", fault.image, images)
        if isinstance(fault, BadConfig) and fault.workload in workloads:
            configs = workloads[fault.workload].configs
            yield from _unless_known(
                (*here, "config"), "ConfigMap that the workload reads", fault.config, configs
            )
        if isinstance(fault, NodeDown):
            yield from _unless_known((*here, "cluster"), "cluster", fault.cluster, clusters)


def _templates(scenario: Scenario) -> Iterator[BrokenReference]:
    """Yield the log line templates with a slot that nobody fills."""
    placed: list[tuple[_Path, LogLineTemplate]] = []
    for name, profile in scenario.log_profiles.items():
        placed += [(("log_profiles", name, "normal", i), line) for i, line in enumerate(profile.normal)]
        placed += [(("log_profiles", name, "errors", i), line) for i, line in enumerate(profile.errors)]
    for index, cluster in enumerate(scenario.clusters):
        for number, workload in enumerate(cluster.workloads):
            here = ("clusters", index, "workloads", number, "logs", "lines")
            placed += [((*here, i), line) for i, line in enumerate(workload.logs.lines)]
    for index, fault in enumerate(scenario.faults):
        lines: tuple[LogLineTemplate, ...] = getattr(fault, "lines", ())
        placed += [(("faults", index, "lines", i), line) for i, line in enumerate(lines)]
    for path, line in placed:
        try:
            check_pattern(line.pattern())
        except TemplateError as error:
            yield BrokenReference(
                path=(*path, "template"),
                value=line.template[:60],
                problem=str(error),
                remedy="Correct the slot.",
            )


def _api_faults(scenario: Scenario) -> Iterator[BrokenReference]:
    ids = {cluster.id for cluster in scenario.clusters} | {"*"}
    for index, fault in enumerate(scenario.api_faults.kubernetes):
        yield from _unless_known(
            ("api_faults", "kubernetes", index, "cluster"), "cluster", fault.cluster, ids
        )


def _truth(scenario: Scenario) -> Iterator[BrokenReference]:
    workloads = scenario.workloads()
    alarms = {alarm.name for alarm in scenario.alarms}
    for index, truth in enumerate(scenario.truth):
        yield from _unless_known(("truth", index, "workload"), "workload", truth.workload, workloads)
        for number, alerts in enumerate(truth.alerts):
            yield from _unless_known(
                ("truth", index, "alerts", number, "alarm"), "alarm", alerts.alarm, alarms
            )
    for index, copy in enumerate(scenario.replicate):
        yield from _unless_known(("replicate", index, "workload"), "workload", copy.workload, workloads)
