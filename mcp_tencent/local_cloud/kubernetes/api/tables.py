"""Objects as rows with columns, as the server prints them for kubectl. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import find_condition, is_ready
from mcp_tencent.local_cloud.kubernetes.instants import age, from_text
from mcp_tencent.local_cloud.kubernetes.selectors import object_selector

Cells = Callable[[KubernetesObject, datetime], list[object]]


@dataclass(frozen=True, slots=True)
class _Columns:
    names: tuple[str, ...]
    """A leading "+" marks columns of the wide form."""
    cells: Cells


def table(
    kind: str, items: Iterable[KubernetesObject], now: datetime, metadata: KubernetesObject, *, whole: str
) -> KubernetesObject:
    """Return a Table of `items`.

    Args:
        kind: of the items.
        items: what is printed.
        now: the instant from which ages count.
        metadata: of the list.
        whole: what each row carries besides its cells: None, Metadata or Object.
    """
    columns = _COLUMNS.get(kind, _PLAIN)
    definitions = [
        {
            "name": name.lstrip("+"),
            "type": "string",
            "format": "name" if name == "Name" else "",
            "description": "",
            "priority": 1 if name.startswith("+") else 0,
        }
        for name in columns.names
    ]
    rows = [_row(item, columns, now, whole) for item in items]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _row(item: KubernetesObject, columns: _Columns, now: datetime, whole: str) -> KubernetesObject:
    row: KubernetesObject = {"cells": columns.cells(item, now)}
    if whole == "Object":
        row["object"] = item
    elif whole != "None":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": item["metadata"],
        }
    return row


def _age(item: KubernetesObject, now: datetime) -> str:
    text = item["metadata"].get("creationTimestamp")
    return age(from_text(text), now) if text else "<unknown>"


def _name(item: KubernetesObject) -> str:
    return str(item["metadata"]["name"])


def pod_state(pod: KubernetesObject) -> str:
    """Return the word that kubectl shows as a pod's status, such as Running or CrashLoopBackOff."""
    status = pod.get("status") or {}
    word = str(status.get("reason") or status.get("phase", ""))
    for container in reversed(status.get("containerStatuses") or ()):
        state = container.get("state") or {}
        if state.get("waiting", {}).get("reason"):
            word = state["waiting"]["reason"]
        elif "terminated" in state:
            word = state["terminated"].get("reason") or f"ExitCode:{state['terminated']['exitCode']}"
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    return word


def _pod(item: KubernetesObject, now: datetime) -> list[object]:
    status = item.get("status") or {}
    containers = status.get("containerStatuses") or []
    restarts = sum(container.get("restartCount", 0) for container in containers)
    last = [
        container["lastState"]["terminated"]["finishedAt"]
        for container in containers
        if (container.get("lastState") or {}).get("terminated")
    ]
    told = f"{restarts} ({age(from_text(max(last)), now)} ago)" if restarts and last else str(restarts)
    ready = sum(bool(container.get("ready")) for container in containers)
    return [
        _name(item),
        f"{ready}/{len(item['spec']['containers'])}",
        pod_state(item),
        told,
        _age(item, now),
        status.get("podIP") or "<none>",
        item["spec"].get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        "<none>",
    ]


def _deployment(item: KubernetesObject, now: datetime) -> list[object]:
    status = item.get("status") or {}
    return [
        _name(item),
        f"{status.get('readyReplicas', 0)}/{item['spec'].get('replicas', 1)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        _age(item, now),
        *_workload_wide(item),
    ]


def _workload_wide(item: KubernetesObject) -> list[object]:
    containers = item["spec"]["template"]["spec"]["containers"]
    selector = item["spec"].get("selector") or {}
    return [
        ",".join(container["name"] for container in containers),
        ",".join(container["image"] for container in containers),
        _selector_text(selector),
    ]


def _selector_text(selector: KubernetesObject) -> str:
    parts = []
    for requirement in object_selector(selector).requirements:
        values = ",".join(requirement.values)
        parts.append(
            {
                "In": f"{requirement.key}={values}"
                if len(requirement.values) == 1
                else f"{requirement.key} in ({values})",
                "NotIn": f"{requirement.key} notin ({values})",
                "Exists": requirement.key,
            }.get(requirement.operator, f"!{requirement.key}")
        )
    return ",".join(parts) or "<none>"


def _replica_set(item: KubernetesObject, now: datetime) -> list[object]:
    status = item.get("status") or {}
    return [
        _name(item),
        item["spec"].get("replicas", 1),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        _age(item, now),
        *_workload_wide(item),
    ]


def _stateful_set(item: KubernetesObject, now: datetime) -> list[object]:
    ready = (item.get("status") or {}).get("readyReplicas", 0)
    return [
        _name(item),
        f"{ready}/{item['spec'].get('replicas', 1)}",
        _age(item, now),
        *_workload_wide(item)[:2],
    ]


