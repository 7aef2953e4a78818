"""Things that were found by name, with the place where they are."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_tencent.models.alarms import Alarm
from mcp_tencent.models.clusters import Cluster, NodePool, Place
from mcp_tencent.models.logs import Dashboard, Logset, Topic
from mcp_tencent.models.workloads import ConfigKind, Pod, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How something was found.

    Args:
        alias: How to call it when speaking of it.
        by_sound: It only sounds like what was said (reads only).
    """

    alias: str
    by_sound: bool = False

    @property
    def preface(self) -> str:
        """What a summary begins with, so that the listener notices a wrong guess; empty when certain."""
        return f"按“{self.alias}”查的：" if self.by_sound else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located(Found):
    """A workload and its cluster. `workload` may be some seconds old: look again before judging it."""

    cluster: Cluster
    workload: Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedPod(Found):
    """A pod and its cluster."""

    cluster: Cluster
    pod: Pod


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedConfig(Found):
    """A ConfigMap or Secret: where it is, without its content."""

    cluster: Cluster
    kind: ConfigKind
    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedPool(Found):
    """A node pool and its cluster."""

    cluster: Cluster
    pool: NodePool


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedTopic(Found):
    """A log topic and the account and region that it lies in."""

    place: Place
    topic: Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedLogset(Found):
    """A logset and where it lies."""

    place: Place
    logset: Logset


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedAlarm(Found):
    """An alarm policy and where it watches."""

    place: Place
    alarm: Alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedDashboard(Found):
    """A dashboard and where it lies."""

    place: Place
    dashboard: Dashboard
