"""What the tools for clusters, nodes, node pools and namespaces answer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """The frame of every answer."""

    model_config = ConfigDict(frozen=True)

    summary: str = Field(description="Chinese, fit to be spoken.")


class Line(BaseModel):
    """An entry of a list."""

    model_config = ConfigDict(frozen=True)


class ListAnswer(Answer):
    """An answer with a list that may be longer than what is shown."""

    left_out: int = Field(default=0, description="Entries that follow on further pages.")
    cursor: str | None = Field(default=None, description="Give it back to get the next page.")
    silent: list[str] = Field(
        default_factory=list, description="Clusters that did not answer: what is theirs is missing."
    )


class ClusterLine(Line):
    """A cluster."""

    id: str
    name: str
    aliases: list[str]
    region: str
    account: str
    status: str = Field(description="running, changing, stopped or abnormal.")
    kubernetes_version: str
    nodes: int


class Unreached(Line):
    """An account and region that did not answer."""

    account: str
    region: str
    reason: str


class ClustersAnswer(ListAnswer):
    """Clusters."""

    clusters: list[ClusterLine]
    unreached: list[Unreached] = Field(description="Places that did not answer: their clusters are missing.")


class PoolLine(Line):
    """A node pool."""

    id: str
    name: str
    cluster: str
    kind: str
    status: str
    nodes_wanted: int
    nodes_ready: int
    nodes_min: int | None
    nodes_max: int | None
    autoscaling: bool
    instance_types: list[str]


class ClusterAnswer(Answer):
    """One cluster."""

    cluster: ClusterLine
    status_detail: str
    created_at: str | None
    nodes: int
    nodes_ready: int
    not_ready_nodes: list[str]
    node_pools: list[PoolLine]
    namespaces: int
    workloads: int
    unhealthy_workloads: list[str] = Field(description="namespace/name, worst first; at most ten.")
    unhealthy_count: int
    pods: int
    pods_ready: int
    workload_topic_id: str | None
    event_topic_id: str | None


class NodeLine(Line):
    """A node."""

    name: str
    cluster: str
    ready: bool
    schedulable: bool
    problems: list[str] = Field(description="Conditions that are not as they should be.")
    address: str
    instance_id: str
    cpu_cores: float = Field(description="Allocatable.")
    memory_gib: float = Field(description="Allocatable.")
    kubelet_version: str


class NodesAnswer(ListAnswer):
    """Nodes, those in trouble first."""

    nodes: list[NodeLine]


class PoolsAnswer(ListAnswer):
    """Node pools."""

    node_pools: list[PoolLine]


class NamespaceLine(Line):
    """A namespace."""

    name: str
    cluster: str
    aliases: list[str]
    phase: str
    workloads: int
    unhealthy: int


class NamespacesAnswer(ListAnswer):
    """Namespaces."""

    namespaces: list[NamespaceLine]


class ResizeAnswer(Answer):
    """What a resize came to."""

    dry_run: bool
    cluster: str
    node_pool: str
    name: str
    nodes_before: int
    nodes_wanted: int
    nodes_ready: int
    outcome: str = Field(
        description="complete; still_changing: ordered, but not all nodes are there yet; unwatched: ordered, "
        "but the cloud does not tell how it goes; unchanged; planned: a dry run."
    )
    autoscaling: bool = Field(description="The pool's autoscaler may change the number again.")
    waited_seconds: float