def _daemon_set(item: KubernetesObject, now: datetime) -> list[object]:
    status = item.get("status") or {}
    keys = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    selector = item["spec"]["template"]["spec"].get("nodeSelector") or {}
    nodes = ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or "<none>"
    return [_name(item), *(status.get(key, 0) for key in keys), nodes, _age(item, now), *_workload_wide(item)]


def _service(item: KubernetesObject, now: datetime) -> list[object]:
    spec = item["spec"]
    ports = ",".join(map(_port, spec.get("ports") or ()))
    selector = ",".join(f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items()))
    outside = "<pending>" if spec.get("type") == "LoadBalancer" else spec.get("externalName", "<none>")
    return [
        _name(item),
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP", "<none>"),
        outside,
        ports or "<none>",
        _age(item, now),
        selector or "<none>",
    ]


def _port(port: KubernetesObject) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"


def _node(item: KubernetesObject, now: datetime) -> list[object]:
    labels, status = item["metadata"].get("labels") or {}, item.get("status") or {}
    prefix = "node-role.kubernetes.io/"
    roles = ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))) or "<none>"
    ready = find_condition(status, "Ready")
    word = "Ready" if is_ready(item) else "NotReady" if ready is not None else "Unknown"
    if (item.get("spec") or {}).get("unschedulable"):
        word += ",SchedulingDisabled"
    info = status.get("nodeInfo") or {}
    addresses = {entry["type"]: entry["address"] for entry in status.get("addresses") or ()}
    return [
        _name(item),
        word,
        roles,
        _age(item, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", "<none>"),
        addresses.get("ExternalIP", "<none>"),
        info.get("osImage", "<unknown>"),
        info.get("kernelVersion", "<unknown>"),
        info.get("containerRuntimeVersion", "<unknown>"),
    ]


def _event(item: KubernetesObject, now: datetime) -> list[object]:
    about = item.get("involvedObject") or {}
    first, last = item.get("firstTimestamp"), item.get("lastTimestamp")
    seen = age(from_text(last), now) if last else "<unknown>"
    begun = age(from_text(first), now) if first else "<unknown>"
    count = item.get("count", 1)
    source = item.get("source") or {}
    return [
        f"{seen} (x{count} over {begun})" if count > 1 else seen,
        item.get("type", ""),
        item.get("reason", ""),
        f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}",
        about.get("fieldPath", ""),
        ", ".join(filter(None, (source.get("component"), source.get("host")))),
        str(item.get("message", "")).strip(),
        begun,
        count,
        _name(item),
    ]


def _autoscaler(item: KubernetesObject, now: datetime) -> list[object]:
    spec, status = item["spec"], item.get("status") or {}
    current = {
        metric["resource"]["name"]: metric["resource"]["current"]
        for metric in status.get("currentMetrics") or ()
        if "resource" in metric
    }
    targets = []
    for metric in spec.get("metrics") or ():
        resource = metric.get("resource") or {}
        name, wanted = resource.get("name", ""), resource.get("target") or {}
        measured = current.get(name) or {}
        if "averageUtilization" in wanted:
            now_text = (
                f"{measured['averageUtilization']}%" if "averageUtilization" in measured else "<unknown>"
            )
            targets.append(f"{name}: {now_text}/{wanted['averageUtilization']}%")
        else:
            targets.append(
                f"{name}: {measured.get('averageValue', '<unknown>')}/{wanted.get('averageValue', '')}"
            )
    reference = spec["scaleTargetRef"]
    return [
        _name(item),
        f"{reference['kind']}/{reference['name']}",
        ", ".join(targets) or "<none>",
        spec.get("minReplicas", "<unset>"),
        spec.get("maxReplicas"),
        status.get("currentReplicas", 0),
        _age(item, now),
    ]


def _disruption_budget(item: KubernetesObject, now: datetime) -> list[object]:
    spec, status = item["spec"], item.get("status") or {}
    return [
        _name(item),
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        status.get("disruptionsAllowed", 0),
        _age(item, now),
    ]


def _endpoints(item: KubernetesObject, now: datetime) -> list[object]:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in item.get("subsets") or ()
        for port in subset.get("ports") or ({"port": ""},)
        for address in subset.get("addresses") or ()
    ]
    shown = ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "")
    return [_name(item), shown or "<none>", _age(item, now)]


def _slice(item: KubernetesObject, now: datetime) -> list[object]:
    ports = ",".join(str(port.get("port", "")) for port in item.get("ports") or ()) or "<unset>"
    addresses = [
        address for endpoint in item.get("endpoints") or () for address in endpoint.get("addresses") or ()
    ]
    shown = ",".join(addresses[:3]) + (f" + {len(addresses) - 3} more..." if len(addresses) > 3 else "")
    return [_name(item), item.get("addressType", ""), ports, shown or "<unset>", _age(item, now)]


def _config_map(item: KubernetesObject, now: datetime) -> list[object]:
    return [
        _name(item),
        str(len(item.get("data") or {}) + len(item.get("binaryData") or {})),
        _age(item, now),
    ]


def _secret(item: KubernetesObject, now: datetime) -> list[object]:
    return [_name(item), item.get("type", "Opaque"), str(len(item.get("data") or {})), _age(item, now)]


