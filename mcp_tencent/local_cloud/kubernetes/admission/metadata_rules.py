"""What metadata must be like. Pure."""

from __future__ import annotations

import re

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.admission.findings import Findings

_QUALIFIED = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_ANNOTATIONS_LIMIT_BYTES = 256 * 1024
_NAME_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, "
    "'-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def check_metadata(kind: str, metadata: KubernetesObject, findings: Findings) -> None:
    """Note what is wrong with an object's own metadata."""
    name = metadata.get("name")
    if not name:
        findings.required("metadata.name", "name or generateName is required")
    elif kind == "Namespace":
        findings.dns_label("metadata.name", name)
    elif kind == "Service":
        findings.dns_label_1035("metadata.name", name)
    elif kind == "StatefulSet":
        findings.dns_label("metadata.name", name)
    else:
        findings.dns_subdomain("metadata.name", name)
    check_labels(metadata.get("labels"), "metadata.labels", findings)
    check_annotations(metadata.get("annotations"), "metadata.annotations", findings)
    for index, reference in enumerate(metadata.get("ownerReferences") or ()):
        for key in ("apiVersion", "kind", "name", "uid"):
            if not reference.get(key):
                findings.invalid(f"metadata.ownerReferences[{index}].{key}", "", f"{key} must not be empty")


def check_labels(labels: KubernetesObject | None, field: str, findings: Findings) -> None:
    """Note what is wrong with labels."""
    for key, value in (labels or {}).items():
        if not _QUALIFIED.fullmatch(key):
            findings.invalid(field, key, _NAME_RULE)
        if len(value) > 63:
            findings.invalid(field, value[:100], "must be no more than 63 characters")
        elif not _VALUE.fullmatch(value):
            findings.invalid(field, value, _VALUE_RULE)


def check_annotations(annotations: KubernetesObject | None, field: str, findings: Findings) -> None:
    """Note what is wrong with annotations."""
    size = 0
    for key, value in (annotations or {}).items():
        size += len(key.encode()) + len(value.encode())
        if not _QUALIFIED.fullmatch(key.lower()):
            findings.invalid(field, key, _NAME_RULE)
    if size > _ANNOTATIONS_LIMIT_BYTES:
        findings.invalid(field, "", f"must have at most {_ANNOTATIONS_LIMIT_BYTES} bytes")


def check_selector(selector: KubernetesObject | None, field: str, findings: Findings) -> None:
    """Note what is wrong with a label selector."""
    check_labels((selector or {}).get("matchLabels"), f"{field}.matchLabels", findings)
    for index, item in enumerate((selector or {}).get("matchExpressions") or ()):
        place = f"{field}.matchExpressions[{index}]"
        operator = item.get("operator")
        if operator in {"In", "NotIn"}:
            if not item.get("values"):
                findings.required(f"{place}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in {"Exists", "DoesNotExist"}:
            if item.get("values"):
                findings.forbidden(
                    f"{place}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                )
        else:
            findings.invalid(f"{place}.operator", operator or "", "not a valid selector operator")
        if not _QUALIFIED.fullmatch(item.get("key", "")):
            findings.invalid(f"{place}.key", item.get("key", ""), _NAME_RULE)
