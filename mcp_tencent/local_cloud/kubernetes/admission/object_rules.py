"""What objects must be like when they are created, and what may not change in them afterwards. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.admission.findings import Findings
from mcp_tencent.local_cloud.kubernetes.admission.metadata_rules import (
    check_labels,
    check_metadata,
    check_selector,
)
from mcp_tencent.local_cloud.kubernetes.admission.pod_rules import check_pod_spec
from mcp_tencent.local_cloud.kubernetes.errors import Cause
from mcp_tencent.local_cloud.kubernetes.quantities import parse_quantity
from mcp_tencent.local_cloud.kubernetes.selectors import object_selector

_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_PERCENT = re.compile(r"[0-9]{1,9}%")
_IMMUTABLE = "field is immutable"
_DATA_LIMIT_BYTES = 1024 * 1024


def check_object(kind: str, subject: KubernetesObject) -> list[Cause]:
    """Return everything that is wrong with an object of `kind` in itself."""
    findings = Findings()
    check_metadata(kind, subject["metadata"], findings)
    check = _CHECKS.get(kind)
    if check is not None:
        check(subject, findings)
    return findings.causes


def check_change(kind: str, new: KubernetesObject, old: KubernetesObject) -> list[Cause]:
    """Return everything that may not be changed so in an object of `kind`."""
    findings = Findings()
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if kind in {"Deployment", "ReplicaSet", "DaemonSet"} and spec.get("selector") != before.get("selector"):
        findings.invalid("spec.selector", spec.get("selector"), _IMMUTABLE)
    elif kind == "StatefulSet":
        _stateful_set_change(spec, before, findings)
    elif kind == "Pod":
        _pod_change(spec, before, findings)
    elif (
        kind == "Service"
        and spec.get("type") != "ExternalName"
        and spec.get("clusterIP") != before.get("clusterIP")
    ):
        findings.invalid("spec.clusterIPs[0]", spec.get("clusterIP", ""), "may not change once set")
    elif kind in {"ConfigMap", "Secret"}:
        _configuration_change(new, old, findings)
    elif kind == "PersistentVolumeClaim" and {**spec, "resources": None} != {**before, "resources": None}:
        findings.forbidden(
            "spec", "spec is immutable after creation except resources.requests for bound claims"
        )
    return findings.causes


def is_whole_or_percent(value: object) -> bool:
    """Tell whether `value` is a count or a percentage such as "25%"."""
    return (isinstance(value, int) and value >= 0) or (
        isinstance(value, str) and _PERCENT.fullmatch(value) is not None
    )


def _count_or_percent(field: str, value: object, findings: Findings) -> None:
    if value is None or is_whole_or_percent(value):
        return
    if isinstance(value, int):
        findings.not_negative(field, value)
    else:
        findings.invalid(
            field,
            value,
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. "
            "'1%',  or '93%', regex used for validation is '[0-9]+%')",
        )


def _workload(subject: KubernetesObject, findings: Findings) -> None:
    spec = subject.get("spec") or {}
    for key in ("replicas", "minReadySeconds", "revisionHistoryLimit"):
        findings.not_negative(f"spec.{key}", spec.get(key))
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    selector = spec.get("selector")
    if not selector:
        findings.required("spec.selector")
        findings.invalid(
            "spec.template.metadata.labels", labels, "`selector` does not match template `labels`"
        )
    else:
        before = len(findings.causes)
        check_selector(selector, "spec.selector", findings)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            findings.invalid("spec.selector", selector, "empty selector is invalid for deployment")
        elif len(findings.causes) == before and not object_selector(selector).matches(labels):
            findings.invalid(
                "spec.template.metadata.labels", labels, "`selector` does not match template `labels`"
            )
    check_labels(labels, "spec.template.labels", findings)
    check_pod_spec(template.get("spec") or {}, "spec.template.spec", findings, ("Always",))


def _deployment(subject: KubernetesObject, findings: Findings) -> None:
    _workload(subject, findings)
    spec = subject.get("spec") or {}
    strategy = spec.get("strategy") or {}
    deadline = spec.get("progressDeadlineSeconds")
    findings.not_negative("spec.progressDeadlineSeconds", deadline)
    if isinstance(deadline, int) and 0 <= deadline <= (spec.get("minReadySeconds") or 0):
        findings.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    findings.one_of("spec.strategy.type", strategy.get("type"), ("Recreate", "RollingUpdate"))
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate":
        if rolling is not None:
            findings.forbidden(
                "spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"
            )
        return
    _rolling(rolling or {}, "spec.strategy.rollingUpdate", findings)


def _rolling(rolling: KubernetesObject, field: str, findings: Findings) -> None:
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    _count_or_percent(f"{field}.maxSurge", surge, findings)
    _count_or_percent(f"{field}.maxUnavailable", unavailable, findings)
    if surge in {0, "0%"} and unavailable in {0, "0%"}:
        findings.invalid(f"{field}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    if isinstance(unavailable, str) and _PERCENT.fullmatch(unavailable) and int(unavailable[:-1]) > 100:
        findings.invalid(f"{field}.maxUnavailable", unavailable, "must not be greater than 100%")


def _stateful_set(subject: KubernetesObject, findings: Findings) -> None:
    _workload(subject, findings)
    spec = subject.get("spec") or {}
    findings.one_of("spec.podManagementPolicy", spec.get("podManagementPolicy"), ("OrderedReady", "Parallel"))
    strategy = spec.get("updateStrategy") or {}
    findings.one_of("spec.updateStrategy.type", strategy.get("type"), ("OnDelete", "RollingUpdate"))
    findings.not_negative(
        "spec.updateStrategy.rollingUpdate.partition", (strategy.get("rollingUpdate") or {}).get("partition")
    )


def _daemon_set(subject: KubernetesObject, findings: Findings) -> None:
    _workload(subject, findings)
    strategy = (subject.get("spec") or {}).get("updateStrategy") or {}
    findings.one_of("spec.updateStrategy.type", strategy.get("type"), ("OnDelete", "RollingUpdate"))
    if strategy.get("type") == "RollingUpdate":
        _rolling(strategy.get("rollingUpdate") or {}, "spec.updateStrategy.rollingUpdate", findings)


def _pod(subject: KubernetesObject, findings: Findings) -> None:
    check_pod_spec(subject.get("spec") or {}, "spec", findings, ("Always", "OnFailure", "Never"))


def _service(subject: KubernetesObject, findings: Findings) -> None:
    spec = subject.get("spec") or {}
    findings.one_of("spec.type", spec.get("type"), ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"))
    findings.one_of("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    check_labels(spec.get("selector"), "spec.selector", findings)
    ports = spec.get("ports") or ()
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        findings.required("spec.ports")
    names: set[str] = set()
    for index, port in enumerate(ports):
        place = f"spec.ports[{index}]"
        for key in ("port", "targetPort", "nodePort"):
            number = port.get(key)
            if isinstance(number, int) and not (1 <= number <= 65535):
                findings.invalid(f"{place}.{key}", number, "must be between 1 and 65535, inclusive")
        if port.get("port") is None:
            findings.required(f"{place}.port")
        findings.one_of(f"{place}.protocol", port.get("protocol"), ("SCTP", "TCP", "UDP"))
        name = port.get("name", "")
        if not name and len(ports) > 1:
            findings.required(f"{place}.name")
        elif name and name in names:
            findings.duplicate(f"{place}.name", name)
        names.add(name)
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        findings.required("spec.externalName")


def _configuration(subject: KubernetesObject, findings: Findings) -> None:
    size = 0
    for part in ("data", "binaryData"):
        for key, value in (subject.get(part) or {}).items():
            size += len(value.encode())
            if not _CONFIG_KEY.fullmatch(key) or key in {".", ".."}:
                findings.invalid(
                    f"{part}[{key[:60]}]",
                    key[:300],
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
                    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                    "'[-._a-zA-Z0-9]+')",
                )
            if (part == "binaryData" or subject["kind"] == "Secret") and not is_base64(value):
                findings.invalid(f"{part}[{key[:60]}]", "<secret>", "illegal base64 data")
    if size > _DATA_LIMIT_BYTES:
        findings.invalid("data", "", f"Too long: may not be more than {_DATA_LIMIT_BYTES} bytes")


def is_base64(text: str) -> bool:
    """Tell whether `text` is standard base64."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _autoscaler(subject: KubernetesObject, findings: Findings) -> None:
    spec = subject.get("spec") or {}
    lowest, highest = spec.get("minReplicas", 1), spec.get("maxReplicas")
    if highest is None:
        findings.required("spec.maxReplicas")
    elif highest < 1:
        findings.invalid("spec.maxReplicas", highest, "must be greater than 0")
    elif highest < lowest:
        findings.invalid("spec.maxReplicas", highest, "must be greater than or equal to `minReplicas`")
    if lowest < 1:
        findings.invalid("spec.minReplicas", lowest, "must be greater than or equal to 1")
    target = spec.get("scaleTargetRef") or {}
    for key in ("kind", "name"):
        if not target.get(key):
            findings.required(f"spec.scaleTargetRef.{key}")
    for index, metric in enumerate(spec.get("metrics") or ()):
        place = f"spec.metrics[{index}]"
        findings.one_of(
            f"{place}.type",
            metric.get("type", ""),
            ("ContainerResource", "External", "Object", "Pods", "Resource"),
        )
        if metric.get("type") == "Resource":
            wanted = (metric.get("resource") or {}).get("target") or {}
            if not (metric.get("resource") or {}).get("name"):
                findings.required(f"{place}.resource.name", "must specify a resource name")
            if "averageUtilization" not in wanted and "averageValue" not in wanted:
                findings.required(
                    f"{place}.resource.target.averageUtilization",
                    "must set either a target raw value or a target utilization",
                )
            if isinstance(wanted.get("averageUtilization"), int) and wanted["averageUtilization"] < 1:
                findings.invalid(
                    f"{place}.resource.target.averageUtilization",
                    wanted["averageUtilization"],
                    "must be greater than 0",
                )