def _namespace(item: KubernetesObject, now: datetime) -> list[object]:
    return [_name(item), (item.get("status") or {}).get("phase", ""), _age(item, now)]


def _service_account(item: KubernetesObject, now: datetime) -> list[object]:
    return [_name(item), len(item.get("secrets") or ()), _age(item, now)]


def _quota(item: KubernetesObject, now: datetime) -> list[object]:
    hard, used = (item.get("spec") or {}).get("hard") or {}, (item.get("status") or {}).get("used") or {}
    parts = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    requests = ", ".join(text for name, text in parts.items() if not name.startswith("limits."))
    limits = ", ".join(text for name, text in parts.items() if name.startswith("limits."))
    return [_name(item), requests, limits, _age(item, now)]


def _claim(item: KubernetesObject, now: datetime) -> list[object]:
    spec, status = item["spec"], item.get("status") or {}
    modes = {
        "ReadWriteOnce": "RWO",
        "ReadOnlyMany": "ROX",
        "ReadWriteMany": "RWX",
        "ReadWriteOncePod": "RWOP",
    }
    return [
        _name(item),
        status.get("phase", "Pending"),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", ""),
        ",".join(modes.get(mode, mode) for mode in spec.get("accessModes") or ()),
        spec.get("storageClassName", ""),
        "<unset>",
        _age(item, now),
        spec.get("volumeMode", "Filesystem"),
    ]


def _network_policy(item: KubernetesObject, now: datetime) -> list[object]:
    return [_name(item), _selector_text(item["spec"].get("podSelector") or {}), _age(item, now)]


def _revision(item: KubernetesObject, now: datetime) -> list[object]:
    owners = item["metadata"].get("ownerReferences") or ()
    owner = f"{owners[0]['kind'].lower()}.apps/{owners[0]['name']}" if owners else "<none>"
    return [_name(item), owner, item.get("revision", 0), _age(item, now)]


_PLAIN = _Columns(
    ("Name", "Created At"), lambda item, now: [_name(item), item["metadata"].get("creationTimestamp", "")]
)
_WIDE_WORKLOAD = ("+Containers", "+Images", "+Selector")

_COLUMNS: Mapping[str, _Columns] = {
    "Pod": _Columns(
        ("Name", "Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates"),
        _pod,
    ),
    "Deployment": _Columns(("Name", "Ready", "Up-to-date", "Available", "Age", *_WIDE_WORKLOAD), _deployment),
    "ReplicaSet": _Columns(("Name", "Desired", "Current", "Ready", "Age", *_WIDE_WORKLOAD), _replica_set),
    "StatefulSet": _Columns(("Name", "Ready", "Age", "+Containers", "+Images"), _stateful_set),
    "DaemonSet": _Columns(
        (
            "Name",
            "Desired",
            "Current",
            "Ready",
            "Up-to-date",
            "Available",
            "Node Selector",
            "Age",
            *_WIDE_WORKLOAD,
        ),
        _daemon_set,
    ),
    "Service": _Columns(
        ("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"), _service
    ),
    "Node": _Columns(
        (
            "Name",
            "Status",
            "Roles",
            "Age",
            "Version",
            "+Internal-IP",
            "+External-IP",
            "+OS-Image",
            "+Kernel-Version",
            "+Container-Runtime",
        ),
        _node,
    ),
    "Event": _Columns(
        (
            "Last Seen",
            "Type",
            "Reason",
            "Object",
            "+Subobject",
            "+Source",
            "Message",
            "+First Seen",
            "+Count",
            "+Name",
        ),
        _event,
    ),
    "HorizontalPodAutoscaler": _Columns(
        ("Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"), _autoscaler
    ),
    "PodDisruptionBudget": _Columns(
        ("Name", "Min Available", "Max Unavailable", "Allowed Disruptions", "Age"), _disruption_budget
    ),
    "Endpoints": _Columns(("Name", "Endpoints", "Age"), _endpoints),
    "EndpointSlice": _Columns(("Name", "AddressType", "Ports", "Endpoints", "Age"), _slice),
    "ConfigMap": _Columns(("Name", "Data", "Age"), _config_map),
    "Secret": _Columns(("Name", "Type", "Data", "Age"), _secret),
    "Namespace": _Columns(("Name", "Status", "Age"), _namespace),
    "ServiceAccount": _Columns(("Name", "Secrets", "Age"), _service_account),
    "ResourceQuota": _Columns(("Name", "Request", "Limit", "Age"), _quota),
    "PersistentVolumeClaim": _Columns(
        (
            "Name",
            "Status",
            "Volume",
            "Capacity",
            "Access Modes",
            "StorageClass",
            "VolumeAttributesClass",
            "Age",
            "+VolumeMode",
        ),
        _claim,
    ),
    "NetworkPolicy": _Columns(("Name", "Pod-Selector", "Age"), _network_policy),
    "ControllerRevision": _Columns(("Name", "Controller", "Revision", "Age"), _revision),
}
