"""The one way in which objects are created, changed and deleted by clients."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.admission.defaults import with_defaults
from mcp_tencent.local_cloud.kubernetes.admission.object_rules import check_change, check_object
from mcp_tencent.local_cloud.kubernetes.admission.quota import QuotaLedger
from mcp_tencent.local_cloud.kubernetes.errors import (
    AlreadyExistsError,
    BadRequestError,
    Cause,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    Subject,
)
from mcp_tencent.local_cloud.kubernetes.identifiers import Identifiers
from mcp_tencent.local_cloud.kubernetes.instants import to_text
from mcp_tencent.local_cloud.kubernetes.kinds import BY_KIND, ResourceKind
from mcp_tencent.local_cloud.kubernetes.schema.shapes import all_types
from mcp_tencent.local_cloud.kubernetes.store import Store
from mcp_tencent.local_cloud.simulation import Simulation

_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
_KEPT_METADATA = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "generateName",
    "managedFields",
)
_CONFIGURATION = frozenset({"ConfigMap", "Secret"})
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """How an object is to be deleted."""

    grace_seconds: int | None = None
    """None: the object's own."""
    propagation: str = "Background"
    """Background, Foreground or Orphan."""
    uid: str | None = None
    """Only if the object is this one."""
    resource_version: str | None = None
    """Only if the object is at this version."""


