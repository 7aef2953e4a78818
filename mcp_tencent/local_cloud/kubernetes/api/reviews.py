"""What the asking user may do: SelfSubjectAccessReview, SelfSubjectRulesReview, SelfSubjectReview. Pure."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.access import KubernetesUser
from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError
from mcp_tencent.local_cloud.kubernetes.schema.shapes import Decoding

_SHAPES = {
    "selfsubjectaccessreviews": ("authorization.v1.SelfSubjectAccessReview", "authorization.k8s.io/v1"),
    "selfsubjectrulesreviews": ("authorization.v1.SelfSubjectRulesReview", "authorization.k8s.io/v1"),
    "selfsubjectreviews": ("authentication.v1.SelfSubjectReview", "authentication.k8s.io/v1"),
}


def is_review(parts: list[str]) -> bool:
    """Tell whether a path is that of a review."""
    return (
        len(parts) == 4
        and parts[0] == "apis"
        and f"{parts[1]}/{parts[2]}" == _SHAPES.get(parts[3], ("", ""))[1]
    )


def review(plural: str, body: KubernetesObject, user: KubernetesUser) -> KubernetesObject:
    """Return the review with its answer.

    Raises:
        BadRequestError: it does not say what it asks for.
    """
    shape, version = _SHAPES[plural]
    kind = shape.rpartition(".")[2]
    decoded = Decoding(kind, "v1").decode(body, shape)
    spec = decoded.get("spec") or {}
    if plural == "selfsubjectaccessreviews":
        status = _access(spec, user)
    elif plural == "selfsubjectrulesreviews":
        status = _rules(spec, user)
    else:
        status = {"userInfo": {"username": user.name, "groups": ["system:authenticated"]}}
    answer: KubernetesObject = {"kind": kind, "apiVersion": version, "metadata": {"creationTimestamp": None}}
    return {**answer, **({"spec": spec} if spec else {}), "status": status}


def _access(spec: KubernetesObject, user: KubernetesUser) -> KubernetesObject:
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        if spec.get("nonResourceAttributes") is None:
            raise BadRequestError(
                "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            )
        return {"allowed": True, "reason": "RBAC: allowed"}
    resource = wanted.get("resource", "")
    if wanted.get("subresource"):
        resource = f"{resource}/{wanted['subresource']}"
    allowed = user.may(wanted.get("verb", ""), resource, wanted.get("namespace", ""))
    return {"allowed": allowed, "reason": "RBAC: allowed"} if allowed else {"allowed": False}


def _rules(spec: KubernetesObject, user: KubernetesUser) -> KubernetesObject:
    namespace = spec.get("namespace", "")
    rules = [
        {"verbs": list(rule.verbs), "apiGroups": ["*"], "resources": list(rule.resources)}
        for rule in user.rules
        if "*" in rule.namespaces or namespace in rule.namespaces
    ]
    return {
        "resourceRules": rules,
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
        "incomplete": False,
    }
