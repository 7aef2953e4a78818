"""OpenAPI v3 as far as kubectl reads it: schemas for `explain`, and which parameters a PATCH takes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from mcp_tencent.local_cloud.kubernetes.kinds import KINDS, ResourceKind
from mcp_tencent.local_cloud.kubernetes.schema.shapes import MERGE_KEYS, Shape, all_types, merge_strategy

PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
PATCH_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force")


def full_name(name: str) -> str:
    """Return the published name of a type: io.k8s.api.core.v1.Pod."""
    return f"io.k8s.apimachinery.pkg.apis.{name}" if name.startswith("meta.") else f"io.k8s.api.{name}"


def group_version_kind(resource: ResourceKind) -> dict[str, str]:
    """Return the extension that ties a path or schema to a kind."""
    return {"group": resource.group, "kind": resource.kind, "version": resource.version}


def object_path(resource: ResourceKind) -> str:
    """Return the path template of one object."""
    base = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    return f"{base}{'/namespaces/{namespace}' if resource.namespaced else ''}/{resource.plural}/{{name}}"


def reachable_types(roots: Iterator[str]) -> list[str]:
    """Return the types that `roots` are made of, themselves included, sorted."""
    found: set[str] = set()
    left = list(roots)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [inner for shape in all_types()[name].fields.values() if (inner := _inner_type(shape))]
    return sorted(found)


def _inner_type(shape: Shape) -> str | None:
    while not isinstance(shape, str):
        shape = shape[0] if isinstance(shape, list) else shape["*"]
    return shape[1:] if shape.startswith("#") else None


@cache
def document(group: str, version: str) -> dict[str, Any]:
    """Return the description of one group version."""
    resources = [item for item in KINDS if (item.group, item.version) == (group, version)]
    kinds = {item.shape: item for item in resources}
    schemas = {}
    for name in reachable_types(iter(kinds)):
        schema = _structure(name)
        if name in kinds:
            schema["x-kubernetes-group-version-kind"] = [group_version_kind(kinds[name])]
        schemas[full_name(name)] = schema
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.32"},
        "paths": {object_path(item): _path(item) for item in resources if "patch" in item.verbs},
        "components": {"schemas": schemas},
    }


def _path(resource: ResourceKind) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{full_name(resource.shape)}"}
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for name in PATCH_PARAMETERS
    ]
    answer = {"description": "OK", "content": {"application/json": {"schema": reference}}}
    operation = {
        "parameters": parameters,
        "requestBody": {"content": {name: {"schema": {"type": "object"}} for name in PATCH_TYPES}},
        "responses": {"200": answer},
        "x-kubernetes-group-version-kind": group_version_kind(resource),
    }
    read = {"responses": {"200": answer}, "x-kubernetes-group-version-kind": group_version_kind(resource)}
    return {"get": read, "patch": {**operation, "x-kubernetes-action": "patch"}}


def _structure(name: str) -> dict[str, Any]:
    shape = all_types()[name]
    properties = {}
    for field, inner in shape.fields.items():
        schema = _schema(inner)
        if (name, field) in MERGE_KEYS:
            schema["x-kubernetes-patch-strategy"] = merge_strategy(name, field)
            if MERGE_KEYS[(name, field)]:
                schema["x-kubernetes-patch-merge-key"] = MERGE_KEYS[(name, field)]
        properties[field] = schema
    found: dict[str, Any] = {"type": "object", "properties": properties}
    if shape.required:
        found["required"] = list(shape.required)
    return found


def _schema(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, list):
        return {"type": "array", "items": _schema(shape[0])}
    if isinstance(shape, dict):
        return {"type": "object", "additionalProperties": _schema(shape["*"])}
    if shape.startswith("#"):
        return {"allOf": [{"$ref": f"#/components/schemas/{full_name(shape[1:])}"}], "default": {}}
    scalars: dict[str, dict[str, Any]] = {
        "any": {"type": "object"},
        "integer": {"type": "integer", "format": "int32"},
        "number": {"type": "number", "format": "double"},
        "time": {"type": "string", "format": "date-time"},
        "int-or-string": {"type": "string", "format": "int-or-string"},
        "quantity": {"type": "string"},
    }
    return dict(scalars.get(shape, {"type": shape}))
