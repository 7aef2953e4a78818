"""Reading a manifest that somebody wants applied: one object, of a harmless kind, without tricks (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from mcp_tencent.basic.desk import Bounds
from mcp_tencent.basic.errors import ManifestRefused, OverLimit

LARGEST_BYTES = 64 * 1024
DEEPEST = 40
MOST_NODES = 10_000
"""Values, keys and brackets of a document together."""

_APPLIED = frozenset(
    {
        "ConfigMap",
        "CronJob",
        "DaemonSet",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Job",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "Service",
        "StatefulSet",
    }
)
_WHY_NOT = {
    "Secret": "its values would stand in the conversation: create it with the cluster's own tools, and "
    "change its keys with update_config",
    "Pod": "a pod on its own is never replaced: use a Deployment or a Job",
    "ServiceAccount": "it is an identity",
    "Role": "it grants rights",
    "RoleBinding": "it grants rights",
    "ClusterRole": "it grants rights",
    "ClusterRoleBinding": "it grants rights",
    "CustomResourceDefinition": "it changes what the whole cluster understands",
    "APIService": "it changes what the whole cluster understands",
    "MutatingWebhookConfiguration": "it changes what the whole cluster accepts",
    "ValidatingWebhookConfiguration": "it changes what the whole cluster accepts",
    "Namespace": "it concerns the whole cluster",
    "Node": "it concerns the whole cluster",
    "PersistentVolume": "it concerns the whole cluster",
    "PriorityClass": "it concerns the whole cluster",
    "StorageClass": "it concerns the whole cluster",
    "ResourceQuota": "it bounds everybody in the namespace",
    "LimitRange": "it bounds everybody in the namespace",
}
_ROLLED_OUT = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_STRING = "tag:yaml.org,2002:str"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"

Json = dict[str, Any]
"""An object of the Kubernetes API as plain JSON."""


class _Loader(yaml.CSafeLoader):
    """Safe, without dates (Kubernetes has them as text); refuses a key that stands twice or is no text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; see the class."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != _STRING:
                raise ManifestRefused(f"a key in line {key.start_mark.line + 1} is no text")
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ManifestRefused(f"the key {key.value[:60]!r} stands twice, again in line {line}")
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An object to be applied.

    Args:
        api_version: E.g. apps/v1.
        kind: E.g. Deployment.
        namespace: Where it says that it belongs; empty when it does not say.
        name: Its name.
        content_json: The whole object as JSON text.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    content_json: str

    @property
    def rolled_out(self) -> bool:
        """Whether pods follow from it, for which one can wait."""
        return self.kind in _ROLLED_OUT


def read_manifest(text: str, bounds: Bounds) -> Manifest:
    """Return the object that a YAML or JSON text describes.

    Raises:
        ManifestRefused: It cannot be read, is no single object, is of a kind that is not applied here, or
            asks for power over the node that it runs on.
        OverLimit: It wants more pods than the house allows.
        ProtectedNamespace: It is for a namespace in which nothing is changed.
    """
    item = _object(text)
    kind, api_version = _text(item, "kind"), _text(item, "apiVersion")
    if kind not in _APPLIED:
        why = _WHY_NOT.get(kind, f"only these are: {', '.join(sorted(_APPLIED))}")
        raise ManifestRefused(f"objects of the kind {kind[:60]} are not applied here: {why}")
    meta = item.get("metadata")
    if not isinstance(meta, dict):
        raise ManifestRefused("the manifest lacks metadata")
    name = _text(meta, "name", "metadata.name")
    namespace = meta.get("namespace") or ""
    if not isinstance(namespace, str):
        raise ManifestRefused("metadata.namespace is no text")
    bounds.check_namespace(namespace)
    _check_replicas(kind, item.get("spec"), bounds)
    for pod_spec in _pod_specs(item):
        _check_pod(pod_spec)
    return Manifest(
        api_version=api_version, kind=kind, namespace=namespace, name=name, content_json=_as_json(item)
    )


def _object(text: str) -> Json:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LARGEST_BYTES:
        raise ManifestRefused(f"the manifest has {size} bytes; {LARGEST_BYTES} are the most")
    try:
        _check_events(text)
        item = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader of ours
    except (yaml.YAMLError, ValueError) as exc:
        raise ManifestRefused(f"the manifest is no YAML: {_problem(exc)}") from exc
    if not isinstance(item, dict):
        raise ManifestRefused("the manifest is no object with apiVersion, kind and metadata")
    return item


def _check_events(text: str) -> None:
    """Refuse, before anything is built, what would grow or nest without end, and more than one document."""
    depth = documents = 0
    for number, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if number > MOST_NODES:
            raise ManifestRefused(f"the manifest has over {MOST_NODES} parts")
        if isinstance(event, yaml.AliasEvent):
            raise ManifestRefused(f"the manifest uses a YAML alias (*{event.anchor}): write it out")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise ManifestRefused("there are several documents: apply one object at a time")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ManifestRefused(f"the manifest is nested more than {DEEPEST} deep")


def _problem(exc: Exception) -> str:
    """Return what a parser found and where, without the text around it."""
    if isinstance(exc, yaml.MarkedYAMLError) and exc.problem_mark is not None:
        return f"{exc.problem} in line {exc.problem_mark.line + 1}, column {exc.problem_mark.column + 1}"
    return str(exc).split("\n", 1)[0][:200]


def _text(item: Json, key: str, shown: str = "") -> str:
    value = item.get(key)
    if not isinstance(value, str) or not value:
        raise ManifestRefused(f"the manifest lacks {shown or key}")
    return value


def _check_replicas(kind: str, spec: object, bounds: Bounds) -> None:
    if not isinstance(spec, Mapping):
        return
    wanted = spec.get("maxReplicas" if kind == "HorizontalPodAutoscaler" else "replicas")
    if isinstance(wanted, int) and wanted > bounds.replicas_max:
        raise OverLimit(
            f"the manifest wants {wanted} replicas; {bounds.replicas_max} are the most",
            limit=bounds.replicas_max,
            what="副本",
        )


def _pod_specs(item: Json) -> Iterator[Mapping[str, Any]]:
    """Yield every pod template's spec, however deep it stands (a CronJob's is within its Job's)."""
    waiting: list[object] = [item.get("spec")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            if isinstance(value.get("containers"), list):
                yield value
            waiting += value.values()


def _check_pod(spec: Mapping[str, Any]) -> None:
    """Refuse pods that get hold of their node."""
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            raise ManifestRefused(f"pods with {field} are not applied here: they get hold of their node")
    for volume in spec.get("volumes") or ():
        if isinstance(volume, Mapping) and "hostPath" in volume:
            raise ManifestRefused(
                "pods with a hostPath volume are not applied here: they read their node's files"
            )
    for group in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(group) or ():
            security = container.get("securityContext") if isinstance(container, Mapping) else None
            if isinstance(security, Mapping) and security.get("privileged"):
                raise ManifestRefused(
                    "privileged containers are not applied here: they get hold of their node"
                )


def _as_json(item: Json) -> str:
    try:
        return json.dumps(item, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as exc:
        raise ManifestRefused(f"the manifest holds what JSON cannot: {exc}") from exc
