"""The model of a scenario file: which clouds there are, how they live, what breaks, and what the truth is.

`Scenario.model_json_schema()` is the published JSON Schema. Reading files stands in `reading.py`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from mcp_tencent.local_cloud.faults.kinds import AnyFault
from mcp_tencent.local_cloud.scenario.fields import (
    KubernetesName,
    LogLineTemplate,
    Rung,
    ScenarioModel,
    WorkloadRef,
    WorkloadRefField,
)
from mcp_tencent.local_cloud.scenario.moments import DurationField, MomentField, Ratio

ClusterId = Annotated[str, Field(pattern=r"^cls-[a-z0-9]{4,20}$")]


class ClockSettings(ScenarioModel):
    """What the time of the imitated cloud is when it starts, and how fast it runs."""

    mode: Literal["wall", "fixed"] = "wall"
    """wall: starts now, runs like any clock. fixed: starts at `start`, runs `speed` times as fast."""
    start: MomentField | None = None
    """Absolute; needed with `fixed`."""
    speed: float = Field(default=1.0, gt=0, le=100_000)


class KubernetesRule(ScenarioModel):
    """Something that the user of the clusters may do, as an RBAC rule; * stands for everything."""

    namespaces: tuple[str, ...] = ("*",)
    verbs: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)


class Account(ScenarioModel):
    """An API key pair."""

    name: str
    secret_id: str = Field(min_length=8)
    secret_key: str = Field(min_length=8, repr=False)


class NodePool(ScenarioModel):
    """Nodes of one kind."""

    id: str = Field(pattern=r"^np-[a-z0-9]{4,20}$")
    name: str
    instance_type: str = "SA5.2XLARGE16"
    nodes: int = Field(default=3, ge=0, le=2_000)
    min_nodes: int = Field(default=0, ge=0)
    max_nodes: int = Field(default=20, ge=1)
    cpu: int = Field(default=8, gt=0)
    """Cores of a node."""
    memory_gib: int = Field(default=16, gt=0)
    """Of a node."""
    labels: dict[str, str] = Field(default_factory=dict)
    boots_in: DurationField = timedelta(seconds=75)
    """From the order of a further node until it is ready."""


class Namespace(ScenarioModel):
    """A namespace of a cluster."""

    name: KubernetesName
    aliases: tuple[str, ...] = ()


class ConfigVersion(ScenarioModel):
    """The content of a ConfigMap or Secret from some moment on."""

    at: MomentField | None = None
    """None: from the beginning."""
    data: dict[str, str]
    restarts: tuple[KubernetesName, ...] = ()
    """Workloads that are restarted a minute later, so that they read it."""


class Config(ScenarioModel):
    """A ConfigMap or Secret and its history."""

    name: KubernetesName
    namespace: KubernetesName
    kind: Literal["ConfigMap", "Secret"] = "ConfigMap"
    versions: tuple[ConfigVersion, ...] = Field(min_length=1)


class Revision(ScenarioModel):
    """A release of a workload."""

    image: str = Field(min_length=1)
    at: MomentField | None = None
    """When it was rolled out; None (only for the first): from the beginning."""
    cause: str = ""
    """kubernetes.io/change-cause: who released what and why."""
    env: dict[str, str] = Field(default_factory=dict)


class Autoscaling(ScenarioModel):
    """A HorizontalPodAutoscaler."""

    min_replicas: int = Field(ge=1)
    max_replicas: int = Field(ge=1)
    cpu_percent: int = Field(default=70, ge=1, le=1_000)


class WorkloadLogs(ScenarioModel):
    """What a workload writes when it is well, and of what kind its errors are."""

    topic: str | None = None
    """Name of the topic that collects it; None: only the Kubernetes API shows it."""
    profile: str = "java-web"
    """A set of line templates, of the scenario's `log_profiles` or the shipped ones."""
    per_minute: float = Field(default=20.0, ge=0)
    """All normal lines together at season factor 1."""
    lines: tuple[LogLineTemplate, ...] = ()
    """Further normal lines."""


