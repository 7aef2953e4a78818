"""What the tools need from the clouds: small ports, one contract suite each.

Common rules. Every method raises errors of `mcp_tencent.errors` only. Every method ends within a total time
limit that is the adapter's setting, or earlier when the caller cancels it. Reads are retried on throttling
and network faults. A write is sent once; with an `idempotency_key` it may be sent again after a fault,
because it then finds out first whether it has already taken effect (each adapter says how). `dry_run` asks
the cluster what would happen. Times are timezone-aware; stretches of time are [start, end).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from mcp_tencent.models.alarms import (
    Alarm,
    AlarmDraft,
    AlarmEdit,
    AlarmLevel,
    AlarmNotice,
    AlarmRecord,
    AlarmRun,
    AlarmStatus,
)
from mcp_tencent.models.changes import Change, ObjectRef, RolloutStatus, Snapshot
from mcp_tencent.models.clusters import (
    Cluster,
    ClusterInventory,
    ClusterTopics,
    Machine,
    NodePool,
    Place,
    Region,
)
from mcp_tencent.models.logs import (
    AnalysisTable,
    Dashboard,
    Histogram,
    LogContext,
    LogLine,
    LogPage,
    Logset,
    ScheduledSql,
    SortOrder,
    Topic,
    TopicIndex,
)
from mcp_tencent.models.metrics import Metric, UsageSeries, UsageTarget
from mcp_tencent.models.workloads import (
    Autoscaler,
    Config,
    ConfigKind,
    DisruptionBudget,
    Event,
    Namespace,
    Node,
    Pod,
    PodLog,
    Quota,
    Revision,
    Service,
    Workload,
    WorkloadRef,
)


class LogSearch(Protocol):
    """Looks into log lines."""

    async def search(
        self,
        topic_id: str,
        query: str,
        start: datetime,
        end: datetime,
        *,
        limit: int = 100,
        order: SortOrder = SortOrder.NEWEST_FIRST,
        cursor: str = "",
    ) -> LogPage:
        """Return at most `limit` (1 to 1000) lines; `cursor` of an earlier page continues the same search."""
        ...

    def all_lines(
        self,
        topic_id: str,
        query: str,
        start: datetime,
        end: datetime,
        *,
        order: SortOrder = SortOrder.OLDEST_FIRST,
    ) -> AsyncIterator[LogLine]:
        """Yield every matching line once, in order, however many; memory holds one page at a time."""
        ...

    async def histogram(
        self, topic_id: str, query: str, start: datetime, end: datetime, *, interval: timedelta | None = None
    ) -> Histogram:
        """Count matches over time; an interval that gives over 200 buckets is refused, None chooses one."""
        ...

    async def context(
        self, topic_id: str, pkg_id: str, pkg_log_id: str, at: datetime, *, before: int = 10, after: int = 10
    ) -> LogContext:
        """Return the lines around one that was found before (at most 100 to each side)."""
        ...

    async def analyze(
        self, topic_id: str, query: str, sql: str, start: datetime, end: datetime
    ) -> AnalysisTable:
        """Run `sql` (a select) over the lines that match `query`; 100 rows unless it says LIMIT."""
        ...

    async def text_to_query(self, topic_id: str, text: str) -> str:
        """Ask the service's own text-to-query model; Unsupported or Unavailable where it does not answer."""
        ...


class LogCatalog(Protocol):
    """Knows where logs lie."""

    async def logsets(self) -> Sequence[Logset]:
        """Return all logsets."""
        ...

    async def topics(self, *, name: str = "", logset_id: str = "") -> Sequence[Topic]:
        """Return all topics, or those whose name contains `name`, or those of one logset."""
        ...

    async def index(self, topic_id: str) -> TopicIndex:
        """Return how a topic is indexed."""
        ...

    async def dashboards(self, *, name: str = "") -> Sequence[Dashboard]:
        """Return all dashboards, or those whose name contains `name`."""
        ...

    async def scheduled_sql(self) -> Sequence[ScheduledSql]:
        """Return all scheduled analyses."""
        ...

    async def create_logset(self, name: str, *, idempotency_key: str | None = None) -> str:
        """Create a logset and return its id; AlreadyExists when another has that name."""
        ...

    async def create_topic(
        self, logset_id: str, name: str, *, retention_days: int = 30, idempotency_key: str | None = None
    ) -> str:
        """Create a topic with a full-text index and return its id; AlreadyExists as above."""
        ...

    async def delete_topic(self, topic_id: str, *, idempotency_key: str | None = None) -> None:
        """Delete a topic with all its lines; with a key, one that is already gone counts as deleted."""
        ...

    async def delete_logset(self, logset_id: str, *, idempotency_key: str | None = None) -> None:
        """Delete an empty logset; with a key, one that is already gone counts as deleted."""
        ...


