"""What a pod spec must be like. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.admission.findings import Findings
from mcp_tencent.local_cloud.kubernetes.admission.metadata_rules import check_labels
from mcp_tencent.local_cloud.kubernetes.quantities import parse_quantity

_ENVIRONMENT_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_PORT_RULE = "must be between 1 and 65535, inclusive"
_PROBE_NUMBERS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)


def check_pod_spec(spec: KubernetesObject, field: str, findings: Findings, restart: tuple[str, ...]) -> None:
    """Note what is wrong with a pod spec; `restart` are the restart policies that are allowed here."""
    volumes = _check_volumes(spec.get("volumes") or (), f"{field}.volumes", findings)
    containers = spec.get("containers") or ()
    if not containers:
        findings.required(f"{field}.containers")
    names: set[str] = set()
    for key in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(key) or ()):
            place = f"{field}.{key}[{index}]"
            _check_container(container, place, volumes, findings)
            name = container.get("name", "")
            if name in names and name:
                findings.duplicate(f"{place}.name", name)
            names.add(name)
    findings.one_of(f"{field}.restartPolicy", spec.get("restartPolicy"), restart)
    findings.one_of(
        f"{field}.dnsPolicy",
        spec.get("dnsPolicy"),
        ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    )
    findings.not_negative(f"{field}.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"))
    check_labels(spec.get("nodeSelector"), f"{field}.nodeSelector", findings)
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        findings.one_of(
            f"{field}.tolerations[{index}].operator", toleration.get("operator"), ("Equal", "Exists")
        )
        findings.one_of(
            f"{field}.tolerations[{index}].effect",
            toleration.get("effect") or None,
            ("NoSchedule", "PreferNoSchedule", "NoExecute"),
        )


def _check_volumes(volumes: list[KubernetesObject] | tuple[()], field: str, findings: Findings) -> set[str]:
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        name = volume.get("name", "")
        if not name:
            findings.required(f"{field}[{index}].name")
        else:
            findings.dns_label(f"{field}[{index}].name", name)
        if name in names:
            findings.duplicate(f"{field}[{index}].name", name)
        names.add(name)
        if len([key for key in volume if key != "name"]) > 1:
            findings.forbidden(f"{field}[{index}]", "may not specify more than 1 volume type")
    return names


def _check_container(container: KubernetesObject, field: str, volumes: set[str], findings: Findings) -> None:
    name = container.get("name", "")
    if not name:
        findings.required(f"{field}.name")
    else:
        findings.dns_label(f"{field}.name", name)
    image = container.get("image", "")
    if not image:
        findings.required(f"{field}.image")
    elif image != image.strip():
        findings.invalid(f"{field}.image", image, "must not have leading or trailing whitespace")
    findings.one_of(f"{field}.imagePullPolicy", container.get("imagePullPolicy"), _PULL_POLICIES)
    _check_ports(container.get("ports") or (), f"{field}.ports", findings)
    for index, variable in enumerate(container.get("env") or ()):
        _check_variable(variable, f"{field}.env[{index}]", findings)
    _check_resources(container.get("resources") or {}, f"{field}.resources", findings)
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            findings.invalid_reference(f"{field}.volumeMounts[{index}].name", mount.get("name", ""))
        if not mount.get("mountPath"):
            findings.required(f"{field}.volumeMounts[{index}].mountPath")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            _check_probe(container[probe], f"{field}.{probe}", findings)


def _check_ports(ports: list[KubernetesObject] | tuple[()], field: str, findings: Findings) -> None:
    names: set[str] = set()
    for index, port in enumerate(ports):
        number = port.get("containerPort")
        if number is None:
            findings.required(f"{field}[{index}].containerPort")
        elif not 1 <= number <= 65535:
            findings.invalid(f"{field}[{index}].containerPort", number, _PORT_RULE)
        findings.one_of(f"{field}[{index}].protocol", port.get("protocol"), _PROTOCOLS)
        name = port.get("name")
        if name is not None and name in names:
            findings.duplicate(f"{field}[{index}].name", name)
        names.add(name or "")


def _check_variable(variable: KubernetesObject, field: str, findings: Findings) -> None:
    name = variable.get("name", "")
    if not name:
        findings.required(f"{field}.name")
    elif not _ENVIRONMENT_NAME.fullmatch(name):
        findings.invalid(
            f"{field}.name",
            name,
            "a valid environment variable name must consist of alphabetic characters, "
            "digits, '_', '-', or '.', and "
            "must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or "
            "'MyEnvName1', regex used for "
            "validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')",
        )
    if variable.get("value") and variable.get("valueFrom"):
        findings.invalid(f"{field}.valueFrom", "", "may not be specified when `value` is not empty")


def _check_resources(resources: Mapping[str, KubernetesObject], field: str, findings: Findings) -> None:
    limits = resources.get("limits") or {}
    for part in ("limits", "requests"):
        for name, amount in (resources.get(part) or {}).items():
            if parse_quantity(amount) < 0:
                findings.invalid(f"{field}.{part}[{name}]", amount, "must be greater than or equal to 0")
    for name, amount in (resources.get("requests") or {}).items():
        if name in limits and parse_quantity(amount) > parse_quantity(limits[name]):
            findings.invalid(
                f"{field}.requests", amount, f"must be less than or equal to {name} limit of {limits[name]}"
            )


def _check_probe(probe: KubernetesObject, field: str, findings: Findings) -> None:
    handlers = [key for key in ("exec", "httpGet", "tcpSocket", "grpc") if key in probe]
    if not handlers:
        findings.required(field, "must specify a handler type")
    elif len(handlers) > 1:
        findings.forbidden(f"{field}.{handlers[1]}", "may not specify more than 1 handler type")
    for key in _PROBE_NUMBERS:
        findings.not_negative(f"{field}.{key}", probe.get(key))
    port = probe.get("httpGet", {}).get("port")
    if isinstance(port, int) and not 1 <= port <= 65535:
        findings.invalid(f"{field}.httpGet.port", port, _PORT_RULE)
