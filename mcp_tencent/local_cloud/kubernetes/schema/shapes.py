"""The shapes of API types: reads `fields.json`, decodes bodies as the API server's decoder does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError
from mcp_tencent.local_cloud.kubernetes.instants import from_text
from mcp_tencent.local_cloud.kubernetes.quantities import parse_quantity

Shape = str | list[Any] | dict[str, Any]
"""A scalar's name, "#type" for a structure, [item shape] for a list, {"*": value shape} for a map."""

_INT64_FIELDS = frozenset(
    {
        "generation",
        "observedGeneration",
        "deletionGracePeriodSeconds",
        "terminationGracePeriodSeconds",
        "activeDeadlineSeconds",
        "tolerationSeconds",
        "expirationSeconds",
        "runAsUser",
        "runAsGroup",
        "fsGroup",
        "supplementalGroups",
        "revision",
        "gracePeriodSeconds",
    }
)


@dataclass(frozen=True, slots=True)
class TypeShape:
    """One structure of the API."""

    name: str
    """Short group, version, kind: core.v1.PodSpec."""
    fields: Mapping[str, Shape]
    required: tuple[str, ...]


@cache
def all_types() -> Mapping[str, TypeShape]:
    """Return every known structure by name."""
    text = resources.files(__package__).joinpath("fields.json").read_text(encoding="utf-8")
    return {
        name: TypeShape(name, entry["fields"], tuple(entry.get("required", ())))
        for name, entry in json.loads(text).items()
    }


@dataclass(slots=True)
class Decoding:
    """Decodes one body: types must fit, unknown fields are noted and dropped, nulls are absent."""

    kind: str
    version: str
    unknown: list[str] = field(default_factory=list)
    """Paths of the fields that the type does not have."""

    def decode(self, body: Mapping[str, Any], type_name: str) -> dict[str, Any]:
        """Return a copy of `body` that fits the type.

        Raises:
            BadRequestError: a value is of the wrong type.
        """
        return self._structure(body, type_name, "")

    def _structure(self, value: object, type_name: str, path: str) -> dict[str, Any]:
        shape = all_types()[type_name]
        if not isinstance(value, dict):
            raise self._mismatch(value, path, type_name.replace("core.", "").replace("meta.", ""))
        decoded = {}
        for key, item in value.items():
            place = f"{path}.{key}" if path else key
            expected = shape.fields.get(key)
            if expected is None:
                self.unknown.append(place)
            elif item is not None:
                decoded[key] = self._value(item, expected, place)
        return decoded

    def _value(self, value: object, shape: Shape, path: str) -> object:
        if isinstance(shape, list):
            if not isinstance(value, list):
                raise self._mismatch(value, path, f"[]{_go_name(shape[0])}")
            return [
                self._value(item, shape[0], f"{path}[{index}]")
                for index, item in enumerate(value)
                if item is not None
            ]
        if isinstance(shape, dict):
            if not isinstance(value, dict):
                raise self._mismatch(value, path, f"map[string]{_go_name(shape['*'])}")
            return {
                key: self._value(item, shape["*"], f"{path}.{key}")
                for key, item in value.items()
                if item is not None
            }
        if shape.startswith("#"):
            return self._structure(value, shape[1:], path)
        return self._scalar(value, shape, path)

    def _scalar(self, value: object, shape: str, path: str) -> object:
        good = False
        match shape:
            case "any":
                return value
            case "string":
                good = isinstance(value, str)
            case "boolean":
                good = isinstance(value, bool)
            case "integer":
                return self._integer(value, path)
            case "number":
                good = isinstance(value, int | float) and not isinstance(value, bool)
            case "int-or-string":
                if isinstance(value, int) and not isinstance(value, bool):
                    return self._integer(value, path)
                good = isinstance(value, str)
            case "time":
                return self._time(value, path)
            case "quantity":
                return self._quantity(value, path)
        if not good:
            raise self._mismatch(value, path, _go_name(shape))
        return value

    def _integer(self, value: object, path: str) -> int:
        bits = 64 if path.rpartition(".")[2] in _INT64_FIELDS else 32
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._mismatch(value, path, f"int{bits}")
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise self._refuse(
                f"json: cannot unmarshal number {str(value)[:40]} into Go struct field .{path} of "
                f"type int{bits}"
            )
        return value

    def _time(self, value: object, path: str) -> str:
        if not isinstance(value, str):
            raise self._mismatch(value, path, "v1.Time")
        try:
            from_text(value)
        except (ValueError, OverflowError):
            raise self._refuse(
                f'parsing time "{value[:60]}" as "2006-01-02T15:04:05Z07:00": cannot parse '
                f'"{value[:60]}" as "2006"'
            ) from None
        return value

    def _quantity(self, value: object, path: str) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise self._mismatch(value, path, "resource.Quantity")
        try:
            parse_quantity(value)
        except ValueError as error:
            raise self._refuse(str(error)) from None
        return value

    def _mismatch(self, value: object, path: str, wanted: str) -> BadRequestError:
        return self._refuse(
            f"json: cannot unmarshal {_json_name(value)} into Go struct field "
            f"{self.kind}.{path} of type {wanted}"
        )

    def _refuse(self, why: str) -> BadRequestError:
        return BadRequestError(
            f'{self.kind} in version "{self.version}" cannot be handled as a {self.kind}: {why}'
        )