class Writes:
    """Admits writes to the store, or raises ApiError."""

    def __init__(
        self, store: Store, simulation: Simulation, identifiers: Identifiers, quota: QuotaLedger
    ) -> None:
        self._store = store
        self._simulation = simulation
        self._identifiers = identifiers
        self._quota = quota

    def create(
        self, resource: ResourceKind, new: KubernetesObject, *, dry_run: bool = False
    ) -> KubernetesObject:
        """Admit a new object and store it; return it as stored (or as it would be)."""
        new = self._named(resource, new)
        metadata = new["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        subject = Subject(kind=resource.plural, group=resource.group, name=name)
        if resource.namespaced:
            self.check_namespace(resource.kind, namespace, name)
        if self._store.get(resource.kind, namespace, name) is not None:
            raise AlreadyExistsError(subject)
        new = with_defaults(resource.kind, _prepared(resource, new))
        causes = check_object(resource.kind, new)
        if causes:
            raise InvalidError(Subject(kind=resource.kind, group=resource.group, name=name), causes)
        if resource.namespaced:
            self._quota.admit(resource.kind, namespace, new)
        if dry_run:
            stamps = {
                "uid": self._dry_uid(resource, namespace, name),
                "creationTimestamp": to_text(self._simulation.now),
            }
            return {**new, "metadata": {**metadata, **new["metadata"], **stamps}}
        if resource.kind == "Service":
            new = self._addressed(new)
        return self._store.create(resource.kind, self._dated(resource, new))

    def update(
        self,
        resource: ResourceKind,
        new: KubernetesObject,
        *,
        part: str = "",
        dry_run: bool = False,
    ) -> KubernetesObject:
        """Admit a new state of an existing object and store it; `part` "status" changes the status alone."""
        metadata = new.get("metadata") or {}
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        subject = Subject(kind=resource.plural, group=resource.group, name=name)
        old = self._store.get(resource.kind, namespace, name)
        if old is None:
            raise NotFoundError(subject)
        if metadata.get("resourceVersion") not in (None, "", old["metadata"]["resourceVersion"]):
            raise ConflictError(subject, _MODIFIED)
        if metadata.get("uid") not in (None, "", old["metadata"]["uid"]):
            why = (
                f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object "
                f"meta: {old['metadata']['uid']}"
            )
            raise ConflictError(subject, why)
        new = _with_status(old, new) if part == "status" else self._merged(resource, old, new)
        causes = (
            []
            if part == "status"
            else [*check_object(resource.kind, new), *check_change(resource.kind, new, old)]
        )
        if causes:
            raise InvalidError(Subject(kind=resource.kind, group=resource.group, name=name), causes)
        if new == old:
            return old
        if dry_run:
            return new
        if new["metadata"].get("deletionTimestamp") and self._is_done_for(resource, new):
            return self._store.remove(resource.kind, namespace, name) or new
        return self._store.replace(resource.kind, self._dated(resource, new))

    def _dated(self, resource: ResourceKind, new: KubernetesObject) -> KubernetesObject:
        """Note when configuration was written last, which only the bookkeeping of fields tells.

        Source: managedFields of ObjectMeta in the API reference. One entry stands for all writers.
        """
        if resource.kind not in _CONFIGURATION:
            return new
        entry = {
            "manager": "api",
            "operation": "Update",
            "apiVersion": resource.api_version,
            "time": to_text(self._simulation.now),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {}},
        }
        return {**new, "metadata": {**new["metadata"], "managedFields": [entry]}}

    def delete(
        self, resource: ResourceKind, namespace: str, name: str, how: Deletion, *, dry_run: bool = False
    ) -> tuple[KubernetesObject, bool]:
        """Delete an object, or begin to; return its last known state and whether it is gone already."""
        subject = Subject(kind=resource.plural, group=resource.group, name=name)
        old = self._store.get(resource.kind, namespace, name)
        if old is None:
            raise NotFoundError(subject)
        metadata = old["metadata"]
        if how.uid not in (None, metadata["uid"]):
            raise ConflictError(
                subject,
                f"Precondition failed: UID in precondition: {how.uid}, UID in object meta: {metadata['uid']}",
            )
        if how.resource_version not in (None, metadata["resourceVersion"]):
            raise ConflictError(
                subject,
                f"Precondition failed: ResourceVersion in precondition: {how.resource_version}, "
                f"ResourceVersion in object meta: {metadata['resourceVersion']}",
            )
        if resource.kind == "Namespace" and name in {"default", "kube-system", "kube-public"}:
            raise ForbiddenError(
                f'namespaces "{name}" is forbidden: this namespace may not be deleted', subject=subject
            )
        if dry_run:
            return old, False
        grace = self._grace(resource, old, how)
        finalizers = list(metadata.get("finalizers") or ())
        if how.propagation == "Foreground" and self._store.all_owned_by(metadata["uid"]):
            finalizers = [*[item for item in finalizers if item not in {_FOREGROUND, _ORPHAN}], _FOREGROUND]
        elif how.propagation == "Orphan" and self._store.all_owned_by(metadata["uid"]):
            finalizers = [*[item for item in finalizers if item not in {_FOREGROUND, _ORPHAN}], _ORPHAN]
        if grace == 0 and not finalizers and resource.kind != "Namespace":
            return self._store.remove(resource.kind, namespace, name) or old, True
        return self._marked(resource, old, finalizers, grace), False

    def _marked(
        self, resource: ResourceKind, old: KubernetesObject, finalizers: list[str], grace: int
    ) -> KubernetesObject:
        metadata = dict(old["metadata"])
        if metadata.get("deletionTimestamp") and metadata.get("deletionGracePeriodSeconds", 0) <= grace:
            if finalizers == list(metadata.get("finalizers") or ()):
                return old
        else:
            metadata["deletionTimestamp"] = to_text(self._simulation.now + timedelta(seconds=grace))
            metadata["deletionGracePeriodSeconds"] = grace
        if finalizers:
            metadata["finalizers"] = finalizers
        if resource.generation and "deletionTimestamp" not in old["metadata"]:
            metadata["generation"] = metadata.get("generation", 1) + 1
        marked = {**old, "metadata": metadata}
        if resource.kind == "Namespace":
            marked["status"] = {"phase": "Terminating"}
        return self._store.replace(resource.kind, marked)

    def _grace(self, resource: ResourceKind, old: KubernetesObject, how: Deletion) -> int:
        if resource.kind != "Pod":
            return 0
        status = old.get("status", {})
        if not old["spec"].get("nodeName") or status.get("phase") in {"Succeeded", "Failed"}:
            return 0
        if how.grace_seconds is not None:
            return max(how.grace_seconds, 0)
        return int(old["spec"].get("terminationGracePeriodSeconds", 30))

    def _is_done_for(self, resource: ResourceKind, new: KubernetesObject) -> bool:
        if new["metadata"].get("finalizers") or resource.kind == "Namespace":
            return False
        return resource.kind != "Pod" or not new["metadata"].get("deletionGracePeriodSeconds")

    def _named(self, resource: ResourceKind, new: KubernetesObject) -> KubernetesObject:
        metadata = dict(new.get("metadata") or {})
        if not metadata.get("name"):
            prefix = metadata.get("generateName")
            if not prefix:
                cause = Cause(
                    field="metadata.name",
                    reason="FieldValueRequired",
                    message="Required value: name or generateName is required",
                )
                raise InvalidError(Subject(kind=resource.kind, group=resource.group), [cause])
            metadata["name"] = prefix[:58] + self._identifiers.suffix()
        if metadata.get("resourceVersion"):
            raise BadRequestError("resourceVersion should not be set on objects to be created")
        if not resource.namespaced:
            metadata.pop("namespace", None)
        return {**new, "metadata": metadata}

    def check_namespace(self, kind: str, namespace: str, name: str) -> None:
        """Raise NotFoundError or ForbiddenError when nothing can be created in the namespace."""
        subject = Subject(kind=BY_KIND[kind].plural, group=BY_KIND[kind].group, name=name)
        found = self._store.get("Namespace", "", namespace)
        if found is None:
            raise NotFoundError(Subject(kind="namespaces", name=namespace))
        if found["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = Cause(
                field="metadata.namespace",
                reason="NamespaceTerminating",
                message=f"namespace {namespace} is being terminated",
            )
            raise ForbiddenError(
                f'{subject.qualified} "{subject.name}" is forbidden: {why}', subject=subject, causes=[cause]
            )

    def _merged(
        self, resource: ResourceKind, old: KubernetesObject, new: KubernetesObject
    ) -> KubernetesObject:
        metadata = {key: value for key, value in new["metadata"].items() if key not in _KEPT_METADATA}
        metadata |= {key: old["metadata"][key] for key in _KEPT_METADATA if key in old["metadata"]}
        metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
        merged = {key: value for key, value in new.items() if key != "status"} | {"metadata": metadata}
        if "spec" in old:
            merged.setdefault("spec", {})
        if not resource.status and "status" in new:
            merged["status"] = new["status"]
        elif "status" in old:
            merged["status"] = old["status"]
        if resource.kind == "Secret":
            merged = _with_string_data(merged)
        if resource.kind == "Service":
            merged = _with_addresses_of(old, merged)
        merged = with_defaults(resource.kind, _ordered_like(merged))
        if resource.generation and merged.get("spec") != old.get("spec"):
            merged["metadata"] = {
                **merged["metadata"],
                "generation": old["metadata"].get("generation", 1) + 1,
            }
        return merged

    def _addressed(self, service: KubernetesObject) -> KubernetesObject:
        spec = dict(service["spec"])
        if spec.get("type") == "ExternalName":
            return service
        if not spec.get("clusterIP"):
            spec["clusterIP"] = self._identifiers.cluster_ip()
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
        if spec.get("type") in {"NodePort", "LoadBalancer"}:
            base = 30000 + int(self._identifiers.uid()[:4], 16) % 2600
            spec["ports"] = [
                {**port, "nodePort": port.get("nodePort", base + index)}
                for index, port in enumerate(spec["ports"])
            ]
        return {**service, "spec": spec}

    def _dry_uid(self, resource: ResourceKind, namespace: str, name: str) -> str:
        return Identifiers(0, f"dry-run/{resource.kind}/{namespace}/{name}").uid()