def _disruption_budget(subject: KubernetesObject, findings: Findings) -> None:
    spec = subject.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        findings.invalid("spec", "", "minAvailable and maxUnavailable cannot be both set")
    for key in ("minAvailable", "maxUnavailable"):
        _count_or_percent(f"spec.{key}", spec.get(key), findings)
    check_selector(spec.get("selector"), "spec.selector", findings)


def _network_policy(subject: KubernetesObject, findings: Findings) -> None:
    spec = subject.get("spec") or {}
    check_selector(spec.get("podSelector"), "spec.podSelector", findings)
    for index, item in enumerate(spec.get("policyTypes") or ()):
        findings.one_of(f"spec.policyTypes[{index}]", item, ("Egress", "Ingress"))


def _quota(subject: KubernetesObject, findings: Findings) -> None:
    for name, amount in ((subject.get("spec") or {}).get("hard") or {}).items():
        if parse_quantity(amount) < 0:
            findings.invalid(f"spec.hard[{name}]", amount, "must be greater than or equal to 0")


def _claim(subject: KubernetesObject, findings: Findings) -> None:
    spec = subject.get("spec") or {}
    if not spec.get("accessModes"):
        findings.required("spec.accessModes", "at least 1 access mode is required")
    if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
        findings.required("spec.resources[storage]")


