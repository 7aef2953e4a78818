"""One request as the API understands it: what it is about, who asks, in which form the answer is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcp_tencent.local_cloud.kubernetes.access import KubernetesUser
from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError, NotAcceptableError, Subject
from mcp_tencent.local_cloud.kubernetes.kinds import BY_PATH, ResourceKind

_TRUE = frozenset({"1", "true", "True", "t", "T", "TRUE"})
_FALSE = frozenset({"0", "false", "False", "f", "F", "FALSE", ""})
_INT64 = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a path means."""

    resource: ResourceKind
    namespace: str = ""
    """Empty for cluster-scoped resources and for all namespaces."""
    name: str = ""
    """Empty for the collection."""
    subresource: str = ""

    @property
    def subject(self) -> Subject:
        """What errors are about."""
        return Subject(kind=self.resource.plural, group=self.resource.group, name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One authenticated request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    user: KubernetesUser

    def flag(self, name: str) -> bool:
        """Return a boolean parameter; absent means False."""
        text = self.query.get(name, "")
        if text not in _TRUE and text not in _FALSE:
            raise BadRequestError(f'strconv.ParseBool: parsing "{text[:40]}": invalid syntax')
        return text in _TRUE

    def number(self, name: str) -> int | None:
        """Return a whole, non-negative parameter, or None when it is absent."""
        text = self.query.get(name, "")
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < _INT64):
            raise BadRequestError(f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')
        return int(text)

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be changed."""
        value = self.query.get("dryRun", "")
        if value not in {"", "All"}:
            raise BadRequestError(f'Invalid value: "{value[:40]}": dryRun must be "All"')
        return value == "All"


def parse_target(parts: list[str]) -> Target | None:
    """Return what the path /<parts…> means, or None when the API knows no such path."""
    if parts[:2] == ["api", "v1"]:
        group, version, rest = "", "v1", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) >= 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if len(rest) >= 3 and rest[0] == "namespaces" and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
        if not namespace:
            return None
    if not 1 <= len(rest) <= 3 or not all(rest):
        return None
    resource = BY_PATH.get((group, version, rest[0]))
    if resource is None or (namespace and not resource.namespaced):
        return None
    name = rest[1] if len(rest) > 1 else ""
    if name and resource.namespaced and not namespace:
        return None
    return Target(
        resource=resource, namespace=namespace, name=name, subresource=rest[2] if len(rest) > 2 else ""
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerForm:
    """In which form the client wants objects."""

    kind: str = ""
    """Empty for the objects themselves; Table, PartialObjectMetadata or PartialObjectMetadataList."""


def answer_form(accept: str) -> AnswerForm:
    """Read an Accept header.

    Raises:
        NotAcceptableError: it asks for nothing that can be given.
    """
    if not accept:
        return AnswerForm()
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        if media not in {"application/json", "*/*", "application/*", "text/plain", "text/*"}:
            continue
        given = dict(piece.partition("=")[::2] for piece in parameters)
        kind = given.get("as", "")
        if kind in {"", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"}:
            return AnswerForm(kind=kind)
    raise NotAcceptableError("only the following media types are accepted: application/json")
