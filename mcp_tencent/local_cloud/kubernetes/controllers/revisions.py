"""The history of StatefulSets and DaemonSets: one ControllerRevision per template."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import ControlPlane
from mcp_tencent.local_cloud.kubernetes.identifiers import template_hash
from mcp_tencent.local_cloud.kubernetes.store import owner_reference

HASH_LABEL = "controller-revision-hash"


def ensure_revision(plane: ControlPlane, owner: KubernetesObject) -> KubernetesObject:
    """Return the revision of the owner's present template, as the newest of its history."""
    metadata, template = owner["metadata"], owner["spec"]["template"]
    digest = template_hash(template)
    known = plane.store.owned_by(metadata["uid"], "ControllerRevision")
    newest = max((item["revision"] for item in known), default=0)
    found = next((item for item in known if item["metadata"]["labels"][HASH_LABEL] == digest), None)
    if found is not None:
        if found["revision"] == newest:
            return found
        return plane.store.replace("ControllerRevision", {**found, "revision": newest + 1})
    labels = (template.get("metadata") or {}).get("labels") or {}
    return plane.store.create(
        "ControllerRevision",
        {
            "kind": "ControllerRevision",
            "apiVersion": "apps/v1",
            "metadata": {
                "name": f"{metadata['name']}-{digest}",
                "namespace": metadata["namespace"],
                "labels": {**labels, HASH_LABEL: digest},
                "annotations": metadata.get("annotations") or {},
                "ownerReferences": [owner_reference(owner)],
            },
            "data": {"spec": {"template": {**template, "$patch": "replace"}}},
            "revision": newest + 1,
        },
    )


def template_of(revision: KubernetesObject) -> KubernetesObject:
    """Return the pod template that a revision keeps."""
    kept: KubernetesObject = revision["data"]["spec"]["template"]
    return {key: value for key, value in kept.items() if key != "$patch"}


def forget_old_revisions(plane: ControlPlane, owner: KubernetesObject, live: set[str]) -> None:
    """Delete the oldest revisions beyond the limit; those named in `live` (hashes) are in use."""
    known = sorted(
        plane.store.owned_by(owner["metadata"]["uid"], "ControllerRevision"),
        key=lambda item: item["revision"],
    )
    idle = [item for item in known if item["metadata"]["labels"][HASH_LABEL] not in live]
    excess = len(idle) - owner["spec"].get("revisionHistoryLimit", 10)
    for item in idle[: max(excess, 0)]:
        plane.delete("ControllerRevision", item["metadata"]["namespace"], item["metadata"]["name"])
