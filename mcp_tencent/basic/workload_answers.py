"""What the tools for workloads, pods, events, services, configuration and usage answer."""

from __future__ import annotations

from pydantic import Field

from mcp_tencent.basic.cluster_answers import Answer, Line, ListAnswer


class WorkloadLine(Line):
    """A workload."""

    name: str
    alias: str = Field(description="What people call it; empty when it has no alias.")
    namespace: str
    cluster: str
    kind: str
    ready: str = Field(description="Ready pods / wanted pods.")
    healthy: bool
    trouble: str = Field(description="What keeps it from being healthy, in Kubernetes' words.")
    image: str


class WorkloadsAnswer(ListAnswer):
    """Workloads, unhealthy ones first."""

    total: int
    unhealthy: int
    workloads: list[WorkloadLine]


class PodLine(Line):
    """A pod."""

    name: str
    namespace: str
    cluster: str
    ready: str = Field(description="Ready containers / containers.")
    phase: str
    reason: str = Field(description="What keeps it from running well; empty when nothing.")
    restarts: int
    last_end: str = Field(description="How a container last ended, e.g. OOMKilled; empty when none did.")
    node: str
    created_at: str | None


class PodsAnswer(ListAnswer):
    """Pods, those in trouble first."""

    total: int = Field(description="All that were looked at, whatever their status.")
    matching: int = Field(description="Those of the status that was asked for.")
    well: int
    reasons: dict[str, int] = Field(description="How many pods have which trouble.")
    pods: list[PodLine]


class EventLine(Line):
    """An event."""

    at: str | None
    type: str
    reason: str
    object: str
    namespace: str
    count: int
    message: str


class EventsAnswer(ListAnswer):
    """Events, latest first."""

    total: int
    warnings: int
    events: list[EventLine]


class RevisionLine(Line):
    """A revision."""

    revision: int
    current: bool
    created_at: str | None
    cause: str
    images: list[str]
    pods: int = Field(description="Pods that still run it.")


class HistoryAnswer(ListAnswer):
    """Rollout history, latest first."""

    workload: str
    namespace: str
    cluster: str
    revisions: list[RevisionLine]


class ConfigUseLine(Line):
    """A ConfigMap or Secret that a workload reads."""

    kind: str
    name: str
    changed_at: str | None


class WorkloadAnswer(Answer):
    """One workload."""

    workload: WorkloadLine
    cluster_id: str
    rollout: str = Field(description="progressing, complete, failed.")
    rollout_reason: str
    updated: int
    available: int
    paused: bool
    revision: int | None
    change_cause: str
    changed_at: str | None = Field(description="When the present revision was rolled out.")
    restarted_at: str | None
    images: list[str]
    config: list[ConfigUseLine]
    autoscaler: str = Field(
        description="Bounds and present number, e.g. 2-6, now 2; empty when there is none."
    )
    disruptions_allowed: int | None = Field(description="Of its disruption budget; null without one.")
    services: list[str]
    pods: list[PodLine] = Field(description="Worst first, at most five.")
    warnings: list[EventLine] = Field(description="Latest warnings of the past hour, at most five.")


class ServiceLine(Line):
    """A service."""

    name: str
    namespace: str
    cluster: str
    kind: str
    cluster_address: str
    external_addresses: list[str]
    ports: list[str]
    selector: dict[str, str]


class ServicesAnswer(ListAnswer):
    """Services, those open to the outside first."""

    services: list[ServiceLine]


class ConfigEntryLine(Line):
    """A key of a ConfigMap or Secret."""

    key: str
    size_bytes: int
    value: str | None = Field(description="null for a Secret and for binary data.")
    shortened: bool = False


class ConfigAnswer(ListAnswer):
    """A ConfigMap or Secret."""

    kind: str
    name: str
    namespace: str
    cluster: str
    immutable: bool
    changed_at: str | None
    used_by: list[str] = Field(description="Workloads that read it, namespace/name.")
    entries: list[ConfigEntryLine]


class UsagePointLine(Line):
    """A value of a series."""

    at: str
    value: float


class UsageLine(Line):
    """How a metric went."""

    metric: str
    unit: str = Field(description="cores, bytes, bytes_per_second, percent or count.")
    latest: float
    average: float
    highest: float
    highest_at: str
    interval_seconds: int
    points: list[UsagePointLine] = Field(description="Averages of equal stretches, at most twelve.")


class UsageAnswer(Answer):
    """How much a cluster, node or workload uses."""

    target: str
    target_kind: str = Field(description="cluster, node or workload.")
    cluster: str
    start: str
    end: str
    metrics: list[UsageLine]


class LogLineOut(Line):
    """A line of a pod's log."""

    at: str | None
    text: str


class PodLogAnswer(Answer):
    """The tail of a pod's log, oldest line first."""

    pod: str
    namespace: str
    cluster: str
    container: str
    previous: bool
    read: int = Field(description="Lines read, before `contains` and before what was left out.")
    matching: int
    errors: int = Field(description="Lines among the matching ones that look like errors.")
    left_out: int = Field(description="Older matching lines that did not fit; ask with a larger max_kb.")
    lines: list[LogLineOut]