_CHECKS: Mapping[str, Callable[[KubernetesObject, Findings], None]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _workload,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Service": _service,
    "ConfigMap": _configuration,
    "Secret": _configuration,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _disruption_budget,
    "NetworkPolicy": _network_policy,
    "ResourceQuota": _quota,
    "PersistentVolumeClaim": _claim,
}

_STATEFUL_MUTABLE = frozenset(
    {
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    }
)


def _stateful_set_change(spec: KubernetesObject, before: KubernetesObject, findings: Findings) -> None:
    changed = {key for key in {*spec, *before} if spec.get(key) != before.get(key)}
    if changed - _STATEFUL_MUTABLE:
        names = (
            "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
            "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'"
        )
        findings.forbidden("spec", f"updates to statefulset spec for fields other than {names} are forbidden")


def _pod_change(spec: KubernetesObject, before: KubernetesObject, findings: Findings) -> None:
    if _fixed_part(spec) != _fixed_part(before):
        findings.forbidden(
            "spec",
            "pod updates may not change fields other than "
            "`spec.containers[*].image`,`spec.initContainers[*].image`,"
            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        )


def _fixed_part(spec: KubernetesObject) -> KubernetesObject:
    fixed = {key: value for key, value in spec.items() if key not in {"activeDeadlineSeconds", "tolerations"}}
    for key in ("containers", "initContainers"):
        if key in fixed:
            fixed[key] = [{**container, "image": ""} for container in fixed[key]]
    return fixed


def _configuration_change(new: KubernetesObject, old: KubernetesObject, findings: Findings) -> None:
    if old.get("immutable"):
        for part in ("data", "binaryData"):
            if new.get(part) != old.get(part):
                findings.forbidden(part, "field is immutable when `immutable` is set")
        if not new.get("immutable"):
            findings.forbidden("immutable", "field is immutable when `immutable` is set")
    if old["kind"] == "Secret" and new.get("type") != old.get("type"):
        findings.invalid("type", new.get("type"), _IMMUTABLE)