class Workload(ScenarioModel):
    """A Deployment or StatefulSet and how it lives when nothing is wrong."""

    name: KubernetesName
    namespace: KubernetesName
    kind: Literal["Deployment", "StatefulSet"] = "Deployment"
    aliases: tuple[str, ...] = ()
    """What people call it."""
    replicas: int = Field(default=2, ge=0, le=1_000)
    revisions: tuple[Revision, ...] = Field(min_length=1)
    cpu_millicores: int = Field(default=120, gt=0)
    """Normal use of a pod, and half of its request."""
    cpu_limit_millicores: int | None = 1_000
    memory_mib: int = Field(default=300, gt=0)
    """Normal use of a pod."""
    memory_limit_mib: int | None = 1_024
    ready_after: DurationField = timedelta(seconds=6)
    utilisation: float = Field(default=0.5, gt=0, le=1)
    """Share of what its usual pods can serve that the normal traffic takes."""
    season: Literal["daily", "flat", "night"] = "daily"
    logs: WorkloadLogs = WorkloadLogs()
    configs: tuple[KubernetesName, ...] = ()
    """ConfigMaps and Secrets that its containers read when they start."""
    depends_on: tuple[str, ...] = ()
    """Shown as an annotation: names of workloads and of things outside."""
    pool: str | None = None
    """Id of the node pool on which its pods must run."""
    autoscaling: Autoscaling | None = None
    min_available: int | None = Field(default=None, ge=0)
    """Of a PodDisruptionBudget; None: there is none."""
    port: int = Field(default=8080, ge=1, le=65_535)
    progress_deadline_seconds: int = Field(default=600, ge=1)


class Cluster(ScenarioModel):
    """A TKE cluster."""

    id: ClusterId
    name: str
    aliases: tuple[str, ...] = ()
    region: str = Field(pattern=r"^[a-z]+-[a-z0-9-]+$")
    version: str = "1.30.0"
    node_pools: tuple[NodePool, ...] = Field(min_length=1)
    namespaces: tuple[Namespace, ...] = ()
    configs: tuple[Config, ...] = ()
    workloads: tuple[Workload, ...] = ()


class Topic(ScenarioModel):
    """A log topic."""

    name: str
    retention_days: int = Field(default=30, ge=1, le=3_600)
    collects: Literal["applications", "events"] = "applications"
    """applications: the lines of the workloads that name it. events: the Kubernetes events of its cluster."""


class Logset(ScenarioModel):
    """A log set and its topics, in one region."""

    name: str
    region: str
    cluster: ClusterId | None = None
    """The cluster whose logs it collects."""
    topics: tuple[Topic, ...] = ()


class Watch(ScenarioModel):
    """The symptom for which an alarm fires, read from how a workload fared, as the query sees it."""

    workload: WorkloadRefField
    symptom: Literal["error_ratio", "not_ready", "pending", "latency", "memory", "cpu", "lines"]
    """error_ratio: share of requests; not_ready: share of wanted pods; pending: pods that never started, of
    all that exist; latency and cpu: factors on normal; memory: share of the limit; lines: a fault's log lines
    contain `text`."""
    above: float = 0.0
    text: str = ""


class DeclaredRecord(ScenarioModel):
    """An alert record that no simulated symptom stands behind: noise."""

    at: MomentField
    lasts: DurationField = timedelta(minutes=5)
    """Until it recovers."""


class Alarm(ScenarioModel):
    """A CLS alarm policy."""

    name: str
    topic: str
    query: str
    """CQL with an analysis half, as the policy would be written in the console."""
    condition: str = "$1.count > 0"
    level: Literal["info", "warn", "critical"] = "warn"
    check_every: DurationField = timedelta(minutes=1)
    trigger_count: int = Field(default=1, ge=1, le=10)
    """Checks in a row that must meet the condition."""
    repeat_every: DurationField = timedelta(minutes=15)
    """Between two records of one unbroken symptom."""
    window: DurationField = timedelta(minutes=15)
    """Of logs that each check looks at."""
    notice: str | None = None
    enabled: bool = True
    watches: tuple[Watch, ...] = ()
    records: tuple[DeclaredRecord, ...] = ()


class Notice(ScenarioModel):
    """A CLS notice group."""

    name: str
    region: str


class Chart(ScenarioModel):
    """A chart of a dashboard."""

    title: str
    query: str
    """CQL with an analysis half."""


class Dashboard(ScenarioModel):
    """A CLS dashboard over one topic."""

    name: str
    topic: str
    charts: tuple[Chart, ...] = Field(min_length=1)


