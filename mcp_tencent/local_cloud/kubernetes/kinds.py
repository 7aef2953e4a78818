"""The kinds of objects that the API serves, under which names, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_READ = ("get", "list", "watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceKind:
    """One resource of one API version."""

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = _ALL
    status: bool = True
    """Whether there is a status subresource, so that ordinary updates leave the status alone."""
    scale: bool = False
    generation: bool = False
    """Whether changes of the spec count up metadata.generation."""

    @property
    def singular(self) -> str:
        """The lower-case name of one."""
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """The group and version as objects carry it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def shape(self) -> str:
        """The name of its type in schema/fields.json."""
        return f"{_SHAPE_GROUPS.get(self.group, self.group)}.{self.version}.{self.kind}"


_SHAPE_GROUPS = {
    "": "core",
    "networking.k8s.io": "networking",
    "discovery.k8s.io": "discovery",
    "events.k8s.io": "events",
}

KINDS: tuple[ResourceKind, ...] = (
    ResourceKind(kind="ConfigMap", plural="configmaps", short_names=("cm",), status=False),
    ResourceKind(kind="Endpoints", plural="endpoints", short_names=("ep",), status=False),
    ResourceKind(kind="Event", plural="events", short_names=("ev",), status=False),
    ResourceKind(kind="Namespace", plural="namespaces", namespaced=False, short_names=("ns",)),
    ResourceKind(kind="Node", plural="nodes", namespaced=False, short_names=("no",)),
    ResourceKind(kind="PersistentVolumeClaim", plural="persistentvolumeclaims", short_names=("pvc",)),
    ResourceKind(kind="Pod", plural="pods", short_names=("po",), categories=("all",)),
    ResourceKind(kind="ResourceQuota", plural="resourcequotas", short_names=("quota",)),
    ResourceKind(kind="Secret", plural="secrets", status=False),
    ResourceKind(kind="Service", plural="services", short_names=("svc",), categories=("all",)),
    ResourceKind(kind="ServiceAccount", plural="serviceaccounts", short_names=("sa",), status=False),
    ResourceKind(kind="ControllerRevision", plural="controllerrevisions", group="apps", status=False),
    ResourceKind(
        kind="DaemonSet",
        plural="daemonsets",
        group="apps",
        short_names=("ds",),
        categories=("all",),
        generation=True,
    ),
    ResourceKind(
        kind="Deployment",
        plural="deployments",
        group="apps",
        short_names=("deploy",),
        categories=("all",),
        scale=True,
        generation=True,
    ),
    ResourceKind(
        kind="ReplicaSet",
        plural="replicasets",
        group="apps",
        short_names=("rs",),
        categories=("all",),
        scale=True,
        generation=True,
    ),
    ResourceKind(
        kind="StatefulSet",
        plural="statefulsets",
        group="apps",
        short_names=("sts",),
        categories=("all",),
        scale=True,
        generation=True,
    ),
    ResourceKind(
        kind="HorizontalPodAutoscaler",
        plural="horizontalpodautoscalers",
        group="autoscaling",
        version="v2",
        short_names=("hpa",),
        categories=("all",),
    ),
    ResourceKind(
        kind="HorizontalPodAutoscaler",
        plural="horizontalpodautoscalers",
        group="autoscaling",
        short_names=("hpa",),
        categories=("all",),
    ),
    ResourceKind(kind="EndpointSlice", plural="endpointslices", group="discovery.k8s.io", status=False),
    ResourceKind(
        kind="Event", plural="events", group="events.k8s.io", short_names=("ev",), verbs=_READ, status=False
    ),
    ResourceKind(
        kind="NetworkPolicy",
        plural="networkpolicies",
        group="networking.k8s.io",
        short_names=("netpol",),
        status=False,
        generation=True,
    ),
    ResourceKind(
        kind="PodDisruptionBudget",
        plural="poddisruptionbudgets",
        group="policy",
        short_names=("pdb",),
        generation=True,
    ),
)
"""All that is served; where a kind is served twice, the first version is the one that is stored."""

BY_KIND: Mapping[str, ResourceKind] = {
    entry.kind: entry for entry in reversed(KINDS) if entry.group != "events.k8s.io"
} | {"HorizontalPodAutoscaler": next(entry for entry in KINDS if entry.group == "autoscaling")}
"""The stored version of each kind."""

BY_PATH: Mapping[tuple[str, str, str], ResourceKind] = {
    (entry.group, entry.version, entry.plural): entry for entry in KINDS
}

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("apps", ("v1",)),
    ("authentication.k8s.io", ("v1",)),
    ("authorization.k8s.io", ("v1",)),
    ("autoscaling", ("v2", "v1")),
    ("discovery.k8s.io", ("v1",)),
    ("events.k8s.io", ("v1",)),
    ("metrics.k8s.io", ("v1beta1",)),
    ("networking.k8s.io", ("v1",)),
    ("policy", ("v1",)),
)
"""The named groups with their versions, the preferred one first."""
