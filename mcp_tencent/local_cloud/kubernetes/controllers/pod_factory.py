"""Makes pods from templates, adopts and releases them, and says which to delete first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.admission.defaults import with_defaults
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import ControlPlane, is_active, is_ready
from mcp_tencent.local_cloud.kubernetes.errors import ApiError
from mcp_tencent.local_cloud.kubernetes.identifiers import fraction
from mcp_tencent.local_cloud.kubernetes.selectors import LabelSelector, object_selector
from mcp_tencent.local_cloud.kubernetes.store import controller_of, owner_reference
from mcp_tencent.local_cloud.kubernetes.writes import quality_of_service

_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


class PodFactory:
    """Creates pods for workload controllers."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._specs: dict[str, tuple[KubernetesObject, KubernetesObject]] = {}
        self._selectors: dict[str, LabelSelector] = {}

    def create(
        self,
        owner: KubernetesObject,
        name: str,
        *,
        component: str,
        labels: Mapping[str, str] | None = None,
        spec: Mapping[str, object] | None = None,
        template: KubernetesObject | None = None,
    ) -> KubernetesObject:
        """Create a pod from the owner's template.

        Args:
            owner: the ReplicaSet, StatefulSet or DaemonSet.
            name: of the pod.
            component: which controller says so in the event.
            labels: on top of the template's.
            spec: fields on top of the template's.
            template: another one than the owner's own.

        Raises:
            ForbiddenError: a quota is exhausted or the namespace is going away; recorded as an event.
        """
        template = template or owner["spec"]["template"]
        metadata = template.get("metadata") or {}
        namespace = owner["metadata"]["namespace"]
        pod_spec = self._complete(owner["metadata"]["uid"], template)
        pod: KubernetesObject = {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {
                "name": name,
                "generateName": f"{owner['metadata']['name']}-",
                "namespace": namespace,
                "labels": {**(metadata.get("labels") or {}), **(labels or {})},
                "ownerReferences": [owner_reference(owner)],
            },
            "spec": {**pod_spec, **spec} if spec else pod_spec,
            "status": {"phase": "Pending", "qosClass": quality_of_service(pod_spec)},
        }
        if metadata.get("annotations"):
            pod["metadata"]["annotations"] = metadata["annotations"]
        try:
            self._plane.writes.check_namespace("Pod", namespace, name)
            self._plane.quota.admit("Pod", namespace, pod)
        except ApiError as error:
            self._plane.events.record(
                owner, "FailedCreate", f"Error creating: {error.message}", component=component, warning=True
            )
            raise
        created = self._plane.store.create("Pod", pod)
        self._plane.events.record(owner, "SuccessfulCreate", f"Created pod: {name}", component=component)
        return created

    def delete(self, owner: KubernetesObject, pod: KubernetesObject, *, component: str) -> None:
        """Delete a pod with its grace, and record that the owner did."""
        metadata = pod["metadata"]
        self._plane.delete("Pod", metadata["namespace"], metadata["name"])
        self._plane.events.record(
            owner, "SuccessfulDelete", f"Deleted pod: {metadata['name']}", component=component
        )

    def claim(self, owner: KubernetesObject) -> list[KubernetesObject]:
        """Return the pods of `owner`: releases those that no longer match, adopts orphans that do."""
        metadata = owner["metadata"]
        selector = self._selector(owner)
        claimed = []
        for pod in self._plane.store.owned_by(metadata["uid"], "Pod"):
            if selector.matches(pod["metadata"].get("labels")):
                claimed.append(pod)
            elif "deletionTimestamp" not in pod["metadata"]:
                self._release(pod, metadata["uid"])
        if "deletionTimestamp" in metadata:
            return claimed
        for pod in self._plane.store.orphans("Pod", metadata["namespace"]):
            if (
                is_active(pod)
                and selector.matches(pod["metadata"].get("labels"))
                and controller_of(pod) is None
            ):
                references = [*(pod["metadata"].get("ownerReferences") or ()), owner_reference(owner)]
                claimed.append(
                    self._plane.store.replace(
                        "Pod", {**pod, "metadata": {**pod["metadata"], "ownerReferences": references}}
                    )
                )
        return claimed

    def forget(self, uid: str) -> None:
        """Drop what is remembered of an owner that is gone."""
        self._specs.pop(uid, None)
        self._selectors.pop(uid, None)

    def _selector(self, owner: KubernetesObject) -> LabelSelector:
        uid = owner["metadata"]["uid"]
        if uid not in self._selectors:  # a selector never changes
            self._selectors[uid] = object_selector(owner["spec"]["selector"])
        return self._selectors[uid]

    def _release(self, pod: KubernetesObject, owner_uid: str) -> None:
        references = [item for item in pod["metadata"]["ownerReferences"] if item["uid"] != owner_uid]
        metadata = {key: value for key, value in pod["metadata"].items() if key != "ownerReferences"}
        if references:
            metadata["ownerReferences"] = references
        self._plane.store.replace("Pod", {**pod, "metadata": metadata})

    def _complete(self, uid: str, template: KubernetesObject) -> KubernetesObject:
        """Return the completed pod spec of a template; all its pods share the same one."""
        known = self._specs.get(uid)
        if known is not None and known[0] is template:
            return known[1]
        spec: KubernetesObject = with_defaults("Pod", {"spec": template.get("spec") or {}})["spec"]
        self._specs[uid] = (template, spec)
        return spec


def deletion_order(pod: KubernetesObject) -> tuple[object, ...]:
    """Return the sort key by which a controller chooses the pods to delete; smallest first."""
    status = pod.get("status") or {}
    phase = {"Pending": 0, "Unknown": 1}.get(status.get("phase", ""), 2)
    ready = is_ready(pod)
    restarts = max((item.get("restartCount", 0) for item in status.get("containerStatuses") or ()), default=0)
    created = datetime.fromisoformat(pod["metadata"]["creationTimestamp"]).timestamp()
    return (
        bool(pod["spec"].get("nodeName")),
        phase,
        ready,
        _cost(pod),
        -restarts,
        -created,
        fraction(pod["metadata"]["uid"]),
    )


def _cost(pod: KubernetesObject) -> int:
    try:
        return int((pod["metadata"].get("annotations") or {}).get(_DELETION_COST, "0"))
    except ValueError:
        return 0