def _json_name(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _go_name(shape: Shape) -> str:
    if isinstance(shape, str):
        known = {
            "integer": "int32",
            "boolean": "bool",
            "int-or-string": "intstr.IntOrString",
            "quantity": "resource.Quantity",
            "time": "v1.Time",
            "number": "float64",
        }
        return shape[1:].partition(".")[2] if shape.startswith("#") else known.get(shape, shape)
    return "object"


# How lists merge, per type and field (patchStrategy and patchMergeKey of the Go types; facts of the API).

_CONDITIONS = (
    "apps.v1.DeploymentStatus",
    "apps.v1.ReplicaSetStatus",
    "apps.v1.StatefulSetStatus",
    "apps.v1.DaemonSetStatus",
    "autoscaling.v2.HorizontalPodAutoscalerStatus",
    "core.v1.NamespaceStatus",
    "core.v1.NodeStatus",
    "core.v1.PersistentVolumeClaimStatus",
    "core.v1.PodStatus",
    "core.v1.ServiceStatus",
    "policy.v1.PodDisruptionBudgetStatus",
)

MERGE_KEYS: Mapping[tuple[str, str], str] = {
    **{(name, "conditions"): "type" for name in _CONDITIONS},
    ("core.v1.Container", "env"): "name",
    ("core.v1.Container", "ports"): "containerPort",
    ("core.v1.Container", "volumeDevices"): "devicePath",
    ("core.v1.Container", "volumeMounts"): "mountPath",
    ("core.v1.EphemeralContainer", "env"): "name",
    ("core.v1.EphemeralContainer", "ports"): "containerPort",
    ("core.v1.EphemeralContainer", "volumeMounts"): "mountPath",
    ("core.v1.NodeSpec", "podCIDRs"): "",
    ("core.v1.NodeStatus", "addresses"): "type",
    ("core.v1.PodSpec", "containers"): "name",
    ("core.v1.PodSpec", "ephemeralContainers"): "name",
    ("core.v1.PodSpec", "hostAliases"): "ip",
    ("core.v1.PodSpec", "imagePullSecrets"): "name",
    ("core.v1.PodSpec", "initContainers"): "name",
    ("core.v1.PodSpec", "resourceClaims"): "name",
    ("core.v1.PodSpec", "schedulingGates"): "name",
    ("core.v1.PodSpec", "topologySpreadConstraints"): "topologyKey",
    ("core.v1.PodSpec", "volumes"): "name",
    ("core.v1.PodStatus", "hostIPs"): "ip",
    ("core.v1.PodStatus", "podIPs"): "ip",
    ("core.v1.ServiceAccount", "imagePullSecrets"): "name",
    ("core.v1.ServiceAccount", "secrets"): "name",
    ("core.v1.ServiceSpec", "ports"): "port",
    ("meta.v1.ObjectMeta", "finalizers"): "",
    ("meta.v1.ObjectMeta", "ownerReferences"): "uid",
}
"""The field that tells a list's items apart when patches merge it; empty for lists of scalars."""

RETAIN_KEYS = frozenset(
    {
        ("apps.v1.DeploymentSpec", "strategy"),
        ("core.v1.PodSpec", "volumes"),
        ("core.v1.PodSpec", "resourceClaims"),
    }
)
"""Fields whose patches may say which keys to retain ($retainKeys)."""


def merge_strategy(type_name: str, name: str) -> str:
    """Return the patch strategy of a field as OpenAPI states it; empty for the default."""
    parts = ["merge"] if (type_name, name) in MERGE_KEYS else []
    if (type_name, name) in RETAIN_KEYS:
        parts.append("retainKeys")
    return ",".join(parts)