class TencentFault(ScenarioModel):
    """The Tencent Cloud API itself misbehaves."""

    effect: Literal["throttle", "error", "delay", "reset", "bad_gateway", "bad_credentials"]
    actions: str = "*"
    """A shell pattern over `service:Action`: cls:SearchLog, tke:Describe*."""
    share: Ratio = 1.0
    """Of the matching requests."""
    count: int | None = Field(default=None, ge=1)
    """Requests that it hits before it is used up; None: no end."""
    start: MomentField | None = None
    """None: from the beginning."""
    end: MomentField | None = None
    delay: DurationField = timedelta(seconds=30)
    """Of an answer, with the effect delay."""
    code: str = "InternalError"
    """With the effect error: its code, e.g. UnauthorizedOperation."""
    message: str = "An internal error has occurred. Retry your request."


class KubernetesFault(ScenarioModel):
    """A cluster's Kubernetes API refuses or delays requests."""

    cluster: ClusterId | Literal["*"] = "*"
    methods: tuple[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], ...] = ("PUT", "PATCH", "POST", "DELETE")
    namespace: str = "*"
    resource: str = "*"
    """Plural: deployments, configmaps."""
    name: str = "*"
    status: int = Field(default=500, ge=400, le=599)
    reason: str = "InternalError"
    message: str = "an error on the server has prevented the request from succeeding"
    lets_through: int = Field(default=0, ge=0)
    """How many matching requests succeed before it begins to hit."""
    start: MomentField | None = None
    end: MomentField | None = None


class ApiFaults(ScenarioModel):
    """What is wrong with the APIs rather than with what they show."""

    tencent: tuple[TencentFault, ...] = ()
    kubernetes: tuple[KubernetesFault, ...] = ()


class TruthAlerts(ScenarioModel):
    """The alert records of one alarm within a time belong to an incident."""

    alarm: str
    start: MomentField | None = None
    end: MomentField | None = None


class Truth(ScenarioModel):
    """What really happened: for tests and benchmarks, served by no API."""

    id: str
    workload: WorkloadRefField
    """Where it shows."""
    cause: Literal[
        "bad_image", "bad_revision", "bad_config", "memory_leak", "overload", "quota_exhausted",
        "restart_makes_worse", "deadlock", "dependency_down", "noisy_neighbour", "flapping",
        "already_recovered", "log_anomaly", "node_down", "noise",
    ]  # fmt: skip
    culprit: WorkloadRefField | None = None
    """The workload to act on, where it is another one."""
    cures: tuple[Annotated[Rung, Field(strict=False)], ...] = ()
    worse: tuple[Annotated[Rung, Field(strict=False)], ...] = ()
    open: bool
    """Whether the symptom still holds at the start."""
    alerts: tuple[TruthAlerts, ...] = ()
    note: str = ""


class Replicate(ScenarioModel):
    """Copies of a workload, for large worlds: name-001 and so on."""

    workload: WorkloadRefField
    copies: int = Field(ge=1, le=2_000)
    replicas: int | None = Field(default=None, ge=0, le=1_000)
    """Pods of each copy; None: as the original has."""
    log_lines: int | None = Field(default=None, ge=0)
    """Lines that all copies together write in a day; None: each as many as the original."""


class LogProfile(ScenarioModel):
    """What a kind of program writes."""

    normal: tuple[LogLineTemplate, ...] = Field(min_length=1)
    errors: tuple[LogLineTemplate, ...] = Field(min_length=1)
    """Of failed requests, by their relative rates."""


class Scenario(ScenarioModel):
    """A whole imitated cloud and its story."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str = ""
    description: str = ""
    seed: int = 1
    timezone: str = "Asia/Shanghai"
    clock: ClockSettings = ClockSettings()
    history: DurationField = timedelta(days=15)
    """How long before the start its life begins."""
    accounts: tuple[Account, ...] = ()
    """Empty: one account."""
    kubernetes_access: tuple[KubernetesRule, ...] = (KubernetesRule(),)
    """What the kubeconfigs that TKE hands out may do; everything, unless it is said here."""
    clusters: tuple[Cluster, ...] = Field(min_length=1)
    logsets: tuple[Logset, ...] = ()
    log_profiles: dict[str, LogProfile] = Field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()
    faults: tuple[AnyFault, ...] = ()
    api_faults: ApiFaults = ApiFaults()
    replicate: tuple[Replicate, ...] = ()
    truth: tuple[Truth, ...] = ()

    def workloads(self) -> dict[WorkloadRef, Workload]:
        """Return all workloads by their reference."""
        return {
            WorkloadRef(cluster.id, workload.namespace, workload.name): workload
            for cluster in self.clusters
            for workload in cluster.workloads
        }
