"""Label and field selectors. Pure.

Syntax: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mcp_tencent.local_cloud.conditions import KubernetesObject

_KEY = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_COMPARED = re.compile(rf"({_KEY})\s*(==|=|!=|>|<)\s*([^\s,()=!]*)")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


class SelectorError(ValueError):
    """A selector that cannot be read."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label."""

    key: str
    operator: str
    """In, NotIn, Exists, DoesNotExist, Gt or Lt."""
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Tell whether `labels` meet it."""
        value = labels.get(self.key)
        if self.operator == "In":
            return value is not None and value in self.values
        if self.operator == "NotIn":
            return value is None or value not in self.values
        if self.operator == "Exists":
            return value is not None
        if self.operator == "DoesNotExist":
            return value is None
        try:
            number, bound = int(value or ""), int(self.values[0])
        except ValueError:
            return False
        return number > bound if self.operator == "Gt" else number < bound


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Conditions that must all hold; none at all selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Tell whether an object with `labels` is selected."""
        return all(requirement.holds(labels or {}) for requirement in self.requirements)


def parse_label_selector(text: str) -> LabelSelector:
    """Read the query form: `a=b,c!=d,e in (f,g),h,!i`.

    Raises:
        SelectorError: it cannot be read.
    """
    requirements: list[Requirement] = []
    position = 0
    text = text.strip()
    while position < len(text):
        requirement, position = _next_requirement(text, position)
        requirements.append(requirement)
        while position < len(text) and text[position].isspace():
            position += 1
        if position < len(text):
            if text[position] != ",":
                raise SelectorError(
                    f"unable to parse requirement: found '{text[position]}', expected: ',' or 'end of string'"
                )
            position += 1
            while position < len(text) and text[position].isspace():
                position += 1
            if position == len(text):
                raise SelectorError("found '', expected: identifier after ','")
    return LabelSelector(tuple(requirements))


def _next_requirement(text: str, position: int) -> tuple[Requirement, int]:
    if found := _SET.match(text, position):
        values = tuple(sorted(value.strip() for value in found[4].split(",")))
        return Requirement(found[1], "In" if found[3] == "in" else "NotIn", _checked(values)), found.end()
    if found := _COMPARED.match(text, position):
        operator = {"=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt"}[found[3]]
        return Requirement(found[1], operator, _checked((found[4],))), found.end()
    if found := _EXISTS.match(text, position):
        return Requirement(found[2], "DoesNotExist" if found[1] else "Exists"), found.end()
    raise SelectorError(
        f"unable to parse requirement: found '{text[position]}', expected: !, identifier, or 'end of string'"
    )


def _checked(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not _VALUE.fullmatch(value):
            raise SelectorError(
                f'unable to parse requirement: values[0]: Invalid value: "{value}": a valid '
                f"label must be an empty string or consist of alphanumeric characters, '-', '_' "
                f"or '.'"
            )
    return values


def object_selector(selector: KubernetesObject | None) -> LabelSelector:
    """Read the object form (matchLabels, matchExpressions); None selects everything."""
    if not selector:
        return LabelSelector()
    equal = [Requirement(key, "In", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
    expressions = [
        Requirement(item["key"], item["operator"], tuple(item.get("values") or ()))
        for item in selector.get("matchExpressions") or ()
    ]
    return LabelSelector((*equal, *expressions))


FieldTest = Callable[[KubernetesObject], bool]

_FIELDS: Mapping[str, frozenset[str]] = {
    "Pod": frozenset(
        {
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        }
    ),
    "Event": frozenset(
        {
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        }
    ),
    "Node": frozenset({"spec.unschedulable"}),
    "Namespace": frozenset({"status.phase"}),
    "Secret": frozenset({"type"}),
    "ReplicaSet": frozenset({"status.replicas"}),
    "Service": frozenset({"spec.clusterIP", "spec.type"}),
}


def parse_field_selector(text: str, kind: str) -> FieldTest:
    """Read `a.b=c,d!=e` for objects of `kind`.

    Raises:
        SelectorError: it cannot be read, or the kind does not know the field.
    """
    tests: list[tuple[list[str], str, bool]] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        found = re.fullmatch(r"([^=!]+?)(!=|==|=)(.*)", part)
        if found is None:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        name = found[1]
        if name not in {"metadata.name", "metadata.namespace"} and name not in _FIELDS.get(kind, ()):
            raise SelectorError(f"field label not supported: {name}")
        tests.append((_path(kind, name), found[3], found[2] != "!="))
    return lambda subject: all((_text(subject, path) == value) is equal for path, value, equal in tests)


def _path(kind: str, name: str) -> list[str]:
    if kind == "Event" and name == "source":
        return ["source", "component"]
    return name.split(".")


def _text(subject: KubernetesObject, path: list[str]) -> str:
    value: object = subject
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None and path[-1] == "unschedulable":
        return "false"
    return "" if value is None else str(value)