class Alarms(Protocol):
    """Knows alarm policies and what they raised."""

    async def alarms(self, *, name: str = "", enabled: bool | None = None) -> Sequence[Alarm]:
        """Return all alarm policies, or those whose name contains `name`, or those on or off."""
        ...

    async def alarm_records(
        self,
        start: datetime,
        end: datetime,
        *,
        status: AlarmStatus | None = None,
        level: AlarmLevel | None = None,
        alarm_id: str = "",
    ) -> Sequence[AlarmRecord]:
        """Return every alarm raised within [start, end), newest first, however many pages it takes."""
        ...

    async def alarm_runs(self, alarm_id: str, start: datetime, end: datetime) -> Sequence[AlarmRun]:
        """Return the latest runs (at most 1000) of one policy, newest first."""
        ...

    async def alarm_notices(self) -> Sequence[AlarmNotice]:
        """Return all groups of receivers."""
        ...

    async def create_alarm(self, draft: AlarmDraft, *, idempotency_key: str | None = None) -> str:
        """Create an alarm policy and return its id; AlreadyExists when another has that name."""
        ...

    async def edit_alarm(
        self, alarm_id: str, edit: AlarmEdit, *, idempotency_key: str | None = None
    ) -> Alarm:
        """Change a policy and return it as it is then."""
        ...

    async def delete_alarm(self, alarm_id: str, *, idempotency_key: str | None = None) -> None:
        """Delete a policy; with a key, one that is already gone counts as deleted."""
        ...


class LogService(LogSearch, LogCatalog, Alarms, Protocol):
    """The log service of one account in one region."""