def _ordered_like(subject: KubernetesObject) -> KubernetesObject:
    """Put the fields of an object into the order in which the API writes them."""
    first = ("kind", "apiVersion", "metadata", "spec", "status")
    return {key: subject[key] for key in first if key in subject} | subject


def _prepared(resource: ResourceKind, new: KubernetesObject) -> KubernetesObject:
    """Return a new object as it is before defaults: without what only the system may set."""
    metadata = {
        key: value for key, value in new["metadata"].items() if key not in {*_KEPT_METADATA, "selfLink"}
    }
    if "generateName" in new["metadata"]:
        metadata["generateName"] = new["metadata"]["generateName"]
    if resource.generation:
        metadata["generation"] = 1
    prepared = {**new, "kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    if "spec" in all_types()[resource.shape].fields:
        prepared.setdefault("spec", {})
    if resource.status and resource.kind != "Node":
        prepared.pop("status", None)
    match resource.kind:
        case "Pod":
            prepared["status"] = {
                "phase": "Pending",
                "qosClass": quality_of_service(prepared.get("spec") or {}),
            }
        case "Namespace":
            metadata["labels"] = {
                **(metadata.get("labels") or {}),
                "kubernetes.io/metadata.name": metadata["name"],
            }
            prepared |= {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
        case "Secret":
            prepared = _with_string_data(prepared)
        case "Service":
            prepared["status"] = {"loadBalancer": {}}
        case "PersistentVolumeClaim":
            prepared["status"] = {"phase": "Pending"}
        case (
            "Deployment"
            | "ReplicaSet"
            | "StatefulSet"
            | "DaemonSet"
            | "HorizontalPodAutoscaler"
            | "ResourceQuota"
        ):
            prepared["status"] = {}
    return _ordered_like(prepared)


def quality_of_service(spec: KubernetesObject) -> str:
    """Return the class of a pod by its requests and limits: Guaranteed, Burstable or BestEffort."""
    resources = [container.get("resources") or {} for container in spec.get("containers") or ()]
    if not any(item.get("requests") or item.get("limits") for item in resources):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= (item.get("limits") or {}).keys()
        and (item.get("requests") or item.get("limits")) == item.get("limits")
        for item in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _with_string_data(secret: KubernetesObject) -> KubernetesObject:
    if "stringData" not in secret:
        return secret
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in secret["stringData"].items()}
    rest = {key: value for key, value in secret.items() if key != "stringData"}
    return {**rest, "data": {**(secret.get("data") or {}), **encoded}}


def _with_addresses_of(old: KubernetesObject, new: KubernetesObject) -> KubernetesObject:
    spec, before = dict(new.get("spec") or {}), old["spec"]
    for key in ("clusterIP", "clusterIPs"):
        if key in before and not spec.get(key):
            spec[key] = before[key]
    return {**new, "spec": spec}


def _with_status(old: KubernetesObject, new: KubernetesObject) -> KubernetesObject:
    return {**old, "status": new.get("status") or {}}
