"""Keeps Endpoints and EndpointSlices of Services in step with the pods that they select."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import ControlPlane, is_ready
from mcp_tencent.local_cloud.kubernetes.controllers.selector_index import SelectorIndex
from mcp_tencent.local_cloud.kubernetes.store import owner_reference


class ServiceEndpoints:
    """The endpoints controllers."""

    def __init__(self, plane: ControlPlane, pods: SelectorIndex) -> None:
        self._plane = plane
        self._pods = pods

    def reconcile(self, namespace: str, name: str) -> None:
        """Write which pods are behind a service."""
        service = self._plane.store.get("Service", namespace, name)
        if service is None:
            self._plane.delete("Endpoints", namespace, name)
            return
        selector = service["spec"].get("selector")
        if not selector:
            return
        pods = [
            pod
            for pod in self._pods.matching(namespace, selector)
            if (pod.get("status") or {}).get("podIP") and "deletionTimestamp" not in pod["metadata"]
        ]
        self._write("Endpoints", service, name, _endpoints(service, pods))
        self._write("EndpointSlice", service, f"{name}-slice", _slice(service, pods))

    def _write(self, kind: str, service: KubernetesObject, name: str, body: KubernetesObject) -> None:
        namespace = service["metadata"]["namespace"]
        known = self._plane.store.get(kind, namespace, name)
        if known is not None:
            if any(known.get(key) != value for key, value in body.items()):
                self._plane.store.replace(
                    kind,
                    {"kind": kind, "apiVersion": known["apiVersion"], "metadata": known["metadata"], **body},
                )
            return
        metadata: KubernetesObject = {
            "name": name,
            "namespace": namespace,
            "labels": service["metadata"].get("labels") or {},
        }
        version = "v1"
        if kind == "EndpointSlice":
            version = "discovery.k8s.io/v1"
            labels = {
                "kubernetes.io/service-name": service["metadata"]["name"],
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            }
            metadata |= {
                "labels": {**metadata["labels"], **labels},
                "ownerReferences": [owner_reference(service)],
            }
        self._plane.store.create(kind, {"kind": kind, "apiVersion": version, "metadata": metadata, **body})


def _target(pod: KubernetesObject) -> KubernetesObject:
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _endpoints(service: KubernetesObject, pods: list[KubernetesObject]) -> KubernetesObject:
    subset: KubernetesObject = {}
    for key, wanted in (("addresses", True), ("notReadyAddresses", False)):
        found = [
            {"ip": pod["status"]["podIP"], "nodeName": pod["spec"].get("nodeName"), "targetRef": _target(pod)}
            for pod in pods
            if is_ready(pod) is wanted
        ]
        if found:
            subset[key] = found
    if not subset:
        return {"subsets": []}
    ports = _ports(service, pods)
    return {"subsets": [subset | ({"ports": ports} if ports else {})]}


def _slice(service: KubernetesObject, pods: list[KubernetesObject]) -> KubernetesObject:
    endpoints = [
        {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": is_ready(pod), "serving": is_ready(pod), "terminating": False},
            "nodeName": pod["spec"].get("nodeName"),
            "targetRef": _target(pod),
        }
        for pod in pods
    ]
    return {
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": "", **port} for port in _ports(service, pods)],
    }


def _ports(service: KubernetesObject, pods: list[KubernetesObject]) -> list[KubernetesObject]:
    found = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort", port["port"])
        if isinstance(target, str):
            target = _named_port(pods, target)
            if target is None:
                continue
        found.append(
            {
                **({"name": port["name"]} if port.get("name") else {}),
                "port": target,
                "protocol": port.get("protocol", "TCP"),
            }
        )
    return found


def _named_port(pods: list[KubernetesObject], name: str) -> int | None:
    for pod in pods:
        for container in pod["spec"]["containers"]:
            for port in container.get("ports") or ():
                if port.get("name") == name:
                    return int(port["containerPort"])
    return None