class ClusterService(Protocol):
    """The cluster service of one account in one region."""

    async def regions(self) -> Sequence[Region]:
        """Return the regions that offer clusters."""
        ...

    async def clusters(self) -> Sequence[Cluster]:
        """Return all clusters."""
        ...

    async def cluster(self, cluster_id: str) -> Cluster:
        """Return one cluster, or raise NotFound."""
        ...

    async def machines(self, cluster_id: str) -> Sequence[Machine]:
        """Return the virtual machines behind a cluster's nodes."""
        ...

    async def node_pools(self, cluster_id: str) -> Sequence[NodePool]:
        """Return a cluster's node pools, of every kind."""
        ...

    async def resize_node_pool(
        self, pool: NodePool, nodes: int, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> None:
        """Set how many nodes a pool shall have; the machines come and go afterwards.

        The cloud has no dry run of this: here only kind and bounds of the pool are checked.
        """
        ...

    async def topics(self, cluster_id: str) -> ClusterTopics:
        """Return which log topics the cluster writes to."""
        ...


class Metrics(Protocol):
    """Measured use of one account in one region."""

    async def usage(
        self, target: UsageTarget, metrics: Sequence[Metric], start: datetime, end: datetime
    ) -> Sequence[UsageSeries]:
        """Return one series per metric that the target has; the interval follows from the stretch of time."""
        ...


class WorkloadViews(Protocol):
    """Looks into one cluster. `namespace=""` means all that the account may see."""

    async def namespaces(self) -> Sequence[Namespace]:
        """Return all namespaces."""
        ...

    async def nodes(self) -> Sequence[Node]:
        """Return all nodes."""
        ...

    async def workloads(self, *, namespace: str = "") -> Sequence[Workload]:
        """Return Deployments, StatefulSets and DaemonSets, by namespace and name."""
        ...

    async def workload(self, ref: WorkloadRef) -> Workload:
        """Return one workload, or raise NotFound."""
        ...

    async def history(self, ref: WorkloadRef) -> Sequence[Revision]:
        """Return a workload's kept revisions, latest first."""
        ...

    async def pods(self, *, namespace: str = "", workload: WorkloadRef | None = None) -> Sequence[Pod]:
        """Return pods, or those of one workload."""
        ...

    async def pod_log(
        self,
        namespace: str,
        pod: str,
        *,
        container: str = "",
        tail: int = 100,
        previous: bool = False,
        since: timedelta | None = None,
    ) -> PodLog:
        """Return the last lines of a container (the first one unless named), at most 1 MiB of them."""
        ...

    async def events(self, *, namespace: str = "", since: datetime | None = None) -> Sequence[Event]:
        """Return events, latest first."""
        ...

    async def services(self, *, namespace: str = "") -> Sequence[Service]:
        """Return services."""
        ...

    async def config(self, kind: ConfigKind, namespace: str, name: str) -> Config:
        """Return a ConfigMap, or a Secret without its values."""
        ...

    async def configs(self, kind: ConfigKind, *, namespace: str = "") -> Sequence[Config]:
        """Return ConfigMaps, or Secrets without their values."""
        ...

    async def autoscalers(self, *, namespace: str = "") -> Sequence[Autoscaler]:
        """Return what scales workloads by itself."""
        ...

    async def disruption_budgets(self, *, namespace: str = "") -> Sequence[DisruptionBudget]:
        """Return how many pods may be taken down willingly."""
        ...

    async def quotas(self, *, namespace: str = "") -> Sequence[Quota]:
        """Return how much the pods of namespaces may use."""
        ...


class WorkloadActions(Protocol):
    """Acts on one cluster."""

    async def scale(
        self, ref: WorkloadRef, replicas: int, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """Set how many pods a Deployment or StatefulSet shall have."""
        ...

    async def restart(
        self, ref: WorkloadRef, at: datetime, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """Replace all pods by new ones of the same revision, rolling; `at` is recorded as the reason."""
        ...

    async def roll_back(
        self,
        ref: WorkloadRef,
        revision: int | None = None,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Change:
        """Return to an earlier revision (None: the one before the present); NotFound when it is not kept."""
        ...

    async def apply(
        self,
        manifest_json: str,
        *,
        namespace: str = "",
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Change:
        """Create the object, or change it to what the manifest says (server-side apply)."""
        ...

    async def update_config(
        self,
        kind: ConfigKind,
        namespace: str,
        name: str,
        changes: Mapping[str, str | None],
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Change:
        """Set keys of a ConfigMap or Secret; None removes a key. Pods read it after a restart."""
        ...

    async def delete_pod(
        self, namespace: str, pod: str, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """Delete one pod; its workload replaces it."""
        ...

    async def isolate(
        self, ref: WorkloadRef, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """Cut all network traffic to and from the workload's pods; UNCHANGED when it is cut already."""
        ...

    async def release(
        self, ref: WorkloadRef, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """Undo `isolate`; UNCHANGED when it is not isolated."""
        ...

    async def rollout_status(self, ref: WorkloadRef) -> RolloutStatus:
        """Return where the rollout is now."""
        ...

    async def wait_for_rollout(
        self,
        ref: WorkloadRef,
        *,
        within: timedelta,
        stay_ready: timedelta,
        seen: Callable[[RolloutStatus], Awaitable[None]] | None = None,
    ) -> RolloutStatus:
        """Wait until all pods are new and ready and have stayed so, the cluster gives up, or time is up.

        `seen` is told each look at it that is not the last.
        """
        ...


class Snapshots(Protocol):
    """Keeps objects of one cluster as they were, and brings them back."""

    async def snapshot(self, refs: Sequence[ObjectRef], at: datetime) -> Snapshot:
        """Take the objects as they are; one that does not exist is recorded as absent."""
        ...

    async def snapshot_workload(self, ref: WorkloadRef, at: datetime) -> Snapshot:
        """Take a workload with the ConfigMaps, Secrets, autoscaler and isolation that shape it."""
        ...

    async def restore(
        self, snapshot: Snapshot, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Sequence[Change]:
        """Bring every object back to what it was, absent ones included; UNCHANGED for those that are."""
        ...


class Workloads(WorkloadViews, WorkloadActions, Snapshots, Protocol):
    """The inside of one cluster."""


class Clouds(Protocol):
    """All accounts and regions that are configured: which adapter speaks for what."""

    @property
    def places(self) -> Sequence[Place]:
        """Every configured account and region, the default one first."""
        ...

    def logs(self, place: Place) -> LogService:
        """Return the log service there."""
        ...

    def cluster_service(self, place: Place) -> ClusterService:
        """Return the cluster service there."""
        ...

    def metrics(self, place: Place) -> Metrics:
        """Return the metrics there."""
        ...

    def workloads(self, place: Place, cluster_id: str) -> Workloads:
        """Return the inside of a cluster; nothing is connected before it is asked something."""
        ...

    async def all_clusters(self) -> Sequence[Cluster]:
        """Return the clusters of every place; raises when a single place does not answer."""
        ...

    async def inventory(self) -> ClusterInventory:
        """Return the clusters of every place, asked side by side, and which places did not answer.

        Raises the error of the default place when no place answered at all.
        """
        ...
