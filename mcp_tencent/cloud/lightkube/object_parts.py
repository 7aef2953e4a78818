"""What objects of many kinds have in common, as models of ours (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lightkube.models.core_v1 import Container
from lightkube.models.meta_v1 import ObjectMeta

from mcp_tencent.models.aliases import ALIAS_KEY, aliases_in
from mcp_tencent.models.workloads import ContainerImage, ObjectCondition

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
TEMPLATE_HASH = "pod-template-hash"
CONTROLLER_HASH = "controller-revision-hash"
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def meta_of(meta: ObjectMeta | None) -> ObjectMeta:
    """Return the metadata, empty when there is none."""
    return meta if meta is not None else ObjectMeta()


def aliases_of(annotations: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return what people call an object."""
    return aliases_in((annotations or {}).get(ALIAS_KEY, ""))


def images_of(containers: Iterable[Container]) -> tuple[ContainerImage, ...]:
    """Return which images the containers run."""
    return tuple(ContainerImage(container=c.name, image=c.image or "") for c in containers)


def conditions_of(conditions: object) -> tuple[ObjectCondition, ...]:
    """Return the conditions of any object: each kind has its own class of them, with the same fields."""
    return tuple(
        ObjectCondition(
            kind=condition.type,
            status=condition.status,
            reason=condition.reason or "",
            message=condition.message or "",
            changed_at=condition.lastTransitionTime,
        )
        for condition in (conditions if isinstance(conditions, list) else ())
    )
